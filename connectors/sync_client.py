"""The client for scripts without asyncio: send, wait for the answer, go on. On kafka-python.

It reads no inbox: deliveries need order, positions and a program that runs. That is `MemberClient`.
"""

import logging
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Final, Self

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from casework.directory import Directory
from casework.messages import Receipt
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import (
    ExchangeUnreachableError,
    MisuseError,
    NoReceiptError,
    NotConfirmedError,
    ReportRefusedError,
    StaleDirectoryError,
    TopicMissingError,
)
from connectors.kafka_errors import KAFKA_ERRORS, as_client_error, translated
from connectors.membership import Membership, event_id_at
from connectors.preparing import Prepared
from connectors.provenance import Record, check_record, record_of
from connectors.sending import Submitted, place_of, topic_of
from schemas.errors import UnreadableError
from streams import wire
from streams.clock import Clock
from streams.directory_versions import DirectoryVersions, NoDirectoryError
from streams.refusals import check_access
from streams.topics import Topics

log = logging.getLogger(__name__)

_POLL_MS: Final = 200


class Outcome(msgspec.Struct, frozen=True):
    """What became of a submission: where it lies, and the receipt if it was waited for."""

    submitted: Submitted
    receipt: Receipt | None = None


class SyncClient:
    """A member's connection for scripts; use it as a context manager, in one thread.

    Args:
        membership: Who and where.
        clock: The exchange's clock.
        directory: The directory to use; None reads the newest from its topic, once: a program that stays
            open uses `MemberClient`, which follows it.
        new_id: Makes event ids for a time.
    """

    def __init__(
        self,
        membership: Membership,
        *,
        clock: Clock,
        directory: Directory | None = None,
        new_id: Callable[[int], str] = event_id_at,
    ) -> None:
        self.membership = membership
        self.topics = Topics(membership.topic_prefix)
        self._clock = clock
        self._directory = directory
        self._new_id = new_id
        self._producer: Any = None
        self._consumer: Any = None
        self._open: dict[str, Receipt | None] = {}

    def __enter__(self) -> Self:
        limits = self.membership.limits
        try:
            with translated(f"Kafka at {self.membership.kafka['bootstrap_servers']}"):
                check_access(self.membership.kafka)
                self._producer = KafkaProducer(
                    acks="all",
                    enable_idempotence=True,
                    delivery_timeout_ms=int(limits.send_timeout_s * 1000),
                    request_timeout_ms=int(limits.send_timeout_s * 500),
                    bootstrap_timeout_ms=int(limits.start_timeout_s * 1000),
                    max_block_ms=int(limits.start_timeout_s * 1000),
                    allow_auto_create_topics=False,
                    **self.membership.kafka,
                )
                self._consumer = self._make_consumer()
                self._directory = self._directory or self._read_directory()
                self.membership.entry_in(self._directory)
                self._go_to_end_of_inbox()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of Kafka; what was submitted is confirmed already."""
        for client in (self._producer, self._consumer):
            if client is not None:
                client.close()
        self._producer = self._consumer = None

    def prepare(self, draft: ReportDraft | ActionDraft) -> Prepared:
        """Check a draft by the rules of the exchange and make its submission; nothing is sent.

        Raises:
            DraftRefusedError: The draft breaks rules; field and rule are named.
            StaleDirectoryError: The directory that was read at the start has expired: open a new client.
        """
        if self._producer is None or self._directory is None:
            raise MisuseError("the client is not open: use it inside `with`")
        expires_at = self._directory.expires_at
        if expires_at is not None and self._clock.real_ms() >= expires_at:
            # Who left or lost a key since would still be sealed to.
            version = self._directory.version
            raise StaleDirectoryError(f"directory version {version} has expired: open the client again")
        return self.membership.prepare(draft, self._directory, self._clock, self._new_id)

    def submit(self, draft: ReportDraft, *, wait: bool = True, timeout_s: float = 30.0) -> Outcome:
        """Send a report and, with `wait`, answer its receipt too.

        Raises:
            DraftRefusedError: The draft breaks rules; nothing was sent.
            NotConfirmedError: Kafka did not confirm; send its `prepared` again.
            NoReceiptError: It is sent, but no receipt came within `timeout_s` seconds.
        """
        return self.send(self.prepare(draft), wait=wait, timeout_s=timeout_s)

    def act(self, draft: ActionDraft, *, wait: bool = True, timeout_s: float = 30.0) -> Outcome:
        """Send an action, after the receipt of the own report it names, and with `wait` answer its receipt.

        Raises:
            DraftRefusedError: The draft breaks rules; nothing was sent.
            ReportRefusedError: The report it names was refused; nothing was sent.
            NotConfirmedError: Kafka did not confirm; send its `prepared` again.
            NoReceiptError: It, or the report it names, got no receipt within `timeout_s` seconds.
        """
        return self.send(self.prepare(draft), wait=wait, timeout_s=timeout_s)

    def send(self, prepared: Prepared, *, wait: bool = True, timeout_s: float = 30.0) -> Outcome:
        """Send what `prepare` made, or what a NotConfirmedError gave back; sent twice it counts once.

        Raises:
            ReportRefusedError: The report that an action names was refused; nothing was sent.
            NotConfirmedError: Kafka did not confirm in time.
            NoReceiptError: No receipt came within `timeout_s` seconds.
        """
        if self._producer is None or self._directory is None:
            raise MisuseError("the client is not open: use it inside `with`")
        if prepared.after in self._open:
            receipt = self.wait_for_receipt(prepared.after, timeout_s)
            if receipt.outcome not in {"accepted", "duplicate"}:
                raise ReportRefusedError(receipt)
        topic = topic_of(prepared, self.topics)
        try:
            partitions = self._producer.partitions_for(topic)
            partition = place_of(prepared, topic, len(partitions), self._directory)
            sent = self._producer.send(topic, prepared.value, key=prepared.url_key, partition=partition).get(
                self.membership.limits.send_timeout_s
            )
        except KAFKA_ERRORS as error:
            translated_error = as_client_error(error, topic)
            if isinstance(translated_error, ExchangeUnreachableError):
                raise NotConfirmedError(type(error).__name__, prepared) from error
            raise translated_error from error
        submitted = Submitted(
            prepared.event_id, prepared.url_key, topic, partition, sent.offset, sent.timestamp
        )
        self._open.setdefault(prepared.event_id, None)
        while len(self._open) > self.membership.limits.receipt_memory:
            del self._open[next(iter(self._open))]
        return Outcome(submitted, self.wait_for_receipt(prepared.event_id, timeout_s) if wait else None)

    def wait_for_receipt(self, event_id: str, timeout_s: float = 30.0) -> Receipt:
        """Answer the receipt of a submission of this client.

        Raises:
            NoReceiptError: None came within `timeout_s` seconds.
            MisuseError: This client did not send it, or more than `limits.receipt_memory` others since.
        """
        if event_id not in self._open:
            raise MisuseError(f"{event_id} was not sent by this client: read its receipt from the inbox")
        end = time.monotonic() + timeout_s
        while True:
            found = self._open[event_id]
            if found is not None:
                return found
            if time.monotonic() >= end:
                raise NoReceiptError(f"no receipt of {event_id} within {timeout_s:g} s")
            for _ in self._read_receipts():
                pass

    def receipts(self, timeout_s: float = 1.0) -> Iterator[Receipt]:
        """Yield receipts as they come, from the opening of this client on, until none comes for a while.

        Args:
            timeout_s: Seconds without a receipt after which it ends.
        """
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            for receipt in self._read_receipts():
                yield receipt
                end = time.monotonic() + timeout_s

    def _read_receipts(self) -> Iterator[Receipt]:
        with translated(self.topics.inbox(self.membership.member)):
            polled = self._consumer.poll(timeout_ms=_POLL_MS)
        for records in polled.values():
            for record in records:
                receipt = self._receipt(record_of(record))
                if receipt is not None:
                    if self._open.get(receipt.event_id, receipt) is None:
                        self._open[receipt.event_id] = receipt
                    yield receipt

    def _receipt(self, record: Record) -> Receipt | None:
        """Answer the receipt in a record; None where it is none, or not proven to be the exchange's."""
        assert self._directory is not None, "set when the client starts"  # noqa: S101 - for the type checker
        violation = check_record(self._directory, self.membership.topic_prefix, record)
        if violation is not None:
            place = f"{record.topic}/{record.partition}/{record.offset}"
            log.error("%s is not by the exchange and is passed over: %s", place, violation.rule)
            return None
        try:
            message = wire.decode(record.value or b"")
        except UnreadableError:
            return None
        return message if isinstance(message, Receipt) else None

    def _make_consumer(self) -> Any:  # noqa: ANN401 - an untyped library
        return KafkaConsumer(
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=self.membership.limits.fetch_wait_ms,
            allow_auto_create_topics=False,
            **self.membership.kafka,
        )

    def _go_to_end_of_inbox(self) -> None:
        member = self.membership.member
        partitions = []
        for topic in (self.topics.inbox_urgent(member), self.topics.inbox(member)):
            numbers = self._consumer.partitions_for_topic(topic)
            if not numbers:
                raise TopicMissingError(f"{topic}: no such topic; check the prefix or provision")
            partitions += [TopicPartition(topic, number) for number in numbers]
        self._consumer.assign(partitions)
        for partition, end in self._consumer.end_offsets(partitions).items():
            self._consumer.seek(partition, end)

    def _read_directory(self) -> Directory:
        partition = TopicPartition(self.topics.directory, 0)
        if not self._consumer.partitions_for_topic(partition.topic):
            raise TopicMissingError(f"{partition.topic}: no such topic; check the prefix or provision")
        self._consumer.assign([partition])
        end = self._consumer.end_offsets([partition])[partition]
        versions = DirectoryVersions(self.membership.environment, self._clock, self.membership.anchor)
        while self._consumer.position(partition) < end:
            for record in self._consumer.poll(timeout_ms=_POLL_MS).get(partition, ()):
                versions.take(record)
        memory = self.membership.memory
        try:
            if memory is not None:
                memory.check(versions)
                memory.note(versions.newest)
            return versions.latest(self._clock.now_ms())
        except NoDirectoryError as error:
            raise StaleDirectoryError(f"{partition.topic}: {error}") from error

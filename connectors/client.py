"""How a member takes part: submit reports and actions, wait for receipts, read inboxes in order of urgency.

Connectors, the simulator and the command line all use this client, so that ids, placing, order, duplicates
and positions are done in one way. It runs at the member, with the member's keys.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors

from casework.directory import ORPHAN_DESK, Directory, Member
from casework.errors import UnknownMemberError
from casework.ids import RANDOM_BYTES, new_event_id
from casework.messages import Receipt
from casework.submissions import Admission
from connectors.delivery_order import Gap
from connectors.drafts import ActionDraft, Prepared, ReportDraft, Sender, build_action, build_report
from connectors.errors import (
    AccessDeniedError,
    ExchangeUnreachableError,
    MisuseError,
    NotConfirmedError,
    ReportRefusedError,
    StaleDirectoryError,
    TopicMissingError,
)
from connectors.inbox_book import InboxBook
from connectors.inbox_reader import InboxReader
from connectors.kafka_errors import as_client_error, translated
from connectors.limits import ClientLimits
from connectors.positions import Positions, SqlitePositions
from connectors.receipt_watch import ReceiptWatch
from connectors.sending import Submitted, place_of, topic_of
from streams.clock import Clock
from streams.directory_feed import DirectoryFeed
from streams.read_marks import reader_group
from streams.settings import Secret, Settings
from streams.topics import Topics

DirectoryAt = Callable[[int], Directory]
"""Answers the directory valid at a time of the exchange's clock, in milliseconds since the epoch, UTC."""


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Who the client is and where its exchange is.

    Attributes:
        member: Member id.
        environment: demo, test or production; everything sent carries it.
        network_key: Secret of the url keys.
        kafka: Settings of all Kafka clients, as keyword arguments of aiokafka: `bootstrap_servers`, TLS.
        topic_prefix: Prefix of all topics and groups.
        key_version: Version of `network_key`.
        next_network_key: Secret of the next version, while a key rotation runs.
        limits: Bounds.
    """

    member: str
    environment: str
    network_key: Secret
    kafka: Mapping[str, Any]
    topic_prefix: str = ""
    key_version: int = 1
    next_network_key: Secret | None = None
    limits: ClientLimits = ClientLimits()


def event_id_at(now_ms: int) -> str:
    """Make an event id for a time in milliseconds since the epoch, UTC."""
    return new_event_id(now_ms, secrets.token_bytes(RANDOM_BYTES))


class MemberClient:
    """A member's connection to the exchange; use it as an asynchronous context manager.

    Args:
        membership: Who and where.
        clock: The exchange's clock.
        positions: Where the reading position is remembered; the caller closes it.
        directory: Answers the directory; None follows the directory topic.
        new_id: Makes event ids for a time; a simulator gives one that its seed decides.
    """

    def __init__(
        self,
        membership: Membership,
        *,
        clock: Clock,
        positions: Positions,
        directory: DirectoryAt | None = None,
        new_id: Callable[[int], str] = event_id_at,
    ) -> None:
        self.membership = membership
        self.topics = Topics(membership.topic_prefix)
        self._clock = clock
        self._positions = positions
        self._directory_at = directory
        self._sender = Sender(
            member=membership.member,
            environment=membership.environment,
            network_key=membership.network_key,
            new_id=new_id,
            key_version=membership.key_version,
            next_network_key=membership.next_network_key,
        )
        self._stack = AsyncExitStack()
        self._producer: Any = None
        self._readers: dict[tuple[str, ...], InboxReader] = {}
        self._watch = ReceiptWatch(
            self._inbox_topics(membership.member),
            membership.kafka,
            membership.limits.fetch_wait_ms,
            self._partitions_of,
        )
        self._sent_at: dict[str, int] = {}
        self._answered: dict[str, Receipt] = {}

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        member: str,
        *,
        positions: Positions | None = None,
        directory: DirectoryAt | None = None,
        limits: ClientLimits | None = None,
    ) -> Self:
        """Make the client of a member from a process's settings.

        Without `positions` they are kept in `<data_dir>/positions/<prefix><member>.db`.
        """
        membership = Membership(
            member=member,
            environment=settings.environment,
            network_key=settings.network_key,
            kafka={"bootstrap_servers": settings.bootstrap},
            topic_prefix=settings.topic_prefix,
            limits=limits or ClientLimits(),
        )
        clock = settings.make_clock()
        if positions is not None:
            return cls(membership, clock=clock, positions=positions, directory=directory)
        own = SqlitePositions(positions_file(settings, member))
        client = cls(membership, clock=clock, positions=own, directory=directory)
        client._stack.callback(own.close)
        return client

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._producer = None
        await self._stack.aclose()

    @property
    def directory(self) -> Directory:
        """The directory valid now.

        Raises:
            NoDirectoryError: None is valid now.
        """
        assert self._directory_at is not None, "set when the client starts"  # noqa: S101 - for the type checker
        return self._directory_at(self._clock.now_ms())

    def prepare(self, draft: ReportDraft | ActionDraft) -> Prepared:
        """Check a draft by the rules of the exchange and make its submission; nothing is sent.

        Raises:
            DraftRefusedError: The draft breaks rules; field and rule are named.
        """
        admission = Admission(
            directory=self.directory,
            environment=self.membership.environment,
            admitted_at=self._clock.now_ms(),
            submitted_at=self._clock.real_ms(),
            size=0,
        )
        if isinstance(draft, ReportDraft):
            return build_report(draft, self._sender, admission)
        return build_action(draft, self._sender, admission)

    async def submit(self, draft: ReportDraft) -> Submitted:
        """Send a report; it is in Kafka when this returns, and its receipt follows through the inbox.

        Raises:
            DraftRefusedError: The draft breaks rules; nothing was sent.
            NotConfirmedError: Kafka did not confirm; send its `prepared` again.
        """
        return await self.send(self.prepare(draft))

    async def act(self, draft: ActionDraft) -> Submitted:
        """Send an action; one that names a report of this client is sent after that report's receipt.

        Raises:
            DraftRefusedError: The draft breaks rules; nothing was sent.
            ReportRefusedError: The report it names was refused; nothing was sent.
            NoReceiptError: The report it names has no receipt yet; nothing was sent.
            NotConfirmedError: Kafka did not confirm; send its `prepared` again.
        """
        return await self.send(self.prepare(draft))

    async def send(self, prepared: Prepared) -> Submitted:
        """Send what `prepare` made, or what a NotConfirmedError gave back; sent twice it counts once.

        Raises:
            NotConfirmedError: Kafka did not confirm in time.
            ReportRefusedError: The report that an action names was refused.
            NoReceiptError: The report that an action names has no receipt yet.
        """
        producer = self._running()
        if prepared.after in self._sent_at:
            receipt = await self.wait_for_receipt(prepared.after, self.membership.limits.receipt_timeout_s)
            if receipt.outcome not in {"accepted", "duplicate"}:
                raise ReportRefusedError(receipt)
        topic = topic_of(prepared, self.topics)
        partitions = len(await self._partitions_of(topic))
        partition = place_of(prepared, topic, partitions, self.directory)
        try:
            async with asyncio.timeout(self.membership.limits.send_timeout_s):
                sent = await producer.send_and_wait(
                    topic, prepared.value, key=prepared.url_key, partition=partition
                )
        except (kafka_errors.KafkaError, TimeoutError) as error:
            translated_error = as_client_error(error, topic)
            if isinstance(translated_error, ExchangeUnreachableError):
                raise NotConfirmedError(type(error).__name__, prepared) from error
            raise translated_error from error
        self._remember(self._sent_at, prepared.event_id, sent.timestamp)
        return Submitted(prepared.event_id, prepared.url_key, topic, partition, sent.offset, sent.timestamp)

    async def wait_for_receipt(self, event_id: str, timeout_s: float = 30.0) -> Receipt:
        """Answer the exchange's answer to a submission of this client; reading the inbox goes on beside it.

        Raises:
            NoReceiptError: None came in time.
            MisuseError: This client did not send it, or more than `limits.receipt_memory` others since.
        """
        self._running()
        if event_id not in self._answered:
            since_ms = self._sent_at.get(event_id)
            if since_ms is None:
                raise MisuseError(f"{event_id} was not sent by this client: read its receipt from the inbox")
            receipt = await self._watch.wait(event_id, since_ms, timeout_s)
            self._remember(self._answered, event_id, receipt)
        return self._answered[event_id]

    def inbox(self) -> InboxReader:
        """Read the member's inbox, urgent messages first; see `InboxReader` for the reader's duties."""
        return self._reader(*self._inbox_topics(self.membership.member))

    def desk(self) -> InboxReader:
        """Read the orphan desk, for hotlines with the mandate `orphans`.

        Raises:
            AccessDeniedError: The directory gives this member no such mandate.
        """
        if "orphans" not in self._me().mandates:
            raise AccessDeniedError(f"{self.membership.member} has no mandate for the orphan desk")
        return self._reader(*self._inbox_topics(ORPHAN_DESK))

    def escalations(self, *codes: str) -> InboxReader:
        """Read escalations to police liaisons: of countries, `interpol` or `europol`."""
        if not codes:
            raise MisuseError("escalations: name at least one country, interpol or europol")
        return self._reader(*(self.topics.escalations(code) for code in codes))

    def gaps(self) -> tuple[Gap, ...]:
        """Answer which deliveries are missing, the oldest gap first: case, recipient, numbers, since when."""
        found = [gap for reader in self._readers.values() for gap in reader.gaps()]
        return tuple(sorted(found, key=lambda gap: gap.since_ms))

    async def _start(self) -> None:
        limits = self.membership.limits
        self._producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **self.membership.kafka)
        self._stack.push_async_callback(self._producer.stop)
        with translated("bootstrap"):
            async with asyncio.timeout(limits.start_timeout_s):
                await self._producer.start()
        if self._directory_at is None:
            feed = DirectoryFeed(self.membership.kafka, self.topics.directory, self.membership.environment)
            with translated(self.topics.directory):
                async with asyncio.timeout(limits.start_timeout_s):
                    self._directory_at = (await self._stack.enter_async_context(feed)).latest
        if self.directory.environment != self.membership.environment:
            raise StaleDirectoryError(f"the directory is not for {self.membership.environment}")
        self._me()
        self._stack.push_async_callback(self._close_readers)

    async def _close_readers(self) -> None:
        await self._watch.close()
        for reader in self._readers.values():
            await reader.close()

    def _me(self) -> Member:
        try:
            return self.directory.member(self.membership.member)
        except UnknownMemberError as error:
            version = self.directory.version
            raise StaleDirectoryError(
                f"directory version {version} does not list {self.membership.member}"
            ) from error

    def _running(self) -> Any:  # noqa: ANN401 - an untyped aiokafka producer
        if self._producer is None:
            raise MisuseError("the client is not open: use it inside `async with`")
        return self._producer

    def _inbox_topics(self, member: str) -> tuple[str, str]:
        return (self.topics.inbox_urgent(member), self.topics.inbox(member))

    def _reader(self, *topics: str) -> InboxReader:
        self._running()
        if topics not in self._readers:
            limits = self.membership.limits
            self._readers[topics] = InboxReader(
                topics=topics,
                group=reader_group(self.membership.topic_prefix, self.membership.member),
                kafka=self.membership.kafka,
                book=InboxBook(
                    topics, self._positions, self._clock, self.membership.environment, limits.hold
                ),
                positions=self._positions,
                clock=self._clock,
                limits=limits,
                partitions_of=self._partitions_of,
            )
        return self._readers[topics]

    async def _partitions_of(self, topic: str) -> frozenset[int]:
        try:
            async with asyncio.timeout(self.membership.limits.start_timeout_s):
                return frozenset(await self._running().partitions_for(topic))
        except (kafka_errors.UnknownTopicOrPartitionError, TimeoutError) as error:
            raise TopicMissingError(f"{topic}: no such topic; check the prefix or provision") from error
        except kafka_errors.KafkaError as error:
            raise as_client_error(error, topic) from error

    def _remember(self, memory: dict[str, Any], event_id: str, value: object) -> None:
        memory.setdefault(event_id, value)
        if len(memory) > self.membership.limits.receipt_memory:
            del memory[next(iter(memory))]


def positions_file(settings: Settings, member: str) -> Path:
    """Answer where a member's positions are kept by default."""
    return settings.data_dir / "positions" / f"{settings.topic_prefix}{member}.db"

"""Finds the receipt of one submission without touching the member's reading of its inbox.

A program may wait for a receipt inside its inbox loop, or without reading its inbox at all, so the watch has
a consumer of its own: without a group, from the time of the submission on, and only while somebody waits.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from casework.directory import Directory
from casework.messages import Receipt
from connectors.errors import ClientError, NoReceiptError
from connectors.inbox_reader import PartitionsOf
from connectors.kafka_errors import translated
from connectors.provenance import Record, check_record, record_of
from schemas.errors import UnreadableError
from streams import wire

# Brokers' clocks may differ this much; a receipt is never looked for later than its submission.
_MARGIN_MS: Final = 10_000
_POLL_MS: Final = 200
# Receipts kept because somebody may ask for them next.
_PASSED: Final = 10_000


class ReceiptWatch:
    """Waits for receipts in the topics of one inbox.

    Args:
        topics: The inbox topics.
        kafka: Settings shared by the client's Kafka clients, as keyword arguments of aiokafka.
        fetch_wait_ms: How long the broker may wait for new records.
        partitions_of: Answers the partitions of a topic.
        directory: Answers the directory in use, which lists the keys of the exchange.
        prefix: Prefix of the topics.
    """

    def __init__(  # noqa: PLR0913 - made in one place, the member's client
        self,
        *,
        topics: tuple[str, ...],
        kafka: Mapping[str, Any],
        fetch_wait_ms: int,
        partitions_of: PartitionsOf,
        directory: Callable[[], Directory],
        prefix: str,
    ) -> None:
        self._topics = topics
        self._kafka = kafka
        self._fetch_wait_ms = fetch_wait_ms
        self._partitions_of = partitions_of
        self._directory = directory
        self._prefix = prefix
        self._waiting: dict[str, asyncio.Future[Receipt]] = {}
        self._passed: dict[str, Receipt] = {}
        self._wanted = asyncio.Event()
        self._from_ms: int | None = None
        self._seek_to: int | None = None
        self._task: asyncio.Task[None] | None = None

    async def wait(self, event_id: str, since_ms: int, timeout_s: float) -> Receipt:
        """Answer the first receipt of a submission that was sent at or after a real time.

        Raises:
            NoReceiptError: None came within `timeout_s` seconds.
        """
        passed = self._passed.get(event_id)
        if passed is not None:
            return passed
        future = self._waiting.get(event_id)
        if future is None:
            future = self._waiting[event_id] = asyncio.get_running_loop().create_future()
        self._look_from(since_ms)
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(future)
        except TimeoutError:
            raise NoReceiptError(f"no receipt of {event_id} within {timeout_s:g} s") from None
        finally:
            self._waiting.pop(event_id, None)

    async def close(self) -> None:
        """Stop reading; whoever still waits is cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for future in self._waiting.values():
            future.cancel()

    def _look_from(self, since_ms: int) -> None:
        is_idle = not self._wanted.is_set()
        if is_idle or self._from_ms is None or since_ms < self._from_ms:
            self._from_ms = self._seek_to = since_ms
        self._wanted.set()
        if self._task is None or self._task.done():
            self._seek_to = self._from_ms
            self._task = asyncio.create_task(self._read(), name=f"receipts in {self._topics[-1]}")

    async def _read(self) -> None:
        try:
            with translated(self._topics[-1]):
                await self._search()
        except ClientError as error:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(error)

    async def _search(self) -> None:
        consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=self._fetch_wait_ms,
            **self._kafka,
        )
        try:
            await consumer.start()
            partitions = [TopicPartition(t, n) for t in self._topics for n in await self._partitions_of(t)]
            consumer.assign(partitions)
            while await self._wanted.wait():
                if self._seek_to is not None:
                    since_ms, self._seek_to = self._seek_to, None
                    await _go_to_time(consumer, partitions, since_ms)
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    for record in records:
                        self._answer(record_of(record))
                if not self._waiting:
                    self._wanted.clear()
        finally:
            await consumer.stop()

    def _answer(self, record: Record) -> None:
        if record.value is None or check_record(self._directory(), self._prefix, record) is not None:
            # The reader of the inbox tells of it.
            return
        try:
            message = wire.decode(record.value)
        except UnreadableError:
            return
        if not isinstance(message, Receipt):
            return
        if len(self._passed) >= _PASSED:
            # What is forgotten can be found again by reading from its time.
            self._passed.clear()
            self._from_ms = None
        self._passed.setdefault(message.event_id, message)
        future = self._waiting.get(message.event_id)
        if future is not None and not future.done():
            future.set_result(message)


async def _go_to_time(consumer: Any, partitions: list[TopicPartition], since_ms: int) -> None:  # noqa: ANN401 - untyped library
    ends = await consumer.end_offsets(partitions)
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, max(0, since_ms - _MARGIN_MS)))
    for tp in partitions:
        consumer.seek(tp, ends[tp] if found.get(tp) is None else found[tp].offset)

"""Reads the topics of one inbox in order of urgency and hands out each message in its turn.

Partitions are assigned by hand: an inbox has one reader, and without a group protocol no rebalance can take
partitions away in the middle of a message. The offsets committed to the group `member.<id>` only report to
the exchange how far the member has read, and when; the store of positions decides where reading goes on.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from connectors.delivery_order import CaseKey, Gap
from connectors.errors import MisuseError, PositionLostError
from connectors.inbox_book import InboxBook
from connectors.inbox_messages import InboxMessage
from connectors.kafka_errors import translated
from connectors.limits import ClientLimits
from connectors.positions import Positions
from connectors.provenance import Record, Refused, record_of
from connectors.ready_queue import ReadyQueue
from streams.clock import Clock
from streams.read_marks import write_mark

log = logging.getLogger(__name__)

# How long a busy reader may go without a look at the more urgent topics.
_URGENT_LOOK_S: Final = 0.005
_POLL_MS: Final = 200
_MAX_BYTES: Final = 4 * 1024 * 1024

PartitionsOf = Callable[[str], Awaitable[frozenset[int]]]


class InboxReader:
    """The one reader of a member's inbox, of a desk or of escalations; an asynchronous iterator of messages.

    Duties of whoever iterates: process a message, store the result, then `await message.done()`. Messages of
    one case come in order; process those of one case one after the other. What is not done comes again after
    a restart. With `limits.in_flight` messages not done the iterator waits. Leaving the loop loses nothing.

    Args:
        topics: Most urgent first.
        group: Consumer group that offsets are reported to.
        kafka: Settings shared by the client's Kafka clients, as keyword arguments of aiokafka.
        book: Bookkeeping of these topics.
        positions: The store under `book`.
        clock: For the time of reading.
        limits: Bounds.
        partitions_of: Answers the partitions of a topic.
        before: Called with each message before it is handed out; what it raises leaves the iterator, and the
            message comes again.
    """

    def __init__(  # noqa: PLR0913 - made in one place, the member's client
        self,
        *,
        topics: tuple[str, ...],
        group: str,
        kafka: Mapping[str, Any],
        book: InboxBook,
        positions: Positions,
        clock: Clock,
        limits: ClientLimits,
        partitions_of: PartitionsOf,
        before: Callable[[InboxMessage], Awaitable[None]] | None = None,
    ) -> None:
        self._topics = topics
        self._group = group
        self._kafka = kafka
        self._book = book
        self._positions = positions
        self._clock = clock
        self._limits = limits
        self._partitions_of = partitions_of
        self._before = before
        self._next_out: InboxMessage | None = None
        self._consumer: Any = None
        self._ready = ReadyQueue(topics)
        self._stalled: dict[TopicPartition, deque[Record]] = {}
        self._partitions: tuple[tuple[TopicPartition, ...], ...] = ()
        self._next_urgent_look = 0.0
        self._read_at_ms = clock.real_ms()
        self._room = asyncio.Event()
        self._report_failure: type[KafkaError] | None = None
        self._start: dict[TopicPartition, int] = {}
        book.on_done = self._note_done
        self._reports: asyncio.Task[None] | None = None
        self._is_taken = False

    def gaps(self) -> tuple[Gap, ...]:
        """Answer which deliveries are missing, the oldest gap first."""
        return self._book.gaps()

    @property
    def duplicates(self) -> int:
        """How many records were dropped because they came before."""
        return self._book.duplicates

    @property
    def refused(self) -> tuple[Refused, ...]:
        """The newest records, at most 100, that nothing proves to be the exchange's; passed over, not shown.

        Each is also an error in the log. Tell the operators: somebody wrote into the inbox, or a message was
        changed on the way; `hx inbox rebuild` sends true ones again.
        """
        return self._book.refused

    @property
    def refusals(self) -> int:
        """How many records were passed over so."""
        return self._book.refusals

    @property
    def stalled(self) -> tuple[tuple[str, int], ...]:
        """The topics and partitions that are not read because no more deliveries may be held."""
        return tuple((tp.topic, tp.partition) for tp in self._stalled)

    def accept_gap(self, recipient: str, case_id: str) -> int:
        """Give up the missing deliveries before the first held one of a case; answer how many are ready now.

        A person decides this, when operators have said that what is missing will not come.
        """
        released = self._book.accept_gap(CaseKey(recipient, case_id))
        log.warning("gave up missing deliveries of case %s for %s", case_id, recipient)
        self._ready.put(released)
        return len(released)

    async def start(self) -> None:
        """Connect and go to the saved positions; the first message that is asked for does it.

        Raises:
            PositionLostError: A saved position is no longer in its topic.
            TopicMissingError: A topic does not exist.
            AccessDeniedError: The member may not read it.
        """
        consumer: Any = AIOKafkaConsumer(
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=self._limits.fetch_wait_ms,
            fetch_max_bytes=_MAX_BYTES,
            max_partition_fetch_bytes=_MAX_BYTES,
            **self._kafka,
        )
        try:
            with translated(self._topics[0]):
                await consumer.start()
            await self._go_to_positions(consumer)
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer
        self._ready.put(self._book.restore())
        self._reports = asyncio.create_task(self._report_always(), name=f"positions of {self._group}")

    async def close(self) -> None:
        """Save and report the positions and let go; what is not done comes again.

        Raises:
            PositionsError: The positions cannot be saved; messages that were done may come again.
        """
        if self._consumer is None or self._reports is None:
            return
        self._reports.cancel()
        await asyncio.gather(self._reports, return_exceptions=True)
        try:
            self._book.flush()
            await self._report()
        finally:
            await self._consumer.stop()

    def __aiter__(self) -> AsyncIterator[InboxMessage]:
        return self

    async def __anext__(self) -> InboxMessage:
        if self._is_taken:
            raise MisuseError(f"{self._topics[-1]} is being read already: one loop reads an inbox")
        self._is_taken = True
        try:
            if self._reports is None:
                await self.start()
            return await self._next()
        finally:
            self._is_taken = False

    async def _next(self) -> InboxMessage:
        loop = asyncio.get_running_loop()
        while True:
            if self._reports is not None and self._reports.done():
                self._reports.result()
            await self._wait_for_room()
            self._retry_stalled()
            if loop.time() >= self._next_urgent_look:
                await self._fetch(self._partitions[0], 0)
                self._next_urgent_look = loop.time() + _URGENT_LOOK_S
            # Kept until it is out: whoever cancels in between loses no message.
            self._next_out = message = self._next_out or self._ready.get()
            if message is not None:
                if self._before is not None:
                    await self._before(message)
                self._next_out = None
                return message
            await self._fetch(tuple(tp for tps in self._partitions for tp in tps), _POLL_MS)

    async def _wait_for_room(self) -> None:
        while self._book.in_flight - len(self._ready) >= self._limits.in_flight:
            self._room.clear()
            await self._room.wait()

    async def _fetch(self, partitions: tuple[TopicPartition, ...], timeout_ms: int) -> None:
        wanted = [tp for tp in partitions if tp not in self._stalled]
        if not wanted:
            await asyncio.sleep(timeout_ms / 1000)
            return
        with translated(wanted[0].topic):
            fetched = await self._consumer.getmany(
                *wanted, timeout_ms=timeout_ms, max_records=self._limits.batch
            )
        if not fetched and self._book.in_flight == 0:
            self._read_at_ms = self._clock.real_ms()
        for tp in wanted:
            records = fetched.get(tp, ())
            self._take(tp, deque(map(record_of, records)))

    def _take(self, tp: TopicPartition, records: deque[Record]) -> None:
        while records:
            messages = self._book.take(records[0])
            if messages is None:
                if tp not in self._stalled:
                    log.error(
                        "%s/%d is not read: too many deliveries held, see gaps()", tp.topic, tp.partition
                    )
                self._stalled[tp] = records
                return
            records.popleft()
            self._ready.put(messages)
        self._stalled.pop(tp, None)

    def _retry_stalled(self) -> None:
        for tp, records in list(self._stalled.items()):
            self._take(tp, records)

    async def _go_to_positions(self, consumer: Any) -> None:  # noqa: ANN401 - an untyped aiokafka consumer
        self._partitions = tuple(
            [
                tuple(TopicPartition(topic, number) for number in sorted(await self._partitions_of(topic)))
                for topic in self._topics
            ]
        )
        partitions = [tp for tps in self._partitions for tp in tps]
        consumer.assign(partitions)
        with translated(self._topics[0]):
            first = await consumer.beginning_offsets(partitions)
            last = await consumer.end_offsets(partitions)
        for tp in partitions:
            saved = self._positions.position(tp.topic, tp.partition)
            if saved is not None and not first[tp] <= saved <= last[tp]:
                place = f"{tp.topic}/{tp.partition}: saved position {saved}"
                raise PositionLostError(f"{place}, but the topic holds {first[tp]} to {last[tp]}")
            self._start[tp] = first[tp] if saved is None else saved
            consumer.seek(tp, self._start[tp])

    async def _report_always(self) -> None:
        while True:
            await asyncio.sleep(self._limits.report_interval_s)
            self._book.flush()
            await self._report()

    async def _report(self) -> None:
        """Tell the exchange; a failure costs nothing but the truth of its lag metric until the next one."""
        mark = write_mark(self._read_at_ms)
        offsets = {}
        for tp, start in self._start.items():
            position = self._book.position(tp.topic, tp.partition)
            offsets[tp] = OffsetAndMetadata(start if position is None else position, mark)
        failure: type[KafkaError] | None = None
        try:
            await self._consumer.commit(offsets)
        except KafkaError as error:
            failure = type(error)
        if failure is not self._report_failure:
            self._report_failure = failure
            outcome = "again reported" if failure is None else f"not reported: {failure.__name__}"
            log.warning("positions of %s %s", self._group, outcome)

    def _note_done(self) -> None:
        self._read_at_ms = self._clock.real_ms()
        self._room.set()

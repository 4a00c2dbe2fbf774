"""A Faust transport that loses nothing: the stock aiokafka driver with its bookkeeping replaced.

What differs from the stock driver, and why, is told in docs/transport.md. In short: an agent gets one
event per fetched batch of a partition; the committed offset is the first one still in flight;
before partitions are given up the work in hand is finished (within a bound) and committed; nothing
is committed after a failed send; a seek-back leaves nothing behind; errors in callbacks stop the process.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Protocol

from aiokafka.errors import CommitFailedError
from faust.events import Event
from faust.serializers.schemas import Schema
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams.fail_stop import FailStop
from streams.fault_points import NO_FAULTS
from streams.offsets import OffsetTracker
from streams.publishing import BatchPublisher
from streams.transport_errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable, Mapping, Sequence

    from streams.fault_points import FaultPoints
    from streams.untyped import FaustApp, KafkaRecord

log = logging.getLogger(__name__)

#: Bytes that a record costs in memory beyond key and value: measured for an aiokafka ConsumerRecord.
RECORD_OVERHEAD = 300
#: The broker answers a fetch without records after this; an idle worker costs a fetch each time.
FETCH_MAX_WAIT_MS = 500
#: Fetched partitions that wait longer for the agent are skipped by the next fetch.
PREFETCH_BACKOFF_S = 2.0
_NO_MEMBERSHIP = -1


class PartitionListener(Protocol):
    """Something that must know which partitions are here; called in the app's loop, must not block."""

    def suspended(self) -> None:
        """Start nothing new; release what was not started. Comes before a revocation and before a stop."""

    def abandoned(self) -> None:
        """The bound is over: drop the work that is still going on."""

    def revoked(self, partitions: Iterable[TP]) -> None:
        """These partitions are gone; what was acknowledged is committed."""

    def assigned(self, partitions: Iterable[TP]) -> None:
        """These partitions, and no others, are here from now on. Return at once: heartbeats stand still."""


class BatchMessage(ConsumerMessage):
    """A Faust message that stands for all records of one fetch of one partition."""

    __slots__ = ("epoch", "size")

    epoch: int
    size: int


class PassSchema(Schema):
    """Hands batches through: decoding belongs to the agent, which can set bad records aside."""

    def compile(
        self,
        app: FaustApp,
        *,
        on_key_decode_error: Callable[..., Awaitable[None]] | None = None,  # noqa: ARG002 - Faust's signature
        on_value_decode_error: Callable[..., Awaitable[None]] | None = None,  # noqa: ARG002 - likewise
        default_propagate: bool = False,  # noqa: ARG002 - likewise
    ) -> Callable[..., Awaitable[Event]]:
        """Return the function that makes the event of a batch."""

        async def decode(message: BatchMessage, *, propagate: bool = False) -> Event:  # noqa: ARG001 - Faust's signature
            return Event(app, None, message.value, message.headers, message)

        return decode


class _NeverRead(dict[TP, None]):
    """Faust drops what is below its own read offset; the tracker is stricter, and does not drop."""

    def __getitem__(self, tp: TP) -> None:
        return None


class LosslessProducer(driver.Producer):
    """Idempotent producer with acks=all, whose own sends stop the process when they fail."""

    transport: LosslessTransport
    publisher: BatchPublisher | None = None
    _open_sends = 0

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    async def on_start(self) -> None:
        """Start the producer and the publisher on top of it."""
        await super().on_start()
        faults = self.transport.faults
        self.publisher = BatchPublisher(self._producer, faults=faults, **self.transport.publisher_options)

    async def send(self, *args: object, **kwargs: object) -> Awaitable[Any]:
        """Send one record; a failure that nobody awaits must not be overtaken by a commit."""
        future = asyncio.ensure_future(await super().send(*args, **kwargs))
        self._open_sends += 1
        future.add_done_callback(self._sent)
        return future

    def _sent(self, future: asyncio.Future[Any]) -> None:
        self._open_sends -= 1
        if future.cancelled() or future.exception() is not None:
            cause = None if future.cancelled() else future.exception()
            self.transport.fail_stop("a record sent through Faust's producer was not delivered", cause)

    async def settle(self) -> None:
        """Wait until everything handed to Faust's own producer is confirmed (agents await theirs)."""
        if self._open_sends or self.buffer.size:
            await self.flush()


class SteadyThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, without its fetches that block those of every other partition.

    aiokafka has one fetch under way per broker. When records of some partitions were not taken within its
    prefetch backoff (0.1 s), it fetches the others; with Faust's fixed wait of 1.5 s the partitions with the
    traffic then stand still for so long, because the idle ones have nothing to answer with.
    """

    async def on_start(self) -> None:
        """Start the consumer with the two limits set before it fetches anything."""
        await super().on_start()
        fetcher = self._ensure_consumer()._fetcher  # noqa: SLF001 - see faust_hooks
        fetcher._fetch_max_wait_ms = FETCH_MAX_WAIT_MS  # noqa: SLF001 - likewise
        fetcher._prefetch_backoff = PREFETCH_BACKOFF_S  # noqa: SLF001 - likewise


class LosslessConsumer(driver.Consumer):
    """The stock consumer thread with another idea of what is in flight and when to commit."""

    transport: LosslessTransport

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._unacked_messages: set[BatchMessage] = (
            set()
        )  # strong references: Faust's WeakSet forgets collected events
        self._read_offset = _NeverRead()
        self.tracker: OffsetTracker[TP] = OffsetTracker()
        self.bytes_in_flight = 0
        self._epoch = 0
        self._rewind_needed = False
        self._acknowledged = asyncio.Event()

    def _new_consumer_thread(self) -> SteadyThread:
        return SteadyThread(self, loop=self.loop, beacon=self.beacon)

    # fetching ---------------------------------------------------------------------------------------

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, BatchMessage]]:  # noqa: ASYNC109 - Faust's signature
        """Fetch, and yield one message per partition; what is fetched across a seek is thrown away."""
        await self._wait_for_room()
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        if self._rewind_needed and not self.should_stop:
            await self._rewind()
        if self.should_stop or self._rewind_needed:
            return
        epoch = self._epoch
        records, active = await self._wait_next_records(timeout)
        if self.should_stop or not records:
            return
        for raw_tp, batch in records.items():
            await self.transport.faults.reach("transport.before_handover", raw_tp.partition)
            if epoch != self._epoch or not self.flow_active:
                # The fetcher is already past these records, so before the next fetch it must go back.
                self._rewind_needed = True
                return
            tp = ensure_TP(raw_tp)
            if batch and (active is None or tp in active or tp in self._buffered_partitions):
                yield tp, self._batch_message(tp, batch)
            elif batch:
                self._rewind_needed = True

    def _batch_message(self, tp: TP, batch: Sequence[KafkaRecord]) -> BatchMessage:
        last = batch[-1]
        message = BatchMessage(
            tp.topic, tp.partition, last.offset, last.timestamp / 1000.0, last.timestamp_type,
            (), None, batch, None, 0, 0, tp, generation_id=self.app.consumer_generation_id,
        )  # fmt: skip
        message.epoch = self._epoch
        message.size = sum(
            RECORD_OVERHEAD + max(r.serialized_key_size, 0) + max(r.serialized_value_size, 0) for r in batch
        )
        self.tracker.deliver(tp, batch[0].offset, last.offset)
        self.bytes_in_flight += message.size
        return message

    async def _wait_for_room(self) -> None:
        while self.bytes_in_flight > self.transport.max_bytes_in_flight and self._can_fetch():
            await self._wait_acknowledged(1.0)

    def _can_fetch(self) -> bool:
        return self.flow_active and not self.should_stop and not self.app.should_stop

    async def _wait_acknowledged(self, seconds: float) -> None:
        self._acknowledged.clear()
        try:
            await asyncio.wait_for(self._acknowledged.wait(), seconds)
        except TimeoutError:
            return

    # acknowledging ----------------------------------------------------------------------------------

    def is_current(self, message: BatchMessage) -> bool:
        """Return whether the partition of `message` is still held as it was when it was fetched."""
        return message.epoch == self._epoch and message.generation_id == self.app.consumer_generation_id

    def ack(self, message: BatchMessage) -> bool:
        """Note that a batch is finished; batches of an earlier assignment no longer count."""
        message.acked = True
        is_done = self.is_current(message) and self.tracker.done(message.tp, message.offset)
        if is_done:
            self.bytes_in_flight -= message.size
        self.release(message)
        return is_done

    def ack_part(self, message: BatchMessage, count: int) -> None:
        """Note that the first `count` records of a batch are finished and the others still wait."""
        if self.is_current(message):
            self.tracker.done_until(message.tp, message.offset, message.value[count].offset)

    def release(self, message: BatchMessage) -> None:
        """Give a batch back that was taken from the stream but not started: nobody waits for it."""
        self._unacked_messages.discard(message)
        self._acknowledged.set()

    # committing -------------------------------------------------------------------------------------

    def _filter_tps_with_pending_acks(self, topics: Container[TP | str] | None = None) -> list[TP]:
        return [
            tp for tp in self.tracker.partitions() if topics is None or tp in topics or tp.topic in topics
        ]

    def _new_offset(self, tp: TP) -> int | None:
        if self._acked.get(tp):
            self.transport.fail_stop("an agent read a stream without noack(), so Faust acknowledged for it")
            return None
        return self.tracker.committable(tp)

    async def _add_gap(self, *_args: object) -> None:
        """Gaps need no bookkeeping."""

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: ARG002 - Faust's signature
        mine = self.assignment()
        epoch = self._epoch
        todo = {tp: offset for tp, offset in offsets.items() if tp in mine}
        await self.transport.faults.reach("transport.before_commit")
        await self.app.producer.settle()
        if not todo or epoch != self._epoch or self.transport.fail_stop.poisoned:
            return False
        if await self._is_refused() or not await self._commit(todo):
            return False
        self._committed_offset.update(todo)
        if epoch == self._epoch:
            for tp, offset in todo.items():
                self.tracker.committed(tp, offset)
        self.app.monitor.on_tp_commit(todo)
        return True

    async def _is_refused(self) -> bool:
        try:
            await self.transport.faults.reach("transport.commit")
        except CommitFailedError:
            return True
        return False

    async def wait_empty(self) -> None:
        """Finish what agents have in hand, at most for the bound, then commit. Used by revoke and stop."""
        for listener in self.transport.listeners:
            listener.suspended()
        deadline = time.monotonic() + self.transport.drain_timeout
        while self._unacked_messages and (left := deadline - time.monotonic()) > 0:
            await self._wait_acknowledged(min(left, 1.0))
        if self._unacked_messages:
            log.warning("%d batches were not finished in %s s and will be delivered again",
                        len(self._unacked_messages), self.transport.drain_timeout)  # fmt: skip
            for listener in self.transport.listeners:
                listener.abandoned()
            self._unacked_messages.clear()
        try:
            await asyncio.wait_for(self._last_commit(), self.transport.drain_timeout)
        except TimeoutError:
            log.warning("the last commit was not confirmed in time; its records will be delivered again")

    async def _last_commit(self) -> None:
        await self.maybe_wait_for_commit_to_finish()
        await self.commit()

    # positions and partitions -----------------------------------------------------------------------

    async def perform_seek(self) -> None:
        """Go back to the committed offsets, and forget everything handed out since."""
        self.stop_flow()
        await self._seek_to_committed()

    async def _seek_to_committed(self) -> None:
        self._forget()
        self._rewind_needed = False
        committed = {ensure_TP(tp): offset for tp, offset in (await self.seek_to_committed()).items()}
        # aiokafka moves only partitions whose committed offset is above 0; the rest were never committed.
        if unset := [tp for tp, offset in committed.items() if not offset]:
            await self._thread.seek_to_beginning(*(driver.ensure_aiokafka_TP(tp) for tp in unset))
        self._committed_offset.update({tp: offset or None for tp, offset in committed.items()})

    async def _rewind(self) -> None:
        try:
            await self._seek_to_committed()
        except Exception as error:  # noqa: BLE001 - whatever happened, the position is unknown: try again
            self._rewind_needed = True
            log.warning("could not go back to the committed offsets, trying again: %r", error)
            await self.sleep(0.1)

    def _forget(self) -> None:
        self._epoch += 1
        self.tracker.forget()
        self.bytes_in_flight = 0
        self._acknowledged.set()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish, commit, tell the listeners, and only then let Faust give the partitions up."""
        try:
            if self.assignment() and not self.app.should_stop:
                self.stop_flow()
                self.app.flow_control.suspend()
                self.app.flow_control.clear()
                for listener in self.transport.listeners:
                    listener.suspended()
                self._stop_if_expelled()
                await self.transport.faults.reach("transport.while_revoking")
                await self.wait_empty()
            for listener in self.transport.listeners:
                listener.revoked(revoked)
            self._forget()
            await super().on_partitions_revoked(revoked)
        except Exception as error:  # noqa: BLE001 - aiokafka would log it and go on
            self.transport.fail_stop("giving up partitions failed", error)

    def _stop_if_expelled(self) -> None:
        # The group has gone on without this process (it slept, or was cut off): another worker owns the
        # partitions already, and whatever is in hand here may be written over what it wrote.
        coordinator = self._thread._ensure_consumer()._coordinator  # noqa: SLF001 - see faust_hooks
        if coordinator.generation == _NO_MEMBERSHIP and self._unacked_messages:
            self.transport.fail_stop("the group expelled this member while it had work in hand")

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Tell the listeners first (their loads run in the background), then let Faust resume."""
        try:
            for listener in self.transport.listeners:
                listener.assigned(assigned)
            await super().on_partitions_assigned(assigned, generation_id)
        except Exception as error:  # noqa: BLE001 - aiokafka would log it and go on
            self.transport.fail_stop("taking over partitions failed", error)


class LosslessTransport(driver.Transport):
    """Install it as both transports of an app: ``app.transport = app.producer_transport = ...``.

    Args:
        app: a Faust app without tables whose ``consumer_auto_offset_reset`` is ``earliest``.
        fail_stop: ends the process; shared by all apps of the process.
        drain_timeout: seconds to finish the work in hand before partitions are given up. Must be well
            below the group's rebalance timeout (Faust: 60 s).
        max_bytes_in_flight: no fetch starts while more than this is handed out; one fetch can exceed it.
        publisher_options: keyword arguments of `BatchPublisher`.
        faults: what tests break on purpose.

    Raises:
        ConfigurationError: an app this transport cannot keep its promise for.
    """

    Consumer = LosslessConsumer
    Producer = LosslessProducer

    def __init__(  # noqa: PLR0913 - keyword-only options
        self,
        app: FaustApp,
        *,
        fail_stop: FailStop | None = None,
        drain_timeout: float = 10.0,
        max_bytes_in_flight: int = 64 << 20,
        publisher_options: Mapping[str, Any] | None = None,
        faults: FaultPoints = NO_FAULTS,
    ) -> None:
        if app.conf.consumer_auto_offset_reset != "earliest":
            raise ConfigurationError("consumer_auto_offset_reset must be earliest, or first records are lost")
        if app.conf.processing_guarantee.value != "at_least_once":
            raise ConfigurationError("processing_guarantee must be at_least_once: exactly_once cannot route")
        super().__init__(app.conf.broker_consumer, app)
        self.fail_stop = fail_stop if fail_stop is not None else FailStop()
        self.drain_timeout = drain_timeout
        self.max_bytes_in_flight = max_bytes_in_flight
        self.publisher_options = dict(publisher_options or {})
        self.faults = faults
        self.listeners: list[PartitionListener] = []

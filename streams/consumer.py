"""The consumer that loses nothing: Faust's, with another idea of what is in flight and when to commit.

Fetching, handing out and committing are written anew here; what remains of Faust's consumer is its place in
the app: rebalances, seeks after them, flow control, agents and their streams.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from aiokafka import errors
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from mode import Service

from streams.batch_events import BatchMessage
from streams.group_watch import GroupWatch
from streams.loop_consumer import LoopConsumer
from streams.offsets import OffsetTracker

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from faust.types import TP

    from streams.transport import LosslessTransport
    from streams.untyped import KafkaRecord

log = logging.getLogger(__name__)

_FETCH_TIMEOUT_S = 1.0
_NO_PARTITIONS_S = 0.1
_WATCH_INTERVAL_S = 1.0
#: A partition may hold this much, however many partitions share the bound: else it would never fetch.
_LEAST_SHARE = 1 << 20


class LosslessConsumer(driver.Consumer):
    """Hands out one message per fetched partition, and commits what is finished, in order."""

    transport: LosslessTransport
    _thread: LoopConsumer

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        # Strong references: Faust's WeakSet forgets collected events.
        self._unacked_messages: set[BatchMessage] = set()
        self.tracker: OffsetTracker[TP] = OffsetTracker()
        self.watch = GroupWatch(self)
        self.bytes_in_flight = 0
        self._bytes_of: dict[TP, int] = {}
        self._share = _LEAST_SHARE
        self._paused: set[TP] = set()
        self._epoch = 0
        self._rewind_needed = False
        self._acknowledged = asyncio.Event()
        self._committing = asyncio.Lock()

    def _new_consumer_thread(self) -> LoopConsumer:
        return LoopConsumer(self, loop=self.loop, beacon=self.beacon)

    # fetching ---------------------------------------------------------------------------------------

    async def _drain_messages(self, fetcher: Any) -> None:  # noqa: ANN401 - Faust's signature
        """Fetch and hand out until `fetcher` or the consumer stops; drop what is fetched across a seek."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                for tp, records in (await self._fetch()).items():
                    await self._hand_over(ensure_TP(tp), records)
                    if self._rewind_needed:
                        break
                await asyncio.sleep(0)  # a fetch of what lies ready does not yield
        except (*self.consumer_stopped_errors, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def _fetch(self) -> Mapping[TP, list[KafkaRecord]]:
        await self._wait_for_room()
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        if self._rewind_needed and not self.should_stop:
            await self._rewind()
        if self.should_stop or self._rewind_needed:
            return {}
        active = self._get_active_partitions()
        if not active:
            await self.sleep(_NO_PARTITIONS_S)
            return {}
        epoch = self._epoch
        try:
            records: Mapping[TP, list[KafkaRecord]] = await self._getmany(active, _FETCH_TIMEOUT_S)
        except errors.KafkaError as error:
            self.watch.group_failed(error)
            return {}
        if epoch != self._epoch and records:
            self._rewind_needed = True
            return {}
        return records

    async def _hand_over(self, tp: TP, records: list[KafkaRecord]) -> None:
        epoch = self._epoch
        await self.transport.faults.reach("transport.before_handover", tp.partition)
        if epoch != self._epoch or not self.flow_active or tp not in self._get_active_partitions():
            # The fetcher is already past these records, so before the next fetch it must go back.
            self._rewind_needed = True
            return
        message = BatchMessage.of(tp, records, epoch=epoch, generation_id=self.app.consumer_generation_id)
        self.tracker.deliver(tp, records[0].offset, message.offset)
        self._count(tp, message.size)
        await self.callback(message)

    # memory -------------------------------------------------------------------------------------------

    def _count(self, tp: TP, size: int) -> None:
        """Note what a partition holds; a partition that holds its share is not fetched until half is done."""
        self.bytes_in_flight += size
        held = self._bytes_of[tp] = self._bytes_of.get(tp, 0) + size
        share = self._share
        if held > share and tp not in self._paused:
            self._thread.kafka.pause(driver.ensure_aiokafka_TP(tp))
            self._paused.add(tp)
        elif held <= share // 2 and tp in self._paused:
            self._thread.kafka.resume(driver.ensure_aiokafka_TP(tp))
            self._paused.discard(tp)

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

    @property
    def has_work_in_hand(self) -> bool:
        """Return whether an agent has a batch that is neither acknowledged nor given back."""
        return bool(self._unacked_messages)

    def take(self, message: BatchMessage) -> bool:
        """Note that an agent takes a batch from its queue; False when it must not, as with its stream."""
        if not self.app.flow_control.is_active() or message.generation_id != self.app.consumer_generation_id:
            return False
        message.tracked = True
        self._unacked_messages.add(message)
        return True

    def is_current(self, message: BatchMessage) -> bool:
        """Return whether the partition of `message` is still held as it was when it was fetched."""
        return message.epoch == self._epoch and message.generation_id == self.app.consumer_generation_id

    def ack(self, message: BatchMessage) -> bool:
        """Note that a batch is finished; batches of an earlier assignment no longer count."""
        message.acked = True
        is_done = self.is_current(message) and self.tracker.done(message.tp, message.offset)
        if is_done:
            self._count(message.tp, -message.size)
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

    async def commit(
        self,
        topics: Container[TP | str] | None = None,
        start_new_transaction: bool = True,  # noqa: ARG002 - Faust's signature
    ) -> bool:
        """Commit what may be committed; return whether the broker confirmed something new."""
        async with self._committing:
            if any(self._acked.values()):
                self.transport.fail_stop("an agent read a stream without noack(), so Faust acknowledged")
            offsets = self.tracker.all_committable()
            if topics is not None:
                offsets = {tp: at for tp, at in offsets.items() if tp in topics or tp.topic in topics}
            return bool(offsets) and await self._commit_offsets(offsets)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: ARG002 - Faust's signature
        epoch = self._epoch
        await self.transport.faults.reach("transport.before_commit")
        await self.app.producer.settle()
        mine = self.assignment()
        todo = {tp: offset for tp, offset in offsets.items() if tp in mine}
        if not todo or epoch != self._epoch or self.transport.fail_stop.poisoned:
            return False
        try:
            await self.transport.faults.reach("transport.commit")
            await self._thread.commit_now(todo)
        except (errors.CommitFailedError, errors.IllegalStateError) as error:
            log.info("not committed, a rebalance is under way: %s", error)
            return False
        except errors.KafkaError as error:
            log.warning("a commit was refused, trying again: %r", error)
            return False
        self._committed_offset.update(todo)
        if epoch == self._epoch:
            for tp, offset in todo.items():
                self.tracker.committed(tp, offset)
        self.watch.committed()
        self.app.monitor.on_tp_commit(todo)
        return True

    async def verify_all_partitions_active(self) -> None:
        """Need nothing: Faust's detector looks at its own bookkeeping, ours is `GroupWatch`."""

    @Service.task
    async def _watching(self) -> None:
        async for _ in self.itertimer(_WATCH_INTERVAL_S, name="group watch"):
            self.watch.look()

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
            async with asyncio.timeout(self.transport.drain_timeout):
                await self.commit()
        except TimeoutError:
            log.warning("the last commit was not confirmed in time; its records will be delivered again")

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
        self._bytes_of.clear()
        still_here = self._paused & self.assignment()
        if still_here:
            self._thread.kafka.resume(*map(driver.ensure_aiokafka_TP, still_here))
        self._paused.clear()
        self._acknowledged.set()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish, commit, tell the listeners, and only then let Faust give the partitions up.

        The bound over all of it keeps this member from missing the group's rebalance timeout unnoticed.
        """
        bound = self.transport.revoke_timeout
        try:
            async with asyncio.timeout(bound):
                await self._give_up(revoked)
        except TimeoutError as error:
            self.transport.fail_stop(f"giving up partitions took more than {bound} s", error)
        except Exception as error:  # noqa: BLE001 - aiokafka would log it and go on
            self.transport.fail_stop("giving up partitions failed", error)

    async def _give_up(self, revoked: set[TP]) -> None:
        if self.assignment() and not self.app.should_stop:
            self.stop_flow()
            self.app.flow_control.suspend()
            self.app.flow_control.clear()
            for listener in self.transport.listeners:
                listener.suspended()
            self.watch.stop_if_expelled()
            await self.transport.faults.reach("transport.while_revoking")
            await self.wait_empty()
        for listener in self.transport.listeners:
            listener.revoked(revoked)
        self._forget()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Tell the listeners first (their loads run in the background), then let Faust resume."""
        try:
            self.watch.joined()
            share = self.transport.max_bytes_in_flight // max(len(assigned), 1)
            self._share = max(share, _LEAST_SHARE)
            for listener in self.transport.listeners:
                listener.assigned(assigned)
            await super().on_partitions_assigned(assigned, generation_id)
        except Exception as error:  # noqa: BLE001 - aiokafka would log it and go on
            self.transport.fail_stop("taking over partitions failed", error)

    def subscribed_topics(self) -> Iterable[str]:
        """Return the topics of the app's agents."""
        return frozenset(self._thread.kafka.subscription())

    @property
    def kafka_thread(self) -> LoopConsumer:
        """Return what talks to Kafka for this consumer."""
        return self._thread

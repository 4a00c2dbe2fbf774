"""Lanes: one partition strictly in order, different partitions side by side, acknowledged last.

An agent hands every batch to its lane and goes on at once. A lane joins what is waiting into one call of the
handler (fewer, larger sends under load) and acknowledges after the handler has returned. An exception
that the handler lets out stops the process: acknowledging would lose the records, going on would
block their partition for ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.transport_errors import FatalTransportError, PartitionRevokedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from faust.events import Event
    from faust.types import TP

    from streams.untyped import FaustApp, KafkaRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition, in order.

    Attributes:
        topic: where they come from.
        partition: likewise.
        records: aiokafka ``ConsumerRecord`` objects with raw bytes in ``key`` and ``value``.
    """

    topic: str
    partition: int
    records: Sequence[KafkaRecord]


class PartitionLanes:
    """Runs `handler` for the batches of each partition, one after another.

    Args:
        app: the app whose agent submits; its transport must be a `LosslessTransport`.
        handler: processes a batch; returns when every effect of it is confirmed. It may raise
            `PartitionRevokedError` after losing its partition.
        max_records: batches that wait are joined up to this many records in one call (a single batch may
            be larger).
        max_bytes: likewise, bytes.
    """

    def __init__(
        self,
        app: FaustApp,
        handler: Callable[[Batch], Awaitable[None]],
        *,
        max_records: int = 2000,
        max_bytes: int = 4 << 20,
    ) -> None:
        self._app = app
        self._handler = handler
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._waiting: defaultdict[TP, deque[Event]] = defaultdict(deque)
        self._running: dict[TP, asyncio.Task[None]] = {}
        app.transport.listeners.append(self)

    def submit(self, event: Event) -> None:
        """Put a batch event from ``stream.noack().events()`` at the end of its partition's lane."""
        tp = event.message.tp
        self._waiting[tp].append(event)
        if tp not in self._running:
            self._running[tp] = asyncio.create_task(self._run(tp), name=f"lane {tp.topic}[{tp.partition}]")

    @property
    def busy(self) -> int:
        """Return the number of partitions being worked on."""
        return len(self._running)

    async def _run(self, tp: TP) -> None:
        waiting = self._waiting[tp]
        try:
            while waiting:
                await self._handle(tp, self._take(waiting))
        finally:
            if self._running.get(tp) is asyncio.current_task():
                del self._running[tp]

    def _take(self, waiting: deque[Event]) -> list[Event]:
        events = [waiting.popleft()]
        records, size = len(events[0].value), events[0].message.size
        while waiting:
            records += len(waiting[0].value)
            size += waiting[0].message.size
            if records > self._max_records or size > self._max_bytes:
                break
            events.append(waiting.popleft())
        return events

    async def _handle(self, tp: TP, events: list[Event]) -> None:
        consumer = self._app.consumer
        if not consumer.is_current(events[0].message):
            for event in events:
                consumer.release(event.message)
            return
        records = (
            events[0].value if len(events) == 1 else [record for event in events for record in event.value]
        )
        try:
            await self._handler(Batch(tp.topic, tp.partition, records))
        except asyncio.CancelledError:
            if self._running.get(tp) is asyncio.current_task() and not self._app.should_stop:
                self._stop(
                    tp, "was cancelled", None
                )  # not by abandoned(): nobody would finish this partition
            raise
        except PartitionRevokedError as error:
            if consumer.is_current(events[0].message) and consumer.flow_active:
                self._stop(tp, "gave up a partition that was not revoked", error)
            self._drop(tp, events)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, its records must not be acknowledged
            if consumer.is_current(events[0].message) or isinstance(error, FatalTransportError):
                self._stop(tp, "raised", error)
            else:
                log.info("an error after a revocation is its consequence: %r", error)
            self._drop(tp, events)
            return
        for event in events:
            event.ack()

    def _drop(self, tp: TP, events: list[Event]) -> None:
        log.info("unfinished work on %s[%d] dropped with its partition", tp.topic, tp.partition)
        for event in events:
            self._app.consumer.release(event.message)

    def _stop(self, tp: TP, what: str, error: BaseException | None) -> None:
        self._app.transport.fail_stop(f"the handler of {tp.topic}[{tp.partition}] {what}", error)

    # PartitionListener -------------------------------------------------------------------------------

    def suspended(self) -> None:
        """Give everything back that was not started."""
        for waiting in self._waiting.values():
            for event in waiting:
                self._app.consumer.release(event.message)
            waiting.clear()

    def abandoned(self) -> None:
        """Cancel what is still going on; with unconfirmed sends nobody can tell what it did: stop."""
        publisher = self._app.publisher
        if self._running and publisher is not None and publisher.in_flight:
            self._app.transport.fail_stop("a partition is given up while sends are unconfirmed")
        running, self._running = self._running, {}
        for task in running.values():
            task.cancel()

    def revoked(self, partitions: Iterable[TP]) -> None:
        """Drop the lanes of partitions that are gone."""
        for tp in partitions:
            if not self._waiting.get(tp) and tp not in self._running:
                self._waiting.pop(tp, None)

    def assigned(self, partitions: Iterable[TP]) -> None:
        """Need nothing: lanes appear with their first batch."""

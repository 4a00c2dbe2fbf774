"""Lanes: one partition strictly in order, different partitions side by side, acknowledged last.

An agent hands every batch to the lanes and goes on at once. The lanes join what is waiting into calls of the
handler (fewer, larger sends under load) and acknowledge after the handler has returned. An exception
that the handler lets out stops the process: acknowledging would lose the records, going on would
block their partition for ever.

`PartitionLanes` gives each call one partition; partitions overlap freely. `JoinedLanes` gives each call what
waits in several partitions, so that many small batches share one round of sends::

    async def handle(bundle: Bundle) -> None:              # at most one Batch per partition
        out = [effect(r) for batch in bundle for r in batch.records]
        await app.publisher.publish(out)

    lanes = JoinedLanes(app, handle, max_calls=4)

    @app.agent(batches(app, "source"))
    async def work(stream):
        await submit_all(app, stream, lanes.submit)
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from streams.transport_errors import FatalTransportError, PartitionRevokedError
from streams.turns import Limits, Turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from faust.events import Event
    from faust.types import TP

    from streams.batch_events import BatchMessage
    from streams.turns import Share
    from streams.untyped import FaustApp, KafkaRecord

log = logging.getLogger(__name__)

#: Loop turns that a call waits for more partitions of the same fetch; it starts after one without news.
_GATHERING_TURNS = 64


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition, in order.

    Attributes:
        topic: where they come from.
        partition: likewise.
        records: `streams.records.Record` objects, with raw bytes in ``key`` and ``value``.
    """

    topic: str
    partition: int
    records: Sequence[KafkaRecord]


#: What one call of a `JoinedLanes` handler gets: each partition at most once.
Bundle: TypeAlias = tuple[Batch, ...]


class JoinedLanes:
    """Runs `handler` for what waits in several partitions at once.

    Kept in every case: records of a partition come in order; a partition is in at most one running call; a
    call is acknowledged only after it has returned, so several calls in flight never commit past each other.
    Partitions take turns: one that is flooded gives at most `max_partition_records` to a call, so another
    waits for no more than the calls that are running and, when more than `max_records` wait elsewhere, for
    its place in line.

    Args:
        app: the app whose agent submits; its transport must be a `LosslessTransport`.
        handler: processes a bundle; returns when every effect of it is confirmed. It may raise
            `PartitionRevokedError` after losing its partitions, which it loses all at once.
        max_calls: how many calls run at a time.
        max_records: records of one call. A fetched batch above it is split.
        max_partition_records: records of one partition in one call.
        max_bytes: bytes of one call, as counted by the transport.
    """

    def __init__(  # noqa: PLR0913 - keyword-only limits
        self,
        app: FaustApp,
        handler: Callable[[Bundle], Awaitable[None]],
        *,
        max_calls: int = 4,
        max_records: int = 4000,
        max_partition_records: int = 1000,
        max_bytes: int = 8 << 20,
    ) -> None:
        limits = Limits(records=max_records, partition_records=max_partition_records, size=max_bytes)
        self._begin(app, handler, limits, max_calls, _GATHERING_TURNS)

    def _begin(
        self,
        app: FaustApp,
        handler: Callable[[Bundle], Awaitable[None]],
        limits: Limits,
        max_calls: int | None,
        gathering_turns: int,
    ) -> None:
        self._app = app
        self._handler = handler
        self._turns: Turns[TP, BatchMessage, KafkaRecord] = Turns(limits)
        self._max_calls = max_calls
        self._gathering_turns = gathering_turns
        self._gathering = False
        self._submitted = 0
        self._epoch: int | None = None
        self._running: dict[asyncio.Task[None], None] = {}
        app.transport.listeners.append(self)

    def submit(self, event: Event) -> None:
        """Put a batch event from ``stream.noack().events()`` at the end of its partition's lane."""
        message: BatchMessage = event.message
        if not self._app.consumer.is_current(message):
            self._app.consumer.release(message)
            return
        if message.epoch != self._epoch:  # what waits from before will be delivered again, in order
            self._give_back()
            self._epoch = message.epoch
        self._turns.add(message.tp, message, event.value, message.size)
        self._submitted += 1
        if not self._gathering and self._has_free_call:
            self._gathering = True
            asyncio.get_running_loop().call_soon(self._gather, 0, self._gathering_turns)

    @property
    def busy(self) -> int:
        """Return the number of running calls, counting one that is about to start."""
        return len(self._running) + self._gathering

    @property
    def _has_free_call(self) -> bool:
        return self._max_calls is None or len(self._running) < self._max_calls

    def _gather(self, seen: int, turns_left: int) -> None:
        # The agent submits one batch per turn of the loop: as long as it does, the fetch is not over.
        if self._submitted != seen and turns_left > 0:
            asyncio.get_running_loop().call_soon(self._gather, self._submitted, turns_left - 1)
            return
        self._gathering = False
        self._start_calls()

    def _start_calls(self) -> None:
        while self._turns and self._has_free_call:
            task = asyncio.create_task(self._call(self._turns.take()))
            self._running[task] = None

    async def _call(self, shares: list[Share[TP, BatchMessage, KafkaRecord]]) -> None:
        task = asyncio.current_task()
        try:
            await self._handle(shares)
        finally:
            for share in shares:
                self._turns.returned(share.partition)
            if task is not None:
                self._running.pop(task, None)
            if not self._app.transport.fail_stop.poisoned:
                self._start_calls()

    async def _handle(self, shares: list[Share[TP, BatchMessage, KafkaRecord]]) -> None:
        consumer = self._app.consumer
        first = _sources(shares[0])[0]
        if not consumer.is_current(first):
            self._drop(shares)
            return
        try:
            await self._handler(
                tuple(Batch(s.partition.topic, s.partition.partition, s.records) for s in shares)
            )
        except asyncio.CancelledError:
            if asyncio.current_task() in self._running and not self._app.should_stop:
                # Not by abandoned(): nobody would finish these partitions.
                self._stop(shares, "was cancelled", None)
            raise
        except PartitionRevokedError as error:
            if consumer.is_current(first) and consumer.flow_active:
                self._stop(shares, "gave up a partition that was not revoked", error)
            self._drop(shares)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, its records must not be acknowledged
            if consumer.is_current(first) or isinstance(error, FatalTransportError):
                self._stop(shares, "raised", error)
            else:
                log.info("an error after a revocation is its consequence: %r", error)
            self._drop(shares)
            return
        self._acknowledge(shares)

    def _acknowledge(self, shares: list[Share[TP, BatchMessage, KafkaRecord]]) -> None:
        consumer = self._app.consumer
        for share in shares:
            for message in share.finished:
                consumer.ack(message)
            if share.begun is not None:
                message, count = share.begun
                consumer.ack_part(message, count)
                if self._turns.next_of(share.partition) is not message:  # given back meanwhile
                    consumer.release(message)

    def _drop(self, shares: list[Share[TP, BatchMessage, KafkaRecord]]) -> None:
        for share in shares:
            log.info("unfinished work on %s[%d] dropped with its partition", *share.partition)
            for message in _sources(share):
                self._app.consumer.release(message)

    def _stop(
        self, shares: list[Share[TP, BatchMessage, KafkaRecord]], what: str, error: BaseException | None
    ) -> None:
        names = ", ".join(f"{share.partition.topic}[{share.partition.partition}]" for share in shares)
        self._app.transport.fail_stop(f"the handler of {names} {what}", error)

    # PartitionListener -------------------------------------------------------------------------------

    def suspended(self) -> None:
        """Give everything back that was not started."""
        self._give_back()

    def _give_back(self) -> None:
        for message in self._turns.drain():
            self._app.consumer.release(message)

    def abandoned(self) -> None:
        """Cancel what is still going on; with unconfirmed sends nobody can tell what it did: stop."""
        publisher = self._app.publisher
        if self._running and publisher is not None and publisher.in_flight:
            self._app.transport.fail_stop("partitions are given up while sends are unconfirmed")
        running, self._running = self._running, {}
        for task in running:
            task.cancel()

    def revoked(self, partitions: Iterable[TP]) -> None:
        """Need nothing: what waited was given back when the lanes were suspended."""

    def assigned(self, partitions: Iterable[TP]) -> None:
        """Need nothing: lanes appear with their first batch."""


class PartitionLanes(JoinedLanes):
    """Runs `handler` for the batches of each partition, one after another; partitions overlap freely.

    Args:
        app: the app whose agent submits; its transport must be a `LosslessTransport`.
        handler: processes a batch; returns when every effect of it is confirmed. It may raise
            `PartitionRevokedError` after losing its partition.
        max_records: records of one call: batches that wait are joined up to it, larger ones are split.
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
        async def only(bundle: Bundle) -> None:
            await handler(bundle[0])

        limits = Limits(partitions=1, records=max_records, partition_records=max_records, size=max_bytes)
        self._begin(app, only, limits, max_calls=None, gathering_turns=0)


def _sources(share: Share[TP, BatchMessage, KafkaRecord]) -> tuple[BatchMessage, ...]:
    begun = share.begun
    return share.finished if begun is None else (*share.finished, begun[0])

"""Lanes: order and joining within a partition, concurrency across, and what is acknowledged when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import pytest
from faust.types import TP

from streams.fail_stop import FailStop
from streams.lanes import Batch, PartitionLanes
from streams.transport_errors import PartitionRevokedError, UnconfirmedError

Handler = Callable[[Batch], Awaitable[None]]


class Setting:
    """An app reduced to what lanes touch, with a log of what became of each batch."""

    def __init__(self) -> None:
        self.exits: list[int] = []
        self.acked: list[int] = []
        self.released: list[int] = []
        self.is_current = True
        self.flow_active = True
        self.app = SimpleNamespace(
            transport=SimpleNamespace(listeners=[], fail_stop=FailStop(self.exits.append)),
            consumer=self,
            publisher=SimpleNamespace(in_flight=0),
            should_stop=False,
        )

    def lanes(self, handler: Handler, **limits: int) -> PartitionLanes:
        """Make lanes whose consumer is this object."""
        self.app.consumer = SimpleNamespace(
            is_current=lambda _message: self.is_current,
            flow_active=self.flow_active,
            release=lambda message: self.released.append(message.offset),
        )
        return PartitionLanes(self.app, handler, **limits)

    def event(self, partition: int, *numbers: int, size: int = 10) -> SimpleNamespace:
        """Make the event of a batch whose records are plain numbers."""
        message = SimpleNamespace(tp=TP("in", partition), size=size, offset=numbers[-1])
        return SimpleNamespace(
            value=list(numbers), message=message, ack=lambda: self.acked.append(numbers[-1])
        )


async def until_idle(lanes: PartitionLanes) -> None:
    """Let the loop run until no lane works."""
    while lanes.busy:  # noqa: ASYNC110 - the loop itself is what has to turn
        await asyncio.sleep(0)


async def test_a_partition_is_in_order_and_partitions_overlap() -> None:
    """One call at a time per partition, in order; a slow partition does not hold up another."""
    setting = Setting()
    gate = asyncio.Event()
    seen: list[tuple[int, list[int]]] = []

    async def handle(batch: Batch) -> None:
        seen.append((batch.partition, list(batch.records)))
        if batch.partition == 0:
            await gate.wait()

    lanes = setting.lanes(handle)
    for event in (setting.event(0, 1, 2), setting.event(0, 3), setting.event(1, 4)):
        lanes.submit(event)
    while setting.acked != [4]:  # noqa: ASYNC110 - likewise
        await asyncio.sleep(0)
    assert seen == [(0, [1, 2, 3]), (1, [4])]
    lanes.submit(setting.event(0, 5))
    await asyncio.sleep(0)
    assert len(seen) == 2
    gate.set()
    await until_idle(lanes)
    assert seen[2] == (0, [5])
    assert setting.acked == [4, 2, 3, 5]


@pytest.mark.parametrize("limits", [{"max_records": 3}, {"max_bytes": 25}])
async def test_waiting_batches_are_joined_up_to_the_bounds(limits: dict[str, int]) -> None:
    """Joining stops before the bound, and a batch above it goes alone."""
    setting = Setting()
    seen: list[list[int]] = []

    async def handle(batch: Batch) -> None:
        seen.append(list(batch.records))

    lanes = setting.lanes(handle, **limits)
    lanes.submit(setting.event(0, 1))
    lanes.submit(setting.event(0, 2))
    lanes.submit(setting.event(0, 3, 4, 5, 6, size=99))
    lanes.submit(setting.event(0, 7))
    await until_idle(lanes)
    assert seen == [[1, 2], [3, 4, 5, 6], [7]]


@pytest.mark.parametrize(
    "error", [RuntimeError("bug"), PartitionRevokedError("not revoked"), asyncio.CancelledError()]
)
async def test_an_error_stops_the_process_without_acknowledging(error: BaseException) -> None:
    """What a handler lets out while its partition is held, a stray cancellation included, is a fail-stop."""
    setting = Setting()

    async def handle(_batch: Batch) -> None:
        raise error

    lanes = setting.lanes(handle)
    lanes.submit(setting.event(0, 1))
    await until_idle(lanes)
    assert setting.exits == [70]
    assert setting.acked == []


async def test_work_of_a_revoked_partition_is_dropped() -> None:
    """After a revocation errors are its consequence: nothing is acknowledged and the process goes on."""
    setting = Setting()

    async def handle(batch: Batch) -> None:
        setting.is_current = False
        raise (PartitionRevokedError if batch.partition else RuntimeError)("gone")

    for partition in (0, 1):
        setting.is_current = True
        lanes = setting.lanes(handle)
        lanes.submit(setting.event(partition, 1))
        lanes.submit(setting.event(partition, 2))
        await until_idle(lanes)
    assert (setting.exits, setting.acked) == ([], [])
    assert setting.released == [1, 2, 1, 2]


async def test_a_failed_send_stops_also_after_a_revocation() -> None:
    """Nobody knows whether an unconfirmed send happened, so losing the partition is no excuse."""
    setting = Setting()

    async def handle(_batch: Batch) -> None:
        setting.is_current = False
        raise UnconfirmedError("no answer")

    lanes = setting.lanes(handle)
    lanes.submit(setting.event(0, 1))
    await until_idle(lanes)
    assert setting.exits == [70]


@pytest.mark.parametrize(("in_flight", "exits"), [(0, []), (1, [70])])
async def test_suspended_and_abandoned(in_flight: int, exits: list[int]) -> None:
    """Suspension gives back what was not started; abandoning cancels the rest, or stops if sends are open."""
    setting = Setting()
    setting.app.publisher.in_flight = in_flight
    cancelled = asyncio.Event()

    async def handle(_batch: Batch) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    lanes = setting.lanes(handle, max_records=1)
    for number in (1, 2, 3):
        lanes.submit(setting.event(0, number))
    await asyncio.sleep(0)
    lanes.suspended()
    assert setting.released == [2, 3]
    lanes.abandoned()
    await cancelled.wait()
    await until_idle(lanes)
    assert setting.exits == exits
    assert setting.acked == []
    lanes.revoked({TP("in", 0)})
    setting.app.publisher.in_flight = 0


def test_fail_stop_exits_once_and_names_the_first_reason() -> None:
    """Consequences of the first failure neither exit again nor overwrite its reason."""
    exits: list[int] = []
    fail_stop = FailStop(exits.append)
    assert not fail_stop.poisoned
    fail_stop("first", RuntimeError("cause"))
    fail_stop("second")
    assert (exits, fail_stop.poisoned, fail_stop.reason) == ([70], True, "first")

"""Lanes: order and joining within a partition, concurrency across, and what is acknowledged when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import pytest
from faust.types import TP

from streams.fail_stop import FailStop
from streams.lanes import Batch, Bundle, JoinedLanes, PartitionLanes
from streams.transport_errors import PartitionRevokedError, UnconfirmedError

Handler = Callable[[Batch], Awaitable[None]]


class Setting:
    """An app reduced to what lanes touch, with a log of what became of each batch."""

    def __init__(self) -> None:
        self.exits: list[int] = []
        self.acked: list[int] = []
        self.released: list[int] = []
        self.parts: list[tuple[int, int]] = []
        self.epoch = 0
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
        self.app.consumer = self.consumer()
        return PartitionLanes(self.app, handler, **limits)

    def joined(self, handler: Callable[[Bundle], Awaitable[None]], **limits: int) -> JoinedLanes:
        """Make joined lanes whose consumer is this object."""
        self.app.consumer = self.consumer()
        return JoinedLanes(self.app, handler, **limits)

    def consumer(self) -> SimpleNamespace:
        """Make a consumer that only notes what it is told."""
        return SimpleNamespace(
            is_current=lambda message: self.is_current and message.epoch == self.epoch,
            flow_active=self.flow_active,
            release=lambda message: self.released.append(message.offset),
            ack=lambda message: self.acked.append(message.offset),
            ack_part=lambda message, count: self.parts.append((message.offset, count)),
        )

    def event(self, partition: int, *numbers: int, size: int = 10) -> SimpleNamespace:
        """Make the event of a batch whose records are plain numbers."""
        message = SimpleNamespace(tp=TP("in", partition), size=size, offset=numbers[-1], epoch=self.epoch)
        return SimpleNamespace(value=list(numbers), message=message)


async def until_idle(lanes: JoinedLanes) -> None:
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


async def test_waiting_batches_are_joined_and_split_at_the_bound() -> None:
    """A call gets what waits up to the bound; the rest of a batch follows in the partition's next call."""
    setting = Setting()
    seen: list[list[int]] = []

    async def handle(batch: Batch) -> None:
        seen.append(list(batch.records))

    lanes = setting.lanes(handle, max_records=3)
    lanes.submit(setting.event(0, 1))
    lanes.submit(setting.event(0, 2))
    lanes.submit(setting.event(0, 3, 4, 5, 6))
    lanes.submit(setting.event(0, 7))
    await until_idle(lanes)
    assert seen == [[1, 2, 3], [4, 5, 6], [7]]
    assert setting.acked == [1, 2, 6, 7]
    assert setting.parts == [(6, 1)]


def flat(bundle: Bundle) -> list[tuple[int, list[int]]]:
    """Return partition and records of each batch."""
    return [(batch.partition, list(batch.records)) for batch in bundle]


async def test_one_call_gets_all_partitions_of_a_fetch() -> None:
    """Batches that an agent submits turn after turn come in one call, and all are acknowledged after it."""
    setting = Setting()
    seen: list[list[tuple[int, list[int]]]] = []

    async def handle(bundle: Bundle) -> None:
        seen.append(flat(bundle))
        assert setting.acked == []

    lanes = setting.joined(handle)
    for partition in (0, 1, 2):
        lanes.submit(setting.event(partition, 10 + partition))
        await asyncio.sleep(0)
    while not setting.acked:  # noqa: ASYNC110 - the loop itself is what has to turn
        await asyncio.sleep(0)
    assert seen == [[(0, [10]), (1, [11]), (2, [12])]]
    assert setting.acked == [10, 11, 12]


async def test_a_partition_is_in_one_call_at_a_time_and_calls_are_limited() -> None:
    """With two calls running a third waits; what comes for a partition at work waits for that call."""
    setting = Setting()
    gates = [asyncio.Event() for _ in range(4)]
    seen: list[list[tuple[int, list[int]]]] = []

    async def handle(bundle: Bundle) -> None:
        seen.append(flat(bundle))
        await gates[len(seen) - 1].wait()

    async def turn() -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    lanes = setting.joined(handle, max_calls=2)
    for partition, number in ((0, 1), (1, 2), (0, 3), (2, 4)):
        lanes.submit(setting.event(partition, number))
        await turn()
    assert seen == [[(0, [1])], [(1, [2])]]
    assert lanes.busy == 2
    gates[1].set()
    await turn()
    assert seen[2:] == [[(2, [4])]]
    gates[0].set()
    await turn()
    assert seen[3:] == [[(0, [3])]]
    for gate in gates:
        gate.set()
    await until_idle(lanes)
    assert sorted(setting.acked) == [1, 2, 3, 4]


async def test_a_flood_in_one_partition_gives_each_call_a_limited_share() -> None:
    """With ten thousand records in one partition, another gets its turn in the very next call."""
    setting = Setting()
    seen: list[list[tuple[int, list[int]]]] = []
    gate = asyncio.Event()

    async def handle(bundle: Bundle) -> None:
        seen.append(flat(bundle))
        await gate.wait()

    lanes = setting.joined(handle, max_calls=1, max_partition_records=100)
    lanes.submit(setting.event(0, *range(10_000)))
    while not seen:  # noqa: ASYNC110 - likewise
        await asyncio.sleep(0)
    lanes.submit(setting.event(1, 1))
    gate.set()
    await until_idle(lanes)
    assert seen[1] == [(1, [1]), (0, list(range(100, 200)))]
    assert sum(len(records) for call in seen for partition, records in call if partition == 0) == 10_000


async def test_what_is_given_back_while_a_part_of_it_is_worked_on_counts_up_to_that_part() -> None:
    """A revocation amid a split batch: the part in hand is finished and noted, the rest is not started."""
    setting = Setting()
    gate = asyncio.Event()
    seen: list[int] = []

    async def handle(bundle: Bundle) -> None:
        seen.extend(bundle[0].records)
        await gate.wait()

    lanes = setting.joined(handle, max_partition_records=2)
    lanes.submit(setting.event(0, 1, 2, 3, 4, 5))
    lanes.submit(setting.event(0, 6))
    while not seen:  # noqa: ASYNC110 - likewise
        await asyncio.sleep(0)
    lanes.suspended()
    assert setting.released == [6]
    gate.set()
    await until_idle(lanes)
    assert seen == [1, 2]
    assert setting.parts == [(5, 2)]
    assert setting.released == [6, 5]
    assert setting.acked == []


async def test_what_was_fetched_before_a_seek_is_not_mixed_with_what_comes_after() -> None:
    """Batches of an earlier position are given back: the same records come again, once and in order."""
    setting = Setting()
    gate = asyncio.Event()
    seen: list[int] = []

    async def handle(bundle: Bundle) -> None:
        seen.extend(record for batch in bundle for record in batch.records)
        await gate.wait()

    lanes = setting.joined(handle, max_calls=1)
    lanes.submit(setting.event(1, 1))
    while not seen:  # noqa: ASYNC110 - likewise
        await asyncio.sleep(0)
    old = setting.event(0, 2, 3)
    lanes.submit(old)
    late = setting.event(0, 4)
    setting.epoch = 1
    lanes.submit(late)
    lanes.submit(setting.event(0, 2))
    assert setting.released == [4, 3]
    gate.set()
    await until_idle(lanes)
    assert seen == [1, 2]


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
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def handle(_batch: Batch) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    lanes = setting.lanes(handle, max_records=1)
    for number in (1, 2, 3):
        lanes.submit(setting.event(0, number))
    await started.wait()
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

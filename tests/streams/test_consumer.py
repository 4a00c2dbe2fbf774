"""The consumer in the loop of a test: memory, seeks, heartbeats and revocations, on a real Kafka."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from streams.batch_events import RECORD_OVERHEAD
from streams.fail_stop import FailStop
from streams.fault_points import FaultPoints
from streams.kafka_access import plaintext
from streams.lanes import Batch, PartitionLanes
from streams.loop_consumer import FETCH_MAX_WAIT_MS, PREFETCH_BACKOFF_S
from streams.worker import WorkerOptions, batches, make_app, run_apps

if TYPE_CHECKING:
    from conftest import Topics

    from streams.untyped import FaustStream

pytestmark = pytest.mark.kafka


class InProcess:
    """An app in the loop of the test that never commits on its own and counts what it is handed."""

    def __init__(self, topics: Topics, **options: object) -> None:
        settings: dict[str, Any] = {
            "commit_interval": 1000.0,
            "max_poll_records": 50,
            "max_bytes_in_flight": 1,
            "drain_timeout": 0.5,
        }
        options = WorkerOptions(plaintext(topics.bootstrap), **settings | options)
        self.exits: list[int] = []
        self.app = make_app(topics.prefix + "g", options, fail_stop=FailStop(self.exits.append))
        self.delivered: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.complete, self.stop = asyncio.Event(), asyncio.Event()
        lanes = PartitionLanes(self.app, self.handle)

        @self.app.agent(batches(self.app, topics.prefix + "in0"))
        async def work(stream: FaustStream) -> None:
            async for event in stream.noack().events():
                lanes.submit(event)

    async def handle(self, batch: Batch) -> None:
        """Count, then wait for the gate; every 300 records the test may go on."""
        self.delivered.extend(int(record.value) for record in batch.records)
        if len(self.delivered) % 300 == 0:
            self.complete.set()
        await self.gate.wait()

    def run(self) -> asyncio.Task[None]:
        """Run until `stop`."""
        return asyncio.create_task(run_apps([self.app], stop_event=self.stop, handle_signals=False))


async def test_fetching_pauses_while_too_much_is_in_hand(topics: Topics) -> None:
    """With a bound of one byte nothing is fetched while 50 records are in hand."""
    topics.create(3, "in0")
    await topics.fill("in0", 3, range(300))
    side = InProcess(topics)
    fetch, fetched = side.app.consumer._getmany, asyncio.Event()

    async def watched(*args: object) -> object:
        if side.delivered:
            fetched.set()
        return await fetch(*args)

    side.app.consumer._getmany = watched
    side.gate.clear()
    running = side.run()
    while not side.delivered:  # noqa: ASYNC110 - the handler waits at the gate
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fetched.wait(), 0.3)
    assert RECORD_OVERHEAD < side.app.consumer.bytes_in_flight <= 50 * (RECORD_OVERHEAD + len("299"))
    side.gate.set()
    await side.complete.wait()
    side.stop.set()
    await running


async def test_a_busy_agent_does_not_let_fetches_of_idle_partitions_hold_up_the_others(
    topics: Topics,
) -> None:
    """The running consumer fetches with our limits, not with a wait of 1.5 s beside what was not taken."""
    topics.create(3, "in0")
    await topics.fill("in0", 3, range(300))
    side = InProcess(topics)
    running = side.run()
    await side.complete.wait()
    fetcher = side.app.consumer._thread._ensure_consumer()._fetcher
    assert fetcher._fetch_max_wait_ms == FETCH_MAX_WAIT_MS
    assert fetcher._prefetch_backoff == PREFETCH_BACKOFF_S
    side.stop.set()
    await running


async def test_a_stop_does_not_wait_for_ever_for_a_handler(topics: Topics) -> None:
    """A handler that hangs is dropped after the bound: the stop ends, and its records are not committed."""
    topics.create(1, "in0")
    await topics.fill("in0", 1, range(10))
    side = InProcess(topics)
    side.gate.clear()
    running = side.run()
    while not side.delivered:  # noqa: ASYNC110 - the handler itself hangs
        await asyncio.sleep(0)
    side.stop.set()
    await running
    assert topics.committed("g") == {}
    assert side.exits == []


async def test_seek_back_delivers_everything_that_was_not_committed(topics: Topics) -> None:
    """Also partitions without any commit are rewound (aiokafka skips them), and memory is given back."""
    topics.create(3, "in0")
    await topics.fill("in0", 3, range(300))
    side = InProcess(topics)
    running = side.run()
    await side.complete.wait()
    side.complete.clear()
    assert sorted(side.delivered) == list(range(300))
    await side.app.consumer.perform_seek()
    assert side.app.consumer.bytes_in_flight == 0
    side.app.consumer.resume_flow()
    await side.complete.wait()
    assert sorted(side.delivered[300:]) == list(range(300))
    side.stop.set()
    await running
    assert sum(topics.committed("g").values()) == 300
    assert side.exits == []


async def test_what_is_fetched_across_a_seek_is_fetched_again(topics: Topics) -> None:
    """The fetcher is past records that a seek made stale: they are thrown away, and none is missed."""
    topics.create(3, "in0")
    await topics.fill("in0", 3, range(300))
    side = InProcess(topics)
    consumer = side.app.consumer
    fetch, thrown_away = consumer._getmany, []

    async def fetch_across_a_seek(*args: object) -> object:
        records = await fetch(*args)
        if records and len(thrown_away) < 3:
            thrown_away.append(sum(map(len, records.values())))
            consumer._forget()
        return records

    consumer._getmany = fetch_across_a_seek
    running = side.run()
    await side.complete.wait()
    side.stop.set()
    await running
    assert len(thrown_away) == 3
    assert sorted(side.delivered) == list(range(300))
    assert sum(topics.committed("g").values()) == 300


async def test_work_in_hand_of_an_expelled_member_stops_the_process(topics: Topics) -> None:
    """A worker that slept through its session must not finish what its successor has begun."""
    topics.create(1, "in0")
    side = InProcess(topics)
    running = side.run()
    while not side.app.is_delivering:  # noqa: ASYNC110 - a condition inside Faust
        await asyncio.sleep(0)
    consumer = side.app.consumer
    consumer._thread._consumer._coordinator.generation = -1
    consumer.watch.stop_if_expelled()
    assert side.exits == []
    consumer._unacked_messages.add(object())
    consumer.watch.stop_if_expelled()
    assert side.exits == [70]
    consumer._unacked_messages.clear()
    side.stop.set()
    await running


async def test_a_coordinator_that_is_loading_its_group_does_not_end_the_heartbeats(topics: Topics) -> None:
    """A broker just restarted says so to a heartbeat: the member stays, nothing is revoked, commits go on."""
    topics.create(1, "in0")
    side = InProcess(topics, heartbeat_interval=0.1)
    running = side.run()
    while not side.app.is_delivering:  # noqa: ASYNC110 - a condition inside Faust
        await asyncio.sleep(0)
    kafka = side.app.consumer.kafka_thread.kafka
    ask, told, after = kafka._coordinator._send_req, [], asyncio.Event()

    async def loading(request: object) -> object:
        answer = await ask(request)
        if type(request).__name__.startswith("Heartbeat"):
            told.append(request)
            if len(told) <= 2:
                return type("Answer", (), {"error_code": 14})
            after.set()
        return answer

    generation = kafka._coordinator.generation
    kafka._coordinator._send_req = loading
    await after.wait()
    assert kafka._coordinator.generation == generation
    assert not kafka._coordinator._heartbeat_task.done()
    side.stop.set()
    await running


async def test_an_unknown_answer_to_a_heartbeat_makes_the_member_join_again(topics: Topics) -> None:
    """The error would end heartbeats and coordination for ever and in silence: the watch takes it up."""
    topics.create(3, "in0")
    side = InProcess(topics, heartbeat_interval=0.1)
    running = side.run()
    while not side.app.is_delivering:  # noqa: ASYNC110 - a condition inside Faust
        await asyncio.sleep(0)
    coordinator = side.app.consumer.kafka_thread.kafka._coordinator
    ask, unknown = coordinator._send_req, asyncio.Event()

    async def strange(request: object) -> object:
        answer = await ask(request)
        if type(request).__name__.startswith("Heartbeat") and not unknown.is_set():
            unknown.set()
            return type("Answer", (), {"error_code": 87})
        return answer

    generation = coordinator.generation
    coordinator._send_req = strange
    await unknown.wait()
    while coordinator.generation == generation or not side.app.is_delivering:  # noqa: ASYNC110 - likewise
        await asyncio.sleep(0.01)
    await topics.fill("in0", 3, range(300))
    await side.complete.wait()
    assert not coordinator._heartbeat_task.done()
    side.stop.set()
    await running
    assert sum(topics.committed("g").values()) == 300
    assert side.exits == []


async def test_a_revocation_has_an_outer_bound(topics: Topics) -> None:
    """Whatever holds it up, a revocation that outlasts its bound ends the process before the group does."""
    topics.create(1, "in0")
    side = InProcess(topics, faults=FaultPoints.from_text("transport.while_revoking:delay=1000"))
    side.app.transport.revoke_timeout = 0.2
    running = side.run()
    while not side.app.is_delivering:  # noqa: ASYNC110 - a condition inside Faust
        await asyncio.sleep(0)
    await side.app.consumer.on_partitions_revoked(side.app.consumer.assignment())
    assert side.exits == [70]
    side.stop.set()
    await running


async def test_a_commit_that_hangs_does_not_hold_up_a_revocation(topics: Topics) -> None:
    """The last commit has its bound even when another one is under way and gets no answer."""
    topics.create(3, "in0")
    await topics.fill("in0", 3, range(300))
    side = InProcess(topics)
    running = side.run()
    await side.complete.wait()
    consumer = side.app.consumer
    hanging = asyncio.Event()

    async def no_answer(_offsets: object) -> None:
        hanging.set()
        await asyncio.Event().wait()

    consumer.kafka_thread.commit_now = no_answer
    committing = asyncio.create_task(consumer.commit())
    await hanging.wait()
    await asyncio.wait_for(consumer.wait_empty(), 10)
    committing.cancel()
    side.stop.set()
    await running
    assert topics.committed("g") == {}
    assert side.exits == []


async def test_a_partition_that_holds_its_share_is_paused_and_the_others_go_on(topics: Topics) -> None:
    """A flood in one partition with a slow handler: another is fetched; all comes once when it goes on."""
    topics.create(2, "in0")
    await topics.fill("in0", 1, range(1200), size=4000)
    side = InProcess(topics, max_bytes_in_flight=4 << 20)
    side.gate.clear()
    running = side.run()
    consumer = side.app.consumer
    while not consumer._paused:  # noqa: ASYNC110 - a condition inside the consumer
        await asyncio.sleep(0.01)
    held = len(side.delivered)
    await topics.fill("in0", 2, [10_001], size=10)
    while 10_001 not in side.delivered:  # noqa: ASYNC110 - likewise
        await asyncio.sleep(0.01)
    assert len(side.delivered) == held + 1 < 1200
    side.gate.set()
    while len(side.delivered) < 1201:  # noqa: ASYNC110 - likewise
        await asyncio.sleep(0.01)
    side.stop.set()
    await running
    assert sorted(side.delivered) == sorted([*range(1200), 10_001])

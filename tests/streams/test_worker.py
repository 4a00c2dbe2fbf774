"""Building, probing and running apps: what a worker says and how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from streams.fail_stop import FailStop
from streams.kafka_access import plaintext
from streams.probing import probe
from streams.publishing import BatchPublisher
from streams.transport_errors import ConfigurationError, FatalTransportError
from streams.worker import WorkerOptions, _guarded, batches, make_app, run_apps, run_worker

if TYPE_CHECKING:
    from aiokafka.cluster import ClusterMetadata
    from conftest import Topics

    from streams.untyped import FaustStream


def test_exit_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that ends as asked gives 0, one that a person must help gives 78."""
    monkeypatch.setattr("asyncio.set_event_loop_policy", lambda _policy: None)

    async def fine(_fail_stop: FailStop) -> None:
        return

    async def misconfigured(_fail_stop: FailStop) -> None:
        raise ConfigurationError("no such topic")

    assert run_worker(fine) == 0
    assert run_worker(misconfigured) == 78


async def test_a_cancellation_that_nobody_asked_for_is_a_fail_stop() -> None:
    """A client that closes without a broker lets its own cancellations out; the code says: restart."""

    async def closes_badly(_fail_stop: FailStop) -> None:
        raise asyncio.CancelledError

    fail_stop = FailStop(lambda _code: None)
    assert await _guarded(closes_badly, fail_stop) == 70
    assert fail_stop.poisoned


async def test_a_session_that_outlasts_a_request_is_refused() -> None:
    """Faust would raise it from inside its start, without naming our options."""
    with pytest.raises(ConfigurationError, match=r"session_timeout=45\.0 s: at most request_timeout=30\.0 s"):
        make_app("group", WorkerOptions(plaintext("127.0.0.1:1"), session_timeout=45.0))


def test_a_worker_that_no_broker_lets_in_asks_to_be_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brokers that are away while a worker starts cost restarts, never a person: the code is 70."""
    codes: list[int] = []
    monkeypatch.setattr("streams.worker.FailStop", lambda: FailStop(codes.append))

    async def starts(_fail_stop: FailStop) -> None:
        await probe(WorkerOptions(plaintext("127.0.0.1:1"), start_timeout=0.2), "group", ["topic"])

    assert run_worker(starts) == 70
    assert codes == [70]


@pytest.mark.kafka
async def test_a_crashed_app_ends_the_run(topics: Topics) -> None:
    """What Faust would restart or ignore is an error of the whole run."""
    topics.create(1, "in")
    app = make_app(
        topics.prefix + "g",
        WorkerOptions(plaintext(topics.bootstrap), drain_timeout=0.2),
        fail_stop=FailStop(lambda _code: None),
    )

    @app.agent(batches(app, topics.prefix + "in"))
    async def fails(stream: FaustStream) -> None:
        async for _event in stream.noack().events():
            raise RuntimeError("agent")

    ready = asyncio.Event()
    running = asyncio.create_task(run_apps([app], on_ready=ready.set, handle_signals=False))
    await ready.wait()
    assert app.is_delivering
    await topics.fill("in", 1, range(1))
    with pytest.raises(FatalTransportError, match="crashed"):
        await running
    await app.stop()
    assert not app.is_delivering
    assert topics.committed("g") == {}


@pytest.mark.kafka
async def test_a_group_that_is_not_joined_in_time_ends_the_run(topics: Topics) -> None:
    """Faust would wait for ever."""
    topics.create(1, "in")
    app = make_app(topics.prefix + "g", WorkerOptions(plaintext(topics.bootstrap)))
    with pytest.raises(FatalTransportError, match="were not joined in"):
        await run_apps([app], start_timeout=0.0, handle_signals=False)
    await app.stop()


@pytest.mark.kafka
async def test_a_group_formed_while_a_broker_knew_no_topics_gets_its_partitions_soon(
    topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that is starting may list no partitions: whoever joins then must not stand still for long.

    Whoever uses the producer is told that the end begins before it is closed.
    """
    topics.create(1, "in")
    assign = RoundRobinPartitionAssignor.assign
    starting = [True]

    def at_first_nothing(_cls: type, cluster: ClusterMetadata, members: Any) -> Any:  # noqa: ANN401 - aiokafka's
        if starting:
            starting.clear()
            cluster._partitions.clear()
        return assign(cluster, members)

    monkeypatch.setattr(RoundRobinPartitionAssignor, "assign", classmethod(at_first_nothing))
    app = make_app(topics.prefix + "g", WorkerOptions(plaintext(topics.bootstrap), metadata_max_age=0.5))
    seen, stop = asyncio.Event(), asyncio.Event()

    @app.agent(batches(app, topics.prefix + "in"))
    async def read(stream: FaustStream) -> None:
        async for event in stream.noack().events():
            seen.set()
            event.ack()

    await topics.fill("in", 1, range(1))
    publishers: list[BatchPublisher | None] = []
    running = asyncio.create_task(
        run_apps(
            [app],
            stop_event=stop,
            on_stopping=lambda: publishers.append(None if app.should_stop else app.publisher),
            handle_signals=False,
        )
    )
    async with asyncio.timeout(30):
        await seen.wait()
    assert publishers == []
    stop.set()
    await running
    assert None not in publishers  # told while the producer still worked
    assert len(publishers) == 1

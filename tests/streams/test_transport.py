"""The promise of the transport on a real Kafka, shown with worker processes that use only `streams`."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import faust
import pytest
from copying import OUT, create_all, until_delivered, workers

from streams.transport import LosslessTransport
from streams.transport_errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Topics


pytestmark = pytest.mark.kafka


async def test_sigkill_under_load_loses_nothing_and_state_stays_exact(topics: Topics, tmp_path: Path) -> None:
    """Killed twice amid 3,000 records: all ids arrive, counts are exact, a stop repeats nothing."""
    create_all(topics)
    await topics.fill("in0", 4, range(3000))
    options = {
        "stateful": True,
        "on_disk": str(tmp_path),
        "delay": 0.1,
        "instance_id": "one",
        "max_records": 100,
    }
    async with workers(topics) as start:
        for wanted in (500, 1500):
            worker = await start(**options)
            await worker.said("READY")
            await until_delivered(topics, wanted)
            await worker.end(signal.SIGKILL)
            assert len(set(await topics.values(OUT))) < 3000, "the load ended before the kill"
        worker = await start(**options)
        await worker.said("READY")
        values = await until_delivered(topics, 3000)
        assert sorted(set(values)) == list(range(3000))
        assert (await worker.end(signal.SIGTERM))[0] == 0
        last = await start(**options)
        await last.said("READY")
        while sum(line.startswith("LOADED") for line in last.heard) < 4:
            await last.said("LOADED")
        assert (await last.end(signal.SIGTERM))[0] == 0
    assert last.loaded_totals() == 3000
    assert await topics.values(OUT) == values


async def test_sigterm_join_and_leave_repeat_nothing(topics: Topics) -> None:
    """Another worker joins and leaves under load, the first is stopped and replaced: each id arrives once."""
    create_all(topics)
    await topics.fill("in0", 4, range(12_000))
    options = {"delay": 0.05, "max_records": 10}
    async with workers(topics) as start:
        first = await start(**options)
        await first.said("READY")
        second = await start(**options)
        await second.said("READY")
        assert (await second.end(signal.SIGTERM))[0] == 0
        at_leave = len(await topics.values(OUT))
        await until_delivered(topics, at_leave + 1)
        assert (await first.end(signal.SIGTERM))[0] == 0
        assert 0 < len(await topics.values(OUT)) < 12_000, "the load ended before the last stop"
        third = await start()
        await until_delivered(topics, 12_000)
        assert (await third.end(signal.SIGTERM))[0] == 0
    assert sorted(await topics.values(OUT)) == list(range(12_000))


@pytest.mark.parametrize("fault", ["fail_at", "refuse"])
async def test_unhandled_error_exits_with_70_and_commits_nothing(topics: Topics, fault: str) -> None:
    """A handler that raises, or a destination that refuses a record, stops the process before any commit."""
    create_all(topics, partitions=1)
    topics.create(2, "tiny", max_message_bytes="60")
    await topics.fill("in0", 1, range(200))
    async with workers(topics) as start:
        worker = await start(**{fault: 150})
        code, logged = await worker.end()
    assert code == 70
    assert "stopping without a commit: the handler of" in logged
    assert topics.committed("group0") == {}


async def test_two_apps_in_one_process_start_with_backlog_and_state(topics: Topics) -> None:
    """Two groups share process and loop: first start, backlog, empty state, no commit - all arrive once."""
    create_all(topics, groups=2)
    await topics.fill("in0", 4, range(1500))
    await topics.fill("in1", 4, range(1500, 3000))
    async with workers(topics) as start:
        worker = await start(groups=2, stateful=True)
        await worker.said("READY")
        values = await until_delivered(topics, 3000)
        assert (await worker.end(signal.SIGTERM))[0] == 0
    assert sorted(values) == list(range(3000))
    for group in ("group0", "group1"):
        assert sum(topics.committed(group).values()) == 1500


async def test_missing_topic_is_said_in_one_sentence(topics: Topics) -> None:
    """Where Faust would wait in silence, the worker names what is missing and exits with 78."""
    async with workers(topics) as start:
        code, logged = await (await start()).end()
    assert code == 78
    assert f"cannot start: topics missing, or not to be described by us: {topics.prefix}in0" in logged


async def test_apps_that_cannot_keep_the_promise_are_refused() -> None:
    """An app that starts at the end of a topic would lose its first records; exactly-once cannot route."""
    for setting, value in (
        ("consumer_auto_offset_reset", "latest"),
        ("processing_guarantee", "exactly_once"),
    ):
        app = faust.App("refused", broker="kafka://127.0.0.1:1", autodiscover=False, **{setting: value})
        with pytest.raises(ConfigurationError, match=setting):
            LosslessTransport(app)

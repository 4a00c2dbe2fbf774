import asyncio
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Self

import pytest

from agents import casekeeper_part, intake_part, workers
from agents.health import Health
from streams.clock import SystemClock
from streams.fail_stop import FailStop
from streams.partition_state import PartitionState
from streams.worker import LosslessApp


class CountedHealth(Health):
    """Health whose beats are counted."""

    made: list[Self] = []  # noqa: RUF012 - filled and emptied by one test

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(*args)
        self.beats = 0
        self.made.append(self)

    def beat(self) -> None:
        """Count it."""
        self.beats += 1
        super().beat()


@pytest.mark.kafka
async def test_a_worker_is_alive_and_not_ready_while_it_waits_for_its_partitions(
    exchange: Any,  # noqa: ANN401 - conftest
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A start that takes long is no standstill: the heartbeat of both parts turns before Kafka answers."""
    seen: list[tuple[int, str | None]] = []

    async def start_that_takes_long(*_: object, **__: object) -> None:
        await asyncio.sleep(0)
        seen.extend((health.beats, health.ready()) for health in CountedHealth.made)

    monkeypatch.setattr(CountedHealth, "made", [])
    for part in (intake_part, casekeeper_part):
        monkeypatch.setattr(part, "Health", CountedHealth)
    monkeypatch.setattr(workers, "run_apps", start_that_takes_long)
    stopped: list[int] = []
    await workers.run("all", exchange.settings, SystemClock(), FailStop(stopped.append))
    assert seen == [(1, "starting"), (1, "starting")]
    assert stopped == []


@pytest.mark.kafka
async def test_casekeeper_is_not_ready_while_partitions_load(
    exchange: Any,  # noqa: ANN401 - conftest
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Probe and gauge tell of the load of states; intake beside it keeps none and is ready."""
    seen: list[dict[str, tuple[str, str]]] = []
    loading = frozenset({1, 2})
    addresses: dict[str, str] = {}

    async def joined(*_: object, on_ready: Callable[[], None], **__: object) -> None:
        nonlocal loading
        on_ready()
        seen.append(await asyncio.to_thread(pages, addresses))
        loading = frozenset()
        seen.append(await asyncio.to_thread(pages, addresses))

    monkeypatch.setattr(PartitionState, "loading", property(lambda _: loading))
    monkeypatch.setattr(workers, "run_apps", joined)
    stop = FailStop([].append)
    await workers.run("all", exchange.settings, SystemClock(), stop, on_ready=addresses.update)
    assert seen == [
        {"intake": ("ok", ""), "casekeeper": ("2 partitions are loading", "2.0")},
        {"intake": ("ok", ""), "casekeeper": ("ok", "0.0")},
    ]


@pytest.mark.kafka
async def test_workers_that_hear_no_broker_for_a_session_are_not_ready(
    exchange: Any,  # noqa: ANN401 - conftest
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An outage shows at once in readiness and as a gauge; a late heartbeat does not."""
    seen: list[dict[str, tuple[str, str]]] = []
    silence = 6.0
    addresses: dict[str, str] = {}

    async def joined(*_: object, on_ready: Callable[[], None], **__: object) -> None:
        nonlocal silence
        on_ready()
        seen.append(await asyncio.to_thread(pages, addresses, "broker_silence_seconds"))
        silence = 42.0
        seen.append(await asyncio.to_thread(pages, addresses, "broker_silence_seconds"))

    monkeypatch.setattr(LosslessApp, "broker_silence", property(lambda _: silence))
    monkeypatch.setattr(workers, "run_apps", joined)
    stop = FailStop([].append)
    await workers.run("all", exchange.settings, SystemClock(), stop, on_ready=addresses.update)
    assert seen == [
        dict.fromkeys(("intake", "casekeeper"), ("ok", "6.0")),
        dict.fromkeys(("intake", "casekeeper"), ("no broker for 42 s", "42.0")),
    ]


def pages(addresses: dict[str, str], gauge_name: str = "partitions_loading") -> dict[str, tuple[str, str]]:
    """Answer for each part what /readyz says and a gauge, by default of loading partitions."""
    found = {}
    for kind, address in addresses.items():
        try:
            with urllib.request.urlopen(address.replace("/metrics", "/readyz")) as answer:  # noqa: S310 - ours
                said = answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                said = error.read().decode()
        with urllib.request.urlopen(address) as answer:  # noqa: S310 - ours
            page = answer.read().decode()
        gauge = re.search(rf"^hotline_exchange_{gauge_name} (.+)$", page, re.MULTILINE)
        found[kind] = (said.strip(), gauge[1] if gauge else "")
    return found

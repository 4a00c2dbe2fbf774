import asyncio
from typing import Any, Self

import pytest

from agents import workers
from agents.health import Health
from streams.clock import SystemClock
from streams.fail_stop import FailStop


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
    monkeypatch.setattr(workers, "Health", CountedHealth)
    monkeypatch.setattr(workers, "run_apps", start_that_takes_long)
    stopped: list[int] = []
    await workers.run("all", exchange.settings, SystemClock(), FailStop(stopped.append))
    assert seen == [(1, "starting"), (1, "starting")]
    assert stopped == []

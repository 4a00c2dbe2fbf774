from types import SimpleNamespace
from typing import Any

import pytest

from agents.intake import MAX_CLOCK_OFFSET_MS, ClockOffsetError, Intake
from agents.metrics import IntakeMetrics
from casework.directory import Directory
from operations.directory.document import build
from streams.clock import ManualClock
from streams.lanes import Batch
from streams.publishing import Confirmation, Outgoing
from streams.topics import Topics

T = 1_760_000_000_000
TOPICS = Topics()
DIRECTORY = build(environment="test", published_at=0, candidates="admit")


class Bench:
    """Intake whose broker's clock is some milliseconds off its own."""

    def __init__(self, broker_ahead_ms: int) -> None:
        self.broker_ahead_ms = broker_ahead_ms
        self.clock = ManualClock(T)
        self.metrics = IntakeMetrics()
        self.sent: list[Outgoing] = []
        self.intake = Intake(
            topics=TOPICS,
            environment="test",
            feed=self,  # type: ignore[arg-type]
            clock=self.clock,
            sender=self,  # type: ignore[arg-type]
            metrics=self.metrics,
        )

    def latest(self, _now_ms: int) -> Directory:
        """Answer the only version."""
        return DIRECTORY

    async def give_up(self, record: Any, _failure: object) -> Outgoing:  # noqa: ANN401 - a Kafka record
        """Make a dead letter."""
        return Outgoing("dead-letters", 0, record.key, record.value)

    async def send(self, records: list[Outgoing]) -> Confirmation:
        """Confirm with the broker's time of the append."""
        self.sent += records
        appended = self.clock.real_ms() + self.broker_ahead_ms
        return Confirmation(len(records), append_times={("dead-letters", 0): appended})

    async def take(self, timestamp: int = T) -> None:
        """Hand over one unreadable record."""
        record = SimpleNamespace(
            topic=TOPICS.reports_submitted,
            partition=0,
            offset=1,
            timestamp=timestamp,
            key=b"k",
            value=b"v",
            headers=(),
        )
        await self.intake.handle(Batch(TOPICS.reports_submitted, 0, [record]))


@pytest.mark.parametrize("ahead", [-MAX_CLOCK_OFFSET_MS - 1, MAX_CLOCK_OFFSET_MS + 1])
async def test_a_clock_more_than_five_seconds_off_the_brokers_stops_intake(ahead: int) -> None:
    """A wrong clock would stamp wrong deadlines into cases: the batch is not acknowledged."""
    with pytest.raises(ClockOffsetError):
        await Bench(ahead).take()


@pytest.mark.parametrize("ahead", [-MAX_CLOCK_OFFSET_MS, 0, MAX_CLOCK_OFFSET_MS])
async def test_a_clock_within_five_seconds_is_good_enough(ahead: int) -> None:
    """The offset is shown and the work goes on."""
    bench = Bench(ahead)
    await bench.take()
    shown = bench.metrics.registry.get_sample_value("hotline_exchange_clock_offset_seconds")
    assert shown == -ahead / 1000
    assert len(bench.sent) == 1


async def test_records_from_the_future_stop_intake_before_it_stamps_them() -> None:
    """A log-append time ahead of the own clock says that the own clock is behind; nothing is sent."""
    bench = Bench(0)
    with pytest.raises(ClockOffsetError):
        await bench.take(timestamp=T + MAX_CLOCK_OFFSET_MS + 1)
    assert bench.sent == []

import hashlib
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from agents.intake import MAX_CLOCK_OFFSET_MS, ClockOffsetError, Intake
from agents.metrics import IntakeMetrics
from agents.sending import Post
from casework.directory import Directory
from casework.messages import Admitted, Receipt, ReportContent, ReportStatement, Submission
from operations.directory.document import build
from streams import wire
from streams.clock import ManualClock
from streams.lanes import Batch
from streams.publishing import Confirmation, Outgoing
from streams.topics import Topics

T = 1_760_000_000_000
TOPICS = Topics()
DIRECTORY = build(environment="test", published_at=0, candidates="admit")
LATER = T + 60_000
SECOND = msgspec.structs.replace(DIRECTORY, version=2)


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

    def valid_at(self, stamp_ms: int, _now_ms: int) -> Directory:
        """Answer the first version until LATER, then the second."""
        return DIRECTORY if stamp_ms < LATER else SECOND

    async def placed(self, posts: Iterable[Post]) -> list[Outgoing]:
        """Place records."""
        return [Outgoing(topic, 0, url_key, value) for topic, url_key, value in posts]

    async def give_up(self, record: Any, _failure: object) -> Outgoing:  # noqa: ANN401 - a Kafka record
        """Make a dead letter."""
        return Outgoing("dead-letters", 0, record.key, record.value)

    async def send(self, records: list[Outgoing]) -> Confirmation:
        """Confirm with the broker's time of the append."""
        self.sent += records
        appended = self.clock.real_ms() + self.broker_ahead_ms
        return Confirmation(len(records), append_times={("dead-letters", 0): appended})

    async def take(self, timestamp: int = T, *values: bytes) -> None:
        """Hand over records appended at one time; without values one that nobody can read."""
        await self.handle(*((timestamp, value) for value in values or (b"v",)))

    async def handle(self, *appended: tuple[int, bytes]) -> None:
        """Hand over one batch of records, each with the time of its append."""
        records = [
            SimpleNamespace(
                topic=TOPICS.reports_submitted,
                partition=0,
                offset=offset,
                timestamp=timestamp,
                key=b"k",
                value=value,
                headers=(),
            )
            for offset, (timestamp, value) in enumerate(appended, start=1)
        ]
        await self.intake.handle((Batch(TOPICS.reports_submitted, 0, records),))


def submission(number: int, **changes: Any) -> bytes:  # noqa: ANN401 - fields
    """Answer a report as a member sends it."""
    content = wire.encode(ReportContent(url=f"https://example.test/{number}"))
    values: dict[str, Any] = {
        "event_id": f"0199c82a-0000-7000-8000-{number:012x}",
        "environment": "test",
        "sender": "gb-iwf",
        "url_key": b"\x01" + bytes(range(32)),
        "hosting_country": "NL",
        "sent_at": T,
        "directory_version": 1,
        "occurred_at": T,
        "received_at": T,
        "reference": "r",
        "content_type": "media",
        "content_digest": hashlib.sha256(content).digest(),
    }
    statement = ReportStatement(**{**values, **changes})
    return wire.encode(Submission(statement=wire.encode(statement), content=content))


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


async def test_what_intake_repeats_after_a_crash_is_the_same_byte_for_byte() -> None:
    """Admission, escalation and refusal are stamped with the append's time and the version valid then."""
    batch = (submission(1, urgency=("abuse_in_progress",)), submission(2, content_type="nonsense"))
    first = Bench(0)
    await first.take(T, *batch)
    again = Bench(0)
    again.clock.advance(LATER - T + 5_000)
    await again.take(T, *batch)
    assert first.sent == again.sent
    admitted, refused = (
        next(m for m in map(_decoded, again.sent) if isinstance(m, kind)) for kind in (Admitted, Receipt)
    )
    assert (admitted.admitted_at, admitted.directory_version) == (T, DIRECTORY.version)
    assert (refused.admitted_at, refused.directory_version) == (T, DIRECTORY.version)
    assert len(again.sent) == 3


async def test_each_record_of_a_batch_is_stamped_with_its_own_time() -> None:
    """A backlog that reaches over a new version of the directory is not judged by one version."""
    bench = Bench(0)
    bench.clock.advance(LATER - T)
    await bench.handle((T, submission(1)), (LATER, submission(2)))
    stamps = [(m.admitted_at, m.directory_version) for m in map(_decoded, bench.sent)]
    assert stamps == [(T, DIRECTORY.version), (LATER, SECOND.version)]


def _decoded(outgoing: Outgoing) -> Any:  # noqa: ANN401 - any message
    return wire.decode(outgoing.value or b"")

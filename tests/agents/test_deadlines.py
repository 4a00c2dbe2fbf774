from typing import Any

import msgspec
import pytest

from agents.deadlines import RETRY_MS, Deadlines
from agents.metrics import CasekeeperMetrics
from agents.open_cases import OpenCases
from casework.directory import Directory
from casework.messages import Admitted, Case, Origin
from casework.messages import Deadlines as Limits
from operations.directory.document import build
from streams import wire
from streams.clock import ManualClock
from streams.publishing import Outgoing
from streams.state_stores import DictStore
from streams.topics import Topics

T = 1_760_000_000_000
HOUR = 3_600_000
WHOLE = build(environment="test", published_at=0, candidates="admit")


class Feed:
    """A feed whose newest version a test sets."""

    def __init__(self) -> None:
        self.directory: Directory = WHOLE

    def latest(self, now_ms: int) -> Directory:
        """Answer the version that was set."""
        assert now_ms
        return self.directory


class Bench:
    """Timers of one partition over a state that a test writes."""

    def __init__(self) -> None:
        self.clock = ManualClock(T)
        self.feed = Feed()
        self.sent: list[Outgoing] = []
        self.store = DictStore()
        self.metrics = CasekeeperMetrics(OpenCases())
        self.deadlines = Deadlines(
            topics=Topics(),
            environment="test",
            feed=self.feed,  # type: ignore[arg-type]
            clock=self.clock,
            sender=self,  # type: ignore[arg-type]
            metrics=self.metrics,
        )
        self.deadlines.loaded(2, self.store)

    async def send(self, records: list[Outgoing]) -> None:
        """Take what the timers send."""
        self.sent += records

    def write(self, case: Case) -> None:
        """Confirm a state, as casekeeper does."""
        framed = self.store.get(case.url_key)
        before = None if framed is None else wire.decode_as(Case, framed)
        self.store.write({case.url_key: wire.encode(case)})
        self.deadlines.changed(2, before, case)

    async def tick(self) -> list[Admitted]:
        """Let the timers look once and answer the wake-ups that were sent."""
        before = len(self.sent)
        await self.deadlines.tick()
        assert {(record.topic, record.partition) for record in self.sent} <= {("cases.admitted", 2)}
        return [wire.decode_as(Admitted, record.value or b"") for record in self.sent[before:]]


ORIGIN = Origin(member="gb-iwf", first_event_id="e1", first_at=0, last_event_id="e1", last_at=0, count=1)


def case(number: int = 0, **changes: Any) -> Case:  # noqa: ANN401 - fields
    """Answer an assigned case whose first deadline is an hour after T."""
    values: dict[str, Any] = {
        "url_key": b"\x01" + bytes([number]) * 32,
        "case_id": f"case-{number}",
        "source_offset": 4,
        "environment": "test",
        "number": 2,
        "state": "assigned",
        "round": 1,
        "leg": 1,
        "hosting_country": "NL",
        "assigned_country": "NL",
        "assigned_hotline": "nl-offlimits",
        "received_at": T,
        "opened_at": T,
        "leg_started_at": T,
        "last_now": T,
        "directory_version": 1,
        "rules_version": 1,
        "deadlines": Limits(
            acknowledge_ms=HOUR,
            inform_police_ms=2 * HOUR,
            inform_provider_ms=3 * HOUR,
            confirm_removal_ms=9 * HOUR,
        ),
    }
    return Case(**{**values, **changes})


@pytest.fixture
def bench() -> Bench:
    """Timers with one empty partition."""
    return Bench()


async def test_a_case_is_woken_when_its_first_step_is_due_and_not_before(bench: Bench) -> None:
    """The wake-up says which step is due and when; it decides nothing."""
    bench.write(case())
    bench.clock.advance(HOUR - 1)
    assert await bench.tick() == []
    bench.clock.advance(1)
    (wakeup,) = await bench.tick()
    assert (wakeup.kind, wakeup.step, wakeup.due_at) == ("wakeup", "acknowledge", T + HOUR)
    assert wakeup.admitted_at == T + HOUR


async def test_a_wake_up_without_effect_is_sent_again_under_the_same_id(bench: Bench) -> None:
    """One that was lost is repeated after half a minute of real time, not at every look."""
    bench.write(case())
    bench.clock.advance(HOUR)
    (first,) = await bench.tick()
    assert await bench.tick() == []
    bench.clock.advance(RETRY_MS)
    (again,) = await bench.tick()
    assert again.event_id == first.event_id


async def test_a_wake_up_with_effect_is_followed_by_the_next_step(bench: Bench) -> None:
    """After casekeeper has recorded the step, the next one is waited for."""
    bench.write(case())
    bench.clock.advance(HOUR)
    await bench.tick()
    bench.write(case(overdue=("acknowledge",)))
    assert await bench.tick() == []
    bench.clock._now_ms += HOUR  # a compressed year: the exchange's hour is no time at all
    assert [wakeup.step for wakeup in await bench.tick()] == ["inform_police"]


async def test_a_case_with_several_entries_is_woken_once(bench: Bench) -> None:
    """Each change of a case leaves an entry; they make one wake-up, also across looks."""
    for number in (1, 2, 3):
        bench.write(case(number=number % 2, reference=str(number)))
    bench.write(case(1))
    bench.clock.advance(HOUR)
    assert len(await bench.tick()) == 2
    assert await bench.tick() == []


async def test_a_step_done_in_time_wakes_nobody(bench: Bench) -> None:
    """An entry whose step was done meanwhile is moved to the next due time."""
    bench.write(case())
    bench.write(case(acknowledged_at=T + 1))
    bench.clock.advance(HOUR)
    assert await bench.tick() == []
    bench.clock.advance(HOUR)
    assert [wakeup.step for wakeup in await bench.tick()] == ["inform_police"]


async def test_a_case_that_was_closed_or_revoked_is_not_woken(bench: Bench) -> None:
    """An outdated entry finds the case as it is now."""
    bench.write(case(1))
    bench.write(case(1, state="closed", closed_at=T + 1))
    bench.clock.advance(9 * HOUR)
    assert await bench.tick() == []
    bench.write(case(2))
    bench.deadlines.revoked(2)
    assert await bench.tick() == []


async def test_a_loaded_case_is_woken_like_a_changed_one(bench: Bench) -> None:
    """After a restart the deadlines of cases that nobody touches still run."""
    loaded = case(3)
    bench.store.write({loaded.url_key: wire.encode(loaded)})
    bench.deadlines.loaded_case(2, loaded)
    bench.clock.advance(HOUR)
    assert len(await bench.tick()) == 1


async def test_cases_of_a_hotline_that_left_are_to_be_reassigned(bench: Bench) -> None:
    """A new directory version wakes open cases of a hotline that is not active any more, until it helps."""
    bench.write(case(1))
    bench.write(case(2, state="closed"))
    assert await bench.tick() == []
    members = tuple(
        msgspec.structs.replace(m, status="left") if m.id == "nl-offlimits" else m for m in WHOLE.members
    )
    bench.feed.directory = msgspec.structs.replace(WHOLE, version=2, members=members)
    (wakeup,) = await bench.tick()
    assert (wakeup.step, wakeup.directory_version, wakeup.url_key) == ("reassign", 2, case(1).url_key)
    assert await bench.tick() == []
    bench.write(case(1, state="orphaned", assigned_hotline=None, deadlines=None))
    bench.clock.advance(RETRY_MS)
    assert await bench.tick() == []


async def test_an_offer_to_a_hotline_that_left_is_made_anew(bench: Bench) -> None:
    """An offered case is woken when one of those who could claim it is not active any more."""
    pool = ("de-eco", "nl-offlimits")
    bench.write(case(1, state="offered", assigned_hotline=None, deadlines=None, pool=pool))
    assert await bench.tick() == []
    members = tuple(
        msgspec.structs.replace(m, status="left") if m.id == "nl-offlimits" else m for m in WHOLE.members
    )
    bench.feed.directory = msgspec.structs.replace(WHOLE, version=2, members=members)
    assert [wakeup.step for wakeup in await bench.tick()] == ["reassign"]
    bench.write(case(1, state="offered", assigned_hotline=None, deadlines=None, pool=("de-eco", "de-fsm")))
    bench.clock.advance(RETRY_MS)
    assert await bench.tick() == []


async def test_an_orphaned_case_is_woken_when_its_country_has_a_hotline(bench: Bench) -> None:
    """A directory version in which a hotline of its country is active wakes the cases that nobody has."""
    members = tuple(
        msgspec.structs.replace(m, status="suspended") if m.id == "nl-offlimits" else m for m in WHOLE.members
    )
    bench.feed.directory = msgspec.structs.replace(WHOLE, version=2, members=members)
    assert await bench.tick() == []
    orphaned = {"state": "orphaned", "assigned_hotline": None, "deadlines": None, "origins": (ORIGIN,)}
    bench.write(case(1, **orphaned))
    bench.write(case(2, **orphaned, hosting_country="HK"))
    assert await bench.tick() == []
    bench.feed.directory = msgspec.structs.replace(WHOLE, version=3)
    assert [(wakeup.step, wakeup.url_key) for wakeup in await bench.tick()] == [("reassign", case(1).url_key)]
    bench.write(case(1))
    bench.clock.advance(RETRY_MS)
    assert await bench.tick() == []


async def test_a_case_decided_late_under_an_earlier_directory_is_reassigned_too(bench: Bench) -> None:
    """A report still in the queue when its hotline left is assigned to it and must not stay there."""
    members = tuple(
        msgspec.structs.replace(m, status="left") if m.id == "nl-offlimits" else m for m in WHOLE.members
    )
    bench.feed.directory = msgspec.structs.replace(WHOLE, version=2, members=members)
    assert await bench.tick() == []
    bench.write(case(1))
    assert [wakeup.step for wakeup in await bench.tick()] == ["reassign"]

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from casework import next_steps as steps
from casework.messages import Asked, Case, Hold, HoldRequest, HostDoubt, Lease, OpenEscalation, Parked
from casework.next_steps import NO_STEP, WHAT, outlook
from casework.timers import Due

if TYPE_CHECKING:
    from tests.casework.conftest import Story

replace = msgspec.structs.replace
HOUR = 3_600_000
DEADLINES = ["acknowledge", "inform_police", "inform_provider", "confirm_removal"]


def changed(story: "Story", **fields: object) -> Case:
    """Answer the case of a story with some fields changed."""
    assert story.case is not None
    return replace(story.case, **fields)


def told(case: Case) -> list[tuple[str, tuple[str, ...]]]:
    """Answer what is to be done by whom, in order."""
    return [(step.what, step.who) for step in outlook(case).steps]


def test_the_responsible_hotline_has_its_deadlines_ahead(opened: "Story") -> None:
    """A new leg tells its hotline all four steps, earliest first, and one it took is no longer told."""
    assert opened.case is not None
    first = outlook(opened.case)
    assert sorted(step.what for step in first.steps) == sorted(DEADLINES)
    assert {step.who for step in first.steps} == {("nl-offlimits",)}
    times = [step.due_at for step in first.steps if step.due_at is not None]
    assert first.reason is None
    assert times == sorted(times)
    assert len(times) == len(DEADLINES)
    kept = opened.act("nl-offlimits", "acknowledged")
    assert kept.case is not None
    assert [step.what for step in outlook(kept.case).steps] == [
        step.what for step in first.steps if step.what != "acknowledge"
    ]


def test_a_missed_step_stays_with_its_time(opened: "Story") -> None:
    """What the exchange has told as overdue is still to be done, with the time that it was due."""
    assert opened.case is not None
    due = {step.what: step.due_at for step in outlook(opened.case).steps}
    kept = opened.later(25 * HOUR).wake()
    assert kept.case is not None
    missed = [step for step in outlook(kept.case).steps if step.is_missed]
    assert {step.what: step.due_at for step in missed} == {
        step: due[step] for step in ("acknowledge", "inform_police")
    }


def test_every_open_case_has_a_time_or_a_reason(story: "Story") -> None:
    """Orphans without a desk, closed cases and parked ones say why nothing of them has a time."""
    story.report(country="XT")
    assert story.case is not None
    tor = outlook(changed(story, open_escalations=(), unclaimed_due_at=None, desk=None))
    assert tor.reason == "with_police"
    at_desk = outlook(changed(story, open_escalations=(), unclaimed_due_at=None, desk="desk-orphans"))
    assert at_desk.reason == "at_desk"
    waits = Parked(count=2, since=7, error_class="bug", rule="BugError", attempts=1)
    parked = outlook(changed(story, parked=waits))
    assert (parked.reason, parked.steps[0].who) == ("parked", (steps.OPERATORS,))


def test_a_closed_case_is_left_alone_unless_police_keep_it(opened: "Story") -> None:
    """After the end nothing is to be done but what was asked for; an open police reference says so."""
    opened.act("nl-offlimits", "removed")
    assert outlook(changed(opened, erase_at=None)) == steps.Outlook((), "closed")
    kept = outlook(changed(opened, references=("nl-police",), erase_at=None))
    assert [step.what for step in kept.steps] == ["close_reference"]
    assert kept.reason == "kept_for_police"


def test_a_hold_stops_the_clock_of_the_provider(opened: "Story") -> None:
    """During a hold the steps of the notice have no time, and its liaison has the hold's own."""
    assert opened.case is not None
    hold = Hold(until=opened.now + 9 * HOUR, since=opened.now, by="p", liaison="p", warned=0, fact_number=3)
    found = {step.what: step.due_at for step in outlook(changed(opened, hold=hold)).steps}
    assert found["end_hold"] == hold.until
    assert found["acknowledge"] is not None


@pytest.mark.parametrize(
    ("fields", "what", "who"),
    [
        ({"lease": Lease(until=9, queue="offered")}, "use_claim", ("nl-offlimits",)),
        (
            {"doubt": HostDoubt(hosting_country="DE", by="de-eco", observed_at=1, due_at=9, fact_number=3)},
            "answer_host",
            ("nl-offlimits",),
        ),
        (
            {"hold_requests": (HoldRequest(by="x", until=9, liaison="p", asked_at=1, fact_number=3),)},
            "answer_hold",
            ("p",),
        ),
        (
            {
                "open_escalations": (
                    OpenEscalation(
                        recipient="nl",
                        reason_code="tor",
                        report_event_id="r",
                        origin="gb-iwf",
                        due_at=9,
                        attempt=1,
                    ),
                )
            },
            "acknowledge_escalation",
            ("nl",),
        ),
        (
            {"asked": (Asked(fact_number=3, kind="erasure", members=("de-eco",), due_at=9),)},
            "confirm_erasure",
            ("de-eco",),
        ),
        (
            {"state": "orphaned", "assigned_hotline": None, "desk": "desk-orphans"},
            "claim",
            ("desk-orphans",),
        ),
        ({"rewrap_due_at": 9, "state": "awaiting_rewrap"}, "rewrap", ("gb-iwf",)),
    ],
)
def test_each_queue_names_who_has_to_act(
    opened: "Story", fields: dict[str, Any], what: str, who: tuple[str, ...]
) -> None:
    """Whatever a case waits for is told with the one that has to act, in words that are explained."""
    assert (what, who) in told(changed(opened, **fields))
    assert what in WHAT


def test_a_timer_without_a_name_is_told_all_the_same(
    opened: "Story", monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timer that nobody named here is told as one of the exchange, so a new rule is never invisible."""
    monkeypatch.setattr(steps, "due_times", lambda case: (Due(case.last_now + 5, "new_rule"),))
    found = outlook(changed(opened, deadlines=None))
    assert [(step.what, step.who, step.due_at) for step in found.steps] == [
        ("new_rule", ("exchange",), opened.now + 5)
    ]
    assert found.reason is None


def test_reasons_are_explained() -> None:
    """Each reason that can be answered has its sentence."""
    assert set(NO_STEP) == {
        "closed",
        "kept_for_police",
        "parked",
        "no_report",
        "no_clock",
        "with_police",
        "at_desk",
    }

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.codes import ACTIONS
from casework.directory import Directory
from casework.due import due_times
from casework.matters.confirmations import TOLD
from casework.messages import Asked, Case, Fact, Hold, HoldRequest, OpenEscalation
from casework.next_steps import NO_STEP, WHAT, outlook
from casework.queues import QUEUES, lies_in_queues, queues_of
from casework.states import CLOSED
from casework.timeline import Timeline, timeline
from casework.timeline import moments as walking

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.casework.conftest import Story

replace = msgspec.structs.replace
HOUR = 3_600_000
RESPONSIBLE = "responsible"
"""Stands for whoever is responsible then."""

_MEMBERS = (
    RESPONSIBLE,
    RESPONSIBLE,
    "gb-iwf",
    "de-eco",
    "de-fsm",
    "nl-offlimits",
    "nl-police",
    "interpol",
    "inhope",
)
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(("report", "act", "act", "later", "wake")),
        st.sampled_from(_MEMBERS),
        st.sampled_from(sorted(ACTIONS.codes)),
        st.sampled_from(("NL", "DE", "HK", "XT")),
        st.integers(1, 200),
    ),
    min_size=1,
    max_size=40,
)


def of_the_last_case(story: "Story") -> list[Fact]:
    """Answer the facts of a story's newest case: one that only actions waited in ends without a trace."""
    return [fact for fact in story.facts if fact.case_id == story.facts[-1].case_id]


def _claiming(directory: Directory) -> Directory:
    """Answer the network with a country whose hotlines claim their cases."""
    rules = (replace(rule, routing="claim") if rule.code == "DE" else rule for rule in directory.countries)
    return replace(directory, countries=tuple(rules))


def play(story: "Story", steps: list[tuple[str, str, str, str, int]]) -> None:
    """Let a story happen: reports, actions, and passing time."""
    story.directory = _claiming(story.directory)
    for kind, who, action, country, hours in steps:
        member = who
        if who == RESPONSIBLE:
            member = (story.case and story.case.assigned_hotline) or "nl-offlimits"
        if kind == "report":
            status = "provisional" if hours % 2 else "confirmed"
            story.report(member, country, observed_at=story.now, hosting_status=status)
        elif kind == "act":
            story.act(member, action, **_said(action, country, story.now + hours * HOUR, hours))
        else:
            story.later(hours * HOUR)
            if kind == "wake":
                story.wake()


def _said(action: str, country: str, until: int, number: int) -> dict[str, Any]:
    """Answer the fields of an action, so that most of them mean something."""
    said = {
        "reason_code": "wrong_country" if action == "decline" else "other",
        "classification": "baseline",
        "law_country": "NL",
        "observation": "moved",
        "observed_at": until - number * HOUR,
        "hold_until": until,
        "fact_number": number % 8 + 1,
        "to_member": "de-fsm",
        "has_police_reference": number % 3 == 0,
    }
    if action in {"moved", "observed", "hosting_confirmed", "decline"}:
        said["new_hosting_country"] = country
    return said


@settings(max_examples=60, deadline=None)
@given(steps=_STEPS)
def test_legs_tile_the_clock_of_their_round(
    new_story: "Callable[..., Story]", steps: list[tuple[str, str, str, str, int]]
) -> None:
    """Whatever happens, at each moment from opening to closing exactly one leg runs, in order."""
    story = new_story()
    play(story, steps)
    facts = of_the_last_case(story) if story.facts else []
    shown = timeline(facts)
    for one in shown.rounds:
        legs = [leg for leg in shown.legs if leg.round == one.round]
        assert legs[0].since == one.opened_at
        assert all(leg.until == following.since for leg, following in pairwise(legs))
        assert legs[-1].until == one.closed_at
        assert one.received_at <= one.opened_at
        assert [leg.leg for leg in legs] == sorted(leg.leg for leg in legs)
        assert all(0 <= leg.paused_for_ms(story.now) <= leg.lasted_ms(story.now) for leg in legs)
    opened = [fact for fact in facts if fact.fact in {"opened", "reopened"}]
    assert len(shown.rounds) == len({fact.round for fact in opened})


@settings(max_examples=60, deadline=None)
@given(steps=_STEPS)
def test_the_timeline_agrees_with_what_was_kept_and_sent(
    new_story: "Callable[..., Story]", steps: list[tuple[str, str, str, str, int]]
) -> None:
    """State, deliveries with their numbers and reports of a timeline are those that casekeeper made."""
    story = new_story()
    play(story, steps)
    facts = of_the_last_case(story) if story.facts else []
    shown = timeline(facts)
    if story.case is not None:
        assert shown.case == story.case
    told = [(told.recipient, told.number, told.kind) for entry in shown.entries for told in entry.told]
    sent = [(delivery.recipient, delivery.number, delivery.kind) for delivery in story.deliveries()]
    assert sorted(told) == sorted(sent)
    assert all(entry.is_known for entry in shown.entries)
    answers = {
        receipt.event_id: receipt.outcome for receipt in story.receipts() if receipt.outcome != "duplicate"
    }
    for receipt in shown.receipts:
        if receipt.outcome != "waiting":
            assert answers[receipt.event_id] == receipt.outcome
    if story.case is not None and story.case.state != CLOSED and shown.legs:
        assert shown.legs[-1].until is None


@settings(max_examples=60, deadline=None)
@given(steps=_STEPS)
def test_every_case_has_a_next_time_or_a_reason_for_none(
    new_story: "Callable[..., Story]", steps: list[tuple[str, str, str, str, int]]
) -> None:
    """Whatever happens, each timer is somebody's step, and a case without any says why."""
    story = new_story()
    for step in steps:
        play(story, [step])
        if story.case is None:
            continue
        found = outlook(story.case)
        times = {step.due_at for step in found.steps}
        assert {due.at for due in due_times(story.case)} <= times
        assert (found.reason is None) == any(at is not None for at in times)
        assert found.reason is None or found.reason in NO_STEP
        assert all(step.who and (step.what in WHAT or step.who == ("exchange",)) for step in found.steps)
        queues = [queue for queue, _ in queues_of(story.case)]
        assert set(queues) <= set(QUEUES)
        assert lies_in_queues(story.case) or not queues


def test_facts_of_a_later_version_are_shown_as_they_stand(opened: "Story") -> None:
    """A kind of fact that nobody knows here stops neither the timeline nor what comes after it."""
    opened.act("nl-offlimits", "acknowledged")
    known = opened.facts
    strange = replace(known[1], number=3, fact="of_tomorrow", admitted_at=known[1].admitted_at + 5)
    shown = timeline([*known[:2], strange, replace(known[2], number=4)])
    assert [entry.is_known for entry in shown.entries] == [True, True, False, True]
    assert [entry.fact.fact for entry in shown.entries] == [
        "opened",
        "assigned",
        "of_tomorrow",
        "acknowledged",
    ]
    assert shown.case is not None
    assert shown.case.number == 4
    assert timeline([replace(strange, number=1)]).case is None
    assert timeline([]).rounds == ()


def test_a_case_is_told_with_its_legs_and_clocks(story: "Story") -> None:
    """An orphan that gets a hotline, is closed and comes back: two rounds, three legs."""
    story.report("gb-iwf", "HK")
    story.later(5 * HOUR).report("de-eco", "NL")
    story.act("nl-offlimits", "removed")
    story.later(HOUR).report("gb-iwf", "NL", observed_at=story.now)
    shown = timeline(story.facts)
    assert [(leg.round, leg.kind, leg.who) for leg in shown.legs] == [
        (1, "desk", ("desk-orphans",)),
        (1, "hotline", ("nl-offlimits",)),
        (2, "hotline", ("nl-offlimits",)),
    ]
    assert [(one.round, one.outcome) for one in shown.rounds] == [(1, "removed"), (2, None)]
    first = shown.rounds[0]
    assert first.closed_at is not None
    assert first.lasted_ms(story.now) == first.closed_at - first.received_at
    assert [(each.origin, each.fact, each.hosting_country) for each in shown.reports] == [
        ("gb-iwf", "opened", "HK"),
        ("de-eco", "linked", "NL"),
        ("gb-iwf", "reopened", "NL"),
    ]


def test_deadlines_are_met_late_missed_or_over(opened: "Story") -> None:
    """Each deadline of a leg is told with how it went; with its leg it ends."""
    opened.act("nl-offlimits", "acknowledged")
    opened.later(25 * HOUR).wake()
    standing = {each.step: each.standing for each in timeline(opened.facts).deadlines}
    assert standing == {
        "acknowledge": "met",
        "inform_police": "missed",
        "inform_provider": "running",
        "confirm_removal": "running",
    }
    opened.act("nl-offlimits", "police_informed")
    opened.act("nl-offlimits", "removed")
    standing = {each.step: each.standing for each in timeline(opened.facts).deadlines}
    assert standing == {
        "acknowledge": "met",
        "inform_police": "late",
        "inform_provider": "ended",
        "confirm_removal": "met",
    }


def test_answers_are_told_as_the_facts_say(story: "Story") -> None:
    """An action that waited is told with its later answer, a refused one with its rule."""
    report = story.new_id()
    story.act("gb-iwf", "observed", report_event_id=report, observation="online", is_online=True)
    assert [each.outcome for each in timeline(story.facts).receipts] == ["waiting"]
    story.report("gb-iwf", event_id=report)
    story.act("fr-point-de-contact", "assessed", classification="baseline", law_country="FR")
    receipts = timeline(story.facts).receipts
    assert [(each.to, each.what, each.outcome) for each in receipts] == [
        ("gb-iwf", "observed", "accepted"),
        ("gb-iwf", "report", "accepted"),
        ("fr-point-de-contact", "assessed", "refused"),
    ]
    assert receipts[2].rule == "not_a_party"


def _states(
    story: "Story", monkeypatch: pytest.MonkeyPatch, *changes: tuple[str, str, dict[str, object]]
) -> Timeline:
    """Answer the timeline of a case whose state facts of other matters change: (kind, by, fields)."""
    assert story.case is not None
    facts = list(story.facts)
    states: dict[int, Case] = {}
    case = story.case
    for kind, by, fields in changes:
        number = len(facts) + 1
        at = facts[-1].admitted_at + HOUR
        case = replace(case, number=number, last_now=at, **fields)
        states[number] = case
        facts.append(
            replace(facts[-1], number=number, fact=kind, by=by, admitted_at=at, input_id=str(number))
        )
    real = walking.evolved
    monkeypatch.setattr(
        walking,
        "evolved",
        lambda before, fact: (states[fact.number], ()) if fact.number in states else real(before, fact),
    )
    return timeline(facts)


def test_a_hold_pauses_its_leg_and_ends_with_a_name(opened: "Story", monkeypatch: pytest.MonkeyPatch) -> None:
    """A hold is told with who set it, how often it was warned of, how it ended, and what time it stopped."""
    asked = HoldRequest(by="interpol", until=99, liaison="nl-police", asked_at=5, fact_number=3)
    hold = Hold(
        until=99, since=5, by="nl-police", liaison="nl-police", asked_by="interpol", warned=0, fact_number=4
    )
    shown = _states(
        opened,
        monkeypatch,
        ("hold_asked", "interpol", {"hold_requests": (asked,)}),
        ("held", "nl-police", {"hold_requests": (), "hold": hold}),
        ("hold_warned", "exchange", {"hold": replace(hold, warned=1)}),
        ("released", "nl-police", {"hold": None}),
    )
    assert [(each.is_request, each.by, each.ended_by, each.warned) for each in shown.holds] == [
        (True, "interpol", "held", 0),
        (False, "nl-police", "released", 1),
    ]
    assert [leg.paused_ms for leg in shown.legs] == [2 * HOUR]


def test_escalations_and_confirmations_are_told_with_their_answers(
    opened: "Story", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever acknowledged an escalation or confirmed a correction is named; who did not stays open."""
    waits = OpenEscalation(
        recipient="nl", reason_code="no_hotline", report_event_id="r", origin="gb-iwf", due_at=9, attempt=1
    )
    asked = Asked(fact_number=5, kind="correction", members=("gb-iwf", "de-eco"), due_at=99)
    shown = _states(
        opened,
        monkeypatch,
        ("escalated", "exchange", {"open_escalations": (waits,)}),
        ("escalation_acknowledged", "nl-police", {"open_escalations": ()}),
        ("corrected", "nl-offlimits", {"asked": (asked,)}),
        ("confirmed", "gb-iwf", {"asked": (replace(asked, members=("de-eco",)),)}),
        ("unconfirmed", "exchange", {"asked": (replace(asked, members=("de-eco",), due_at=TOLD),)}),
    )
    assert [each.acknowledged_by for each in shown.escalations] == ["nl-police"]
    assert [(each.member, each.confirmed_at is not None, each.is_missed) for each in shown.confirmations] == [
        ("gb-iwf", True, False),
        ("de-eco", False, True),
    ]

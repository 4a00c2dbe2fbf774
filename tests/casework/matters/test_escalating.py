from typing import TYPE_CHECKING

import msgspec
import pytest

from casework.due import due_times
from casework.states import ASSIGNED_STATES, CLOSED, ORPHANED
from casework.transition_rows import BY_POLICE
from casework.transitions import transition
from tests.casework.test_transitions import brought_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.casework.conftest import Story

replace = msgspec.structs.replace
HOUR = 3_600_000
URGENT = ("possible_new_victim",)


def with_contacts(story: "Story", country: str, *contacts: str) -> None:
    """Name a country's second contact and those beyond in the directory."""
    assert country in {rule.code for rule in story.directory.countries}
    rules = tuple(
        replace(rule, second_liaison=contacts[0], further_liaisons=contacts[1:])
        if rule.code == country
        else rule
        for rule in story.directory.countries
    )
    story.directory = replace(story.directory, countries=rules)


def unread(story: "Story", *liaisons: str) -> None:
    """Say in the directory that nobody reads these liaisons' escalations."""
    members = tuple(
        replace(m, reads_escalations=False) if m.liaison in liaisons else m for m in story.directory.members
    )
    story.directory = replace(story.directory, members=members)


def open_to(story: "Story") -> list[tuple[str, int]]:
    """Answer to whom the open escalations went last, and how often they were sent."""
    return [(one.recipient, one.attempt) for one in story.case.open_escalations]


@pytest.mark.parametrize("by", ["case", "report"])
def test_an_acknowledgement_by_police_ends_the_waiting(story: "Story", by: str) -> None:
    """A liaison names the case, or the origin's report that it got, and is not asked again."""
    story.report(urgency=URGENT)
    assert open_to(story) == [("nl", 1)]
    report = story.case.origins[0].last_event_id
    named = {} if by == "case" else {"report_event_id": report}
    story.act("nl-police", "acknowledged", reference="unit 7", **named)
    assert story.receipts()[-1].outcome == "accepted"
    assert (story.facts[-1].fact, story.facts[-1].by) == ("escalation_acknowledged", "nl-police")
    assert open_to(story) == []
    assert {d.recipient for d in story.deliveries() if d.fact == "escalation_acknowledged"} == {
        "nl-offlimits",
        "gb-iwf",
    }
    assert all(d.content is None for d in story.deliveries("gb-iwf"))
    assert story.case.state == "assigned", "police that acknowledge take no step of the hotline"
    assert "escalation" not in {due.step for due in due_times(story.case)}


def test_an_acknowledgement_before_the_case_is_there_waits_for_the_report(story: "Story") -> None:
    """Intake's urgent escalation may be acknowledged before casekeeper has the report."""
    report = story.new_id()
    story.act("nl-police", "acknowledged", report_event_id=report)
    story.report(event_id=report, urgency=URGENT)
    assert story.kinds()[-1] == "escalation_acknowledged"
    assert open_to(story) == []


def test_one_acknowledgement_answers_all_that_are_open(story: "Story") -> None:
    """Police have it then, whichever liaison said so; a second acknowledgement has nothing to answer."""
    story.report("gb-iwf", "XT")
    assert open_to(story) == [("interpol", 1), ("europol", 1)]
    story.act("europol", "acknowledged")
    assert open_to(story) == []
    story.act("interpol", "acknowledged")
    receipt = story.receipts()[-1]
    assert (receipt.outcome, receipt.rule) == ("not_applicable", "nothing_open")


@pytest.mark.parametrize("state", [ORPHANED, *ASSIGNED_STATES, CLOSED])
def test_police_acknowledge_as_their_row_says(new_story: "Callable[[], Story]", state: str) -> None:
    """In every state the row's fact follows and the state stays."""
    story = brought_to(new_story(), state)
    story.report("de-eco", story.case.hosting_country, urgency=URGENT)
    row = transition("acknowledged", state, BY_POLICE)
    assert row is not None
    liaison = story.facts[-1].recipient
    before = story.case.state
    kept = story.act({"nl": "nl-police"}.get(str(liaison), str(liaison)), "acknowledged")
    assert tuple(fact.fact for fact in kept.facts) == row.facts
    assert story.case.state == before


def test_strangers_and_hotlines_acknowledge_no_escalation(story: "Story") -> None:
    """Police without part in the case are refused; the hotline's own acknowledgement leaves it open."""
    story.report(urgency=URGENT)
    story.act("fr-police", "acknowledged")
    assert (story.receipts()[-1].outcome, story.receipts()[-1].rule) == ("refused", "not_a_party")
    story.act("nl-offlimits", "acknowledged")
    assert story.case.state == "acknowledged"
    assert open_to(story) == [("nl", 1)]


def test_it_is_repeated_to_those_whom_the_directory_lists_and_then_told(story: "Story") -> None:
    """Second contact, further ones in order, each after its time, then the secretariat; nobody twice."""
    with_contacts(story, "NL", "be", "europol")
    story.report(urgency=URGENT)
    for _ in range(5):
        story.later(5 * HOUR).wake()
    sent = [(f.recipient, f.attempt) for f in story.facts if f.fact == "escalated"]
    assert sent == [("nl", 1), ("be", 2), ("europol", 3)]
    messages = story.escalations()
    assert [(e.recipient, e.attempt, e.is_urgent) for e in messages] == [
        ("be", 2, True),
        ("europol", 3, True),
    ]
    assert len({e.escalation_id for e in messages}) == 2
    assert [e.due_at - e.admitted_at for e in messages] == [4 * HOUR, 4 * HOUR]
    assert [d.fact for d in story.deliveries("inhope") if d.fact != "reminded"] == ["escalation_unanswered"]
    assert open_to(story) == []
    story.act("be-police", "acknowledged")
    assert story.receipts()[-1].rule == "nothing_open"


def test_nobody_further_is_told_unless_the_directory_says_so(story: "Story") -> None:
    """Without a second contact the secretariat alone learns that nobody acknowledged."""
    story.report("gb-iwf", "HK")
    story.later(5 * HOUR).wake()
    assert [(e.recipient, e.attempt) for e in story.escalations()] == [("hk", 1)]
    assert [d.fact for d in story.deliveries("inhope")] == ["escalation_unanswered"]


def test_it_is_repeated_while_the_case_is_closed_only_where_a_child_may_be_in_danger(story: "Story") -> None:
    """Removal ends no search for a victim; what was about the host ends with the case."""
    story.report("gb-iwf", "HK", urgency=URGENT)
    assert {one.reason_code for one in story.case.open_escalations} == {"no_hotline", *URGENT}
    story.case = replace(story.case, state=CLOSED)
    assert {due.event_id.split("/")[1] for due in due_times(story.case) if due.step == "escalation"} == {
        *URGENT
    }


def test_a_hotline_that_takes_an_orphan_ends_what_was_asked_for_want_of_one(story: "Story") -> None:
    """No liaison is asked again because no hotline is there when one is."""
    story.report("gb-iwf", "HK")
    assert open_to(story) == [("hk", 1)]
    story.report("de-eco", "NL")
    assert open_to(story) == []


def test_a_liaison_that_nobody_reads_is_passed_over(story: "Story") -> None:
    """Second contact, INTERPOL, Europol: the first whose topic somebody reads gets the escalation."""
    unread(story, "nl")
    story.report(urgency=URGENT)
    assert open_to(story) == [("interpol", 1)]
    with_contacts(story, "NL", "be")
    story.report("de-eco", urgency=URGENT)
    assert open_to(story)[-1] == ("be", 1)
    unread(story, "nl", "be", "interpol")
    story.report("de-eco", urgency=URGENT)
    assert open_to(story)[-1] == ("europol", 1)
    assert story.directory.unread_liaisons == ("be", "interpol", "nl")


def test_what_is_repeated_is_bounded(story: "Story") -> None:
    """However many urgent reports come, at most 16 escalations of a case are repeated."""
    for _ in range(20):
        story.report(urgency=URGENT)
    assert len(story.case.open_escalations) == 16
    assert len([fact for fact in story.facts if fact.fact == "escalated"]) == 20


def test_a_police_reference_is_kept_with_the_case(story: "Story") -> None:
    """An acknowledgement whose content carries a reference says so, and the case knows whose it is."""
    story.report(urgency=URGENT)
    story.act("nl-police", "acknowledged", has_police_reference=True)
    assert story.case.references == ("nl-police",)


def test_police_that_only_ask_for_a_hold_answer_no_escalation(story: "Story") -> None:
    """Foreign police who were never told of an escalation cannot stop that it is repeated to others."""
    story.report(urgency=URGENT)
    waits = story.case.open_escalations
    story.act("fr-police", "hold")
    story.act("fr-police", "acknowledged")
    assert story.receipts()[-1].rule == "nothing_open"
    assert story.case.open_escalations == waits != ()


def test_police_with_a_feed_item_of_a_case_answer_no_escalation_of_others(story: "Story") -> None:
    """What a subscriber elsewhere acknowledges is its item, never an escalation that it did not get."""
    members = tuple(
        replace(m, feed="all_confirmed") if m.id == "europol" else m for m in story.directory.members
    )
    story.directory = replace(story.directory, members=members)
    story.report(urgency=URGENT, classification="baseline", law_country="GB")
    kept = story.act("europol", "acknowledged")
    assert [fact.fact for fact in kept.facts] == ["feed_acknowledged"]
    assert story.case.open_escalations


def test_an_acknowledgement_that_is_taken_back_lets_others_be_called(story: "Story") -> None:
    """A liaison that does not have it after all ends nothing: the secretariat hears if nobody answers."""
    story.report(urgency=URGENT)
    story.act("nl-police", "acknowledged")
    number = story.case.number
    story.act("nl-police", "corrected", fact_number=number, reason_code="wrong_entry")
    again = story.case.open_escalations
    assert story.escalations() == []
    assert [(one.recipient, one.reason_code) for one in again] == [("nl", *URGENT)]
    story.later(5 * HOUR).wake()
    assert "escalation_unanswered" in story.kinds()


def test_what_ended_with_a_hotline_does_not_wait_again(story: "Story") -> None:
    """Police need not be called for want of a hotline when one has the case by now."""
    story.report("gb-iwf", "AF")
    police = story.directory.liaison(story.case.liaisons[0]).id
    story.act(police, "acknowledged")
    number = story.case.number
    story.act("gb-iwf", "claim")
    story.act(police, "corrected", fact_number=number, reason_code="wrong_entry")
    assert (story.receipts()[-1].outcome, story.case.open_escalations) == ("accepted", ())

from typing import TYPE_CHECKING

import pytest

from casework.evolution import fold
from casework.known_reports import known_reports
from casework.states import ASSIGNED_STATES, AWAITING_REWRAP

if TYPE_CHECKING:
    from tests.casework.conftest import Kept, Story


def split(story: "Story", report: str, sender: str = "nl-offlimits") -> "Kept":
    """Say that a report of the story has another url key."""
    return story.act(sender, "key_mismatch", case_id=story.case.case_id, report_event_id=report)


@pytest.mark.parametrize("state", ASSIGNED_STATES)
def test_the_only_report_takes_its_case_with_it(sealing_story: "Story", state: str) -> None:
    """In every state of a leg a case ends with the only report it had, and the origin is told why."""
    sealing_story.report(readers=["gb-iwf"] if state == AWAITING_REWRAP else ["nl-offlimits"])
    if state not in {"assigned", AWAITING_REWRAP}:
        sealing_story.act("nl-offlimits", state, classification="national", law_country="NL")
    assert sealing_story.case.state == state
    report = sealing_story.case.origins[0].last_event_id
    kept = split(sealing_story, report)
    assert [fact.fact for fact in kept.facts] == ["key_mismatch", "closed"]
    assert (sealing_story.case.state, sealing_story.case.outcome) == ("closed", "key_mismatch")
    assert sealing_story.case.origins == ()
    told = sealing_story.deliveries("gb-iwf")[-1]
    assert (told.fact, told.kind, told.report_event_id) == ("key_mismatch", "update", report)
    assert fold(sealing_story.facts) == sealing_story.case


def test_other_reports_keep_their_case(opened: "Story") -> None:
    """A report of another origin leaves alone; the case goes on with the others, unchanged."""
    opened.report("de-eco")
    wrong = opened.case.origins[1].last_event_id
    before = opened.case
    kept = split(opened, wrong)
    assert [fact.fact for fact in kept.facts] == ["key_mismatch"]
    assert opened.case.origins == before.origins[:1]
    assert opened.case.state == before.state
    assert [d.recipient for d in opened.deliveries() if d.fact == "key_mismatch"] == ["de-eco"]


@pytest.mark.parametrize("which", range(4))
def test_any_of_many_reports_can_be_split_off(opened: "Story", which: int) -> None:
    """Of an origin with several reports each one leaves alone; the others stay in their order."""
    for _ in range(3):
        opened.report("gb-iwf")
    ids = list(known_reports(opened.case.origins[0]))
    wrong = ids.pop(which)
    split(opened, wrong)
    assert known_reports(opened.case.origins[0]) == tuple(ids)
    assert opened.case.origins[0].count == 3
    assert [d.report_event_id for d in opened.deliveries("gb-iwf") if d.fact == "key_mismatch"] == [wrong]


@pytest.mark.parametrize("which", [0, 1])
def test_an_origin_with_two_reports_keeps_the_other(opened: "Story", which: int) -> None:
    """Of an origin's first and latest report either can be split off; what is left is its only one."""
    opened.report("gb-iwf")
    origin = opened.case.origins[0]
    both = [origin.first_event_id, origin.last_event_id]
    split(opened, both[which])
    left = opened.case.origins[0]
    assert (left.first_event_id, left.last_event_id, left.count) == (both[1 - which], both[1 - which], 1)


def test_others_than_the_responsible_hotline_change_nothing(opened: "Story") -> None:
    """An origin that speaks of a wrong key is recorded as not responsible, and no report leaves."""
    origins = opened.case.origins
    split(opened, origins[0].last_event_id, sender="gb-iwf")
    assert opened.facts[-1].breaches == ("not_responsible",)
    assert opened.case.origins == origins


def test_a_report_that_the_case_does_not_know_is_not_applicable(opened: "Story") -> None:
    """A report that the case does not know is answered by its rule."""
    split(opened, opened.new_id())
    assert opened.receipts()[-1].rule == "other_report"
    assert len(opened.case.origins) == 1


def test_after_the_end_it_is_out_of_order(opened: "Story") -> None:
    """A closed case loses no report."""
    report = opened.case.origins[0].last_event_id
    opened.act("nl-offlimits", "removed")
    split(opened, report)
    assert opened.facts[-1].breaches == ("out_of_order",)

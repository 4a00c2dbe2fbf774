from typing import TYPE_CHECKING

import msgspec

from casework.casekeeping import Source
from casework.decisions import decide
from casework.evolution import evolve

if TYPE_CHECKING:
    from tests.casework.conftest import Story


def test_decide_says_what_keep_does(story: "Story") -> None:
    """Facts and answer follow from case, event, time, directory and source alone."""
    event = story.report_event("gb-iwf")
    decision = decide(None, event, story.now, story.directory, Source("cases.admitted", 3, 1))
    assert decision == decide(None, event, story.now, story.directory, Source("cases.admitted", 3, 1))
    assert decision.answer.outcome == "accepted"
    assert [(f.number, f.fact, f.source_offset) for f in decision.facts] == [
        (1, "opened", 1),
        (2, "assigned", 1),
    ]
    case = None
    for fact in decision.facts:
        case = evolve(case, fact)
    assert case.assigned_hotline == "nl-offlimits"


def test_only_the_senders_own_fact_carries_its_statement(story: "Story") -> None:
    """What follows from a rule is the exchange's own deed and carries nobody's signature."""
    story.report()
    story.act("nl-offlimits", "removed")
    assert [(f.fact, f.by, f.statement is not None) for f in story.facts] == [
        ("opened", "gb-iwf", True), ("assigned", "exchange", False),
        ("removed", "nl-offlimits", True), ("closed", "exchange", False),
    ]  # fmt: skip


def test_claimed_times_are_clamped_and_flagged(opened: "Story") -> None:
    """A fact says when it happened as claimed, never after its decision, and whether a claim lay ahead."""
    event = opened.action_event("nl-offlimits", "acknowledged", occurred_at=opened.now + opened.hour)
    ahead = msgspec.structs.replace(event, admitted=msgspec.structs.replace(event.admitted, clock_skew=True))
    opened.happen(ahead)
    fact = opened.facts[-1]
    assert (fact.occurred_at, fact.admitted_at, fact.clock_skew) == (opened.now, opened.now, True)


def test_a_fact_names_the_place_of_its_submission(opened: "Story") -> None:
    """The position of the submission and of the admitted record both stand in the fact."""
    fact = opened.facts[0]
    assert fact.input_position == "reports.submitted/1/1"
    assert (fact.source_topic, fact.source_partition, fact.source_offset) == ("cases.admitted", 3, 1)

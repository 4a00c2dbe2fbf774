"""What holds in every case at every time, whatever happens to it; each law by its name."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from model import network
from model.questions import parties, statements

from casework.directory import ORPHAN_DESK
from casework.evolution import fold
from casework.messages import Case, Delivery, Fact
from casework.next_steps import outlook
from casework.states import OPEN_STATES
from casework.timeline import Leg, timeline


def after_each_event(
    case: Case | None,
    deliveries: Iterable[Delivery],
    facts: list[dict[str, Any]],
    facts_before: int,
    directory: dict[str, Any],
) -> None:
    """Hold a case and what was sent to the laws.

    Args:
        case: The case after the event.
        deliveries: What was delivered because of it.
        facts: All facts, as the naive model has them.
        facts_before: How many of them there were before the event.
        directory: The version of the directory, as the naive model has it.
    """
    if case is not None and case.state in OPEN_STATES:
        a_case_is_with_one_party_or_a_named_queue(case)
        an_open_case_has_a_next_time_or_a_reason_for_none(case)
    for delivery in deliveries:
        nobody_gets_a_case_without_being_a_party(delivery, facts, facts_before, directory)


def a_case_is_with_one_party_or_a_named_queue(case: Case) -> None:
    """One hotline, or several it is offered to, or a desk; or police alone, who have an escalation."""
    where = [bool(case.assigned_hotline), bool(case.pool), bool(case.desk)]
    assert sum(where) == 1 or (not any(where) and case.liaisons), case


def an_open_case_has_a_next_time_or_a_reason_for_none(case: Case) -> None:
    """No open case is forgotten without anybody being able to say why."""
    found = outlook(case)
    assert (found.reason is None) == any(step.due_at is not None for step in found.steps), found


def nobody_gets_a_case_without_being_a_party(
    delivery: Delivery, facts: list[dict[str, Any]], facts_before: int, directory: dict[str, Any]
) -> None:
    """Who gets a delivery was a party before the event, or is one through it; desk and feeds are ways."""
    to = delivery.recipient.removeprefix("feed.")
    if delivery.recipient == ORPHAN_DESK:
        return
    if delivery.recipient.startswith("feed."):
        assert network.MEMBERS[to].get("feed") or delivery.kind == "digest_item", delivery
        return
    was_one = facts_before and parties.is_party(facts[:facts_before], to, directory)
    through_it = any(
        parties.is_party(facts[:number], to, directory) for number in range(facts_before + 1, len(facts) + 1)
    )
    is_told_by_rule = network.MEMBERS[to]["kind"] != "hotline" and delivery.by == "exchange"
    # Whose baseline assessment is disputed learns it, also when it has taken its own report back.
    is_maker = delivery.fact == "disagreement" and statements.assessment(facts)[1] == to
    assert was_one or through_it or is_told_by_rule or is_maker, delivery


def at_the_end(case: Case | None, facts: Sequence[Fact]) -> None:
    """Hold the whole log of a case to the laws."""
    if case is not None:
        facts_fold_to_the_case_that_was_kept(case, facts)
        legs_tile_each_round(facts)


def facts_fold_to_the_case_that_was_kept(case: Case, facts: Sequence[Fact]) -> None:
    """The log alone gives the state, byte for byte."""
    assert fold(facts) == case


def legs_tile_each_round(facts: Sequence[Fact]) -> None:
    """Each leg begins where the one before ends, the first with the round, also when clocks disagree."""
    shown = timeline(facts)
    for one in shown.rounds:
        legs: list[Leg] = [leg for leg in shown.legs if leg.round == one.round]
        assert legs[0].since == one.opened_at
        for leg, following in pairwise(legs):
            assert leg.until == following.since >= leg.since, (leg, following)
        assert legs[-1].until == one.closed_at, (legs[-1], one)

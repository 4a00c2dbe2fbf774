"""What holds in every case at every time, whatever happens to it; each law by its name."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from model import network, timers
from model.questions import parties, statements

from casework.directory import ORPHAN_DESK
from casework.evolution import fold
from casework.messages import Case, Delivery, Escalation, Fact
from casework.next_steps import outlook
from casework.states import ASSIGNED_STATES, OPEN_STATES, ORPHANED
from casework.timeline import Leg, Round, timeline
from casework.timeline.legs import legs_of, rounds_of
from casework.timeline.moments import Moment

HANDS_OVER = {"assignment", "linked_report", "rewrapped_report", "rewrap_request", "feed_item", "digest_item"}
"""Kinds of deliveries that bring a report with its content."""


def after_each_event(
    case: Case | None,
    moments: Sequence[Moment],
    deliveries: Iterable[Delivery],
    naive: dict[str, Any],
    facts_before: int,
) -> None:
    """Hold a case and what was sent to the laws.

    Args:
        case: The case after the event.
        moments: Its facts one by one, each with the case after it.
        deliveries: What was delivered because of the event.
        naive: All that the naive model knows.
        facts_before: How many facts it had before the event.
    """
    if case is not None:
        assert moments[-1].after == case, "the log alone gives the state, byte for byte"
        legs_tile_each_round(rounds_of(moments), legs_of(moments))
    if case is not None and case.state in OPEN_STATES:
        a_case_is_with_one_party_or_a_named_queue(case)
        an_open_case_has_a_next_time_or_a_true_reason_for_none(case, naive["facts"])
    for delivery in deliveries:
        nobody_gets_a_case_without_being_a_party(delivery, naive["facts"], facts_before)
        nobody_gets_a_report_that_it_may_not_have(delivery, naive["facts"])


def a_case_is_with_one_party_or_a_named_queue(case: Case) -> None:
    """One hotline, or several it is offered to, or a desk; or police alone, who have an escalation."""
    where = [bool(case.assigned_hotline), bool(case.pool), bool(case.desk)]
    assert sum(where) == 1 or (not any(where) and case.liaisons), case


def an_open_case_has_a_next_time_or_a_true_reason_for_none(case: Case, facts: list[dict[str, Any]]) -> None:
    """No case is forgotten: each timer is seen in advance, and where there is no time the reason is true."""
    found = outlook(case)
    times = {step.due_at for step in found.steps if step.due_at is not None}
    if case.parked is None:
        assert times >= {timer["at"] for timer in timers.due(facts)}, found
    is_true = {
        None: bool(times),
        "parked": case.parked is not None,
        "at_desk": case.state == ORPHANED and case.desk is not None,
        "with_police": case.state == ORPHANED and case.desk is None and bool(case.liaisons),
        "no_clock": case.state in ASSIGNED_STATES and case.hosting_country in network.PSEUDO_COUNTRIES,
    }
    assert is_true.get(found.reason, False), found


def nobody_gets_a_case_without_being_a_party(
    delivery: Delivery, facts: list[dict[str, Any]], facts_before: int
) -> None:
    """Who gets a delivery was a party before the event, or is one through it; desk and feeds are ways."""
    to = delivery.recipient.removeprefix("feed.")
    fact = facts[delivery.fact_number - 1]
    directory = fact["directory"]
    if delivery.recipient == ORPHAN_DESK:
        assert any(one.get("desk") == ORPHAN_DESK for one in facts[: fact["number"]]), delivery
        return
    if delivery.recipient.startswith("feed."):
        assert network.MEMBERS[to].get("feed") or delivery.kind == "digest_item", delivery
        return
    was_one = facts_before and parties.is_party(facts[:facts_before], to, directory)
    through_it = any(
        parties.is_party(facts[:number], to, directory) for number in range(facts_before + 1, len(facts) + 1)
    )
    is_named = to in {fact.get("member"), *(fact.get("members") or [])}
    is_told_by_rule = is_named and network.MEMBERS[to]["kind"] != "hotline" and delivery.by == "exchange"
    # Whose baseline assessment is disputed learns it, also when it has taken its own report back.
    is_maker = delivery.fact == "disagreement" and statements.assessment(facts)[1] == to
    assert was_one or through_it or is_told_by_rule or is_maker, delivery


def nobody_gets_a_report_that_it_may_not_have(delivery: Delivery, facts: list[dict[str, Any]]) -> None:
    """A report goes to nobody who may not receive from its origin; the desk is a way, read by who may."""
    if delivery.kind not in HANDS_OVER or delivery.recipient == ORPHAN_DESK:
        return
    fact = facts[delivery.fact_number - 1]
    origin = next(one["origin"] for one in facts if one.get("report") == delivery.report_event_id)
    assert network.may_receive(fact["directory"], delivery.recipient.removeprefix("feed."), origin), delivery


def each_message_has_an_id_of_its_own(sent: Sequence[Delivery], escalated: Sequence[Escalation]) -> None:
    """Two messages with one id are taken for one by whoever gets them."""
    ids = [one.delivery_id for one in sent] + [one.escalation_id for one in escalated]
    assert len(ids) == len(set(ids)), sorted(one for one in ids if ids.count(one) > 1)


def legs_tile_each_round(rounds: Sequence[Round], legs: Sequence[Leg]) -> None:
    """Each leg begins where the one before ends, the first with the round, also when clocks disagree."""
    for one in rounds:
        its_own = [leg for leg in legs if leg.round == one.round]
        assert its_own[0].since == one.opened_at
        for leg, following in pairwise(its_own):
            assert leg.until == following.since >= leg.since, (leg, following)
        assert its_own[-1].until == one.closed_at, (its_own[-1], one)
    for one, following in pairwise(rounds):
        assert one.closed_at is not None, one
        assert one.opened_at <= one.closed_at <= following.opened_at, (one, following)


def at_the_end(case: Case | None, facts: Sequence[Fact]) -> None:
    """Hold the whole log of a case to the laws, as a reader of the log finds it."""
    if case is not None:
        assert fold(facts) == case
        shown = timeline(facts)
        legs_tile_each_round(shown.rounds, shown.legs)

"""What members stated of a case and may correct: a bounded list in its state, kept beside each fact.

The facts that hold the current leg together are kept before all others, so that a leg can be put together
again from them when one of them is taken back, however many notes came in between.
"""

from collections.abc import Iterable
from typing import Any, Final

from casework.directory import EXCHANGE
from casework.messages import Case, Fact, Stated
from casework.transitions import EFFECTLESS, FINAL_ACTIONS

MAX_STATED: Final = 32
"""Statements a case keeps: at most 3 KiB of its 64."""
LINKED: Final = "linked"
REPORT_FACTS: Final = frozenset({"opened", "reopened", LINKED})
"""Facts by which a report comes into a case."""
ASSESSING: Final = REPORT_FACTS | {"assessed"}
"""Facts that may carry an assessment. That of a report which joins a case is kept and does not count."""
CORRECTABLE: Final = FINAL_ACTIONS | {
    "acknowledged",
    "assessed",
    "police_informed",
    "provider_informed",
    "observed",
    "reappeared",
    "moved",
    "hosting_confirmed",
    "note",
    "escalation_acknowledged",
    "feed_acknowledged",
}


def with_stated(stated: tuple[Stated, ...], fact: Fact) -> tuple[Stated, ...]:
    """Answer what a case keeps of its members' statements after a fact, itself among them where it is one."""
    if fact.by == EXCHANGE or not (
        fact.fact in CORRECTABLE or (fact.fact in ASSESSING and fact.classification is not None)
    ):
        return stated
    new = Stated(
        number=fact.number,
        fact=fact.fact,
        by=fact.by,
        at=fact.admitted_at,
        round=fact.round,
        leg=fact.leg,
        counts=fact.fact != LINKED and not EFFECTLESS.intersection(fact.breaches),
        recipient_role=fact.recipient_role,
        classification=fact.classification if fact.fact in ASSESSING else None,
        law_country=fact.law_country if fact.fact in ASSESSING else None,
    )
    if len(stated) < MAX_STATED:
        return (*stated, new)
    dispensable = next((one for one in stated if not _is_needed(one, new)), stated[0])
    return (*(one for one in stated if one is not dispensable), new)


def without_reports_of(stated: tuple[Stated, ...], member: str | None) -> tuple[Stated, ...]:
    """Answer the statements without those that came with reports of a member that has withdrawn them all."""
    return tuple(one for one in stated if one.by != member or one.fact not in REPORT_FACTS)


def is_current(case: Case, one: Stated) -> bool:
    """Answer whether something was stated in the current leg."""
    return (one.round, one.leg) == (case.round, case.leg)


def assessment_of(stated: Iterable[Stated], round_: int) -> dict[str, Any]:
    """Answer the assessment that the statements make; a baseline gives way to its maker only."""
    newest = assessed_at = None
    for one in stated:
        if not one.counts or one.classification is None:
            continue
        if one.fact == "assessed" and one.round == round_:
            assessed_at = one.at
        if newest is None or newest.classification != "baseline" or newest.by == one.by:
            newest = one
    return {
        "classification": None if newest is None else newest.classification,
        "classified_by": None if newest is None else newest.by,
        "law_country": None if newest is None else newest.law_country,
        "assessed_at": assessed_at,
    }


def _is_needed(one: Stated, new: Stated) -> bool:
    """Answer whether a statement is an assessment in force, or holds the leg together."""
    if not one.counts:
        return False
    is_step = (one.round, one.leg) == (new.round, new.leg) and one.fact not in {"note", "observed"}
    return is_step or one.classification is not None

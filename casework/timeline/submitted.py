"""What members sent: the reports of a case, and how each submission was answered."""

from collections.abc import Iterable
from typing import Final

import msgspec

from casework.messages import Fact
from casework.statements import REPORT_FACTS
from casework.timeline.moments import Moment

_LEAVES: Final = frozenset({"key_mismatch", "withdrawn"})
_NOT_TAKEN: Final = frozenset({"refused", "not_applicable"})


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """A report of the case.

    Attributes:
        event_id: Its event id.
        origin: Who sent it.
        at: When it was admitted.
        fact: opened, linked or reopened.
        hosting_country: Host as its origin saw it.
        left_by: Kind of the fact by which it left the case; None while it belongs to it.
    """

    event_id: str
    origin: str
    at: int
    fact: str
    hosting_country: str | None
    left_by: str | None = None


class Receipted(msgspec.Struct, frozen=True, kw_only=True):
    """How a submission was answered.

    Attributes:
        event_id: Its event id.
        to: Its sender, who got the receipt.
        what: The action, or `report`.
        at: When it was decided.
        outcome: accepted, refused, not_applicable, or waiting: unanswered until its report comes.
        rule: Why it was not accepted.
        breaches: Rules that it broke, though it was recorded.
        fact: Number of its first fact.
    """

    event_id: str
    to: str
    what: str
    at: int
    outcome: str
    rule: str | None = None
    breaches: tuple[str, ...] = ()
    fact: int


def _action_of(fact: Fact) -> str:
    """Answer what was sent; the action in a correction is the one that it corrects."""
    return fact.fact if fact.fact == "corrected" else fact.action or fact.fact


def reports_of(moments: Iterable[Moment]) -> tuple[Reported, ...]:
    """Answer the reports in the order they came."""
    found: dict[str, Reported] = {}
    for moment in moments:
        fact = moment.fact
        event_id = fact.report_event_id
        if event_id is None:
            continue
        if fact.fact in REPORT_FACTS and event_id == fact.input_id:
            found.setdefault(
                event_id,
                Reported(
                    event_id=event_id,
                    origin=fact.origin or fact.by,
                    at=fact.admitted_at,
                    fact=fact.fact,
                    hosting_country=fact.hosting_country,
                ),
            )
        elif fact.fact in _LEAVES and not fact.breaches and event_id in found:
            found[event_id] = msgspec.structs.replace(found[event_id], left_by=fact.fact)
    return tuple(found.values())


def receipts_of(moments: Iterable[Moment]) -> tuple[Receipted, ...]:
    """Answer how each submission was answered, in the order they came."""
    found: dict[str, Receipted] = {}
    for moment in moments:
        fact = moment.fact
        if fact.input_digest is None:
            continue
        known = found.get(fact.input_id)
        if known is None or known.outcome == "waiting":
            found[fact.input_id] = _receipt(moment)
    return tuple(found.values())


def _receipt(moment: Moment) -> Receipted:
    fact = moment.fact
    outcome = "accepted"
    if fact.fact in _NOT_TAKEN:
        outcome = fact.fact
    elif fact.fact == "awaited":
        outcome = "waiting"
    is_report = fact.fact in REPORT_FACTS or (fact.report_event_id == fact.input_id and fact.action is None)
    return Receipted(
        event_id=fact.input_id,
        to=fact.by,
        what="report" if is_report else _action_of(fact),
        at=fact.admitted_at,
        outcome=outcome,
        rule=fact.rule,
        breaches=fact.breaches,
        fact=fact.number,
    )

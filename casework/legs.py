"""What begins with a leg and what ends with the one before: the changes that every leg makes to a case."""

from collections.abc import Collection
from typing import Any, Final

from casework.messages import Case, Fact, OpenEscalation

OVER_WITH_A_HOTLINE: Final = frozenset({"no_hotline", "unclaimed", "unreadable"})
"""Reasons to escalate that end when a hotline gets the case."""

Changes = dict[str, Any]
"""Fields of a case and their new values."""
MAX_CHAIN: Final = 32
"""Hosting countries a case keeps of a round: the newest ones."""


def no_change(_: Case, __: Fact) -> Changes:
    """Answer the changes of a fact that is only told or counted: none."""
    return {}


def leg_changes(case: Case, fact: Fact) -> Changes:
    """Answer the changes that a fact makes by beginning a leg."""
    former = case.former
    if case.assigned_hotline not in {None, fact.assigned_hotline, *former}:
        former = (*former, str(case.assigned_hotline))
    status = case.hosting_status if fact.hosting_status is None else fact.hosting_status
    over = frozenset[str]() if fact.assigned_hotline is None else OVER_WITH_A_HOTLINE
    return {
        "leg": fact.leg,
        "open_escalations": open_without(case, over),
        "leg_started_at": fact.admitted_at,
        "hosting_country": fact.hosting_country,
        "hosting_status": status,
        "chain": _chain(case, fact.hosting_country),
        "doubt": None,
        "assigned_country": fact.assigned_country,
        "acknowledged_at": None,
        "police_informed_at": None,
        "provider_informed_at": None,
        "reference": None,
        "done": (),
        "overdue": (),
        "told": (),
        "paused_ms": 0,
        "deadlines": None,
        "former": former,
        "rewrap_due_at": None,
        "pool": (),
        "unclaimed_due_at": None,
        "lease": None,
        "move": case.move if case.move and case.move.hosting_country == fact.hosting_country else None,
    }


def open_without(case: Case, reasons: Collection[str]) -> tuple[OpenEscalation, ...]:
    """Answer the open escalations of a case without those for some reasons."""
    return tuple(one for one in case.open_escalations if one.reason_code not in reasons)


def _chain(case: Case, hosting_country: str | None) -> tuple[str, ...]:
    """Answer the hosting countries of a round in their order; none while there was only one."""
    if hosting_country is None or case.leg == 0 or hosting_country == case.hosting_country:
        return case.chain
    return (*(case.chain or (case.hosting_country,)), hosting_country)[-MAX_CHAIN:]

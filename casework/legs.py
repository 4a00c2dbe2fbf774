"""What begins with a leg and what ends with the one before: the changes that every leg makes to a case."""

from typing import Any

from casework.messages import Case, Fact

Changes = dict[str, Any]
"""Fields of a case and their new values."""


def leg_changes(case: Case, fact: Fact) -> Changes:
    """Answer the changes that a fact makes by beginning a leg."""
    former = case.former
    if case.assigned_hotline not in {None, fact.assigned_hotline, *former}:
        former = (*former, str(case.assigned_hotline))
    return {
        "leg": fact.leg,
        "leg_started_at": fact.admitted_at,
        "hosting_country": fact.hosting_country,
        "assigned_country": fact.assigned_country,
        "acknowledged_at": None,
        "police_informed_at": None,
        "provider_informed_at": None,
        "reference": None,
        "done": (),
        "overdue": (),
        "deadlines": None,
        "former": former,
        "rewrap_due_at": None,
    }

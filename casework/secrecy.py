"""What is shown of a hold to whom: all to the responsible hotline and the police concerned, else a pause.

A hold protects an investigation. Whoever else is entitled to a case sees that the provider's deadlines pause
and go on, and so do metrics and statistics: no reason, no police, no expiry, no breach that names a hold.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from casework.directory import EXCHANGE
from casework.messages import Case, Delivery, Fact, Hold

PAUSED: Final = "paused"
RESUMED: Final = "resumed"
DESPITE_HOLD: Final = "despite_hold"
DESPITE_PAUSE: Final = "despite_pause"
POLICE_MATTER: Final = "police_matter"
"""Stands in metrics for a rule by which a request for a hold is refused."""

_SHOWN_AS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "held": PAUSED,
        "released": RESUMED,
        "hold_expired": RESUMED,
        "hold_ended": RESUMED,
        "hold_asked": POLICE_MATTER,
        "hold_refused": POLICE_MATTER,
        "hold_warned": POLICE_MATTER,
    }
)
HOLD_FACTS: Final = frozenset(_SHOWN_AS)
"""Facts that nobody but those who know of a hold may see under their own name."""
_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        DESPITE_HOLD: DESPITE_PAUSE,
        "hold": PAUSED,
        "release": PAUSED,
        "hold_warning": PAUSED,
        "hold_asked": PAUSED,
        "not_entitled": POLICE_MATTER,
        "hold_too_long": POLICE_MATTER,
        "too_many_requests": POLICE_MATTER,
        "unknown_request": POLICE_MATTER,
        "not_the_liaison": POLICE_MATTER,
        "no_liaison": POLICE_MATTER,
    }
)


def changes_pause(fact: Fact) -> bool:
    """Answer whether a fact pauses the clock of a case or lets it go on: no renewal and no mere consent."""
    if fact.fact == "held":
        return fact.fact_ref is None
    return _SHOWN_AS.get(fact.fact) == RESUMED and fact.fact_ref is not None


def knows_hold(after: Case, fact: Fact, member: str) -> bool:
    """Answer whether a member may see of a hold what it is.

    Args:
        after: The case after the fact.
        fact: The fact that tells of the hold. One of a hold itself names all who know: the case may have
            another responsible hotline by now.
        member: The member.
    """
    if fact.fact in HOLD_FACTS:
        return member == fact.recipient or member in fact.members
    return member in {after.assigned_hotline, *police_of(after.hold)}


def name_for(after: Case, fact: Fact, member: str) -> str:
    """Answer the name under which a member is told of a fact."""
    is_hidden = fact.fact in HOLD_FACTS and not knows_hold(after, fact, member)
    return _SHOWN_AS[fact.fact] if is_hidden else fact.fact


def askers_of(hold: Hold | None) -> tuple[str, ...]:
    """Answer all whose requests a hold grants, in the order they were granted: they hear how it goes on."""
    if hold is None or hold.asked_by is None:
        return ()
    return (*hold.askers, hold.asked_by)


def police_of(hold: Hold | None) -> tuple[str, ...]:
    """Answer the police that a hold names: the liaison that is to say, and all whose requests it grants."""
    return () if hold is None else (hold.liaison, *askers_of(hold))


def as_shown(after: Case, fact: Fact, delivery: Delivery) -> Delivery:
    """Answer a delivery as its recipient may see it."""
    is_of_hold = fact.fact in HOLD_FACTS
    if not (is_of_hold or DESPITE_HOLD in fact.breaches) or knows_hold(after, fact, delivery.recipient):
        return delivery
    if not is_of_hold:
        others = tuple(breach for breach in delivery.breaches if breach != DESPITE_HOLD)
        return msgspec.structs.replace(delivery, breaches=others)
    return msgspec.structs.replace(
        delivery,
        fact=_SHOWN_AS[fact.fact],
        by=EXCHANGE,
        occurred_at=fact.admitted_at,
        breaches=(),
        step=None,
        due_at=None,
        reason_code=None,
        reference=None,
        recipient_role=None,
        is_online=None,
        observed_at=None,
        classification=after.classification,
        law_country=after.law_country,
        statement=None,
        signature=None,
        key_id=None,
        content=None,
        details=None,
        until=None,
        fact_ref=None,
    )


def kind_for_statistics(fact: Fact) -> str | None:
    """Answer the kind under which a fact is counted; None: not at all, because it changes no pause."""
    if fact.fact not in HOLD_FACTS:
        return fact.fact
    return _SHOWN_AS[fact.fact] if changes_pause(fact) else None


def label_for_statistics(label: str) -> str:
    """Answer the label under which a breach, a timer or a rule is counted."""
    return _LABELS.get(label, label)

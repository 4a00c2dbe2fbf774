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
_JOINED: Final = "linked"
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


def joins_paused(after: Case, fact: Fact) -> bool:
    """Answer whether a report brings a member into a case whose pause nobody has told it yet.

    Who was told, or knows of the hold, needs no further word: an origin since its first report, the hotlines
    of earlier legs, those it is offered to, and whoever takes the case over by this report.
    """
    if fact.fact != _JOINED or after.hold is None or knows_hold(after, fact, fact.by):
        return False
    is_first = any(origin.member == fact.by and origin.count == 1 for origin in after.origins)
    return is_first and fact.by not in {fact.assigned_hotline, *after.former, *after.pool}


def name_for(after: Case, fact: Fact, member: str) -> str:
    """Answer the name under which a member is told of a fact."""
    if _is_told_of_pause(fact, member):
        return PAUSED
    is_hidden = fact.fact in HOLD_FACTS and not knows_hold(after, fact, member)
    return _SHOWN_AS[fact.fact] if is_hidden else fact.fact


def _is_told_of_pause(fact: Fact, member: str) -> bool:
    """Answer whether a delivery tells a member of a pause: of its own report it gets no other."""
    return fact.fact == _JOINED and member == fact.by


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
    tells_pause = _is_told_of_pause(fact, delivery.recipient)
    is_of_hold = tells_pause or fact.fact in HOLD_FACTS
    if not (is_of_hold or DESPITE_HOLD in fact.breaches) or knows_hold(after, fact, delivery.recipient):
        return delivery
    if not is_of_hold:
        others = tuple(breach for breach in delivery.breaches if breach != DESPITE_HOLD)
        return msgspec.structs.replace(delivery, breaches=others)
    return msgspec.structs.replace(
        delivery,
        fact=PAUSED if tells_pause else _SHOWN_AS[fact.fact],
        by=EXCHANGE,
        occurred_at=fact.admitted_at,
        received_at=after.received_at,
        hosting_country=after.hosting_country,
        hosting_status=after.hosting_status,
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

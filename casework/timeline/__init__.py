"""The facts of a case as people want to see them: legs, clocks, deliveries and all that is open.

Nothing is decided here, and nothing stops it: a kind of fact that this version does not know is shown as it
stands, so that a case can be looked at with an older program than the one that decided it.
"""

from collections.abc import Sequence

import msgspec

from casework.messages import Case, Fact
from casework.timeline.deadlines import Deadline, deadlines_of
from casework.timeline.legs import Leg, Round, legs_of, rounds_of
from casework.timeline.moments import Told, deliveries_of, walk
from casework.timeline.open_matters import (
    AnsweredHold,
    Confirmation,
    Escalated,
    confirmations_of,
    escalations_of,
    holds_of,
)
from casework.timeline.submitted import Receipted, Reported, receipts_of, reports_of

__all__ = [
    "AnsweredHold",
    "Confirmation",
    "Deadline",
    "Entry",
    "Escalated",
    "Leg",
    "Receipted",
    "Reported",
    "Round",
    "Timeline",
    "Told",
    "timeline",
]


class Entry(msgspec.Struct, frozen=True):
    """One fact and whom it was told to.

    Attributes:
        fact: The fact.
        told: The deliveries it caused.
        is_known: Whether this version knows what it means.
    """

    fact: Fact
    told: tuple[Told, ...]
    is_known: bool


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """All of a case; times in milliseconds since the epoch, UTC.

    Attributes:
        case: The state that the facts make; None where this version knows too little of them.
        rounds: Rounds in order, each with the clock of the case.
        legs: Legs in order: in each round the first begins with it, each other one where the one before ends.
        reports: Reports of the case in order, the linked ones too.
        receipts: How submissions were answered.
        deadlines: Deadlines of all legs.
        holds: Holds, and requests for one.
        escalations: Escalations.
        confirmations: What members were asked to confirm.
        entries: The facts themselves.
    """

    case: Case | None
    rounds: tuple[Round, ...]
    legs: tuple[Leg, ...]
    reports: tuple[Reported, ...]
    receipts: tuple[Receipted, ...]
    deadlines: tuple[Deadline, ...]
    holds: tuple[AnsweredHold, ...]
    escalations: tuple[Escalated, ...]
    confirmations: tuple[Confirmation, ...]
    entries: tuple[Entry, ...]


def timeline(facts: Sequence[Fact]) -> Timeline:
    """Answer the timeline that the facts of one case make, in the order of their numbers."""
    moments = walk(facts)
    return Timeline(
        case=moments[-1].after if moments else None,
        rounds=rounds_of(moments),
        legs=legs_of(moments),
        reports=reports_of(moments),
        receipts=receipts_of(moments),
        deadlines=deadlines_of(moments),
        holds=holds_of(moments),
        escalations=escalations_of(moments),
        confirmations=confirmations_of(moments),
        entries=tuple(Entry(moment.fact, deliveries_of(moment), moment.is_known) for moment in moments),
    )

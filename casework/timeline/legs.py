"""Rounds and legs: who had the case from when to when, and how long holds stopped the clock of the notice.

A leg here is one stretch with one responsible party or queue. Its ends come from the states, not from the
kinds of facts, so that the legs of a round follow each other without gap or overlap whatever rule began them.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from casework.messages import Case
from casework.states import CLOSED
from casework.timeline.moments import Moment

HOTLINE: Final = "hotline"
POOL: Final = "pool"
DESK: Final = "desk"
POLICE: Final = "police"
NOBODY: Final = "nobody"


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a round with one responsible party or queue.

    Attributes:
        round: Its round.
        leg: Its number in the round.
        kind: hotline, pool (offered to several), desk, police (they alone were told) or nobody.
        who: The hotline, the hotlines of the pool, the desk, or codes of liaisons.
        hosting_country: Where the content was hosted, as the exchange knew it.
        since: When it began.
        until: When it ended; None while it lasts.
        paused_ms: How long ended holds had stopped the clock of the notice.
        paused_since: Since when a hold stops it now.
        begun_by: Number of the fact that began it.
        ended_by: Kind of the fact that ended it.
    """

    round: int
    leg: int
    kind: str
    who: tuple[str, ...]
    hosting_country: str
    since: int
    until: int | None = None
    paused_ms: int = 0
    paused_since: int | None = None
    begun_by: int
    ended_by: str | None = None

    def lasted_ms(self, now: int) -> int:
        """Answer how long it lasted, or has lasted until now."""
        return max((now if self.until is None else self.until) - self.since, 0)

    def paused_for_ms(self, now: int) -> int:
        """Answer how long holds stopped its clock, a hold in force counted until now."""
        return self.paused_ms + (0 if self.paused_since is None else max(now - self.paused_since, 0))


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """From an opening to a closing.

    Attributes:
        round: Its number.
        received_at: When the public reported: the clock of the case starts.
        opened_at: When the exchange opened it.
        closed_at: When it was closed; None while it is open.
        outcome: How it ended.
    """

    round: int
    received_at: int
    opened_at: int
    closed_at: int | None = None
    outcome: str | None = None

    def lasted_ms(self, now: int) -> int:
        """Answer the clock of the case: from the public's report to the closing, or until now."""
        return max((now if self.closed_at is None else self.closed_at) - self.received_at, 0)


def rounds_of(moments: Iterable[Moment]) -> tuple[Round, ...]:
    """Answer the rounds in order; a closing that was corrected opens its round again."""
    rounds: list[Round] = []
    for moment in moments:
        case = moment.after
        if case is None or not case.round or moment.fact.fact == "shrunk":
            continue
        if not rounds or rounds[-1].round != case.round:
            rounds.append(Round(round=case.round, received_at=case.received_at, opened_at=case.opened_at))
        rounds[-1] = msgspec.structs.replace(
            rounds[-1], closed_at=_closed_at(rounds[-1], case), outcome=case.outcome
        )
    return tuple(rounds)


def _closed_at(known: Round, case: Case) -> int | None:
    if case.state != CLOSED:
        return None
    if case.closed_at is not None:
        return case.closed_at
    return case.last_now if known.closed_at is None else known.closed_at


def legs_of(moments: Iterable[Moment]) -> tuple[Leg, ...]:
    """Answer the legs in order."""
    legs: list[Leg] = []
    begun_in = ""
    for moment in moments:
        case, fact = moment.after, moment.fact
        if case is None or not case.round:
            continue
        last = legs[-1] if legs else None
        if case.state == CLOSED:
            if last is not None and last.until is None:
                legs[-1] = _ended(last, fact.admitted_at, fact.fact)
            continue
        kind, who = place_of(case)
        if last is not None and last.until is not None and _is_of(last, case):
            # A closing that never happened: its leg goes on, and so did its clock.
            last = legs[-1] = msgspec.structs.replace(last, until=None, ended_by=None)
        if last is not None and last.until is None:
            if _is_of(last, case) and (last.kind, last.who) == (kind, who):
                legs[-1] = _paused(last, moment)
                continue
            if last.since == fact.admitted_at and begun_in == fact.input_id:
                legs.pop()
            else:
                legs[-1] = _ended(last, fact.admitted_at, fact.fact)
        begun_in = fact.input_id
        legs.append(_begun(case, moment, kind, who))
    return tuple(legs)


def place_of(case: Case) -> tuple[str, tuple[str, ...]]:
    """Answer who has an open case: the kind of place, and the members of it."""
    if case.assigned_hotline is not None:
        return HOTLINE, (case.assigned_hotline,)
    if case.pool:
        return POOL, case.pool
    if case.desk is not None:
        return DESK, (case.desk,)
    return (POLICE, case.liaisons) if case.liaisons else (NOBODY, ())


def _begun(case: Case, moment: Moment, kind: str, who: tuple[str, ...]) -> Leg:
    at = moment.fact.admitted_at
    return Leg(
        round=case.round,
        leg=case.leg,
        kind=kind,
        who=who,
        hosting_country=case.hosting_country,
        since=at,
        paused_since=None if case.hold is None else at,
        begun_by=moment.fact.number,
    )


def _is_of(leg: Leg, case: Case) -> bool:
    return (leg.round, leg.leg) == (case.round, case.leg)


def _ended(leg: Leg, at: int, by: str) -> Leg:
    paused = leg.paused_for_ms(at)
    return msgspec.structs.replace(leg, until=at, ended_by=by, paused_ms=paused, paused_since=None)


def _paused(leg: Leg, moment: Moment) -> Leg:
    is_held = moment.after is not None and moment.after.hold is not None
    if is_held == (leg.paused_since is not None):
        return leg
    at = moment.fact.admitted_at
    if is_held:
        return msgspec.structs.replace(leg, paused_since=at)
    return msgspec.structs.replace(leg, paused_ms=leg.paused_for_ms(at), paused_since=None)

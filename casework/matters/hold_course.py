"""The course of a hold after it was set: warnings, expiry, other ends, and what it pauses.

Expiry permits the notice to the provider and never sends it. A hold goes on when another hotline of its
country takes over, which then learns of it. `settle` looks at the facts of every decision, so that no rule
that closes a round or begins a leg can forget the police.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

import msgspec

from casework.causes import Draft
from casework.directory import EXCHANGE, HOUR_MS
from casework.errors import BugError
from casework.legs import Changes
from casework.matters.hold_naming import about_hold, knowing, refuse
from casework.messages import ActionDetails, Case, Fact, Hold, HoldRequest
from casework.notices import HOLD_REQUEST, Notice, update_to
from casework.parties import hosting_liaison
from casework.preservations import with_reference
from casework.secrecy import HOLD_FACTS, askers_of, changes_pause
from casework.timers import Due, Timers

WARNINGS_MS: Final = (72 * HOUR_MS, 24 * HOUR_MS)
"""How long before the expiry of a hold those who know of it are warned."""
HOLD: Final = "hold"
"""Step of the timer of a hold's expiry."""
HOLD_WARNING: Final = "hold_warning"
HOLD_ASKED: Final = "hold_asked"
"""Step of the timer of a request that is not answered by the time it asks for."""
CONSENT: Final = "release"
"""How a leg notes in `Case.done` that police no longer mind the notice."""
PAUSED_STEPS: Final = frozenset({"inform_provider", "confirm_removal"})
"""Deadlines that do not run during a hold."""
MAX_EARLIER: Final = 7
"""Askers before the newest one who hear of a hold; bounds the state."""
_LEGS: Final = frozenset({"assigned", "orphaned", "offered"})


def end_hold(case: Case, draft: Draft, reason: str, to_country: str | None = None) -> None:
    """Write that a hold in force ends, and that requests for one are refused, for another reason than police.

    Args:
        case: The case before the decision.
        draft: Where the facts are written; without a hold and a request nothing is.
        reason: closed, moved or provider_informed.
        to_country: Hosting country from now on, of a case that moves: its liaison learns that there was a
            hold, because nobody else there can ask for another one.
    """
    if case.hold is not None:
        said = about_hold(case, case.hold, draft)
        if to_country is not None:
            following = hosting_liaison(draft.cause.directory, to_country)
            said["members"] = knowing(*said["members"], following)
            said["details"] = ActionDetails(new_hosting_country=to_country)
        draft.by_rule("hold_ended", reason_code=reason, **said)
    for request in case.hold_requests:
        refuse(request, draft.by_rule, reason_code=reason)


def settle(case: Case | None, draft: Draft) -> None:
    """Write what the facts of a decision mean for a hold, where its rule has not said so itself."""
    if case is None or (case.hold is None and not case.hold_requests) or _is_settled(draft):
        return
    if any(fact.fact == "closed" for fact in draft.facts):
        end_hold(case, draft, "closed")
        return
    leg = next((fact for fact in draft.facts if fact.fact in _LEGS), None)
    if leg is None:
        return
    if leg.hosting_country != case.hosting_country:
        end_hold(case, draft, "moved", leg.hosting_country)
    elif case.hold is not None:
        said = about_hold(case, case.hold, draft, leg.assigned_hotline)
        draft.by_rule("held", until=case.hold.until, **said)


def _is_settled(draft: Draft) -> bool:
    return any(fact.fact in HOLD_FACTS for fact in draft.facts)


def due(case: Case) -> Iterator[Due]:
    """Yield the timers of the hold in force and of those that are asked for."""
    hold = case.hold
    if hold is not None:
        yield Due(hold.until, HOLD)
        for before in WARNINGS_MS[hold.warned : hold.warned + 1]:
            yield Due(hold.until - before, HOLD_WARNING)
    for request in case.hold_requests:
        yield Due(request.until, HOLD_ASKED, str(request.fact_number))


def _tell(fact: str, case: Case, timer: Due, draft: Draft) -> None:
    """Write a fact of a timer of the hold in force: a warning, or its expiry."""
    hold = _in_force(case)
    draft.by_rule(
        fact,
        step=timer.step,
        due_at=timer.at,
        occurred_at=timer.at,
        until=hold.until,
        **about_hold(case, hold, draft),
    )


def _lapse(case: Case, timer: Due, draft: Draft) -> None:
    request = next(one for one in case.hold_requests if str(one.fact_number) == timer.event_id)
    refuse(
        request, draft.by_rule, reason_code="expired", step=timer.step, due_at=timer.at, occurred_at=timer.at
    )


def _held(case: Case, fact: Fact) -> Changes:
    hold, asked = case.hold, _answered(case, fact)
    until, liaison = fact.until, fact.recipient
    if until is None or liaison is None:
        raise BugError("a hold has an expiry and a liaison")
    before = None if hold is None else hold.asked_by
    earlier = () if hold is None else hold.askers
    if asked is not None:
        earlier = tuple(one for one in askers_of(hold) if one != asked.by)[-MAX_EARLIER:]
    new = Hold(
        until=until,
        since=fact.admitted_at if hold is None else hold.since,
        by=_owner(hold, fact),
        liaison=liaison,
        asked_by=before if asked is None else asked.by,
        warned=sum(until - ahead <= fact.admitted_at for ahead in WARNINGS_MS),
        fact_number=fact.number,
        askers=earlier,
    )
    left = tuple(one for one in case.hold_requests if one is not asked)
    owner = liaison if fact.by == case.assigned_hotline else fact.by
    return {"hold": new, "hold_requests": left, **with_reference(case, fact, owner)}


def _owner(hold: Hold | None, fact: Fact) -> str:
    """Answer who has set a hold; one of police stays theirs, also when the hotline renews it for them."""
    if hold is None or (fact.by != EXCHANGE and hold.by != hold.liaison):
        return fact.by
    return hold.by if fact.by == EXCHANGE else str(fact.recipient)


def _answered(case: Case, fact: Fact) -> HoldRequest | None:
    number = None if fact.details is None else fact.details.fact_number
    return next((one for one in case.hold_requests if one.fact_number == number), None)


def _asked(case: Case, fact: Fact) -> Changes:
    if fact.until is None or fact.recipient is None:
        raise BugError("a hold is asked for until a time, of a liaison")
    new = HoldRequest(
        by=fact.by,
        until=fact.until,
        liaison=fact.recipient,
        asked_at=fact.admitted_at,
        fact_number=fact.number,
    )
    others = tuple(one for one in case.hold_requests if one.by != fact.by)
    return {"hold_requests": (*others, new), **with_reference(case, fact)}


def _refused(case: Case, fact: Fact) -> Changes:
    return {"hold_requests": tuple(one for one in case.hold_requests if one.fact_number != fact.fact_ref)}


def _warned(case: Case, _: Fact) -> Changes:
    hold = _in_force(case)
    return {"hold": msgspec.structs.replace(hold, warned=hold.warned + 1)}


def _released(case: Case, fact: Fact) -> Changes:
    consents = fact.fact_ref is None or fact.by != case.assigned_hotline
    return {**_ended(case, fact), **(_consented(case) if consents else {})}


def _expired(case: Case, fact: Fact) -> Changes:
    return {**_ended(case, fact), **_consented(case)}


def _ended(case: Case, fact: Fact) -> Changes:
    """Answer the case without its hold; what it paused stays with the leg."""
    hold = case.hold
    if hold is None or fact.fact_ref is None:
        return {}
    since = max(hold.since, case.leg_started_at)
    return {"hold": None, "paused_ms": case.paused_ms + max(0, fact.admitted_at - since)}


def _consented(case: Case) -> Changes:
    return {} if CONSENT in case.done else {"done": (*case.done, CONSENT)}


def _in_force(case: Case) -> Hold:
    if case.hold is None:
        raise BugError("no hold is in force")
    return case.hold


def _course(after: Case, fact: Fact) -> Iterator[Notice]:
    """Yield all who know of a hold, then all who see a pause of it."""
    knowing_it = [member for member in (fact.recipient, *fact.members) if member is not None]
    told: Iterable[str | None] = knowing_it
    if fact.fact == "held" and fact.by == EXCHANGE:
        were_told = {*(origin.member for origin in after.origins), *after.former}
        told = (*knowing_it, after.desk, *(member for member in after.pool if member not in were_told))
    elif changes_pause(fact):
        others = (after.desk, *after.pool, *(origin.member for origin in after.origins), *after.former)
        told = (*knowing_it, *others)
    for member in dict.fromkeys(told):
        if member is not None and member != fact.by:
            yield update_to(after, member)


def _request(_: Case, fact: Fact) -> Iterator[Notice]:
    if fact.recipient is not None:
        yield Notice(fact.recipient, HOLD_REQUEST)


TIMER_RULES: Final[Mapping[str, Callable[[Case, Due, Draft], None]]] = MappingProxyType(
    {
        HOLD: partial(_tell, "hold_expired"),
        HOLD_WARNING: partial(_tell, "hold_warned"),
        HOLD_ASKED: _lapse,
    }
)
DUE: Final = Timers(("hold", "hold_requests"), due)
EVOLVE: Final[Mapping[str, Callable[[Case, Fact], Changes]]] = MappingProxyType(
    {
        "held": _held,
        "hold_asked": _asked,
        "hold_refused": _refused,
        "hold_warned": _warned,
        "released": _released,
        "hold_expired": _expired,
        "hold_ended": _ended,
    }
)
NOTICES: Final[Mapping[str, Callable[[Case, Fact], Iterable[Notice]]]] = MappingProxyType(
    {**dict.fromkeys(EVOLVE, _course), "hold_asked": _request}
)

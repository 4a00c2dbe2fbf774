"""Claims: hotlines take a case from a queue they share, use it in time, or give it back.

Two queues are alike: the offer to the hotlines of a country whose rule is `claim`, and the orphan desk that
mandated hotlines read. The first claim that is decided wins. It is a lease: a hotline that takes no step in
time loses the case to the queue again, and what nobody claims in time goes on by a rule.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from casework.action_details import Action, is_stale
from casework.answers import ACCEPTED, Answer, not_applicable, refused
from casework.causes import Cause, Draft
from casework.legs import Changes, no_change
from casework.messages import Case, Fact
from casework.next_legs import hand_on, to_hotline, way_of
from casework.notices import Notice, to_nobody, update_to, with_place
from casework.parties import could_claim
from casework.placing import escalate
from casework.states import ASSIGNED_STATES, CLOSED, OFFERED, ORPHANED
from casework.timers import Due, Timers

LEASE: Final = "lease"
"""Step of the timer of a claim that is not used, and name of its reason."""
UNCLAIMED: Final = "unclaimed"
"""Step of the timer of a case that nobody claims, its fact, and the reason of what follows."""
CLAIMED: Final = "claimed"
HANDED_BACK: Final = "handed_back"
LEASE_EXPIRED: Final = "lease_expired"

CASE_CLOSED: Final = not_applicable("case_closed", "case_id", "The case is closed.")
OTHER_LEG: Final = not_applicable("other_leg", "leg", "The case is in another round or leg by now.")
NOT_RESPONSIBLE: Final = refused("not_responsible", "sender", "only the responsible hotline may ask for this")
_NOT_IN_POOL: Final = refused("not_in_pool", "sender", "this case is not offered to the sender")
_YOURS: Final = not_applicable("already_done", "action", "The sender has the case already.")
_TAKEN: Final = not_applicable("claimed_already", "action", "Another hotline has the case.")
_NO_LEASE: Final = not_applicable(
    "no_lease", "action", "The case is not held by a claim that can still be given back; it can be declined."
)


def responsible_fault(case: Case, action: Action, sender: str) -> Answer | None:
    """Answer why a request that only the responsible hotline may make does not fit, or None."""
    if case.state == CLOSED:
        return CASE_CLOSED
    if sender != case.assigned_hotline:
        return NOT_RESPONSIBLE
    return OTHER_LEG if is_stale(case, action) else None


def _claim(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    cause = draft.cause
    fault = _claim_fault(case, action, cause)
    if fault is not None:
        return fault
    country = None if case.state == ORPHANED else case.assigned_country
    draft.by_sender(CLAIMED, **details)
    going = to_hotline(case, cause, cause.sender, assigned_country=country)
    until = cause.now + cause.directory.casework.lease_ms
    hand_on(case, draft, going, reason_code=CLAIMED, until=until)
    return ACCEPTED


def _claim_fault(case: Case, action: Action, cause: Cause) -> Answer | None:
    if case.state == CLOSED:
        return CASE_CLOSED
    if case.state in ASSIGNED_STATES:
        if cause.sender == case.assigned_hotline:
            return _YOURS
        return _TAKEN if could_claim(case, cause.sender, cause.directory) else _NOT_IN_POOL
    if not _may_claim(case, cause):
        return _NOT_IN_POOL
    return OTHER_LEG if is_stale(case, action) else None


def _may_claim(case: Case, cause: Cause) -> bool:
    member = cause.directory.members_by_id.get(cause.sender)
    if member is None or not all(cause.directory.may_receive(member, one.member) for one in case.origins):
        return False
    if case.state == OFFERED:
        return member.id in case.pool
    return case.desk is not None and "orphans" in member.mandates


def _hand_back(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    fault = responsible_fault(case, action, draft.cause.sender)
    if fault is not None:
        return fault
    if case.lease is None:
        return _NO_LEASE
    draft.by_sender(HANDED_BACK, **details)
    hand_on(case, draft, way_of(case, draft.cause), reason_code=HANDED_BACK)
    return ACCEPTED


def _due(case: Case) -> Iterator[Due]:
    if case.lease is not None and case.state in ASSIGNED_STATES:
        yield Due(case.lease.until, LEASE)
    if case.unclaimed_due_at is not None and case.state in {OFFERED, ORPHANED}:
        yield Due(case.unclaimed_due_at, UNCLAIMED)


def _expire(case: Case, due: Due, draft: Draft) -> None:
    draft.by_rule(LEASE_EXPIRED, step=LEASE, due_at=due.at, occurred_at=due.at)
    hand_on(case, draft, way_of(case, draft.cause), reason_code=LEASE_EXPIRED)


def _give_out(case: Case, due: Due, draft: Draft) -> None:
    """Choose by weight among those who did not claim; from the desk there is nobody to choose."""
    draft.by_rule(UNCLAIMED, step=UNCLAIMED, due_at=due.at, occurred_at=due.at)
    if case.state == OFFERED:
        hand_on(case, draft, way_of(case, draft.cause, offers=False), reason_code=UNCLAIMED)
    else:
        escalate(draft, UNCLAIMED, *way_of(case, draft.cause))


def _no_lease(_: Case, __: Fact) -> Changes:
    return {"lease": None}


def _not_due(_: Case, __: Fact) -> Changes:
    return {"unclaimed_due_at": None}


def _told_at_desk(after: Case, _: Fact) -> Iterable[Notice]:
    if after.state == OFFERED:
        return ()
    return tuple(update_to(after, member) for member in dict.fromkeys(with_place(after)))


ACTION_RULES: Final = MappingProxyType({"claim": _claim, "hand_back": _hand_back})
TIMER_RULES: Final = MappingProxyType({LEASE: _expire, UNCLAIMED: _give_out})
DUE: Final = Timers(("lease", "unclaimed_due_at"), _due)
EVOLVE: Final[Mapping[str, Callable[[Case, Fact], Changes]]] = MappingProxyType(
    {CLAIMED: no_change, HANDED_BACK: _no_lease, LEASE_EXPIRED: _no_lease, UNCLAIMED: _not_due}
)
NOTICES: Final[Mapping[str, Callable[[Case, Fact], Iterable[Notice]]]] = MappingProxyType(
    {**dict.fromkeys((CLAIMED, HANDED_BACK, LEASE_EXPIRED), to_nobody), UNCLAIMED: _told_at_desk}
)

"""Cases that are given back: declined, or handed to another hotline of the country.

Who gives a case back gets it by no rule again in this round, so that nothing is passed around for ever: each
time one hotline fewer is left, and the orphan desk is the end.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from casework.action_details import Action
from casework.answers import ACCEPTED, Answer, not_applicable, refused
from casework.causes import Cause, Draft
from casework.legs import Changes
from casework.matters.claims import responsible_fault
from casework.matters.hold_course import end_hold
from casework.matters.relocation import MOVED
from casework.messages import Case, Fact, Origin
from casework.next_legs import hand_on, to_hotline, way_of
from casework.notices import Notice, to_nobody
from casework.placing import ReportOf
from casework.routing import Route, available_shares
from casework.transitions import transition

DECLINED: Final = "declined"
TRANSFERRED: Final = "transferred"
WRONG_COUNTRY: Final = "wrong_country"
BACK_TO_ORIGIN: Final = frozenset({WRONG_COUNTRY, "key_mismatch"})
"""Reasons that only the origin can do something about, when nobody else is left."""

_TOO_LATE: Final = not_applicable(
    "too_late", "action", "Police or a provider were told already; the case can be transferred."
)
_NOT_A_CANDIDATE: Final = refused(
    "not_a_candidate",
    "to_member",
    "another active hotline of the assigned country that may receive it and has not given it back",
)


def _decline(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    cause = draft.cause
    fault = responsible_fault(case, action, cause.sender)
    if fault is not None:
        return fault
    if transition(action.action, case.state) is None:
        return _TOO_LATE
    country = _named_country(case, action.reason_code, details)
    going = _after(case, cause, country, action.reason_code)
    draft.by_sender(DECLINED, **details)
    if country is not None:
        end_hold(case, draft, MOVED, country)
    hand_on(case, draft, going, reason_code=DECLINED)
    return ACCEPTED


def _named_country(case: Case, reason: str | None, details: Mapping[str, Any]) -> str | None:
    """Answer the other country that a hotline says the content is hosted in, if it names one."""
    said = details["details"]
    country: str | None = None if said is None else said.new_hosting_country
    return country if reason == WRONG_COUNTRY and country != case.hosting_country else None


def _after(case: Case, cause: Cause, country: str | None, reason: str | None) -> tuple[Route, ReportOf]:
    """Answer where a declined case goes: the next hotline, its origin where only that can help, or a desk."""
    declined = (*case.declined, cause.sender)
    going = way_of(case, cause, country, declined=declined)
    has_taker = going[0].assigned_hotline is not None or going[0].pool
    if has_taker or country is not None or reason not in BACK_TO_ORIGIN:
        return going
    last = _last_reporter(case)
    member = cause.directory.members_by_id.get(last.member)
    if member is None or not member.active or member.kind != "hotline" or last.member in declined:
        return going
    way, _ = to_hotline(case, cause, last.member)
    return way, ReportOf(last.member, last.last_event_id)


def _last_reporter(case: Case) -> Origin:
    return max(case.origins, key=lambda origin: origin.last_at)


def _transfer(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    fault = responsible_fault(case, action, draft.cause.sender)
    if fault is not None:
        return fault
    said = details["details"]
    to_member: str | None = None if said is None else said.to_member
    if to_member is None or to_member not in candidates(case, draft.cause):
        return _NOT_A_CANDIDATE
    draft.by_sender(TRANSFERRED, **details)
    going = to_hotline(case, draft.cause, to_member, assigned_country=case.assigned_country)
    hand_on(case, draft, going, reason_code=TRANSFERRED)
    return ACCEPTED


def candidates(case: Case, cause: Cause) -> frozenset[str]:
    """Answer the hotlines to which the responsible one can transfer a case."""
    directory = cause.directory
    if case.assigned_country is None or directory.pseudo_country(case.assigned_country) is not None:
        return frozenset()
    shares = available_shares(directory, directory.country(case.assigned_country), None)
    out = {cause.sender, *case.declined}
    return frozenset(
        share.member
        for share in shares
        if share.member not in out
        and all(directory.may_receive(directory.member(share.member), one.member) for one in case.origins)
    )


def _given_back(case: Case, fact: Fact) -> Changes:
    return {"declined": tuple(dict.fromkeys((*case.declined, fact.by))), "lease": None}


ACTION_RULES: Final = MappingProxyType({"decline": _decline, "transfer": _transfer})
EVOLVE: Final[Mapping[str, Callable[[Case, Fact], Changes]]] = MappingProxyType(
    {DECLINED: _given_back, TRANSFERRED: _given_back}
)
NOTICES: Final[Mapping[str, Callable[[Case, Fact], Iterable[Notice]]]] = MappingProxyType(
    {DECLINED: to_nobody, TRANSFERRED: to_nobody}
)

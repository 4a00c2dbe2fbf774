"""Holds: police ask that the provider is not told yet.

The liaison of the hosting country sets a hold, or the responsible hotline on its behalf; all other police ask
that liaison for its consent. Each fact of a hold names all who may know of it, the liaison as `recipient`
and the others as `members`; `secrecy` says what everybody else sees. What passing time does to a hold is in
`hold_course`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from casework.action_details import Action
from casework.answers import ACCEPTED, Answer, not_applicable, refused
from casework.causes import Cause, Draft
from casework.directory import Directory
from casework.matters.hold_course import CONSENT
from casework.matters.hold_naming import about_hold, knowing, refuse
from casework.messages import Case, Hold, HoldRequest
from casework.parties import hosting_liaison, is_a, is_hosting_liaison, is_left_to_hotline, stand_in
from casework.secrecy import askers_of
from casework.states import CLOSED

MAX_REQUESTS: Final = 8
"""Requests that may wait for consent in one case; bounds the state."""

Role = Literal["liaison", "responsible", "police"]

NOT_ENTITLED: Final = refused("not_entitled", "sender", "only for police and the responsible hotline")
_ONLY_LIAISON: Final = refused(
    "not_entitled", "sender", "only the hosting country's liaison ends a hold that police have set"
)
_TOO_MANY: Final = refused("too_many_requests", "action", "too many holds are asked for already")
_NO_LIAISON: Final = refused("no_liaison", "hosting_country", "it has no liaison, nor INTERPOL or Europol")
_NOT_THE_LIAISON: Final = refused("not_the_liaison", "to_member", "not a liaison of the hosting country")
_UNKNOWN_REQUEST: Final = refused("unknown_request", "fact_number", "no hold that is asked for here")
_WHICH_REQUEST: Final = refused("required", "fact_number", "several holds are asked for; name the one meant")
_NOT_AHEAD: Final = refused("out_of_range", "hold_until", "a time to come")
_SHORTER: Final = refused("out_of_range", "hold_until", "not before the hold in force ends")
_TOO_LONG: Final = refused("hold_too_long", "hold_until", "longer than the hosting country allows")
_CLOSED: Final = not_applicable("case_closed", "case_id", "The case is closed.")
_NO_HOLD: Final = not_applicable("no_hold", "action", "No hold is in force.")
_INFORMED: Final = not_applicable("provider_informed", "action", "The provider was told already.")
_CONSENTED: Final = not_applicable("already_done", "action", "Police have consented already.")


def role_in(case: Case, cause: Cause) -> Role | None:
    """Answer as what the sender of a hold or a release speaks; None where neither is its business."""
    if is_hosting_liaison(cause.directory, cause.sender, case.hosting_country):
        return "liaison"
    if cause.sender == case.assigned_hotline:
        return "responsible"
    return "police" if is_a(cause.directory, cause.sender, "law_enforcement") else None


def hold(case: Case, _: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    """Write what a hold means: it is set or renewed, or the hosting liaison is asked."""
    role = role_in(case, draft.cause)
    if role is None:
        return NOT_ENTITLED
    if case.state == CLOSED:
        return _CLOSED
    if case.provider_informed_at is not None:
        return _INFORMED
    said = {**details, "reference": None, "reason_code": None}
    if role == "liaison":
        return _by_liaison(case, draft, said)
    if role == "responsible":
        return _on_behalf(case, draft, said)
    return _ask(case, draft, said)


def _by_liaison(case: Case, draft: Draft, said: dict[str, Any]) -> Answer:
    number = _number(said)
    request = _request(case, number)
    in_force = case.hold
    if number is not None and request is None and (in_force is None or in_force.fact_number != number):
        return _UNKNOWN_REQUEST
    until = _until(case, draft.cause, said, None if request is None else request.until)
    if isinstance(until, Answer):
        return until
    askers = (*askers_of(in_force), None if request is None else request.by)
    if request is not None and in_force is not None:
        until = max(until, in_force.until)
    _hold(case, draft, said, until, draft.cause.sender, *askers)
    return ACCEPTED


def _on_behalf(case: Case, draft: Draft, said: dict[str, Any]) -> Answer:
    directory, in_force = draft.cause.directory, case.hold
    named = None if said["details"] is None else said["details"].to_member
    if named is not None and not _may_name(case, directory, named):
        return _NOT_THE_LIAISON
    liaison = named or _meant(case, directory)
    if liaison is None:
        return _NO_LIAISON
    until = _until(case, draft.cause, said, None)
    if isinstance(until, Answer):
        return until
    if in_force is not None and until < in_force.until:
        return _SHORTER
    _hold(case, draft, said, until, liaison, *askers_of(in_force))
    return ACCEPTED


def _meant(case: Case, directory: Directory) -> str | None:
    """Answer for whom a hotline sets or renews a hold: its liaison, or who speaks for police in its place."""
    if case.hold is None:
        return hosting_liaison(directory, case.hosting_country)
    return stand_in(case, directory) or case.hold.liaison


def _may_name(case: Case, directory: Directory, named: str) -> bool:
    """Answer whether a hold may be for a liaison; police keep what they set as long as they are there."""
    in_force, country = case.hold, case.hosting_country
    is_theirs = in_force is not None and in_force.by == in_force.liaison
    if in_force is not None and is_theirs and is_hosting_liaison(directory, in_force.liaison, country):
        return named == in_force.liaison
    return is_hosting_liaison(directory, named, country)


def _hold(
    case: Case, draft: Draft, said: dict[str, Any], until: int, liaison: str, *askers: str | None
) -> None:
    draft.by_sender(
        "held",
        **said,
        until=until,
        recipient=liaison,
        members=knowing(case.assigned_hotline, *askers),
        fact_ref=None if case.hold is None else case.hold.fact_number,
    )


def _ask(case: Case, draft: Draft, said: dict[str, Any]) -> Answer:
    sender = draft.cause.sender
    liaison = hosting_liaison(draft.cause.directory, case.hosting_country)
    if liaison is None:
        return _NO_LIAISON
    earlier = next((one for one in case.hold_requests if one.by == sender), None)
    if earlier is None and len(case.hold_requests) >= MAX_REQUESTS:
        return _TOO_MANY
    until = _until(case, draft.cause, said, None)
    if isinstance(until, Answer):
        return until
    draft.by_sender(
        "hold_asked",
        **said,
        until=until,
        recipient=liaison,
        fact_ref=None if earlier is None else earlier.fact_number,
    )
    return ACCEPTED


def release(case: Case, _: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    """Write what a release means: a hold ends, a request is refused or taken back, or police consent."""
    role = role_in(case, draft.cause)
    said = {**details, "reference": None, "reason_code": None}
    if role is None:
        return NOT_ENTITLED
    if role == "liaison":
        return _CLOSED if case.state == CLOSED else _released_by_liaison(case, draft, said)
    if role == "responsible":
        if case.hold is None:
            return _NO_HOLD
        is_free = is_left_to_hotline(case, draft.cause.directory)
        return _release(case, case.hold, draft, said) if is_free else _ONLY_LIAISON
    own = next((one for one in case.hold_requests if one.by == draft.cause.sender), None)
    return NOT_ENTITLED if own is None else _refuse(own, draft, said)


def _released_by_liaison(case: Case, draft: Draft, said: dict[str, Any]) -> Answer:
    number = _number(said)
    request = _request(case, number)
    if request is not None:
        return _refuse(request, draft, said)
    if case.hold is not None and number in {None, case.hold.fact_number}:
        return _release(case, case.hold, draft, said)
    if number is not None or len(case.hold_requests) > 1:
        return _WHICH_REQUEST if number is None else _UNKNOWN_REQUEST
    return _consent(case, draft, said)


def _consent(case: Case, draft: Draft, said: dict[str, Any]) -> Answer:
    """Answer a release where nothing is in force: of the one request there is, else of the notice itself."""
    if case.hold_requests:
        return _refuse(case.hold_requests[0], draft, said)
    if CONSENT in case.done:
        return _CONSENTED
    draft.by_sender("released", **said, members=knowing(case.assigned_hotline))
    return ACCEPTED


def _release(case: Case, in_force: Hold, draft: Draft, said: dict[str, Any]) -> Answer:
    draft.by_sender("released", **said, **about_hold(case, in_force, draft))
    return ACCEPTED


def _refuse(request: HoldRequest, draft: Draft, said: dict[str, Any]) -> Answer:
    refuse(request, draft.by_sender, **said)
    return ACCEPTED


def _number(said: Mapping[str, Any]) -> int | None:
    number: int | None = None if said["details"] is None else said["details"].fact_number
    return number


def _request(case: Case, number: int | None) -> HoldRequest | None:
    return next((one for one in case.hold_requests if one.fact_number == number), None)


def _until(case: Case, cause: Cause, said: Mapping[str, Any], default: int | None) -> int | Answer:
    """Answer the expiry: as asked for, else `default`, else the longest that the hosting country allows."""
    longest = cause.directory.country(case.hosting_country).hold_limit_ms
    latest = cause.now + (cause.directory.casework.hold_ms if longest is None else longest)
    asked = None if said["details"] is None else said["details"].until
    until: int = next((at for at in (asked, default) if at is not None), latest)
    if until <= cause.now:
        return _NOT_AHEAD
    return _TOO_LONG if until > latest else until


ACTION_RULES: Final = MappingProxyType({"hold": hold, "release": release})

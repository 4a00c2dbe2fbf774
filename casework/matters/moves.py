"""Content that moves to another hosting country, and hosts that are confirmed: the next leg begins there.

The responsible hotline says so; while nobody is responsible, those who may look. The word of any other party
is recorded with its breach, and doubts the host (`host_doubts`).
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from casework.action_details import Action, is_stale
from casework.answers import ACCEPTED, Answer, not_applicable, refused
from casework.causes import Cause, Draft
from casework.legs import Changes, no_change
from casework.matters.host_doubts import doubt_host, hosted_in
from casework.matters.relocation import MOVED, relocate
from casework.messages import ActionDetails, Case, Fact, Move
from casework.notices import Notice, to_recipient, update_to, with_place
from casework.parties import origin_of, secretariat_of
from casework.states import OFFERED, ORPHANED
from casework.transition_rows import ELSEWHERE, HERE, in_offer
from casework.transitions import transition

CONFIRMED: Final = "hosting_confirmed"
EXCEEDED: Final = "moves_exceeded"
OBSERVED: Final = "observed"

_NO_COUNTRY: Final = refused("required", "new_hosting_country", "must be given with moved")
_SAME_COUNTRY: Final = not_applicable("same_country", "new_hosting_country", "The case says so already.")
_ALREADY: Final = not_applicable("already_done", "action", "The host is confirmed already.")


def _move(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    country = hosted_in(details)
    if country is None:
        return _NO_COUNTRY
    if _breaks(case, action, draft, details):
        return ACCEPTED
    if country == case.hosting_country:
        return _SAME_COUNTRY
    draft.by_sender(MOVED, content_digest=draft.cause.content_digest, **details)
    _go(case, draft, country, details)
    return ACCEPTED


def follow(case: Case, draft: Draft, details: Mapping[str, Any]) -> None:
    """Write that a case goes where a party has seen the content, while no hotline is there to answer it.

    Args:
        case: The case before the record.
        draft: Where the facts are written.
        details: The observation, as `details_of` gives it.
    """
    cause = draft.cause
    country, seen_at = hosted_in(details), details["observed_at"]
    if case.state not in {ORPHANED, OFFERED} or country is None or not _may_say(case, cause):
        return
    if country == case.hosting_country or cause.directory.pseudo_country(country) is not None:
        return
    if seen_at is not None and seen_at > case.leg_started_at:
        word = {"observed_at": seen_at, "details": details["details"]}
        draft.by_rule(MOVED, by=cause.sender, content_digest=cause.content_digest, **word)
        _go(case, draft, country, details)


def _go(case: Case, draft: Draft, country: str, details: Mapping[str, Any]) -> None:
    """Write the leg that a move begins, and that there were many of them."""
    said: ActionDetails = details["details"]
    cause, status = draft.cause, said.hosting_status or "confirmed"
    relocate(case, draft, country, reason_code=MOVED, hosting_status=status, said_by=_speaker(cause))
    directory = cause.directory
    if case.moves == directory.casework.max_moves:
        secretariat = secretariat_of(directory)
        if secretariat is not None:
            draft.by_rule(EXCEEDED, recipient=secretariat)


def _confirm(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    country = hosted_in(details)
    if _breaks(case, action, draft, details):
        return ACCEPTED
    if country is not None and country != case.hosting_country:
        draft.by_sender(CONFIRMED, content_digest=draft.cause.content_digest, **details)
        said_by = _speaker(draft.cause)
        relocate(case, draft, country, reason_code=CONFIRMED, hosting_status="confirmed", said_by=said_by)
        return ACCEPTED
    if case.hosting_status == "confirmed" and case.doubt is None:
        return _ALREADY
    draft.by_sender(CONFIRMED, hosting_status="confirmed", **details)
    return ACCEPTED


def _breaks(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> bool:
    """Write a word that may not move the case, with its breach; answer whether it was one."""
    when = ""
    if action.action == CONFIRMED:
        when = HERE if hosted_in(details) in {None, case.hosting_country} else ELSEWHERE
    when = in_offer(when) if case.state == OFFERED else when
    if not _may_say(case, draft.cause):
        breaches = ["not_responsible"]
    elif transition(action.action, case.state, when) is None:
        breaches = ["out_of_order"]
    else:
        breaches = []
    if is_stale(case, action):
        breaches = list(dict.fromkeys([*breaches, "out_of_order"]))
    if not breaches:
        return False
    draft.by_sender(action.action, breaches=tuple(breaches), **details)
    if "out_of_order" not in breaches:
        doubt_host(case, draft, hosted_in(details), details["observed_at"])
    return True


def _may_say(case: Case, cause: Cause) -> bool:
    """Answer whether a party may say where the content is hosted."""
    if case.state == ORPHANED:
        return True
    if case.state != OFFERED:
        return cause.sender == case.assigned_hotline
    if origin_of(case, cause.sender) is not None or cause.sender in case.pool:
        return True
    member = cause.directory.members_by_id.get(cause.sender)
    return (
        member is not None and member.kind == "law_enforcement" and case.hosting_country in member.countries
    )


def _speaker(cause: Cause) -> str:
    return "" if cause.content_digest is None else cause.sender


def _moved(case: Case, fact: Fact) -> Changes:
    """Count a move; who gave the case back may get it again, because the content is not where it was."""
    seen = case.last_observed_at
    if fact.observed_at is not None:
        seen = fact.observed_at if seen is None else max(seen, fact.observed_at)
    return {"moves": case.moves + 1, "declined": (), "last_observed_at": seen, **_word(fact)}


def _confirmed(case: Case, fact: Fact) -> Changes:
    word = _word(fact) if fact.hosting_status is None else {}
    return {"hosting_status": fact.hosting_status or case.hosting_status, "doubt": None, **word}


def _word(fact: Fact) -> Changes:
    """Note the word that takes a case elsewhere, for the hotlines there: it encloses the new address."""
    country = None if fact.details is None else fact.details.new_hosting_country
    if country is None or fact.content_digest is None:
        return {"move": None}
    # What was only observed is followed by rule, without a statement of its own: the fact before has it.
    is_followed = fact.statement is None
    word = Move(
        hosting_country=country,
        event_id=fact.input_id,
        by=fact.by,
        action=OBSERVED if is_followed else fact.fact,
        fact_number=fact.number - is_followed,
    )
    return {"move": word}


def _told_of_move(after: Case, fact: Fact) -> Iterable[Notice]:
    for member in dict.fromkeys([*with_place(after), *after.former]):
        if member != fact.by:
            yield update_to(after, member)


ACTION_RULES: Final = MappingProxyType({MOVED: _move, CONFIRMED: _confirm})
EVOLVE: Final[Mapping[str, Callable[[Case, Fact], Changes]]] = MappingProxyType(
    {MOVED: _moved, CONFIRMED: _confirmed, EXCEEDED: no_change}
)
NOTICES: Final[Mapping[str, Callable[[Case, Fact], Iterable[Notice]]]] = MappingProxyType(
    {MOVED: _told_of_move, EXCEEDED: to_recipient}
)

"""In which order police and provider are told: the rule of the country, and holds.

A notice against it is recorded and counts, because the provider knows now; police learn of the breach.
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from casework.action_details import role_of
from casework.causes import Cause, Draft
from casework.legs import no_change
from casework.matters.hold_course import CONSENT, end_hold
from casework.messages import Case, Fact
from casework.notices import UPDATE, Notice
from casework.parties import hosting_liaison, stand_in
from casework.secrecy import DESPITE_HOLD

PROVIDER_INFORMED: Final = "provider_informed"
BEFORE_POLICE: Final = "before_police"
WITHOUT_CONSENT: Final = "without_consent"
BREACH_REPORTED: Final = "breach_reported"


def notice_breaches(case: Case, action: str, cause: Cause) -> tuple[str, ...]:
    """Answer the breaches with which a provider is told now; none of another action."""
    return tuple(_breaches(case, cause)) if action == PROVIDER_INFORMED else ()


def _breaches(case: Case, cause: Cause) -> Iterator[str]:
    if case.hold is not None:
        yield DESPITE_HOLD
    rule = cause.directory.country(case.assigned_country or case.hosting_country)
    told_at = case.police_informed_at
    if rule.notice_rule == "police_first" and (told_at is None or cause.now < told_at + rule.police_wait_ms):
        yield BEFORE_POLICE
    if rule.notice_rule == "police_consent" and CONSENT not in case.done:
        yield WITHOUT_CONSENT


def provider_told(
    case: Case, action: str, recipient_role: str | None, draft: Draft, breaches: tuple[str, ...]
) -> None:
    """Write what follows when a provider is told: a hold has no use any more, and police learn of breaches.

    Args:
        case: The case before it.
        action: The action; nothing follows from any other than this one.
        recipient_role: Which provider. Only the host's knowing ends a hold.
        draft: Where the facts are written, after that of the action.
        breaches: Breaches that the action was recorded with.
    """
    if action != PROVIDER_INFORMED:
        return
    ends = role_of(recipient_role) == "host"
    directory = draft.cause.directory
    liaison = hosting_liaison(directory, case.hosting_country) if breaches else None
    for breach in breaches:
        reported_to = liaison
        if breach == DESPITE_HOLD and case.hold is not None:
            reported_to = stand_in(case, directory) or case.hold.liaison
        told_by_end = breach == DESPITE_HOLD and ends
        if breach in {DESPITE_HOLD, BEFORE_POLICE, WITHOUT_CONSENT} and reported_to and not told_by_end:
            draft.by_rule(BREACH_REPORTED, rule=breach, reason_code=breach, recipient=reported_to)
    if ends:
        end_hold(case, draft, PROVIDER_INFORMED)


def _to_liaison(_: Case, fact: Fact) -> Iterator[Notice]:
    if fact.recipient is not None:
        yield Notice(fact.recipient, UPDATE)


EVOLVE: Final = MappingProxyType({BREACH_REPORTED: no_change})
NOTICES: Final = MappingProxyType({BREACH_REPORTED: _to_liaison})

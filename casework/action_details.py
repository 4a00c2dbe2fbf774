"""What an action says, as the facts and the state keep it."""

from operator import attrgetter
from typing import Any, Final

from casework.causes import Cause
from casework.claimed_times import clamped
from casework.countries import canonical_country
from casework.messages import ActionDetails, ActionStatement, Case, Waiting
from casework.transitions import FINAL_ACTIONS

STEP_OF: Final = {
    "acknowledged": "acknowledge",
    "police_informed": "inform_police",
    "provider_informed": "inform_provider",
    **dict.fromkeys(FINAL_ACTIONS, "confirm_removal"),
}
"""The deadline that an action answers."""

Action = ActionStatement | Waiting
_NOTHING: Final = ActionDetails()
_said: Final = attrgetter(
    *("observation", "observed_from", "new_hosting_country", "hosting_status", "hosting_method"),
    *("to_member", "preserve_until", "hold_until", "fact_number", "corrected_action"),
    *("has_police_reference", "second_analyst", "priority", "related_case_ids"),
)
"""Answers what of an action makes its details; most actions say nothing of it."""


def is_stale(case: Case, action: Action) -> bool:
    """Answer whether an action names a round or a leg that is not the current one."""
    return action.round not in {None, case.round} or action.leg not in {None, case.leg}


def role_of(recipient_role: str | None) -> str:
    """Answer the role of the provider informed: the host, where the sender names none."""
    return "host" if recipient_role is None else recipient_role


def done_key(action: str, recipient_role: str | None) -> str:
    """Answer how a case notes an action taken: `provider_informed` counts once for each role."""
    return f"{action}:{role_of(recipient_role)}" if action == "provider_informed" else action


def details_of(action: Action, cause: Cause) -> dict[str, Any]:
    """Answer the fields of a fact that repeat what an action says, times clamped and countries canonical."""
    observed = action.observed_at
    if action.action == "observed" and observed is None:
        observed = cause.occurred_at
    return {
        "reference": action.reference,
        "reason_code": action.reason_code,
        "recipient_role": action.recipient_role,
        "is_online": action.is_online,
        "observed_at": None if observed is None else clamped(observed, cause.now),
        "classification": action.classification,
        "law_country": None if action.law_country is None else canonical_country(action.law_country),
        "details": further_details(action),
    }


def further_details(action: Action) -> ActionDetails | None:
    """Answer what only some actions say; None where this one says nothing of it."""
    if isinstance(action, Waiting):
        return action.details
    if not any(_said(action)):
        return None
    details = ActionDetails(
        observation=action.observation,
        observed_from=_canonical(action.observed_from),
        new_hosting_country=_canonical(action.new_hosting_country),
        hosting_status=action.hosting_status,
        hosting_method=action.hosting_method,
        to_member=action.to_member,
        until=action.preserve_until if action.hold_until is None else action.hold_until,
        fact_number=action.fact_number,
        corrected_action=action.corrected_action,
        has_police_reference=action.has_police_reference,
        is_second_analyst=None not in {action.analyst, action.second_analyst}
        and action.second_analyst != action.analyst,
        priority=action.priority,
        related_case_ids=action.related_case_ids,
    )
    return None if details == _NOTHING else details


def _canonical(country: str | None) -> str | None:
    return None if country is None else canonical_country(country)

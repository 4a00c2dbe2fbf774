"""Holds: police ask that the provider is not told yet.

Only the responsible hotline and the police concerned know of a hold; `secrecy` says what others see of it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from casework.causes import Draft
from casework.legs import Changes
from casework.messages import Case, Fact

HOLD_ENDED: Final = "hold_ended"
HOLD_REFUSED: Final = "hold_refused"


def end_hold(case: Case, draft: Draft, reason: str) -> None:
    """Write that a hold in force ends, and that requests for one are refused, for another reason than police.

    Args:
        case: The case before the decision.
        draft: Where the facts are written; without a hold and a request nothing is.
        reason: closed, moved or provider_informed.
    """
    hold = case.hold
    if hold is not None:
        draft.by_rule(
            HOLD_ENDED,
            reason_code=reason,
            recipient=hold.liaison,
            members=() if hold.asked_by is None else (hold.asked_by,),
            fact_ref=hold.fact_number,
        )
    for request in case.hold_requests:
        draft.by_rule(
            HOLD_REFUSED,
            reason_code=reason,
            recipient=request.liaison,
            members=(request.by,),
            fact_ref=request.fact_number,
        )


def _ended(case: Case, fact: Fact) -> Changes:
    """Answer the case without its hold; what it paused stays with the leg."""
    hold = case.hold
    if hold is None:
        return {}
    since = max(hold.since, case.leg_started_at)
    return {"hold": None, "paused_ms": case.paused_ms + max(0, fact.admitted_at - since)}


def _refused(case: Case, fact: Fact) -> Changes:
    return {
        "hold_requests": tuple(one for one in case.hold_requests if one.fact_number != fact.fact_ref),
    }


EVOLVE: Final[Mapping[str, Callable[[Case, Fact], Changes]]] = MappingProxyType(
    {HOLD_ENDED: _ended, HOLD_REFUSED: _refused}
)

"""What members see of the content itself: online, offline, moved, geo-blocked, or back after its end.

Seeing needs no responsibility: any party may say it, at any time, and it counts. What is back after the
closing opens a new round, with the report that the case has; nobody need send one again.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from casework.action_checks import IS_ONLINE
from casework.action_details import Action
from casework.answers import ACCEPTED, Answer, not_applicable
from casework.causes import Draft
from casework.legs import Changes
from casework.matters.host_doubts import doubt_host, hosted_in
from casework.matters.moves import follow
from casework.messages import Case, Fact
from casework.next_legs import place_again
from casework.notices import Notice, update_to
from casework.parties import place
from casework.preservations import is_erased
from casework.states import CLOSED

_SEEN_BEFORE: Final = not_applicable(
    "seen_before_closing",
    "observed_at",
    "What was seen before the closing is answered by its outcome.",
)
_NO_REPORT: Final = not_applicable("no_report", "case_id", "No report is left in this case: send one.")


def _observed(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    said = details["details"]
    is_online = details["is_online"]
    if said is not None and said.observation is not None:
        is_online = IS_ONLINE.get(said.observation)
    draft.by_sender(action.action, **{**details, "is_online": is_online})
    doubt_host(case, draft, hosted_in(details), details["observed_at"])
    follow(case, draft, details)
    return ACCEPTED


def _reappeared(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    seen_at = draft.cause.occurred_at if details["observed_at"] is None else details["observed_at"]
    seen = {**details, "is_online": True, "observed_at": seen_at}
    if case.state != CLOSED:
        draft.by_sender(action.action, **seen)
        return ACCEPTED
    if not case.origins or is_erased(case):  # Nobody could be handed what was erased.
        return _NO_REPORT
    if case.closed_at is not None and seen_at <= case.closed_at:
        return _SEEN_BEFORE
    draft.by_sender(action.action, **seen)
    place_again(case, draft, hosted_in(details))
    return ACCEPTED


def _seen(case: Case, fact: Fact) -> Changes:
    if not fact.is_online or fact.observed_at is None:
        return {}
    return {"last_observed_at": max(fact.observed_at, case.last_observed_at or 0)}


def _told(after: Case, fact: Fact) -> Iterable[Notice]:
    """Yield where the case is; the origins where those responsible say it themselves."""
    there = place(after)
    if there == fact.by:
        yield from (update_to(after, origin.member) for origin in after.origins if origin.member != fact.by)
    elif there is not None:
        yield update_to(after, there)


ACTION_RULES: Final = {"observed": _observed, "reappeared": _reappeared}
EVOLVE: Final = {"observed": _seen, "reappeared": _seen}
NOTICES: Final = {"observed": _told, "reappeared": _told}

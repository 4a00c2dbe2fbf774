"""Escalations that wait for police: a liaison acknowledges, or the country's next contact gets them.

One acknowledgement answers all that are open in a case: they are there so that police have it, and then
police have it. Who is asked next is the directory's word; a contact that it does not list is told nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from casework import codes
from casework.action_details import Action
from casework.answers import ACCEPTED, Answer, not_applicable
from casework.causes import Draft
from casework.errors import BugError
from casework.legs import OVER_WITH_A_HOTLINE, Changes
from casework.matters import feeds
from casework.messages import Case, Fact, OpenEscalation
from casework.notices import to_recipient
from casework.parties import is_concerned, secretariat_of, was_fed
from casework.preservations import with_reference
from casework.routing import later_contacts
from casework.states import ACKNOWLEDGED, CLOSED
from casework.timers import Due, Timers

ESCALATION: Final = "escalation"
"""Step of the timer of an escalation that nobody has acknowledged."""
MAX_OPEN: Final = 16
"""Escalations of one case that are repeated; further ones are sent once."""

_NOTHING_OPEN: Final = not_applicable(
    "nothing_open", "action", "Nothing of this case waits for an acknowledgement by police."
)


def acknowledge(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    """Write that police have an escalation or a feed item, whichever is meant, and answer their liaison."""
    sender = draft.cause.sender
    fed = was_fed(case, sender)
    means_item = details["details"] is not None and details["details"].fact_number is not None
    may_answer = is_concerned(case, draft.cause.directory.member(sender))
    if case.open_escalations and may_answer and not (fed and means_item):
        draft.by_sender("escalation_acknowledged", **details)
        return ACCEPTED
    return feeds.acknowledge(case, action, draft, details) if fed else _NOTHING_OPEN


def open_again(case: Case, draft: Draft) -> None:
    """Write that the escalations of the round wait again: a liaison takes back that police have them.

    The case does not keep what an acknowledgement answered, so each reason waits for the first report.
    """
    cause = draft.cause
    own = cause.directory.member(cause.sender).liaison
    codes_told = [code for code in case.liaisons if code == own] or case.liaisons[-1:]
    over = frozenset[str]() if case.assigned_hotline is None else OVER_WITH_A_HOTLINE
    for reason in case.escalated if case.origins else ():
        if reason not in over:
            draft.by_rule(
                "escalated",
                reason_code=reason,
                recipient=codes_told[0],
                origin=case.origins[0].member,
                report_event_id=case.origins[0].last_event_id,
                attempt=1,
                due_at=cause.now + cause.directory.casework.escalation_ms,
                fact_ref=draft.facts[0].number,
            )


def _due(case: Case) -> Iterator[Due]:
    for one in case.open_escalations:
        if case.state != CLOSED or one.reason_code in codes.URGENCIES.codes:
            yield Due(one.due_at, ESCALATION, _name(one))


def _repeat(case: Case, due: Due, draft: Draft) -> None:
    """Send an escalation to the next contact, or tell the secretariat that none is left."""
    directory = draft.cause.directory
    one = next(each for each in case.open_escalations if _name(each) == due.event_id)
    contacts = later_contacts(directory, case.hosting_country, one.origin, after=one.recipient)
    following = next((code for code in contacts if code != one.recipient), None)
    what = {
        "reason_code": one.reason_code,
        "origin": one.origin,
        "report_event_id": one.report_event_id,
    }
    if following is None:
        draft.by_rule(
            "escalation_unanswered",
            recipient=secretariat_of(directory),
            attempt=one.attempt,
            due_at=due.at,
            **what,
        )
        return
    draft.by_rule(
        "escalated",
        recipient=following,
        attempt=one.attempt + 1,
        due_at=draft.cause.now + directory.casework.escalation_ms,
        **what,
    )


def _name(one: OpenEscalation) -> str:
    return f"{one.report_event_id}/{one.reason_code}/{one.recipient}"


def _escalated(case: Case, fact: Fact) -> Changes:
    reason, code, attempt = fact.reason_code, fact.recipient, fact.attempt or 1
    if reason is None or code is None or fact.report_event_id is None or fact.origin is None:
        raise BugError("an escalated fact names reason, recipient, report and origin")
    changes: Changes = {
        "liaisons": tuple(dict.fromkeys((*case.liaisons, code))),
        "escalated": tuple(dict.fromkeys((*case.escalated, reason))),
    }
    others = _without(case, fact, attempt - 1) if attempt > 1 else case.open_escalations
    others = tuple(one for one in others if _name(one) != f"{fact.report_event_id}/{reason}/{code}")
    if fact.due_at is None or len(others) >= MAX_OPEN:
        return changes
    again = OpenEscalation(
        recipient=code,
        reason_code=reason,
        report_event_id=fact.report_event_id,
        origin=fact.origin,
        due_at=fact.due_at,
        attempt=attempt,
    )
    return {**changes, "open_escalations": (*others, again)}


def _unanswered(case: Case, fact: Fact) -> Changes:
    return {"open_escalations": _without(case, fact, fact.attempt or 1)}


def _without(case: Case, fact: Fact, attempt: int) -> tuple[OpenEscalation, ...]:
    """Answer what is open without the one of the fact: of several of one attempt that which fires first."""
    same = [
        one
        for one in case.open_escalations
        if (one.report_event_id, one.reason_code, one.attempt)
        == (fact.report_event_id, fact.reason_code, attempt)
    ]
    gone = min(same, key=lambda one: (one.due_at, one.recipient), default=None)
    return tuple(one for one in case.open_escalations if one is not gone)


def _acknowledged(case: Case, fact: Fact) -> Changes:
    return {"open_escalations": (), **with_reference(case, fact)}


POLICE_RULES: Final = MappingProxyType({ACKNOWLEDGED: acknowledge})
TIMER_RULES: Final = MappingProxyType({ESCALATION: _repeat})
DUE: Final = Timers(("open_escalations",), _due)
EVOLVE: Final[Mapping[str, Callable[[Case, Fact], Changes]]] = MappingProxyType(
    {
        "escalated": _escalated,
        "escalation_acknowledged": _acknowledged,
        "escalation_unanswered": _unanswered,
    }
)
NOTICES: Final = MappingProxyType({"escalation_unanswered": to_recipient})

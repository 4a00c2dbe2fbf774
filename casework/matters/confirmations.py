"""Whether those who were asked to do the same have done it: correct a wrong fact, erase contents.

The exchange can set its own books right; the recipients' systems are theirs. So the fact that asks names the
members that are to carry it out, the case keeps those that have not said so, and after a time the secretariat
hears of them. Who says so later is still believed.

A fact that asks carries `members` and `due_at`; its matter notes it with `with_asked` in `EVOLVE`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from casework.action_details import Action
from casework.answers import ACCEPTED, Answer, not_applicable
from casework.causes import Cause, Draft
from casework.errors import BugError
from casework.legs import Changes
from casework.messages import Asked, Case, Fact
from casework.notices import to_nobody, to_recipient
from casework.parties import secretariat_of
from casework.timers import Due, Timers

CORRECTION: Final = "correction"
ERASURE: Final = "erasure"
MAX_ASKED: Final = 16
"""Facts whose confirmations a case waits for; of more the oldest is given up."""
CONFIRM: Final = "confirm"
"""Step of the timer of confirmations that have not come."""
TOLD: Final = 0
"""In place of a due time: it has passed, and the secretariat knows."""

_NOT_ASKED: Final = not_applicable(
    "not_asked", "fact_number", "Nobody waits for a confirmation of this fact from here."
)


def asking(members: Iterable[str | None], cause: Cause) -> dict[str, Any]:
    """Answer the fields of a fact that asks members to confirm; without its sender and who is not active."""
    asked = tuple(
        member
        for member in dict.fromkeys(members)
        if member is not None and member != cause.sender and cause.directory.is_active(member)
    )
    return {"members": asked, "due_at": cause.now + cause.directory.casework.confirm_ms}


def with_asked(case: Case, fact: Fact, kind: str) -> tuple[Asked, ...]:
    """Answer what a case waits for after a fact that asks its `members` to confirm until its `due_at`."""
    if not fact.members:
        return case.asked
    if fact.due_at is None:
        raise BugError(f"the fact {fact.fact} asks for confirmations without a time")
    new = Asked(fact_number=fact.number, kind=kind, members=fact.members, due_at=fact.due_at)
    return (*case.asked, new)[-MAX_ASKED:]


def _confirm(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    number = None if details["details"] is None else details["details"].fact_number
    sender = draft.cause.sender
    if not any(asked.fact_number == number and sender in asked.members for asked in case.asked):
        return _NOT_ASKED
    draft.by_sender(action.action, fact_ref=number, **details)
    return ACCEPTED


def _fire(case: Case, due: Due, draft: Draft) -> None:
    asked = next(one for one in case.asked if str(one.fact_number) == due.event_id)
    draft.by_rule(
        "unconfirmed",
        fact_ref=asked.fact_number,
        members=asked.members,
        due_at=due.at,
        occurred_at=due.at,
        recipient=secretariat_of(draft.cause.directory),
    )


def _due(case: Case) -> Iterator[Due]:
    for asked in case.asked:
        if asked.due_at != TOLD:
            yield Due(asked.due_at, CONFIRM, str(asked.fact_number))


def _confirmed(case: Case, fact: Fact) -> Changes:
    left = (
        msgspec.structs.replace(asked, members=tuple(member for member in asked.members if member != fact.by))
        if asked.fact_number == fact.fact_ref
        else asked
        for asked in case.asked
    )
    return {"asked": tuple(asked for asked in left if asked.members)}


def _unconfirmed(case: Case, fact: Fact) -> Changes:
    return {
        "asked": tuple(
            msgspec.structs.replace(asked, due_at=TOLD) if asked.fact_number == fact.fact_ref else asked
            for asked in case.asked
        )
    }


ACTION_RULES: Final = {"confirmed": _confirm}
TIMER_RULES: Final = {CONFIRM: _fire}
DUE: Final = Timers(("asked",), _due)
EVOLVE: Final = {"confirmed": _confirmed, "unconfirmed": _unconfirmed}
NOTICES: Final = {"confirmed": to_nobody, "unconfirmed": to_recipient}
"""Of a confirmation nobody is told: each of n members would be, n times; the case shows who is waited for."""

"""The queues that people look after: which cases lie in them, and since when.

The desk lists them and the workers count them, after every record of a case: so a queue is told from fields
of the state, and `next_steps` says what is to be done only of the cases that somebody looks at.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from casework.directory import Directory
from casework.messages import Case
from casework.next_steps import DEADLINES, OPERATORS, NextStep, is_done, missed_at, open_escalations
from casework.parties import secretariat_of
from casework.states import ASSIGNED_STATES, CLOSED, ORPHANED


class Queue(msgspec.Struct, frozen=True):
    """A queue.

    Attributes:
        meaning: What lies in it, for people.
        whats: Codes of `next_steps.WHAT` that take a case out of it.
    """

    meaning: str
    whats: frozenset[str]


QUEUES: Final[Mapping[str, Queue]] = MappingProxyType(
    {
        "overdue": Queue("steps whose deadline has passed", frozenset(DEADLINES)),
        "orphans": Queue(
            "no hotline is responsible: at the orphan desk, or with police alone", frozenset({"claim"})
        ),
        "unassigned": Queue("offered to several hotlines, and none has claimed it", frozenset({"claim"})),
        "claimed": Queue("claimed, and the claim ends unless a step follows", frozenset({"use_claim"})),
        "holds": Queue("police ask that the provider is not told yet", frozenset({"end_hold"})),
        "requests": Queue("a hold was asked for and waits for consent", frozenset({"answer_hold"})),
        "rewrap": Queue("those responsible can open no content", frozenset({"rewrap", "rewrap_impossible"})),
        "disputes": Queue("a newer word on the host is not answered", frozenset({"answer_host"})),
        "escalations": Queue("no liaison has acknowledged", frozenset({"acknowledge_escalation"})),
        "confirmations": Queue(
            "a correction or an erasure is not confirmed",
            frozenset({"confirm_correction", "confirm_erasure"}),
        ),
        "kept": Queue("closed, and police ask that it is kept", frozenset({"close_reference"})),
    }
)

_ASSIGNED: Final = frozenset(ASSIGNED_STATES)


def lies_in_queues(case: Case) -> bool:
    """Answer whether a case may lie in a queue: quick, because it is asked after every record."""
    return bool(
        case.overdue
        or case.pool
        or case.asked
        or case.open_escalations
        or case.hold_requests
        or case.references
        or case.state == ORPHANED
        or case.lease
        or case.hold
        or case.doubt
        or case.rewrap_due_at is not None
    )


def queues_of(case: Case) -> Iterator[tuple[str, int]]:
    """Yield the queues that a case lies in, and since when; milliseconds since the epoch, UTC.

    Of what the state keeps only the end of, the beginning of the leg, or the closing, is told.
    """
    if case.overdue and case.state in _ASSIGNED:
        missed = [
            missed_at(case, step) for step in DEADLINES if step in case.overdue and not is_done(case, step)
        ]
        if missed:
            yield "overdue", min(missed)
    place = _place_of(case)
    if place is not None:
        yield place, case.leg_started_at
    if case.rewrap_due_at is not None:
        yield "rewrap", case.leg_started_at
    yield from _of_answers(case)


def _place_of(case: Case) -> str | None:
    if case.state == ORPHANED:
        return "orphans"
    if case.pool:
        return "unassigned"
    return None if case.lease is None else "claimed"


def _of_answers(case: Case) -> Iterator[tuple[str, int]]:
    """Yield the queues of those who owe an answer."""
    if case.hold is not None:
        yield "holds", case.hold.since
    if case.hold_requests:
        yield "requests", min(request.asked_at for request in case.hold_requests)
    if case.doubt is not None:
        yield "disputes", case.doubt.observed_at
    began = case.leg_started_at if case.closed_at is None else case.closed_at
    if case.open_escalations and open_escalations(case):
        yield "escalations", began
    if case.asked:
        yield "confirmations", began
    if case.references and case.state == CLOSED:
        yield "kept", began


def as_able(step: NextStep, directory: Directory) -> NextStep:
    """Answer a step with only those who can take it now; a re-wrap that nobody can make, as impossible.

    Who holds a content is in the state, who of them is active in the directory of the day.
    """
    if step.what != "rewrap":
        return step
    able = tuple(one for one in step.who if directory.is_active(one))
    if able:
        return msgspec.structs.replace(step, who=able)
    return msgspec.structs.replace(
        step, what="rewrap_impossible", who=(secretariat_of(directory) or OPERATORS,)
    )

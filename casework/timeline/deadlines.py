"""Deadlines of all legs: when each was due, and whether it was met, missed or stopped."""

from collections.abc import Iterable

import msgspec

from casework.due import due_times
from casework.matters.overdue import ANSWERED_BY
from casework.messages import Case
from casework.states import CLOSED
from casework.timeline.moments import Moment


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """One deadline of one leg.

    Attributes:
        round: Its round.
        leg: Its leg.
        step: What was to be done.
        due_at: Until when.
        done_at: When it was done.
        is_missed: Whether the exchange told that it had passed.
        standing: met, late (done after it), missed, running, stopped (a hold), or ended (with its leg).
    """

    round: int
    leg: int
    step: str
    due_at: int
    done_at: int | None = None
    is_missed: bool = False
    standing: str = "running"


def deadlines_of(moments: Iterable[Moment]) -> tuple[Deadline, ...]:
    """Answer the deadlines of all legs in the order in which they began to run."""
    found: dict[tuple[int, int, str], Deadline] = {}
    last: Case | None = None
    for moment in moments:
        case = moment.after
        if case is None or moment.fact.fact == "shrunk":
            continue
        last = case
        for due in due_times(case):
            if due.step in ANSWERED_BY:
                key = (case.round, case.leg, due.step)
                known = found.get(key) or _begun(case, due.step)
                found[key] = msgspec.structs.replace(known, due_at=due.at)
        _note(found, case, moment)
    return tuple(
        msgspec.structs.replace(deadline, standing=_standing(deadline, last)) for deadline in found.values()
    )


def _begun(case: Case, step: str) -> Deadline:
    return Deadline(round=case.round, leg=case.leg, step=step, due_at=0)


def _note(found: dict[tuple[int, int, str], Deadline], case: Case, moment: Moment) -> None:
    """Note what was done and what was missed in the current leg; what was undone is undone here too."""
    fact = moment.fact
    for step, field in ANSWERED_BY.items():
        key = (case.round, case.leg, step)
        known = found.get(key)
        if known is None and not (fact.fact == "overdue" and fact.step == step):
            continue
        known = known or _begun(case, step)
        if fact.fact == "overdue" and fact.step == step:
            due_at = known.due_at if fact.due_at is None else fact.due_at
            known = msgspec.structs.replace(known, is_missed=True, due_at=due_at)
        found[key] = msgspec.structs.replace(known, done_at=getattr(case, field))


def _standing(deadline: Deadline, case: Case | None) -> str:
    if deadline.done_at is not None:
        is_late = deadline.is_missed or deadline.done_at > deadline.due_at
        return "late" if is_late else "met"
    if deadline.is_missed:
        return "missed"
    if case is None or case.state == CLOSED or (case.round, case.leg) != (deadline.round, deadline.leg):
        return "ended"
    is_ahead = any(due.step == deadline.step for due in due_times(case))
    return "stopped" if case.hold is not None and not is_ahead else "running"

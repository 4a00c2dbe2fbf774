"""When a case needs attention without anybody sending anything: its timers, earliest first."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from casework.matters import DUE
from casework.matters.hold_course import PAUSED_STEPS
from casework.messages import Case
from casework.states import ASSIGNED_STATES, AWAITING_REWRAP
from casework.timers import Due

WAITING: Final = "waiting"
"""Step of the timer of an action that waits for its report."""
REWRAP: Final = "rewrap"
"""Step of the timer of content that those responsible cannot open."""
REASSIGN: Final = "reassign"
"""Step of a wake-up sent when a directory version no longer has the responsible hotline as active."""

__all__ = ["REASSIGN", "REWRAP", "WAITING", "Due", "due_times", "next_due"]

_ASSIGNED: Final = frozenset(ASSIGNED_STATES)
_timed: Final = attrgetter(*(field for timers in DUE for field in timers.fields))
"""Answers the fields without which a case has no timer of any matter: this is asked after every record."""


def due_times(case: Case) -> tuple[Due, ...]:
    """Answer the timers of a case that have not fired yet, earliest first; none when nothing can be due.

    A parked case has none: they fire, each with its own time, when it goes on.
    """
    return () if case.parked is not None else tuple(sorted(_timers(case)))


def next_due(case: Case) -> Due | None:
    """Answer the first of the timers of a case."""
    return None if case.parked is not None else min(_timers(case), default=None)


def _timers(case: Case) -> Iterator[Due]:
    for waiting in case.waiting:
        yield Due(waiting.due_at, WAITING, waiting.event_id)
    if case.rewrap_due_at is not None and REWRAP not in case.overdue:
        yield Due(case.rewrap_due_at, REWRAP)
    if any(_timed(case)):
        for timers in DUE:
            yield from timers.of(case)
    limits = case.deadlines
    # Who cannot open anything yet is late with nothing.
    if limits is None or case.state not in _ASSIGNED or case.state == AWAITING_REWRAP:
        return
    for step, limit, done_at in (
        ("acknowledge", limits.acknowledge_ms, case.acknowledged_at),
        ("inform_police", limits.inform_police_ms, case.police_informed_at),
        ("inform_provider", limits.inform_provider_ms, case.provider_informed_at),
        ("confirm_removal", limits.confirm_removal_ms, case.closed_at),
    ):
        if done_at is not None or step in case.overdue:
            continue
        is_paused = step in PAUSED_STEPS
        if not (is_paused and case.hold is not None):
            yield Due(case.leg_started_at + limit + (case.paused_ms if is_paused else 0), step)

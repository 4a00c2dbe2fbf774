"""When a case needs attention without anybody sending anything: its timers, earliest first."""

from collections.abc import Iterator
from typing import Final

import msgspec

from casework.messages import Case
from casework.transitions import ASSIGNED_STATES, AWAITING_REWRAP

WAITING: Final = "waiting"
"""Step of the timer of an action that waits for its report."""
REWRAP: Final = "rewrap"
"""Step of the timer of content that those responsible cannot open."""
REASSIGN: Final = "reassign"
"""Step of a wake-up sent when a directory version no longer has the responsible hotline as active."""

_ASSIGNED: Final = frozenset(ASSIGNED_STATES)


class Due(msgspec.Struct, frozen=True, order=True):
    """A timer.

    Attributes:
        at: When it is due; milliseconds since the epoch, UTC.
        step: acknowledge, inform_police, inform_provider, confirm_removal, rewrap or waiting.
        event_id: The waiting action; empty for a deadline.
    """

    at: int
    step: str
    event_id: str = ""


def due_times(case: Case) -> tuple[Due, ...]:
    """Answer the timers of a case that have not fired yet, earliest first; none when nothing can be due.

    A parked case has none: they fire, each with its own time, when it goes on.
    """
    if case.parked is not None:
        return ()
    has_limits = case.deadlines is not None and case.state in _ASSIGNED
    if not case.waiting and not has_limits and case.rewrap_due_at is None:
        return ()
    return tuple(sorted(_timers(case)))


def _timers(case: Case) -> Iterator[Due]:
    for waiting in case.waiting:
        yield Due(waiting.due_at, WAITING, waiting.event_id)
    if case.rewrap_due_at is not None and REWRAP not in case.overdue:
        yield Due(case.rewrap_due_at, REWRAP)
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
        if done_at is None and step not in case.overdue:
            yield Due(case.leg_started_at + limit, step)

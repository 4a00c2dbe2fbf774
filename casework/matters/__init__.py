"""What may come up in a case beside its straight way: one module for each matter, with all its rules.

A matter says what its actions mean (`ACTION_RULES`, by action; `POLICE_RULES`, where police mean something
else by it), when something is due (`DUE`) and what then happens (`TIMER_RULES`, by step), how its facts
change the case (`EVOLVE`, by fact) and who learns of them (`NOTICES`, by fact). Its rows stand in the table
of transitions like all others. The modules beside this package put the matters together and know none of them
by name.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from casework.action_details import Action
from casework.answers import Answer
from casework.causes import Draft
from casework.legs import Changes
from casework.matters import (
    claims,
    confirmations,
    corrections,
    declines,
    disagreements,
    escalating,
    feeds,
    hold_course,
    holds,
    host_doubts,
    moves,
    notes,
    notice_order,
    observations,
    overdue,
    retention,
    withdrawing,
)
from casework.messages import Case, Fact
from casework.notices import Notice
from casework.timers import Due, Timers

ActionRule = Callable[[Case, Action, Draft, Mapping[str, Any]], Answer]
"""Writes the facts of an action into the draft and answers its sender; the last argument is what
`action_details.details_of` made of the action. Without facts the answer itself becomes the fact."""
TimerRule = Callable[[Case, Due, Draft], None]
"""Writes the facts of a timer that is due; they must keep it from being due again."""

ACTION_RULES: Final[Mapping[str, ActionRule]] = MappingProxyType(
    {
        **claims.ACTION_RULES,
        **confirmations.ACTION_RULES,
        **declines.ACTION_RULES,
        **holds.ACTION_RULES,
        **moves.ACTION_RULES,
        **corrections.ACTION_RULES,
        **withdrawing.ACTION_RULES,
        **observations.ACTION_RULES,
        **notes.ACTION_RULES,
        **retention.ACTION_RULES,
    }
)
POLICE_RULES: Final[Mapping[str, ActionRule]] = MappingProxyType({**escalating.POLICE_RULES})
TIMER_RULES: Final[Mapping[str, TimerRule]] = MappingProxyType(
    {
        **overdue.TIMER_RULES,
        **escalating.TIMER_RULES,
        **claims.TIMER_RULES,
        **confirmations.TIMER_RULES,
        **hold_course.TIMER_RULES,
        **host_doubts.TIMER_RULES,
        **retention.TIMER_RULES,
    }
)
DUE: Final[tuple[Timers, ...]] = (
    overdue.DUE,
    escalating.DUE,
    claims.DUE,
    confirmations.DUE,
    hold_course.DUE,
    host_doubts.DUE,
    retention.DUE,
)
EVOLVE: Final[Mapping[str, Callable[[Case, Fact], Changes]]] = MappingProxyType(
    {
        **overdue.EVOLVE,
        **escalating.EVOLVE,
        **feeds.EVOLVE,
        **claims.EVOLVE,
        **confirmations.EVOLVE,
        **declines.EVOLVE,
        **corrections.EVOLVE,
        **disagreements.EVOLVE,
        **withdrawing.EVOLVE,
        **observations.EVOLVE,
        **notes.EVOLVE,
        **hold_course.EVOLVE,
        **notice_order.EVOLVE,
        **host_doubts.EVOLVE,
        **moves.EVOLVE,
        **retention.EVOLVE,
    }
)
NOTICES: Final[Mapping[str, Callable[[Case, Fact], Iterable[Notice]]]] = MappingProxyType(
    {
        **overdue.NOTICES,
        **escalating.NOTICES,
        **feeds.NOTICES,
        **claims.NOTICES,
        **confirmations.NOTICES,
        **declines.NOTICES,
        **hold_course.NOTICES,
        **notice_order.NOTICES,
        **host_doubts.NOTICES,
        **moves.NOTICES,
        **corrections.NOTICES,
        **disagreements.NOTICES,
        **withdrawing.NOTICES,
        **observations.NOTICES,
        **notes.NOTICES,
        **retention.NOTICES,
    }
)

"""Looking up the table of transitions, and what follows from it: which actions there are, which end a round.

Decisions look rows up here and read no other list of what is allowed; docs/state-machine.md shows the same
table and a test holds page, table and behaviour together. A state is the furthest step of the current leg, so
a step that comes late never takes a case back; the times of all steps are kept beside the state.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from casework.states import STATES
from casework.transition_rows import Transition
from casework.transition_table import TABLE

RULES_VERSION: Final = 4
"""Version of the rules in this room; grows when the same record would be decided otherwise."""
PARKING: Final = frozenset({"parked", "unparked", "given_up"})
"""Facts beside the table: in any state, by the exchange, told to nobody, changing nothing but what waits."""
PLACES: Final = frozenset({"assigned", "orphaned", "offered"})
"""The facts that begin a leg."""
_LONG_RUN: Final = 3
_BY_EVENT: Final[Mapping[tuple[str, str, str], Transition]] = MappingProxyType(
    {(row.event, row.when, state): row for row in TABLE for state in row.states}
)
ACTIONS: Final = frozenset(
    row.event for row in TABLE if row.event not in {"report", "timer", "content", "feed", "any action"}
)
"""Actions that the table knows; all others are requests or facts of a later version and are refused."""
NEED_REASON: Final = frozenset(row.event for row in TABLE if row.reason_required)
KEY_MISMATCH: Final = "key_mismatch"
SAID_BY: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        fact: frozenset(row.event for row in TABLE if row.event in ACTIONS and fact == row.facts[0])
        for row in TABLE
        if row.event in ACTIONS
        for fact in row.facts[:1]
    }
)
"""Kind of a fact that a member's action makes to the actions that make it: the fact carries its statement."""
TELLS_WHERE: Final = frozenset({"moved", "hosting_confirmed", "observed"})
"""Actions by which a case goes to another country; what they enclose is handed to the hotlines there."""
FINAL_ACTIONS: Final = frozenset(
    row.event for row in TABLE if "closed" in row.facts and row.event not in {KEY_MISMATCH, "withdraw"}
)
ERASES_CONTENTS: Final = frozenset({"erased", "shrunk"})
"""Facts after which the exchange keeps no content of the case."""
EFFECTLESS: Final = frozenset({"not_responsible", "out_of_order"})
"""Breaches that leave the state as it was; a step after its deadline is `late` and still counts."""


def transition(event: str, state: str, when: str = "") -> Transition | None:
    """Answer the row of an event in a state under a condition, or None when the table has none."""
    return _BY_EVENT.get((event, when, state))


def as_markdown() -> str:
    """Answer the table as readers see it in docs/state-machine.md."""
    rows = (
        (
            row.event,
            row.when,
            _span(row.states),
            row.who,
            "required" if row.reason_required else "",
            ", ".join(row.facts) + (f" (breach `{row.breach}`)" if row.breach else ""),
            row.state,
            ", ".join(row.told),
        )
        for row in TABLE
    )
    head = ("event", "when", "state before", "who may", "reason", "facts", "state after", "told")
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ("---",) * len(head), *rows))


def _span(states: tuple[str, ...]) -> str:
    """Answer states for readers; a long run in the order of STATES by its ends."""
    order = tuple(STATES)
    start = order.index(states[0]) if states[0] in order else 0
    is_run = len(states) > _LONG_RUN and order[start : start + len(states)] == states
    return f"{states[0]} to {states[-1]}" if is_run else ", ".join(states)

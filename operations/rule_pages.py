"""The pages about the rules, made from the table of transitions, so that they never say anything else.

`docs/what-may-happen-when.md` is written as a whole; `docs/state-machine.md` keeps its prose: its states, its
diagram and its rows are put in.

    python -m operations.rule_pages           # write both
    python -m operations.rule_pages --check   # end with 1 if one is stale
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from casework import codes
from casework.states import ASSIGNED_STATES, NONE, STATES, furthest
from casework.transition_rows import ACTION, NEW_LEG, SAME, Transition
from casework.transition_table import TABLE
from casework.transitions import as_markdown

DOCS: Final = Path(__file__).parents[1] / "docs"
HAPPENS: Final = "what-may-happen-when.md"
MACHINE: Final = "state-machine.md"

_INTRODUCTION: Final = """\
# What may happen when

For each state of a case: which event, by whom, what is recorded, and who is told. `make pages` makes this
page from the table in `casework/transition_table.py`; [the state machine](state-machine.md) explains its
words and the order in which a submission is judged.

- *Same*: the state stays; a step behind the state leaves it too.
- Who sent a submission is answered by its receipt and is not told again.
- Whoever is no party to a case is refused, `not_a_party`, and learns nothing of it.
- A fact that breaks a rule is recorded with its breach; a request without a row is answered `not_applicable`.
"""
_WHO: Final[Mapping[str, str]] = {
    "origin": "a hotline that reports it",
    "responsible": "the responsible hotline",
    "pool": "a hotline that it is offered to",
    "mandated": "a hotline with the mandate `orphans`",
    "party": "any party to the case",
    "anybody": "any member",
    "exchange": "the exchange, by itself",
    "maker": "who stated the fact",
    "asked": "who was asked to confirm",
    "liaison": "a police liaison that is a party",
    "police": "other police",
    "secretariat": "the secretariat",
}
_EVENTS: Final[Mapping[str, str]] = {
    "report": "a report comes",
    "timer": "time passes",
    "content": "who can open the content has changed",
    "feed": "a feed has something to tell",
    "any action": "any other action",
}
_AFTER: Final = re.compile(r"(\w+) after (\w+), else same")
_UNLESS: Final = re.compile(r"(\w+), (\w+) stays")
_STEPS: Final = frozenset({"acknowledged", "assessed", "police_informed", "provider_informed"})
_CHOICE: Final = "new_leg"
_HOTLINE: Final = "with_hotline"


def happens() -> str:
    """Answer the page of what may happen when: for each state each event, who may, and what follows."""
    parts = [_INTRODUCTION]
    for state in (NONE, *STATES):
        parts.append(f"\n## `{state}`\n")
        parts.append(f"{_sentence(STATES.get(state, 'the exchange has no case of this address'))}\n\n")
        head = ("event", "when", "who may", "what is recorded", "state after", "who is told")
        rows = (_row(row, state) for row in TABLE if state in row.states)
        parts.extend(f"| {' | '.join(cells)} |\n" for cells in (head, ("---",) * len(head), *rows))
    return "".join(parts)


def _row(row: Transition, state: str) -> tuple[str, ...]:
    facts = ", ".join(f"`{row.event}`" if fact == ACTION else _code(fact) for fact in row.facts)
    breach = f", breach `{row.breach}`" if row.breach else ""
    after = target(row, state) or row.state
    reason = " (with a reason)" if row.reason_required else ""
    return (
        f"{_event(row.event)}{reason}",
        row.when,
        _WHO[row.who],
        f"{facts}{breach}",
        "same" if after == state else _code(after),
        ", ".join(row.told) or "nobody else",
    )


def _event(event: str) -> str:
    if event in _EVENTS:
        return _EVENTS[event]
    return f"`{event}`: {codes.ACTIONS.codes[event]}"


def _code(word: str) -> str:
    return word if " " in word else f"`{word}`"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def target(row: Transition, state: str) -> str | None:
    """Answer the state after a row, from a state; None where the row says more than one name."""
    is_step = row.state in _STEPS and state in ASSIGNED_STATES
    is_behind = is_step and furthest(state, row.state) == state
    if row.state == SAME or is_behind:
        return state
    after = _AFTER.fullmatch(row.state)
    if after is not None:
        return after[1] if state == after[2] else state
    unless = _UNLESS.fullmatch(row.state)
    if unless is not None:
        return state if state == unless[2] else unless[1]
    return row.state if row.state in STATES or row.state == NEW_LEG else None


def diagram() -> str:
    """Answer the states and what leads from one to another, as a diagram in Mermaid's words.

    The states with a hotline are drawn as one, so that what may happen in each of them is one arrow.
    """
    inside, outside = _Edges(), _Edges()
    for row in TABLE:
        for state in row.states:
            goal = target(row, state)
            if goal is None or goal == state:
                continue
            if state in ASSIGNED_STATES and goal in ASSIGNED_STATES:
                if "assigned" in row.facts:
                    outside.add(_HOTLINE, _CHOICE, row.event)
                elif state == _before(row, goal) or furthest(state, goal) == state:
                    inside.add(state, goal, row.event)
            else:
                outside.add(_node(state), _node(goal), row.event)
    lines = [f'state "a hotline is responsible" as {_HOTLINE} {{', "    [*] --> assigned"]
    lines += [f"    {line}" for line in inside.lines()]
    lines += ["}", f"state {_CHOICE} <<choice>>", *outside.lines()]
    lines += [f"{_CHOICE} --> {node}: by the routing rule" for node in (_HOTLINE, "offered", "orphaned")]
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```"])


class _Edges:
    """Arrows with the events that lead along them, each once and in the order of the table."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], dict[str, None]] = {}

    def add(self, source: str, goal: str, event: str) -> None:
        self._events.setdefault((source, goal), {})[event] = None

    def lines(self) -> Iterator[str]:
        for (source, goal), events in self._events.items():
            yield f"{source} --> {goal}: {', '.join(events)}"


def _before(row: Transition, goal: str) -> str | None:
    """Answer the last state before a step: it may be taken from earlier ones too, as the page says."""
    order = list(STATES)
    return next((state for state in reversed(order[: order.index(goal)]) if state in row.states), None)


def _node(state: str) -> str:
    if state in ASSIGNED_STATES:
        return _HOTLINE
    return {NONE: "[*]", NEW_LEG: _CHOICE}.get(state, state)


def machine(page: str) -> str:
    """Answer the page of the state machine with its states, its diagram and its table as they are."""
    states = "".join(f"| `{state}` | {meaning} |\n" for state, meaning in STATES.items())
    page = _with_table(page, "| state | meaning |", f"| state | meaning |\n|---|---|\n{states}")
    page = _with_table(page, "| event | when |", as_markdown())
    begin = page.index("```mermaid\n")
    end = page.index("\n```\n", begin) + len("\n```")
    return page[:begin] + diagram() + page[end:]


def _with_table(page: str, head: str, table: str) -> str:
    begin = page.index(f"\n{head}") + 1
    end = page.index("\n\n", begin) + 1
    return page[:begin] + table + page[end:]


def pages(docs: Path = DOCS) -> dict[Path, str]:
    """Answer each page with what it must say."""
    return {
        docs / HAPPENS: happens(),
        docs / MACHINE: machine((docs / MACHINE).read_text(encoding="utf-8")),
    }


def stale(docs: Path = DOCS) -> list[Path]:
    """Answer the pages that say something else than the table."""
    return [
        path
        for path, text in pages(docs).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main() -> None:
    """Write the pages, or end with 1 if one is stale."""
    parser = argparse.ArgumentParser(prog="python -m operations.rule_pages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if a page is stale")
    if parser.parse_args().check:
        old = stale()
        for path in old:
            sys.stderr.write(f"{path.name} is stale: run 'make pages'\n")
        sys.exit(1 if old else 0)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

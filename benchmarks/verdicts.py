"""What must be reached, what is the goal, and what a measured value is worth against them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

Verdict = Literal["goal", "must", "short", "below goal", "told"]


class Target(msgspec.Struct, frozen=True):
    """The demands on one row of the table.

    Attributes:
        must: what has to be reached; None when there is only a goal.
        goal: what is wished for; None when there is no more than `must`.
        at_most: whether smaller is better.
    """

    must: float | None
    goal: float | None = None
    at_most: bool = False

    def verdict(self, value: float) -> Verdict:
        """Say what was reached."""
        if self.must is not None and not self._holds(value, self.must):
            return "short"
        if self.goal is None or self._holds(value, self.goal):
            return "goal"
        return "below goal" if self.must is None else "must"

    def _holds(self, value: float, limit: float) -> bool:
        return value <= limit if self.at_most else value >= limit


class Row(msgspec.Struct, frozen=True):
    """One line of the table.

    Attributes:
        measure: name of the measure that made it.
        what: what is compared.
        value: the measured value.
        unit: of the value; `x` is a ratio.
        target: the demands; None for what is only told.
        detail: the absolute numbers behind it.
    """

    measure: str
    what: str
    value: float
    unit: str
    target: Target | None = None
    detail: str = ""

    @property
    def verdict(self) -> Verdict:
        """What was reached."""
        return "told" if self.target is None else self.target.verdict(self.value)


class Outcome(msgspec.Struct):
    """What one measure gave.

    Attributes:
        measure: its name.
        rows: its lines.
        rounds: everything measured, by contestant, one entry a round.
        problems: what could not be measured and why, one sentence each.
        seconds: how long it took.
    """

    measure: str
    rows: list[Row] = []
    rounds: dict[str, list[dict[str, float]]] = {}
    problems: list[str] = []
    seconds: float = 0.0


_HEAD = ("measure", "what", "measured", "must", "goal", "verdict", "in numbers")


def table(outcomes: Iterable[Outcome]) -> str:
    """The rows of all outcomes as text, below them what could not be measured."""
    told = list(outcomes)
    lines = [_HEAD, *_cells(told)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD) - 1)]
    text = [_line(line, widths) for line in lines]
    text += [f"{outcome.measure}: {problem}" for outcome in told for problem in outcome.problems]
    return "\n".join(text)


def markdown(outcomes: Iterable[Outcome]) -> str:
    """The rows of all outcomes as a table for docs/performance.md."""
    lines = [_HEAD, ("---",) * len(_HEAD), *_cells(outcomes)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_builtins(outcomes: Sequence[Outcome]) -> object:
    """The outcomes for JSON, each row with its verdict."""
    return [
        msgspec.to_builtins(outcome)
        | {"rows": [msgspec.to_builtins(row) | {"verdict": row.verdict} for row in outcome.rows]}
        for outcome in outcomes
    ]


def _cells(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, ...]]:
    for outcome in outcomes:
        for row in outcome.rows:
            must, goal = _limits(row)
            measured = f"{_number(row.value)} {row.unit}"
            yield row.measure, row.what, measured, must, goal, row.verdict, row.detail


def _limits(row: Row) -> tuple[str, str]:
    if row.target is None:
        return "", ""
    sign = "<=" if row.target.at_most else ">="
    must, goal = (
        "" if limit is None else f"{sign} {_number(limit)}" for limit in (row.target.must, row.target.goal)
    )
    return must, goal


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits are enough


def _line(line: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
    return "  ".join([*cells, line[-1]]).rstrip()

"""What a measure is given: a broker, and how much and how often to measure."""

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

_numbers: Final = itertools.count(1)


class Ground(msgspec.Struct, frozen=True):
    """Where a measure runs.

    Attributes:
        bootstrap: the broker, which every measure and every contestant of a run shares.
        home: scratch folder of the run.
        rounds: how often each contestant is measured, in turns.
        scale: all numbers of records are multiplied by it; 1 is what the table of the docs says.
        only: contestants to measure; none means all.
    """

    bootstrap: str
    home: Path
    rounds: int = 3
    scale: float = 1.0
    only: tuple[str, ...] = ()

    def count(self, records: int) -> int:
        """A number of records at this scale, at least 100."""
        return max(100, round(records * self.scale))

    def chosen(self, contestants: Iterable[str]) -> list[str]:
        """The contestants to measure, in their order."""
        return [name for name in contestants if not self.only or name in self.only]


def fresh(name: str) -> str:
    """A name for topics and groups that this run has not used."""
    return f"{name}{next(_numbers)}"


def middle(rounds: Sequence[Mapping[str, float]], field: str) -> float:
    """The median of a field over rounds."""
    return statistics.median(entry[field] for entry in rounds)


def ratio(
    mine: Sequence[Mapping[str, float]],
    theirs: Sequence[Mapping[str, float]],
    field: str,
    other: str | None = None,
) -> float:
    """The median over rounds of mine to theirs, each within its round: what disturbs one disturbs both."""
    return statistics.median(
        a[field] / b[other or field] for a, b in zip(mine, theirs, strict=True) if b[other or field]
    )

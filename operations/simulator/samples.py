"""Figures of a sample with their standard errors, and lines that compare them with published ones.

A line passes when it is within half a unit of the published figure's last digit, plus three and a half
standard errors of a sample of this size: the first is what the publication leaves open, the second what
chance does to a small sample.
"""

import math
from collections import Counter
from collections.abc import Iterable
from typing import ClassVar, Final, Literal, Protocol

import msgspec

from operations.simulator import constants

STANDARD_ERRORS: Final = 3.5
CLUSTER: Final = 2.0 * constants.REPORTS_PER_COMPLAINT - 1.0
"""Mean of the squared size over the mean size of a geometric cluster, as reports of one complaint are."""
_BINS_PER_DAY: Final = 20
# The standard error of a median is this times that of a mean, for a normal distribution of the logarithms.
_MEDIAN_ERROR: Final = math.sqrt(math.pi / 2)


Unit = Literal["reports", "share", "days", "items", "times"]


class Sample(Protocol):
    """A figure of the simulated reports and how far chance may take it."""

    unit: ClassVar[Unit]

    @property
    def value(self) -> float:
        """The figure."""
        ...

    @property
    def standard_error(self) -> float:
        """Its standard error."""
        ...


class Line(msgspec.Struct, frozen=True):
    """One figure: what came out against what was published.

    Attributes:
        name: What is measured.
        simulated: What came out.
        published: The published figure.
        tolerance: Greatest difference that passes.
        unit: `reports`, `share`, `days`, `items` or `times`.
        rule: `within` the tolerance of it, `at_least` it less the tolerance, or `at_most` it and that.
        source: Who published it.
    """

    name: str
    simulated: float
    published: float
    tolerance: float
    unit: Unit
    rule: Literal["within", "at_least", "at_most"]
    source: str

    @property
    def passes(self) -> bool:
        """Whether it is within its tolerance."""
        difference = self.simulated - self.published
        is_low = self.rule != "at_most" and difference < -self.tolerance
        is_high = self.rule != "at_least" and difference > self.tolerance
        return not is_low and not is_high


def compare(name: str, sample: Sample, published: float, source: str, digit: float) -> Line:
    """Compare a sample with a published figure.

    Args:
        name: What is measured.
        sample: What came out.
        published: The published figure.
        source: Who published it.
        digit: Half a unit of the last digit that was published.
    """
    tolerance = digit + STANDARD_ERRORS * sample.standard_error
    return Line(name, sample.value, published, tolerance, sample.unit, "within", source)


class Share(msgspec.Struct, frozen=True):
    """A share of a sample.

    Attributes:
        count: How many.
        of: Among how many.
        cluster: How many members of the sample count as one, because they come together.
    """

    unit: ClassVar[Unit] = "share"
    count: int
    of: int
    cluster: float = 1.0

    @property
    def value(self) -> float:
        """The share."""
        return self.count / self.of if self.of else math.nan

    @property
    def standard_error(self) -> float:
        """Its standard error; a count of none or all does not make it certain."""
        likely = (self.count + 1) / (self.of + 2)
        return math.sqrt(likely * (1.0 - likely) * self.cluster / (self.of + 2))


class Days:
    """Times in days, for their mean: count, sum, squares and a histogram, so that memory stays bounded."""

    unit: ClassVar[Unit] = "days"

    def __init__(self) -> None:
        self.number = 0
        self._sum = 0.0
        self._squares = 0.0
        self._bins: Counter[int] = Counter()

    def add(self, days: float) -> None:
        """Count one time."""
        self.number += 1
        self._sum += days
        self._squares += days * days
        self._bins[int(min(days, constants.LONGEST_DAYS) * _BINS_PER_DAY)] += 1

    def within(self, days: int) -> Share:
        """Answer the share of times below a whole number of days."""
        below = sum(count for place, count in self._bins.items() if place < days * _BINS_PER_DAY)
        return Share(below, self.number)

    @property
    def value(self) -> float:
        """The mean."""
        return self._sum / self.number if self.number else math.nan

    @property
    def standard_error(self) -> float:
        """The mean's standard error."""
        if not self.number:
            return math.nan
        return math.sqrt(max(self._squares / self.number - self.value**2, 0.0) / self.number)

    def median(self) -> "Median":
        """Answer the median."""
        left = self.number / 2
        for place in sorted(self._bins):
            if left <= self._bins[place]:
                return Median((place + left / self._bins[place]) / _BINS_PER_DAY, self.number)
            left -= self._bins[place]
        return Median(math.nan, 0)


class Median(msgspec.Struct, frozen=True):
    """The median of log-normal times.

    Attributes:
        value: The median in days.
        of: Number of times.
    """

    unit: ClassVar[Unit] = "days"
    value: float
    of: int

    @property
    def standard_error(self) -> float:
        """Its standard error, for the spread of the published removal times."""
        spread = _MEDIAN_ERROR * constants.REMOVAL_SIGMA * self.value
        return spread / math.sqrt(self.of) if self.of else math.nan


def as_text(lines: Iterable[Line]) -> str:
    """Answer the lines as a table for people."""
    rows = [f"{'figure':<32} {'simulated':>10} {'published':>10} {'tolerance':>10}  verdict  source"]
    rows += [
        f"{line.name:<32} {_shown(line.simulated, line.unit):>10} {_shown(line.published, line.unit):>10} "
        f"{_tolerance(line):>10}  {'ok ' if line.passes else 'OUT'}      {line.source}"
        for line in lines
    ]
    return "\n".join(rows)


def _shown(value: float, unit: str) -> str:
    if unit == "reports":
        return f"{value:,.0f}"
    if unit == "share":
        return f"{value:.2%}"
    return f"{value:.2f} d" if unit == "days" else f"{value:.2f}"


def _tolerance(line: Line) -> str:
    sign = {"at_least": "-", "at_most": "+"}.get(line.rule, "±")
    return sign + _shown(line.tolerance, line.unit)

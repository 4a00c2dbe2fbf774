"""Random draws that give the same values on every platform and Python version.

Only `random.Random.random` is promised to be stable between Python versions, so every distribution is made
from it here. Streams with names of their own keep one part of the simulation from shifting another.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate
from statistics import NormalDist
from typing import Generic, TypeVar

_T = TypeVar("_T")
_NORMAL = NormalDist()
_SMALLEST = 2.0**-54


class Draws:
    """One stream of random numbers.

    Args:
        seed: The seed of the run.
        name: Name of the stream; equal seeds and names give equal streams.
    """

    def __init__(self, seed: int, name: str) -> None:
        # Not for secrets: a seed must reproduce a run.
        self.uniform = random.Random(f"{seed}/{name}").random  # noqa: S311

    def exponential(self, mean: float) -> float:
        """Draw from the exponential distribution with this mean."""
        return -mean * math.log(1.0 - self.uniform())

    def log_normal(self, mu: float, sigma: float) -> float:
        """Draw a value whose logarithm is normal with mean `mu` and deviation `sigma`."""
        return math.exp(mu + sigma * _NORMAL.inv_cdf(self.uniform() or _SMALLEST))

    def happens(self, probability: float) -> bool:
        """Draw whether something of this probability happens."""
        return self.uniform() < probability


class Weighted(Generic[_T]):
    """A choice among values by weight."""

    def __init__(self, weights: Mapping[_T, float] | Iterable[tuple[_T, float]]) -> None:
        pairs = list(weights.items() if isinstance(weights, Mapping) else weights)
        self._values: list[_T] = [value for value, _ in pairs]
        self._limits = list(accumulate(weight for _, weight in pairs))

    def draw(self, uniform: float) -> _T:
        """Answer the value that `uniform` (0 to 1, exclusive) falls on."""
        position = bisect_right(self._limits, uniform * self._limits[-1], hi=len(self._values) - 1)
        return self._values[position]

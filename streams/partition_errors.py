"""Partitions that cannot be read right now: they rest, the others go on, and somebody counts the time.

A disk damages a batch, a broker answers one partition with an error again and again. aiokafka raises the
first where records of other partitions are lost with it, and asks again at once after the second. Here a
partition rests a little longer each time, up to a second; `lasting` names one that has failed for too long.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from aiokafka.structs import TopicPartition

log = logging.getLogger(__name__)

_FIRST_REST_S: Final = 0.1
_LONGEST_REST_S: Final = 1.0


class _Failure(msgspec.Struct, frozen=True):
    since: float
    until: float
    rest: float
    what: str
    is_answer: bool


class PartitionErrors:
    """Remembers failures by partition.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[TopicPartition, _Failure] = {}

    def __bool__(self) -> bool:
        """Return whether any partition has failed and not been read since."""
        return bool(self._failures)

    def failed(self, tp: TopicPartition, what: str, *, is_answer: bool = False) -> None:
        """Note that a partition could not be read.

        Args:
            tp: which.
            what: why, for the log.
            is_answer: whether the broker said so; else what it sent could not be read.
        """
        now = self._clock()
        before = self._failures.get(tp)
        rest = _FIRST_REST_S if before is None else min(2 * before.rest, _LONGEST_REST_S)
        since = now if before is None else before.since
        self._failures[tp] = _Failure(since, now + rest, rest, what, is_answer)
        log.warning("%s[%d] cannot be read, trying again: %s", tp.topic, tp.partition, what)

    def read(self, tp: TopicPartition) -> None:
        """Note that records of a partition were read."""
        self._failures.pop(tp, None)

    def answered(self, asked: Container[TopicPartition], failed: Container[TopicPartition]) -> None:
        """Note an answer of a broker: of what was asked for, these partitions came with an error."""
        for tp, failure in list(self._failures.items()):
            if failure.is_answer and tp in asked and tp not in failed:
                del self._failures[tp]

    def forget(self) -> None:
        """Begin anew, after the partitions were given up."""
        self._failures.clear()

    def resting(self) -> Iterable[TopicPartition]:
        """Return the partitions not to be asked for now."""
        now = self._clock()
        return {tp for tp, failure in self._failures.items() if failure.until > now}

    def next_end(self) -> float:
        """Return in how many seconds the first of them may be asked for again; infinite without any."""
        now = self._clock()
        left = (failure.until - now for failure in self._failures.values() if failure.until > now)
        return min(left, default=float("inf"))

    def lasting(self, seconds: float) -> str | None:
        """Say which partition has failed for longer than that, if any has."""
        now = self._clock()
        for tp, failure in self._failures.items():
            if now - failure.since > seconds:
                return f"{tp.topic}[{tp.partition}] could not be read for {seconds} s: {failure.what}"
        return None

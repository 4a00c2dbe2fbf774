"""Whose turn it is: what waits per partition, and what the next call of a handler gets of it.

Partitions take turns in the order in which they began to wait, each with a limited share of a call, so that a
flood in one of them delays the others by a known amount and not by its length.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

P = TypeVar("P", bound="Hashable")
E = TypeVar("E")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one call gets at most; the first record is given whatever its size.

    Attributes:
        partitions: how many partitions; None is all that wait.
        records: how many records in total.
        partition_records: how many records of one partition.
        size: bytes in total.
    """

    partitions: int | None = None
    records: int = 4000
    partition_records: int = 1000
    size: int = 8 << 20


@dataclass(slots=True)
class _Waiting(Generic[E, R]):
    """A batch that waits, or the rest of one."""

    source: E
    records: Sequence[R]
    size: int
    start: int = 0

    @property
    def left(self) -> int:
        return len(self.records) - self.start


@dataclass(frozen=True, slots=True)
class Share(Generic[P, E, R]):
    """What one partition contributes to a call.

    Attributes:
        partition: which.
        records: consecutive records, in order.
        finished: the batches whose last record is among them, in order.
        begun: a batch of which some records are among them and some still wait, and how many of it
            have been given out so far; None when the share ends with the end of a batch.
    """

    partition: P
    records: Sequence[R]
    finished: tuple[E, ...]
    begun: tuple[E, int] | None


class Turns(Generic[P, E, R]):
    """The queue of what waits, per partition. Pure: no I/O, no clock, one thread.

    A partition that was taken does not come up again before `returned`, so its records stay in order.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: dict[P, deque[_Waiting[E, R]]] = {}
        self._order: dict[P, None] = {}
        self._out: set[P] = set()

    def add(self, partition: P, source: E, records: Sequence[R], size: int) -> None:
        """Put the `records` of a batch (at least one; `size` bytes together) at the end of its partition."""
        self._waiting.setdefault(partition, deque()).append(_Waiting(source, records, size))
        if partition not in self._out:
            self._order[partition] = None

    def __bool__(self) -> bool:
        """Return whether something could be taken."""
        return bool(self._order)

    def take(self) -> list[Share[P, E, R]]:
        """Return the shares of the next call; empty when nothing can be taken."""
        limits = self._limits
        records, size = limits.records, limits.size
        shares: list[Share[P, E, R]] = []
        for partition in list(self._order):
            room = min(records, limits.partition_records)
            if room <= 0 or size <= 0 or len(shares) == limits.partitions:
                break
            share, used = self._take(partition, room, size)
            shares.append(share)
            records -= len(share.records)
            size -= used
        return shares

    def _take(self, partition: P, room: int, size: int) -> tuple[Share[P, E, R], int]:
        waiting = self._waiting[partition]
        del self._order[partition]
        self._out.add(partition)
        first = waiting[0]
        if first.start == 0 and first.left <= room and first.size <= size and len(waiting) == 1:
            del self._waiting[partition]  # the commonest case, without a copy
            return Share(partition, first.records, (first.source,), None), first.size
        taken: list[R] = []
        finished: list[E] = []
        begun: tuple[E, int] | None = None
        used = 0
        while waiting and room > 0 and (used < size or not taken):
            head = waiting[0]
            each = head.size / len(head.records)
            count = min(head.left, room, max(int((size - used) / each), 0 if taken else 1))
            if count == 0:
                break
            end = head.start + count
            taken += head.records[head.start : end]
            room -= count
            used += int(each * count)
            if end < len(head.records):
                head.start = end
                begun = (head.source, end)
                break
            finished.append(waiting.popleft().source)
        if not waiting:
            del self._waiting[partition]
        return Share(partition, taken, tuple(finished), begun), used

    def returned(self, partition: P) -> None:
        """Note that the call is over; what waits of `partition` gets in line behind the others."""
        self._out.discard(partition)
        if partition in self._waiting:
            self._order[partition] = None

    def next_of(self, partition: P) -> E | None:
        """Return the batch of which the next record of `partition` will come, None when none waits."""
        waiting = self._waiting.get(partition)
        return waiting[0].source if waiting else None

    def drain(self) -> Iterator[E]:
        """Forget all that waits and return its batches, but for those of which a part is being worked on."""
        waiting, self._waiting = self._waiting, {}
        self._order.clear()
        for partition, batches in waiting.items():
            for batch in batches:
                if batch.start == 0 or partition not in self._out:
                    yield batch.source

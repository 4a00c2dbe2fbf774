"""Which offset of a partition may be committed while its batches finish in any order.

Faust commits past work that is still in hand (its acknowledgements are a sorted list with gaps).
Here the committable offset is the first one still in flight, else the one after the last delivered,
so gaps in the log, compaction, transaction markers and the order of completion do not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

P = TypeVar("P", bound="Hashable")


class _Flight:
    """The batches of one partition that are not done yet, in the order of delivery."""

    __slots__ = ("batches", "floor", "next_offset")

    def __init__(self, first: int) -> None:
        self.batches: dict[int, int] = {}
        self.floor = first
        self.next_offset = first


class OffsetTracker(Generic[P]):
    """Ordered record of what is in flight, per partition. Pure: no I/O, no clock, one thread."""

    def __init__(self) -> None:
        self._flights: dict[P, _Flight] = {}

    def deliver(self, partition: P, first: int, last: int) -> None:
        """Note that the records `first`..`last` (offsets, inclusive) were handed out.

        Raises:
            ValueError: offsets that go backwards; somebody moved the position without `forget`.
        """
        flight = self._flights.get(partition)
        if flight is None:
            flight = self._flights[partition] = _Flight(first)
        if first < flight.next_offset or last < first:
            raise ValueError(f"offsets {first}..{last} delivered where {flight.next_offset} or later was due")
        flight.batches[last] = first
        flight.next_offset = last + 1

    def done(self, partition: P, last: int) -> bool:
        """Note that the batch ending at offset `last` is finished; False when it is not in flight."""
        flight = self._flights.get(partition)
        return flight is not None and flight.batches.pop(last, None) is not None

    def done_until(self, partition: P, last: int, first: int) -> bool:
        """Note that of the batch ending at offset `last` all before offset `first` is finished."""
        flight = self._flights.get(partition)
        if flight is None or last not in flight.batches:
            return False
        flight.batches[last] = first
        return True

    def committable(self, partition: P) -> int | None:
        """Return the offset to commit (the next one to read), None when it would say nothing new."""
        flight = self._flights.get(partition)
        if flight is None:
            return None
        offset = next(iter(flight.batches.values()), flight.next_offset)
        return offset if offset > flight.floor else None

    def all_committable(self) -> dict[P, int]:
        """Return what `committable` says of every partition that has something new."""
        offsets = ((partition, self.committable(partition)) for partition in self._flights)
        return {partition: offset for partition, offset in offsets if offset is not None}

    def committed(self, partition: P, offset: int) -> None:
        """Note that the broker confirmed `offset`. Call it only after a successful commit."""
        flight = self._flights.get(partition)
        if flight is not None:
            flight.floor = max(flight.floor, offset)

    def in_flight(self, partition: P) -> int:
        """Return the number of unfinished batches of a partition."""
        flight = self._flights.get(partition)
        return len(flight.batches) if flight is not None else 0

    def partitions(self) -> list[P]:
        """Return the partitions that had a delivery since they were last forgotten."""
        return list(self._flights)

    def forget(self, partitions: Iterable[P] | None = None) -> None:
        """Drop everything known about `partitions` (default: all): they were revoked or repositioned."""
        if partitions is None:
            self._flights.clear()
            return
        for partition in list(partitions):
            self._flights.pop(partition, None)

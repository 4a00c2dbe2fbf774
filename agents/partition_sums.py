"""How many cases lie in which group, and since when: per partition, so that sums vanish with it.

A sum is a count per minute, the resolution of `received_at`: the oldest is found without keeping a list of
cases. Changes may come in any order, also before what was stored when the partition was loaded.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from threading import Lock
from typing import Final

MINUTE_MS: Final = 60_000
Group = tuple[str, ...]
_Sums = defaultdict[Group, Counter[int]]


class PartitionSums:
    """Sums of groups per partition; `totals` may be called from the metrics server's thread."""

    def __init__(self) -> None:
        self._partitions: dict[int, _Sums] = {}
        self._complete: set[int] = set()
        self._lock = Lock()

    def start(self, partition: int) -> None:
        """Begin with nothing for a partition that was just loaded."""
        with self._lock:
            self._partitions[partition] = defaultdict(Counter)
            self._complete.discard(partition)

    def complete(self, partition: int) -> None:
        """Show a partition from now on: all of it has been taken in."""
        with self._lock:
            self._complete.add(partition)

    def rest(self, partition: int) -> None:
        """Show nothing of a partition until it is `complete` again; its sums are kept."""
        with self._lock:
            self._complete.discard(partition)

    def stop(self, partition: int) -> None:
        """Forget a partition that another worker has now."""
        with self._lock:
            self._partitions.pop(partition, None)
            self._complete.discard(partition)

    def add(self, partition: int, entries: Iterable[tuple[Group, int, int]]) -> None:
        """Add to groups: which, since when (milliseconds since the epoch, UTC), how many more or fewer."""
        with self._lock:
            sums = self._partitions.get(partition)
            if sums is None:
                return
            for group, at_ms, step in entries:
                minutes = sums[group]
                minute = at_ms // MINUTE_MS
                minutes[minute] += step
                if not minutes[minute]:
                    del minutes[minute]
                if not minutes:
                    del sums[group]

    def totals(self) -> dict[Group, tuple[int, int]]:
        """Answer count and oldest time (milliseconds since the epoch, UTC) of each group."""
        found: dict[Group, tuple[int, int]] = {}
        with self._lock:
            for partition in self._complete & self._partitions.keys():
                for group, minutes in self._partitions[partition].items():
                    first = min(minutes) * MINUTE_MS
                    count, oldest = found.get(group, (0, first))
                    found[group] = (count + minutes.total(), min(oldest, first))
        return found

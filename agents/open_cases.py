"""How many cases are open, and since when: by responsible hotline and state, for the partitions here.

Beside them: how many of them no analyst of the responsible hotline has judged yet, by the origin that opened
them. A sender that makes up url keys is seen there first.

A histogram sees a case only when it is over; the report that nobody answers shows here. Each partition
keeps its own sums, so that they vanish with it when another worker takes over. A sum is a count per minute
of the public report, the resolution of `received_at`: the oldest open case is found without keeping a list
of cases.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from threading import Lock
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from casework.directory import ORPHAN_DESK
from casework.messages import Case

MINUTE_MS: Final = 60_000
NOT_OPEN: Final = frozenset({"closed", "awaited"})
_Group = tuple[str, str]
_Sums = defaultdict[_Group, Counter[int]]


class OpenCases(Collector):
    """Sums of open cases per partition; `collect` may be called from the metrics server's thread."""

    def __init__(self) -> None:
        self._partitions: dict[int, _Sums] = {}
        self._unassessed: dict[int, Counter[str]] = {}
        self._complete: set[int] = set()
        self._lock = Lock()

    def start(self, partition: int) -> None:
        """Begin with nothing for a partition that was just loaded."""
        with self._lock:
            self._partitions[partition] = defaultdict(Counter)
            self._unassessed[partition] = Counter()
            self._complete.discard(partition)

    def complete(self, partition: int) -> None:
        """Show a partition from now on: every case of it has been taken in."""
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
            self._unassessed.pop(partition, None)
            self._complete.discard(partition)

    def _count_unassessed(self, partition: int, case: Case, step: int) -> None:
        if case.assessed_at is not None or not case.origins:
            return
        counts = self._unassessed.setdefault(partition, Counter())
        counts[case.origins[0].member] += step

    def unassessed(self) -> Counter[str]:
        """Answer how many open cases nobody has judged yet, by the origin of their first report."""
        with self._lock:
            return sum((self._unassessed.get(one, Counter()) for one in self._complete), Counter())

    def changed(self, partition: int, before: Case | None, after: Case | None) -> None:
        """Take a case out of its old group and into its new one; sums may come in any order."""
        with self._lock:
            sums = self._partitions.get(partition)
            if sums is None:
                return
            for case, step in ((before, -1), (after, 1)):
                if case is None or case.state in NOT_OPEN:
                    continue
                self._count_unassessed(partition, case, step)
                group = (case.assigned_hotline or ORPHAN_DESK, case.state)
                minutes = sums[group]
                minute = case.received_at // MINUTE_MS
                minutes[minute] += step
                if not minutes[minute]:
                    del minutes[minute]
                if not minutes:
                    del sums[group]

    def totals(self) -> dict[_Group, tuple[int, int]]:
        """Answer count and oldest time (milliseconds since the epoch, UTC) by hotline and state."""
        found: dict[_Group, tuple[int, int]] = {}
        with self._lock:
            for partition in self._complete:
                for group, minutes in self._partitions[partition].items():
                    count, oldest = found.get(group, (0, min(minutes) * MINUTE_MS))
                    found[group] = (count + minutes.total(), min(oldest, min(minutes) * MINUTE_MS))
        return found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the three gauges."""
        count = GaugeMetricFamily(
            "hotline_exchange_open_cases",
            "Open cases by responsible hotline and state.",
            labels=["hotline", "state"],
        )
        oldest = GaugeMetricFamily(
            "hotline_exchange_oldest_open_case_timestamp_seconds",
            "When the public reported the oldest open case, by responsible hotline and state.",
            labels=["hotline", "state"],
        )
        for group, (number, oldest_ms) in sorted(self.totals().items()):
            count.add_metric(group, number)
            oldest.add_metric(group, oldest_ms / 1000)
        unassessed = GaugeMetricFamily(
            "hotline_exchange_unassessed_cases",
            "Open cases that the responsible hotline has not assessed yet, by origin.",
            labels=["origin"],
        )
        for origin, number in sorted(self.unassessed().items()):
            unassessed.add_metric([origin], number)
        yield count
        yield oldest
        yield unassessed

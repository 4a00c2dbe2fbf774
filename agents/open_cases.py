"""How many cases are open and in which queues they lie, and since when, for the partitions here.

Open cases are counted by responsible hotline and state; beside them how many of them no analyst of the
responsible hotline has judged yet, by the origin that opened them. A sender that makes up url keys is seen
there first. A histogram sees a case only when it is over; the report that nobody answers shows here.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agents.partition_sums import Group, PartitionSums
from casework.directory import ORPHAN_DESK
from casework.messages import Case
from casework.queues import lies_in_queues, queues_of

NOT_OPEN: Final = frozenset({"closed", "awaited"})
POOL: Final = "pool"
"""In place of a responsible hotline: several may claim the case."""
_Groups = tuple[tuple[Group, int], ...]
SHOWN_AS: Final[Mapping[str, str | None]] = MappingProxyType({"holds": "paused", "requests": None})
"""Queues under another name, or not at all: who can read a metric may not learn of a hold."""


class OpenCases(Collector):
    """Sums of open cases per partition; `collect` may be called from the metrics server's thread."""

    def __init__(self) -> None:
        self._cases, self._queues, self._unassessed = PartitionSums(), PartitionSums(), PartitionSums()
        self._all: Final = (self._cases, self._queues, self._unassessed)
        self._groups: Final = (
            (self._cases, _of_open),
            (self._unassessed, _of_unassessed),
            (self._queues, _of_queues),
        )

    def start(self, partition: int) -> None:
        """Begin with nothing for a partition that was just loaded."""
        for sums in self._all:
            sums.start(partition)

    def complete(self, partition: int) -> None:
        """Show a partition from now on: every case of it has been taken in."""
        for sums in self._all:
            sums.complete(partition)

    def rest(self, partition: int) -> None:
        """Show nothing of a partition until it is `complete` again; its sums are kept."""
        for sums in self._all:
            sums.rest(partition)

    def stop(self, partition: int) -> None:
        """Forget a partition that another worker has now."""
        for sums in self._all:
            sums.stop(partition)

    def changed(self, partition: int, before: Case | None, after: Case | None) -> None:
        """Take a case out of its old groups and into its new ones; sums may come in any order."""
        for sums, groups_of in self._groups:
            old, new = groups_of(before), groups_of(after)
            if old != new:
                sums.add(partition, _moves(old, new))

    def unassessed(self) -> dict[str, int]:
        """Answer how many open cases nobody has judged yet, by the origin of their first report."""
        return {origin: count for (origin,), (count, _) in self._unassessed.totals().items()}

    def totals(self) -> dict[Group, tuple[int, int]]:
        """Answer count and oldest time (milliseconds since the epoch, UTC) by hotline and state."""
        return self._cases.totals()

    def queues(self) -> dict[Group, tuple[int, int]]:
        """Answer count and oldest time (milliseconds since the epoch, UTC) by queue and hotline."""
        return self._queues.totals()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        yield from _gauges(
            ("open_cases", "Open cases by responsible hotline and state."),
            (
                "oldest_open_case_timestamp_seconds",
                "When the public reported the oldest open case, by responsible hotline and state.",
            ),
            ("hotline", "state"),
            self.totals(),
        )
        yield from _gauges(
            ("queue_cases", "Cases in each queue, by responsible hotline."),
            (
                "queue_oldest_timestamp_seconds",
                "Since when the oldest case lies in a queue, by responsible hotline.",
            ),
            ("queue", "hotline"),
            self.queues(),
        )
        unassessed = GaugeMetricFamily(
            "hotline_exchange_unassessed_cases",
            "Open cases that the responsible hotline has not assessed yet, by origin.",
            labels=["origin"],
        )
        for origin, number in sorted(self.unassessed().items()):
            unassessed.add_metric([origin], number)
        yield unassessed


def _gauges(
    size: tuple[str, str], since: tuple[str, str], labels: Group, totals: Mapping[Group, tuple[int, int]]
) -> Iterator[GaugeMetricFamily]:
    count = GaugeMetricFamily(f"hotline_exchange_{size[0]}", size[1], labels=labels)
    oldest = GaugeMetricFamily(f"hotline_exchange_{since[0]}", since[1], labels=labels)
    for group, (number, oldest_ms) in sorted(totals.items()):
        count.add_metric(group, number)
        oldest.add_metric(group, oldest_ms / 1000)
    yield count
    yield oldest


def _moves(before: _Groups, after: _Groups) -> list[tuple[Group, int, int]]:
    out = [(group, at_ms, -1) for group, at_ms in before]
    out += [(group, at_ms, 1) for group, at_ms in after]
    return out


def _of_open(case: Case | None) -> _Groups:
    if case is None or case.state in NOT_OPEN:
        return ()
    return (((_keeper(case), case.state), case.received_at),)


def _keeper(case: Case) -> str:
    return case.assigned_hotline or (POOL if case.pool else ORPHAN_DESK)


def _of_unassessed(case: Case | None) -> _Groups:
    if case is None or case.assessed_at is not None or case.state in NOT_OPEN or not case.origins:
        return ()
    return (((case.origins[0].member,), case.received_at),)


def _of_queues(case: Case | None) -> _Groups:
    if case is None or not lies_in_queues(case):
        return ()
    keeper = _keeper(case)
    shown = ((SHOWN_AS.get(queue, queue), since) for queue, since in queues_of(case))
    return tuple(((queue, keeper), since) for queue, since in shown if queue is not None)

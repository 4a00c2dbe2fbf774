"""What the tools that compare read from: the logs of an exchange, on a broker or kept in memory.

The proof must not depend on where the records lie, so that a test can lose, double and alter them at will.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from casework.directory_signing import TrustAnchor
from operations.reading import Record
from streams.clock import CompressedClock, ManualClock, SystemClock
from streams.directory_versions import DirectoryVersions
from streams.topics import Topics

ExchangeClock = SystemClock | CompressedClock | ManualClock


class Log(Protocol):
    """Topics that can be read whole; records of a partition come in order."""

    def topics(self) -> frozenset[str]:
        """Names of all topics."""

    def partitions(self, topic: str) -> int:
        """Number of partitions; 0 for an unknown topic."""

    def begins(self, topic: str) -> dict[int, int]:
        """First offset still there, by partition."""

    def ends(self, topic: str) -> dict[int, int]:
        """Offset behind the last record, by partition."""

    def whole(self, *topics: str) -> Iterator[Record]:
        """Every record from the beginning to the end as it is at the call."""

    def part(self, topic: str, partition: int, first: int = 0) -> Iterator[Record]:
        """Records of one partition from an offset to the end; apart from what `whole` is reading."""


class MemoryLog:
    """Logs in memory.

    Args:
        records: Of any topics; of a partition in the order in which they lie there.
        partitions: Number of partitions where it is not that of the highest one with a record.
        begins: First offset that retention has left, by topic and partition, where it is not 0.
    """

    def __init__(
        self,
        records: Iterable[Record],
        partitions: Mapping[str, int] | None = None,
        begins: Mapping[str, Mapping[int, int]] | None = None,
    ) -> None:
        self._topics: dict[str, list[Record]] = {topic: [] for topic in partitions or ()}
        self._partitions = dict(partitions or {})
        self._begins = begins or {}
        for record in records:
            self._topics.setdefault(record.topic, []).append(record)

    def topics(self) -> frozenset[str]:
        """Names of all topics."""
        return frozenset(self._topics)

    def partitions(self, topic: str) -> int:
        """Number of partitions; 0 for an unknown topic."""
        highest = max((record.partition for record in self._topics.get(topic, ())), default=-1)
        return max(self._partitions.get(topic, 0), highest + 1)

    def begins(self, topic: str) -> dict[int, int]:
        """First offset still there, by partition."""
        return dict.fromkeys(range(self.partitions(topic)), 0) | dict(self._begins.get(topic, {}))

    def ends(self, topic: str) -> dict[int, int]:
        """Offset behind the last record, by partition."""
        found = dict.fromkeys(range(self.partitions(topic)), 0)
        for record in self._topics.get(topic, ()):
            found[record.partition] = max(found[record.partition], record.offset + 1)
        return found

    def whole(self, *topics: str) -> Iterator[Record]:
        """Every record."""
        for topic in topics:
            yield from self._topics.get(topic, ())

    def part(self, topic: str, partition: int, first: int = 0) -> Iterator[Record]:
        """Records of one partition from an offset on."""
        for record in self._topics.get(topic, ()):
            if record.partition == partition and record.offset >= first:
                yield record

    def records(self, topic: str) -> Sequence[Record]:
        """Records of a topic, in memory anyway."""
        return self._topics.get(topic, ())


def inboxes(log: Log, topics: Topics) -> list[str]:
    """Answer the inboxes of all members and desks, by name."""
    return sorted(name for name in log.topics() if topics.member_of_inbox(name) is not None)


def police(log: Log, topics: Topics) -> list[str]:
    """Answer the topics that police liaisons read beside their inboxes: escalations and feeds, by name."""
    return sorted(
        name
        for name in log.topics()
        if topics.liaison_of_escalations(name) is not None or topics.liaison_of_feed(name) is not None
    )


def directories(
    log: Log, topics: Topics, environment: str, clock: ExchangeClock, anchor: TrustAnchor | None = None
) -> DirectoryVersions:
    """Answer all directory versions in a log that workers with this clock and anchor believe."""
    versions = DirectoryVersions(environment, clock, anchor)
    for record in log.whole(topics.directory):
        versions.take(record)
    return versions

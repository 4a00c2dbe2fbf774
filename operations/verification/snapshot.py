"""A point to begin from: the states of all cases and how far the logs were read.

Retention deletes admitted records, contents have to go, and ten years of facts take hours. Whoever saves a
snapshot after a clean verification may begin there the next time.
"""

from pathlib import Path

import msgspec

from casework.errors import SetupError
from casework.messages import Case

FORMAT = 1


class SnapshotError(SetupError):
    """The file is no snapshot, or one of another exchange; name the right one or begin from the start."""


class PartitionSnapshot(msgspec.Struct, frozen=True):
    """One partition.

    Attributes:
        admitted_from: First offset of cases.admitted that the states do not hold.
        events_from: Offset of cases.events before which every fact is in the states.
        cases: The states.
    """

    admitted_from: int
    events_from: int
    cases: list[Case]


class Snapshot(msgspec.Struct, frozen=True):
    """All of it.

    Attributes:
        prefix: Prefix of the topics.
        environment: Environment of the exchange.
        count: Number of partitions of the topics of cases.
        partitions: By partition.
        effects_from: Offset from which messages may belong to later records, by topic and partition.
        submissions_from: First submission that intake had not committed, by topic and partition.
        format: Layout of the file.
    """

    prefix: str
    environment: str
    count: int
    partitions: dict[int, PartitionSnapshot]
    effects_from: dict[str, dict[int, int]]
    submissions_from: dict[str, dict[int, int]]
    format: int = FORMAT

    @classmethod
    def load(cls, path: Path) -> "Snapshot":
        """Read a file.

        Raises:
            SnapshotError: It cannot be read.
        """
        try:
            found = msgspec.msgpack.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError) as error:
            raise SnapshotError(f"{path} is no snapshot of a verification: {error}") from error
        if found.format != FORMAT:
            raise SnapshotError(f"{path} has layout {found.format}, this version reads {FORMAT}")
        return found

    def save(self, path: Path) -> None:
        """Write a file, whole or not at all.

        Raises:
            SnapshotError: It cannot be written.
        """
        beside = path.with_name(f".{path.name}.new")
        try:
            beside.write_bytes(msgspec.msgpack.encode(self))
            beside.replace(path)
        except OSError as error:
            raise SnapshotError(f"{path} cannot be written: {error}") from error

    def check(self, prefix: str, environment: str, count: int) -> None:
        """Refuse a snapshot of another exchange.

        Raises:
            SnapshotError: It is.
        """
        if (self.prefix, self.environment, self.count) != (prefix, environment, count):
            raise SnapshotError(
                "the snapshot is of other topics, another environment or number of partitions"
            )

"""What a member's client remembers between two starts: how far it has read and what it still holds back.

The offset of a topic, the delivery numbers of the cases and the held deliveries change together or not at
all; kept apart, a crash between them would lose a delivery. The committed offsets in Kafka are only a report
to the exchange: this store decides where reading goes on.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol, Self

import msgspec

from connectors.delivery_order import CaseKey
from connectors.errors import PositionsError

SEEN_LIMIT: Final = 10_000
"""Ids kept to drop copies of what has no delivery number; far more than a restart reads again."""
_LAYOUT: Final = 1


class Held(msgspec.Struct, frozen=True):
    """A delivery that waits for the missing numbers before it.

    Attributes:
        topic: Topic it came from.
        partition: Its partition.
        offset: Its offset.
        timestamp: Its log-append time; milliseconds since the epoch, UTC.
        recipient: Member id or desk.
        case_id: Case id.
        number: Delivery number.
        since_ms: When it was put aside, real time; milliseconds since the epoch, UTC.
        value: The record's value, untouched.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    recipient: str
    case_id: str
    number: int
    since_ms: int
    value: bytes


class Change(msgspec.Struct, frozen=True):
    """What one step changes, all of it or nothing.

    Attributes:
        positions: Topic and partition to the next offset to read.
        first_not_done: Case to its lowest delivery number that is not done.
        seen: Topic and id of what was done and has no delivery number.
        hold: Deliveries to keep.
        release: Topic, partition and offset of held deliveries that are done.
    """

    positions: dict[tuple[str, int], int] = {}
    first_not_done: dict[CaseKey, int] = {}
    seen: tuple[tuple[str, str], ...] = ()
    hold: tuple[Held, ...] = ()
    release: tuple[tuple[str, int, int], ...] = ()


class Positions(Protocol):
    """A store of positions; every method may be called from the event loop and returns at once."""

    def position(self, topic: str, partition: int) -> int | None:
        """Answer the next offset to read, None when nothing of it was ever done."""
        ...

    def first_not_done(self, key: CaseKey) -> int:
        """Answer the lowest delivery number of a case that is not done, 1 for a case never met."""
        ...

    def is_seen(self, topic: str, identifier: str) -> bool:
        """Answer whether an id is among the newest `SEEN_LIMIT` done ones."""
        ...

    def held(self, topics: Iterable[str]) -> tuple[Held, ...]:
        """Answer all held deliveries of these topics, in the order in which they were put aside."""
        ...

    def save(self, change: Change) -> None:
        """Apply a change atomically."""
        ...

    def close(self) -> None:
        """Let go of the store; later calls are errors."""
        ...


class MemoryPositions:
    """Positions that end with the process: for simulators and tests; a restart reads everything again."""

    def __init__(self) -> None:
        self._positions: dict[tuple[str, int], int] = {}
        self._cases: dict[CaseKey, int] = {}
        self._seen: dict[tuple[str, str], None] = {}
        self._held: dict[tuple[str, int, int], Held] = {}

    def position(self, topic: str, partition: int) -> int | None:
        """Answer the next offset to read, None when nothing of it was ever done."""
        return self._positions.get((topic, partition))

    def first_not_done(self, key: CaseKey) -> int:
        """Answer the lowest delivery number of a case that is not done."""
        return self._cases.get(key, 1)

    def is_seen(self, topic: str, identifier: str) -> bool:
        """Answer whether an id is among the newest done ones."""
        return (topic, identifier) in self._seen

    def held(self, topics: Iterable[str]) -> tuple[Held, ...]:
        """Answer all held deliveries of these topics."""
        wanted = set(topics)
        return tuple(held for held in self._held.values() if held.topic in wanted)

    def save(self, change: Change) -> None:
        """Apply a change."""
        self._positions.update(change.positions)
        self._cases.update(change.first_not_done)
        self._seen.update(dict.fromkeys(change.seen))
        while len(self._seen) > SEEN_LIMIT:
            del self._seen[next(iter(self._seen))]
        for held in change.hold:
            self._held[held.topic, held.partition, held.offset] = held
        for place in change.release:
            self._held.pop(place, None)

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


_TABLES: Final = """
CREATE TABLE positions (topic TEXT, part INTEGER, next INTEGER NOT NULL,
    PRIMARY KEY (topic, part)) WITHOUT ROWID;
CREATE TABLE cases (recipient TEXT, case_id TEXT, first_not_done INTEGER NOT NULL,
    PRIMARY KEY (recipient, case_id)) WITHOUT ROWID;
CREATE TABLE seen (topic TEXT NOT NULL, id TEXT NOT NULL, number INTEGER PRIMARY KEY AUTOINCREMENT,
    UNIQUE (topic, id));
CREATE TABLE held (topic TEXT, part INTEGER, record INTEGER, timestamp INTEGER NOT NULL,
    recipient TEXT NOT NULL, case_id TEXT NOT NULL, number INTEGER NOT NULL, since_ms INTEGER NOT NULL,
    value BLOB NOT NULL, PRIMARY KEY (topic, part, record));
"""


class SqlitePositions:
    """Positions in one SQLite file per member.

    Write-ahead log with `synchronous=NORMAL`: a killed process loses nothing; a power cut may lose the newest
    changes, all of a change or nothing of it, so that some messages come again.

    Args:
        path: The file; made if missing, readable by its owner only, since held deliveries are in it.

    Raises:
        PositionsError: It cannot be opened, another client has it open, or it has another layout.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise PositionsError(f"positions {path}: cannot be opened ({error})") from error
        try:
            self._open()
        except BaseException:
            self._database.close()
            raise

    def _open(self) -> None:
        run = self._database.execute
        try:
            # Two clients on one file would each read on from the other's position.
            run("PRAGMA locking_mode=EXCLUSIVE")
            run("PRAGMA journal_mode=WAL")
            run("PRAGMA synchronous=NORMAL")
            run("BEGIN IMMEDIATE")
            layout = run("PRAGMA user_version").fetchone()[0]
            if layout == 0:
                for statement in _TABLES.strip().removesuffix(";").split(";"):
                    run(statement)
                run(f"PRAGMA user_version={_LAYOUT}")
            run("COMMIT")
        except sqlite3.Error as error:
            raise PositionsError(
                f"positions {self._path}: in use elsewhere, or no such file ({error})"
            ) from error
        if layout not in {0, _LAYOUT}:
            raise PositionsError(f"positions {self._path}: layout {layout}, this program knows {_LAYOUT}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def position(self, topic: str, partition: int) -> int | None:
        """Answer the next offset to read, None when nothing of it was ever done."""
        return self._one("SELECT next FROM positions WHERE topic=? AND part=?", topic, partition)

    def first_not_done(self, key: CaseKey) -> int:
        """Answer the lowest delivery number of a case that is not done."""
        return self._one("SELECT first_not_done FROM cases WHERE recipient=? AND case_id=?", *key) or 1

    def is_seen(self, topic: str, identifier: str) -> bool:
        """Answer whether an id is among the newest done ones."""
        return self._one("SELECT 1 FROM seen WHERE topic=? AND id=?", topic, identifier) is not None

    def held(self, topics: Iterable[str]) -> tuple[Held, ...]:
        """Answer all held deliveries of these topics."""
        wanted = set(topics)
        rows = self._database.execute("SELECT * FROM held ORDER BY since_ms, number")
        return tuple(Held(*row) for row in rows if row[0] in wanted)

    def save(self, change: Change) -> None:
        """Apply a change in one transaction.

        Raises:
            PositionsError: The file cannot be written; nothing of the change took effect.
        """
        many = self._database.executemany
        try:
            self._database.execute("BEGIN IMMEDIATE")
            many(
                "INSERT OR REPLACE INTO positions VALUES (?,?,?)",
                [(topic, partition, offset) for (topic, partition), offset in change.positions.items()],
            )
            many(
                "INSERT OR REPLACE INTO cases VALUES (?,?,?)",
                [(*key, number) for key, number in change.first_not_done.items()],
            )
            many("INSERT OR IGNORE INTO seen (topic, id) VALUES (?,?)", change.seen)
            if change.seen:
                self._database.execute(
                    "DELETE FROM seen WHERE number<=(SELECT max(number) FROM seen)-?", (SEEN_LIMIT,)
                )
            many(
                "INSERT OR REPLACE INTO held VALUES (?,?,?,?,?,?,?,?,?)",
                [msgspec.structs.astuple(held) for held in change.hold],
            )
            many("DELETE FROM held WHERE topic=? AND part=? AND record=?", change.release)
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise PositionsError(f"positions {self._path}: cannot be written ({error})") from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _one(self, query: str, *values: object) -> int | None:
        row = self._database.execute(query, values).fetchone()
        return None if row is None else row[0]

"""Which of several values of a key counts, when a worker that had lost its partition wrote late.

Kafka keeps the record written last. Where a value says how new it is (its version), the highest version
counts here instead, and a key whose last record is not the one that counts is named, so that the owner writes
the right one again. A deletion carries its version in the header `VERSION_HEADER`; one that does not say
comes from a program that wrote no versions, as a value of version 0 does: it deletes those and no newer ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streams.state_stores import MARK_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from streams.state_stores import StateStore

    Version = Callable[[bytes, bytes], int | None]
    """``version(key, value)``: how new a value is; None for bytes that are no value of this topic."""

VERSION_HEADER: Final = "source-offset"
_SLOTS_PER_RECORD: Final = 16
_MOST_DELETIONS: Final = 20_000
"""Deletions of a partition that are remembered, the newest: a late writer is late by seconds or minutes."""


def deletion_headers(version: int) -> tuple[tuple[str, bytes], ...]:
    """Return the headers of a deletion that took place at `version`."""
    return ((VERSION_HEADER, b"%d" % version),)


class NewestWins:
    """Takes in the records of one partition, in their order.

    Args:
        store: where values are kept.
        version: how new a value is; None: the record written last counts, whatever it is.
        is_empty: whether the store is empty now. While it fills, most keys are met for the first time, and a
            table of one byte per slot tells so without asking the store; it can err on the safe side only.
        expected: about how many records will come.

    Attributes:
        repairs: key -> value that counts although another record stands behind it; None: a deletion counts.
        deleted: key -> version of its deletion, of the newest deletions seen here.
    """

    def __init__(
        self, store: StateStore, version: Version | None, *, is_empty: bool, expected: int = 0
    ) -> None:
        self._store = store
        self._version = version
        self._seen: bytearray | None = None
        if is_empty and version is not None:
            self._seen = bytearray(1 << max(expected * _SLOTS_PER_RECORD, 1 << 10).bit_length())
        self.repairs: dict[bytes, bytes | None] = {}
        self.deleted: dict[bytes, int] = {}

    def note_deletions(self, versions: Mapping[bytes, int]) -> None:
        """Remember deletions, so that a late older value does not undo them."""
        for key, version in versions.items():
            self.deleted.pop(key, None)
            self.deleted[key] = version
        while len(self.deleted) > _MOST_DELETIONS:
            del self.deleted[next(iter(self.deleted))]

    def loaded(self) -> None:
        """Free what served the first filling."""
        self._seen = None

    def take(self, records: Iterable[Any]) -> dict[bytes, bytes | None]:
        """Return the changes that `records` mean; the caller writes them before it calls again."""
        if self._version is None:
            changes = {record.key: record.value for record in records}
            for refused in (None, MARK_KEY):
                changes.pop(refused, None)
            return changes
        changes = {}
        seen = self._seen
        if seen is None:
            for record in records:
                self._compare(record, changes)
            return changes
        last_slot = len(seen) - 1
        for record in records:
            key = record.key
            slot = hash(key) & last_slot
            if seen[slot] or record.value is None or key is None or key == MARK_KEY:
                self._compare(record, changes)
            else:
                changes[key] = record.value
            seen[slot] = 1
        return changes

    def _compare(self, record: Any, changes: dict[bytes, bytes | None]) -> None:  # noqa: ANN401 - see untyped
        key, value = record.key, record.value
        if key is None or key == MARK_KEY:
            return
        known = changes[key] if key in changes else self._store.get(key)
        if value is not None and value == known:
            self.repairs.pop(key, None)
            return
        have = self._of_value(key, known) if known is not None else self.deleted.get(key)
        found = (deletion_of(record.headers) or 0) if value is None else self._of_value(key, value)
        if found is None or (have is not None and found < have):
            if known is not None or key in self.deleted or found is None:
                self.repairs[key] = known
            return
        self.repairs.pop(key, None)
        changes[key] = value
        if value is None:
            self.note_deletions({key: found})
        else:
            self.deleted.pop(key, None)

    def _of_value(self, key: bytes, value: bytes) -> int | None:
        assert self._version is not None  # noqa: S101 - compared only with versions
        return self._version(key, value)


def deletion_of(headers: Iterable[tuple[str, bytes | None]]) -> int | None:
    """Return the version at which a deletion took place; None when its headers do not say."""
    for name, value in headers:
        if name == VERSION_HEADER and value is not None and value.isdigit():
            return int(value)
    return None

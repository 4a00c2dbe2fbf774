"""Where the state of one partition lives while this process owns it: in memory or on disk.

Both are throw-away copies of a compacted topic: made empty at assignment, destroyed when the partition goes.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rocksdict import DBCompressionType, Options, Rdict, WriteBatch, WriteOptions

from streams.transport_errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class StateStore(Protocol):
    """Keys and values are bytes."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, None when there is none."""

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Apply all `changes`; None deletes."""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over all pairs, in no promised order."""

    def destroy(self) -> None:
        """Free everything; the store is not used afterwards."""


class DictStore:
    """For small values and few keys: about 100 bytes of memory per entry beyond key and value."""

    def __init__(self) -> None:
        self._data: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, None when there is none."""
        return self._data.get(key)

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Apply all `changes`; None deletes."""
        for key, value in changes.items():
            if value is None:
                self._data.pop(key, None)
            else:
                self._data[key] = value

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over all pairs, in the order of their first write."""
        return iter(self._data.items())

    def destroy(self) -> None:
        """Free the memory."""
        self._data.clear()


class DiskStore:
    """For much or large data: a RocksDB in `directory`, without write-ahead log (Kafka is the log).

    Args:
        directory: of this store alone; whatever is in it is deleted first.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        if directory.exists():
            shutil.rmtree(directory)
        directory.mkdir(parents=True)
        options = Options(raw_mode=True)
        options.create_if_missing(True)  # noqa: FBT003 - the library's signature
        options.set_compression_type(DBCompressionType.lz4())
        self._database = Rdict(str(directory), options)
        self._without_log = WriteOptions()
        self._without_log.disable_wal = True

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, None when there is none."""
        with _fatal(self._directory):
            value: bytes | None = self._database.get(key)
        return value

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Apply all `changes` at once; None deletes."""
        batch = WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        with _fatal(self._directory):
            self._database.write(batch, self._without_log)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over all pairs in the order of the keys."""
        return iter(self._database.items())

    def destroy(self) -> None:
        """Close the database and delete its directory."""
        self._database.close()
        shutil.rmtree(self._directory, ignore_errors=True)


@contextmanager
def _fatal(directory: Path) -> Iterator[None]:
    """Turn an error of the disk into one that stops the process: it says nothing about any record."""
    try:
        yield
    except Exception as error:
        raise StoreError(f"the store in {directory} failed: {type(error).__name__}") from error


class DiskStores:
    """Factory: one `DiskStore` per partition below `directory`; leftovers of a crash are deleted now."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        shutil.rmtree(directory, ignore_errors=True)

    def __call__(self, partition: int) -> DiskStore:
        """Make the empty store of `partition`."""
        return DiskStore(self._directory / str(partition))

"""Where the state of one partition lives: in memory, or on disk where it survives the process.

Both are copies of a partition of a compacted topic. The one on disk knows what it is a copy of: a `CopyMark`
lies inside the database and is written in the same batch as the data it speaks of. The database has no log of
its own (Kafka is the log), so a crash loses its newest writes; data and mark are then lost together, from the
end backwards, and the mark is never ahead of the data.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
    WriteOptions,
)

from streams.transport_errors import DoubtfulCopyError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MARK_KEY: Final = b"\x00streams.copy-mark\x00"
"""The one key that no record may have; a record that has it is left out of the copy."""
DOUBTFUL: Final = "DOUBTFUL"
"""A file of this name beside the database says: the disk failed, build this copy anew."""
_FORMAT: Final = 1


class CopyMark(msgspec.Struct, frozen=True):
    """What a copy is a copy of, and how far.

    Attributes:
        topic: name of the topic.
        topic_id: its id in Kafka: a topic made anew under the same name has another.
        partition: the partition.
        position: every record below this offset is in the copy, or was superseded.
        saved_at: when that was true, seconds since the epoch on this machine's clock.
        is_clean: whether the copy was closed in order.
        format: layout of the copy.
    """

    topic: str
    topic_id: str
    partition: int
    position: int
    saved_at: float
    is_clean: bool = False
    format: int = _FORMAT


class StateStore(Protocol):
    """Keys and values are bytes."""

    @property
    def mark(self) -> CopyMark | None:
        """Return the newest mark; None when the store is new."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, None when there is none."""

    def write(self, changes: Mapping[bytes, bytes | None], mark: CopyMark | None = None) -> None:
        """Apply all `changes` and the mark at once; None deletes."""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over all pairs as they are now, in no promised order."""

    def keys(self, prefix: bytes) -> list[bytes]:
        """Return all keys that begin with `prefix`."""

    def close(self) -> None:
        """Make all writes last, where the store is kept, and let it go."""

    def destroy(self) -> None:
        """Free and delete everything; the store is not used afterwards."""


class DictStore:
    """For small values and few keys: about 140 bytes of memory per entry beyond key and value.

    Whoever asks for keys by a prefix asks for prefixes of one length: from the first question on the keys are
    kept by their beginnings of that length, so that no later one looks at every key.
    """

    def __init__(self) -> None:
        self._data: dict[bytes, bytes] = {}
        self._prefix_bytes = 0
        self._by_prefix: dict[bytes, dict[bytes, None]] = {}
        self.mark: CopyMark | None = None

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, None when there is none."""
        return self._data.get(key)

    def write(self, changes: Mapping[bytes, bytes | None], mark: CopyMark | None = None) -> None:
        """Apply all `changes` and the mark; None deletes."""
        for key, value in changes.items():
            if value is None:
                self._data.pop(key, None)
                self._forget(key)
            else:
                self._data[key] = value
                if self._prefix_bytes:
                    self._by_prefix.setdefault(key[: self._prefix_bytes], {})[key] = None
        if mark is not None:
            self.mark = mark

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over all pairs as they are now, in the order of their first write."""
        return iter(list(self._data.items()))

    def keys(self, prefix: bytes) -> list[bytes]:
        """Return all keys that begin with `prefix`."""
        if not self._prefix_bytes:
            self._prefix_bytes = len(prefix)
            for key in self._data:
                self._by_prefix.setdefault(key[: self._prefix_bytes], {})[key] = None
        if len(prefix) == self._prefix_bytes:
            return list(self._by_prefix.get(prefix, ()))
        return [key for key in self._data if key.startswith(prefix)]

    def _forget(self, key: bytes) -> None:
        family = self._by_prefix.get(key[: self._prefix_bytes])
        if family is None:
            return
        family.pop(key, None)
        if not family:
            del self._by_prefix[key[: self._prefix_bytes]]

    def close(self) -> None:
        """Free the memory; nothing is kept."""
        self._data.clear()
        self._by_prefix.clear()

    def destroy(self) -> None:
        """Free the memory."""
        self.close()


class DiskOptions:
    """What the databases of a process share, so that their number does not decide about memory.

    Args:
        cache_bytes: read cache of all databases together.
        buffer_bytes: unwritten data of all databases together, beyond which the largest is written out.
    """

    def __init__(self, cache_bytes: int = 32 << 20, buffer_bytes: int = 64 << 20) -> None:
        self._cache = Cache(cache_bytes)
        self._buffers = WriteBufferManager(buffer_bytes, False)  # noqa: FBT003 - the library's signature
        self._largest_buffer = max(buffer_bytes // 4, 1 << 20)

    def make(self) -> Options:
        """Return the options of one database."""
        options = Options(raw_mode=True)
        options.create_if_missing(True)  # noqa: FBT003 - the library's signature
        options.set_compression_type(DBCompressionType.lz4())
        options.set_write_buffer_manager(self._buffers)
        options.set_write_buffer_size(self._largest_buffer)
        options.set_max_write_buffer_number(4)
        # A write that waits for a compaction would hold the interpreter, and with it the heartbeats.
        options.set_level_zero_file_num_compaction_trigger(10)
        options.set_level_zero_slowdown_writes_trigger(64)
        options.set_level_zero_stop_writes_trigger(256)
        options.set_keep_log_file_num(2)
        options.set_max_log_file_size(1 << 20)
        tables = BlockBasedOptions()
        tables.set_block_cache(self._cache)
        tables.set_bloom_filter(10, False)  # noqa: FBT003 - the library's signature
        options.set_block_based_table_factory(tables)
        return options


class DiskStore:
    """For much or large data: a RocksDB in `directory`, kept until somebody destroys it.

    Args:
        directory: of this store alone; made when it is missing.
        shared: what it shares with other databases of the process.

    Raises:
        DoubtfulCopyError: what lies in the directory cannot be trusted; delete it and begin anew.
    """

    def __init__(self, directory: Path, shared: DiskOptions | None = None) -> None:
        self._directory = directory
        if (directory / DOUBTFUL).exists():
            raise DoubtfulCopyError(f"{directory}: a disk error was met before")
        directory.mkdir(parents=True, exist_ok=True)
        self._without_log = WriteOptions()
        self._without_log.disable_wal = True
        try:
            self._database = Rdict(str(directory), (shared or DiskOptions()).make())
        except Exception as error:  # the library has one type for all errors
            raise DoubtfulCopyError(f"{directory}: {type(error).__name__}") from error
        try:
            self.mark = self._read_mark()
        except Exception as error:
            self._database.close()
            raise DoubtfulCopyError(f"{directory}: {type(error).__name__}") from error

    def _read_mark(self) -> CopyMark | None:
        raw = self._database.get(MARK_KEY)
        if raw is None:
            if next(iter(self._database.keys()), None) is not None:
                raise DoubtfulCopyError("data without a mark")
            return None
        mark = msgspec.json.decode(raw, type=CopyMark)
        if mark.format != _FORMAT:
            raise DoubtfulCopyError("another format")
        return mark

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, None when there is none."""
        with self._fatal():
            value: bytes | None = self._database.get(key)
        return value

    def write(self, changes: Mapping[bytes, bytes | None], mark: CopyMark | None = None) -> None:
        """Apply all `changes` and the mark at once; None deletes."""
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        for key, value in changes.items():
            if value is None:
                delete(key)
            else:
                put(key, value)
        if mark is not None:
            put(MARK_KEY, msgspec.json.encode(mark))
        with self._fatal():
            self._database.write(batch, self._without_log)
        if mark is not None:
            self.mark = mark

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over all pairs as they are now, in the order of the keys."""
        pairs = self._database.items()
        last = MARK_KEY
        while True:
            with self._fatal():
                pair: tuple[bytes, bytes] | None = next(pairs, None)
            if pair is None:
                break
            last = pair[0]
            if last != MARK_KEY:
                yield pair
        # The library ends an iteration at a damaged block as if nothing came behind it.
        with self._fatal():
            behind = self._database.iter()
            behind.seek(last)
            if behind.valid():
                behind.next()
            behind.status()

    def keys(self, prefix: bytes) -> list[bytes]:
        """Return all keys that begin with `prefix`; looks at no others."""
        with self._fatal():
            found: list[bytes] = []
            pointer = self._database.iter()
            pointer.seek(prefix)
            while pointer.valid() and pointer.key().startswith(prefix):
                found.append(pointer.key())
                pointer.next()
            pointer.status()
            return [key for key in found if key != MARK_KEY]

    def close(self) -> None:
        """Write out what is in memory and close the database; its directory stays."""
        with self._fatal():
            self._database.flush()
            self._database.close()

    def destroy(self) -> None:
        """Close the database and delete its directory."""
        self._database.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    @contextmanager
    def _fatal(self) -> Iterator[None]:
        """Turn an error of the disk into one that stops the process: it says nothing about any record."""
        try:
            yield
        except Exception as error:
            (self._directory / DOUBTFUL).touch()
            raise StoreError(f"the store in {self._directory} failed: {type(error).__name__}") from error

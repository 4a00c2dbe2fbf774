"""The copy of one partition of a state topic: how far it is, and whether it may be trusted.

The position is the offset below which every record is in the copy. It is written into the copy together with
the data; a crash loses both from the end backwards. The owner's own records are in the store shortly after
they are in the topic, so while such a write is under way the position that is noted stays before it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from streams.newest_wins import NewestWins, deletion_headers
from streams.state_stores import CopyMark
from streams.transport_errors import DoubtfulCopyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from streams.newest_wins import Version
    from streams.state_log import Fetched, WrittenBatch
    from streams.state_stores import StateStore

#: The loop gets its turn after so many records: a write of that many takes about 3 ms.
_CHUNK = 1000
#: An idle partition's mark is renewed after this time: it says that no deletion was missed until then.
_OLD_S = 600.0
#: Records before its position that a copy of an earlier process reads once more, for their deletions: what a
#: late writer writes after the restart must not undo them.
LOOK_BACK: Final = 1000


class Repair(NamedTuple):
    """A record to be written again, because an older one stands behind it."""

    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class PartitionCopy:
    """A store with its position; used by `PartitionState` only.

    Args:
        topic: name of the state topic.
        partition: the partition.
        store: what was kept of it, or an empty store.
        version: see `NewestWins`.

    Attributes:
        store: the store.
        position: offset of the next record to be read.
        records: records read since `begin`.
        newest: what decides which value counts.
        is_unchanged: whether nothing came since the partition was given up.
    """

    def __init__(self, topic: str, partition: int, store: StateStore, version: Version | None) -> None:
        self.topic = topic
        self.partition = partition
        self.store = store
        self._version = version
        self.position = 0 if store.mark is None else store.mark.position
        self.records = 0
        self.newest = NewestWins(store, version, is_empty=False)
        self.is_unchanged = False
        self._topic_id = "" if store.mark is None else store.mark.topic_id
        self._end = 0
        self._started = 0.0
        self._synced_at = 0.0 if store.mark is None else store.mark.saved_at
        self._was_served = False
        self._looks_back = version is not None
        self._writes: dict[object, int] = {}
        self._write_ended = asyncio.Event()
        self._repairs_from: int | None = None

    def begin(self, topic_id: str, begin: int, end: int) -> None:
        """Get ready to read from `position` to `end`.

        Raises:
            DoubtfulCopyError: the copy is not one of this topic, or of a part of it that is gone.
        """
        is_new = self.store.mark is None and not self._was_served
        if not is_new:
            if self._topic_id != topic_id:
                raise DoubtfulCopyError("the topic was made anew")
            self.position = self.safe_position
            if not begin <= self.position <= end:
                raise DoubtfulCopyError(f"offset {self.position} is not within {begin} to {end}")
            if self._looks_back:
                self.position = max(begin, self.position - LOOK_BACK)
                self._looks_back = False
        else:
            self.position = begin
            self._synced_at = time.time()
            self.newest = NewestWins(self.store, self._version, is_empty=True, expected=end - begin)
            self._looks_back = False
        self._topic_id = topic_id
        self._end = end
        self._started = time.monotonic()
        self.records = 0
        self.is_unchanged = self._was_served and self.position >= end
        if is_new:
            self.store.write({}, self._mark())

    @property
    def is_complete(self) -> bool:
        """Return whether all that was there at `begin` has been read; compaction leaves holes."""
        return self.position >= self._end

    @property
    def safe_position(self) -> int:
        """Return the offset below which everything is in the store and nothing is left to be repaired."""
        repairs = () if self._repairs_from is None else (self._repairs_from,)
        return min([self.position, *repairs, *self._writes.values()])

    def begin_write(self) -> object:
        """Note that the owner will write to the topic; give the answer to `end_write`."""
        token = object()
        self._writes[token] = self.position
        return token

    def end_write(self, token: object) -> None:
        """Note that what the owner wrote is in the store."""
        self._writes.pop(token, None)
        self._write_ended.set()

    def rest(self) -> None:
        """The partition was given up: what was not finished will be read from the topic."""
        self.position = self.safe_position
        self._writes.clear()
        self._write_ended.set()
        self._repairs_from = None

    async def take(self, fetched: Fetched, own_producer: int | None = None) -> None:
        """Take in what was fetched, apart from batches of `own_producer`: their writer puts them in."""
        for batch in fetched.batches:
            if own_producer is None or batch.producer != own_producer:
                await self._take_batch(batch)
            self.position = batch.next_offset
        self.position = fetched.next_offset

    async def _take_batch(self, batch: WrittenBatch) -> None:
        records = batch.records()
        for first in range(0, len(records), _CHUNK):
            chunk = records[first : first + _CHUNK]
            changes = self.newest.take(chunk)
            self.records += len(chunk)
            self.is_unchanged = False
            if self.newest.repairs and self._repairs_from is None:
                self._repairs_from = self.position
            # In the middle of a batch the position stays before it: what is read twice does no harm.
            self.store.write(changes, self._mark())
            await asyncio.sleep(0)

    def finish_load(self) -> float:
        """Note that the copy is up to date and answer the seconds since `begin`."""
        self.newest.loaded()
        self._was_served = True
        self.synced()
        return time.monotonic() - self._started

    async def write_again(self, publish: Callable[[list[Repair]], Awaitable[object]]) -> None:
        """Write again what counts, until it stands behind everything older.

        The owner goes on meanwhile. A value that it wrote after `repairs` was read, and before the repair was
        sent, would have an older one behind it again, by our own hand. So whatever the store holds anew once
        all writes that had begun are over is written once more.

        Args:
            publish: Sends records and returns when they are confirmed.
        """
        while repairs := self._repairs():
            await publish(repairs)
            begun = set(self._writes)
            while begun & self._writes.keys():
                self._write_ended.clear()
                await self._write_ended.wait()
            now = {repair.key: repair for repair in self._repairs()}
            for repair in repairs:
                if now.get(repair.key) == repair:
                    del self.newest.repairs[repair.key]
        self._repairs_from = None

    def _repairs(self) -> list[Repair]:
        deleted, found = self.newest.deleted, []
        for key in sorted(self.newest.repairs):
            value = self.store.get(key)
            headers = () if value is not None else deletion_headers(deleted.get(key, 0))
            found.append(Repair(key, value, headers))
        return found

    def synced(self) -> None:
        """Note in the store how far it is; to be called when all that the topic held a moment ago is read."""
        mark = self.store.mark
        self._synced_at = time.time()
        is_old = mark is not None and self._synced_at - mark.saved_at > _OLD_S
        if mark is None or mark.position != self.safe_position or mark.is_clean or is_old:
            self.store.write({}, self._mark())

    def close(self) -> None:
        """Close the store in order; what is on disk stays there."""
        self.store.write({}, self._mark(is_clean=True))
        self.store.close()

    def _mark(self, *, is_clean: bool = False) -> CopyMark:
        return CopyMark(
            self.topic,
            self._topic_id,
            self.partition,
            self.safe_position,
            self._synced_at,
            is_clean=is_clean,
        )

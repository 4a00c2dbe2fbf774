import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streams.newest_wins import NewestWins, deletion_headers, deletion_of
from streams.partition_copy import LOOK_BACK, PartitionCopy, Repair
from streams.state_log import Fetched
from streams.state_stores import CopyMark, DictStore


class Owned:
    """A copy of which an older value was found behind the one that counts, and the end of its topic."""

    def __init__(self) -> None:
        self.published = asyncio.Event()
        self.log: list[bytes | None] = [b"2", b"1"]
        self.store = DictStore()
        self.store.write({b"case": b"2"})
        self.copy = PartitionCopy("states", 0, self.store, lambda _key, value: int(value))
        self.copy.newest.repairs[b"case"] = b"2"

    async def publish(self, repairs: list[Repair]) -> None:
        """Append and confirm."""
        await asyncio.sleep(0)
        self.log += [repair.value for repair in repairs]
        self.published.set()


async def test_what_counts_is_written_behind_a_late_writer() -> None:
    """Compaction would keep the older value that stands last."""
    owned = Owned()
    await owned.copy.write_again(owned.publish)
    assert owned.log == [b"2", b"1", b"2"]
    assert owned.copy.newest.repairs == {}


async def test_a_value_that_the_owner_writes_meanwhile_is_not_left_behind_its_repair() -> None:
    """The owner's newest value stands last, also when a repair came between it and its end."""
    owned = Owned()
    token = owned.copy.begin_write()
    owned.log.append(b"3")  # sent before the repair, and not in the store before the repair is confirmed
    repairing = asyncio.create_task(owned.copy.write_again(owned.publish))
    await owned.published.wait()
    owned.store.write({b"case": b"3"})
    owned.copy.end_write(token)
    await repairing
    assert owned.log == [b"2", b"1", b"3", b"2", b"3"]
    assert owned.copy.newest.repairs == {}


async def test_a_deletion_that_counts_is_written_again_with_its_version() -> None:
    """A late value must not raise what was deleted."""
    owned = Owned()
    owned.store.write({b"case": None})
    owned.copy.newest.deleted[b"case"] = 7
    sent: list[Repair] = []

    async def publish(repairs: list[Repair]) -> None:
        sent.extend(repairs)

    await owned.copy.write_again(publish)
    assert [(repair.value, deletion_of(repair.headers)) for repair in sent] == [(None, 7)]


def test_of_many_deletions_the_newest_are_remembered() -> None:
    """What is remembered of deletions is bounded, so that years of erasures fill no memory."""
    newest = NewestWins(DictStore(), lambda _key, _value: 0, is_empty=False)
    newest.note_deletions({b"%d" % number: number for number in range(20_001)})
    newest.note_deletions({b"1": 30_000})
    newest.note_deletions({b"last": 1})
    assert len(newest.deleted) == 20_000
    assert newest.deleted.keys().isdisjoint({b"0", b"2"})
    assert newest.deleted[b"1"] == 30_000


class _Batch:
    """Records of a topic from a position on, as one producer's batch."""

    def __init__(self, log: list[Any], position: int) -> None:
        self._log, self._position = log, position
        self.producer, self.next_offset = None, len(log)

    def records(self) -> list[Any]:
        """Answer them."""
        return self._log[self._position :]


def record(value: bytes | None, version: int | None = None, key: bytes = b"case") -> Any:  # noqa: ANN401 - a Kafka record
    """Answer a record of the topic."""
    return SimpleNamespace(key=key, value=value, headers=() if version is None else deletion_headers(version))


@pytest.mark.parametrize("others", [0, LOOK_BACK - 2])
async def test_a_late_writer_raises_nothing_that_was_deleted_before_a_restart(others: int) -> None:
    """The worker that deleted it ended before the late value came; the next process knows of the deletion."""
    log = [record(b"4"), record(None, 9), *(record(b"%d" % n, key=b"other") for n in range(others))]
    store = DictStore()
    kept = {b"other": b"%d" % (others - 1)} if others else {}
    store.write(kept, CopyMark("states", "id", 0, len(log), 0.0))
    log.append(record(b"4"))
    copy = PartitionCopy("states", 0, store, lambda _key, value: int(value))
    copy.begin("id", 0, len(log))
    await copy.take(Fetched(0, [_Batch(log, copy.position)], len(log)))  # type: ignore[list-item]
    assert dict(store.items()) == kept
    assert copy.newest.repairs == {b"case": None}
    before = copy.safe_position
    copy.begin("id", 0, len(log))
    assert copy.position == before

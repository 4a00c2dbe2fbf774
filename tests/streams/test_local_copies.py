"""Copies of partitions on disk: whose they are, what survives a crash, and what is not trusted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.local_copies import LocalCopies
from streams.state_stores import MARK_KEY, CopyMark, DiskStore
from streams.transport_errors import DoubtfulCopyError, StoreError

TOPIC = "cases"
#: Fills a store for ever, values and position in step, and says when the first has been written out.
FILLER = """
import sys
from pathlib import Path
from streams.state_stores import CopyMark, DiskOptions, DiskStore
store = DiskStore(Path(sys.argv[1]), DiskOptions(buffer_bytes=1 << 20))
print("ready", flush=True)
number = 0
while True:
    mark = CopyMark("cases", "id", 0, number + 1, 0.0)
    store.write({b"%020d" % number: b"x" * 2000}, mark)
    number += 1
"""


def mark(position: int = 5, partition: int = 0) -> CopyMark:
    """Answer a mark of now."""
    return CopyMark(TOPIC, "id", partition, position, time.time())


def kept(copies: LocalCopies, partition: int = 0, **pairs: bytes) -> None:
    """Leave a closed copy behind."""
    store = copies.open(TOPIC, partition)
    store.write({key.encode(): value for key, value in pairs.items()}, mark(partition=partition))
    store.close()


def test_a_copy_is_there_again_after_a_restart(tmp_path: Path) -> None:
    """Pairs and mark survive; the next worker takes the directory of the one before it."""
    first = LocalCopies(tmp_path)
    kept(first, a=b"1")
    first.close()
    second = LocalCopies(tmp_path)
    assert second.directory == first.directory
    store = second.open(TOPIC, 0)
    assert dict(store.items()) == {b"a": b"1"}
    assert store.mark is not None
    assert store.mark.position == 5
    assert MARK_KEY not in dict(store.items())
    store.close()


def test_two_workers_never_share_a_directory(tmp_path: Path) -> None:
    """Neither by number nor by name; whoever is left takes the first that is free."""
    first, second = LocalCopies(tmp_path), LocalCopies(tmp_path)
    assert first.directory != second.directory
    named, rival = LocalCopies(tmp_path, "pod-1"), LocalCopies(tmp_path, "pod-1")
    assert named.directory != rival.directory
    first.close()
    assert LocalCopies(tmp_path).directory == first.directory


def test_a_copy_of_another_partition_is_not_used(tmp_path: Path) -> None:
    """Directories that were swapped are found out by what lies in them."""
    copies = LocalCopies(tmp_path)
    kept(copies, 0, a=b"0")
    kept(copies, 1, a=b"1")
    one, other = copies.directory / TOPIC / "0", copies.directory / TOPIC / "1"
    one.rename(tmp_path / "x")
    other.rename(one)
    (tmp_path / "x").rename(other)
    assert dict(copies.open(TOPIC, 0).items()) == {}
    assert dict(copies.open(TOPIC, 1).items()) == {}


def test_a_copy_that_is_too_old_is_not_used_and_its_space_is_given_back(tmp_path: Path) -> None:
    """A deletion may be forgotten by Kafka before an old copy has seen it."""
    copies = LocalCopies(tmp_path, max_age=1000)
    store = copies.open(TOPIC, 0)
    store.write({b"a": b"1"}, CopyMark(TOPIC, "id", 0, 5, time.time() - 2000))
    store.close()
    assert dict(copies.open(TOPIC, 0).items()) == {}
    kept(copies, 3, a=b"1")
    copies.close()
    for path in (copies.directory, *copies.directory.glob("*"), *copies.directory.glob("*/*")):
        os.utime(path, (time.time() - 2000,) * 2)
    other = LocalCopies(tmp_path, "another", max_age=1000)
    assert list(tmp_path.iterdir()) == [other.directory]


def broken(directory: Path, how: str) -> None:
    """Damage the files of a closed copy."""
    table = max(directory.glob("*.sst"), key=lambda path: path.stat().st_size)
    if how == "flipped":
        raw = bytearray(table.read_bytes())
        for position in range(0, len(raw), 64):
            raw[position] ^= 0xFF
        table.write_bytes(raw)
    elif how == "truncated":
        os.truncate(table, table.stat().st_size // 2)
    elif how == "missing table":
        table.unlink()
    elif how == "missing manifest":
        for path in directory.glob("MANIFEST*"):
            path.unlink()
    elif how == "no current":
        (directory / "CURRENT").write_bytes(b"")


@pytest.mark.parametrize("how", ["flipped", "truncated", "missing table", "missing manifest", "no current"])
def test_a_damaged_copy_is_built_anew(tmp_path: Path, how: str) -> None:
    """Whatever is wrong with the files, an empty store comes out, not an error and not half of the data."""
    copies = LocalCopies(tmp_path)
    kept(copies, **{f"key{number}": b"value" * 50 for number in range(500)})
    broken(copies.directory / TOPIC / "0", how)
    store = copies.open(TOPIC, 0)
    assert (dict(store.items()), store.mark) == ({}, None)


def test_damage_that_shows_late_stops_the_process_and_is_remembered(tmp_path: Path) -> None:
    """A block that cannot be read blames no record; the next start builds the copy anew."""
    copies = LocalCopies(tmp_path)
    kept(copies, **{f"key{number:05}": os.urandom(500) for number in range(2000)})
    directory = copies.directory / TOPIC / "0"
    store = copies.open(TOPIC, 0)
    table = max(directory.glob("*.sst"), key=lambda path: path.stat().st_size)
    with table.open("r+b") as file:
        file.seek(table.stat().st_size // 2)
        file.write(os.urandom(20_000))
    with pytest.raises(StoreError):
        list(store.items())
    with pytest.raises(StoreError):
        store.keys(b"key")
    store.close()
    with pytest.raises(DoubtfulCopyError):
        DiskStore(directory)
    assert dict(copies.open(TOPIC, 0).items()) == {}


def test_after_a_crash_the_position_is_never_ahead_of_the_data(tmp_path: Path) -> None:
    """Killed at a random moment, a store has lost data and position together, from the end backwards."""
    directory = tmp_path / "store"
    for _ in range(3):
        shutil.rmtree(directory, ignore_errors=True)
        filler = subprocess.Popen(
            [sys.executable, "-c", FILLER, str(directory)], stdout=subprocess.PIPE, text=True
        )
        assert filler.stdout is not None
        assert filler.stdout.readline() == "ready\n"
        while len(list(directory.glob("*.sst"))) < 2:
            assert filler.poll() is None
        filler.send_signal(signal.SIGKILL)
        filler.communicate()
        store = DiskStore(directory)
        assert store.mark is not None
        assert 0 < store.mark.position == len(list(store.items()))
        assert store.get(b"%020d" % (store.mark.position - 1)) is not None
        store.close()

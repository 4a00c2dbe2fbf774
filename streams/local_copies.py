"""The directory in which one worker keeps its copies of partitions over restarts.

Two processes must never share it, and neither a process id nor a host name says who else is there (in
containers everybody may be process 1 and see the same disk). So a worker takes the first numbered directory
whose lock file it can lock; the kernel lets go of the lock with the process, however that ends. A worker that
starts again finds its predecessor's directory free and takes it.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import shutil
import time
from typing import TYPE_CHECKING, Protocol

from streams.state_stores import DictStore, DiskOptions, DiskStore
from streams.transport_errors import DoubtfulCopyError

if TYPE_CHECKING:
    from pathlib import Path

    from streams.state_stores import StateStore

log = logging.getLogger(__name__)

_LOCK = "LOCK"


class Stores(Protocol):
    """Opens the store of a partition."""

    def open(self, topic: str, partition: int) -> StateStore:
        """Return the store that was kept of this partition, or an empty one."""

    def renew(self, topic: str, partition: int) -> StateStore:
        """Return an empty store; what was kept is deleted."""


class InMemory:
    """Keeps nothing: every store is a new `DictStore`."""

    def open(self, topic: str, partition: int) -> StateStore:  # noqa: ARG002 - the protocol's signature
        """Return an empty store."""
        return DictStore()

    def renew(self, topic: str, partition: int) -> StateStore:  # noqa: ARG002 - likewise
        """Return an empty store."""
        return DictStore()


class LocalCopies:
    """Copies of partitions below ``parent/name-N``, locked for this process.

    Args:
        parent: directory of all workers of this machine, made when it is missing.
        name: beginning of the directory's name; the stable name of the worker, where it has one.
        max_age: seconds after which a copy that nobody used is deleted. Kafka forgets the deletion of a key
            after the topic's ``delete.retention.ms``, so an older copy could not be brought up to date: keep
            this well below.
    """

    def __init__(self, parent: Path, name: str = "worker", *, max_age: float = 3 * 86400.0) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        self._shared = DiskOptions()
        self.max_age = max_age
        self.directory, self._lock = _take(parent, name)
        _delete_old_neighbours(parent, max_age)
        for left in self.directory.glob("*/*"):
            if left.is_dir() and _age(left) > max_age:
                shutil.rmtree(left, ignore_errors=True)

    def open(self, topic: str, partition: int) -> StateStore:
        """Return the store that was kept of this partition, or an empty one when there is none to trust."""
        try:
            store = DiskStore(self._path(topic, partition), self._shared)
        except DoubtfulCopyError as error:
            log.warning("a copy cannot be used and is built anew: %s", error)
            return self.renew(topic, partition)
        mark = store.mark
        if mark is not None and (
            (mark.topic, mark.partition) != (topic, partition) or time.time() - mark.saved_at > self.max_age
        ):
            log.warning("%s[%d]: the copy is of another partition or too old", topic, partition)
            store.destroy()
            return self.renew(topic, partition)
        return store

    def renew(self, topic: str, partition: int) -> StateStore:
        """Return an empty store; what was kept is deleted."""
        path = self._path(topic, partition)
        shutil.rmtree(path, ignore_errors=True)
        return DiskStore(path, self._shared)

    def close(self) -> None:
        """Let another worker have the directory."""
        os.close(self._lock)

    def _path(self, topic: str, partition: int) -> Path:
        return self.directory / topic / str(partition)


def _take(parent: Path, name: str) -> tuple[Path, int]:
    for number in itertools.count():
        directory = parent / f"{name}-{number}"
        directory.mkdir(exist_ok=True)
        if (lock := _try_lock(directory)) is not None:
            return directory, lock
    raise AssertionError  # count() does not end


def _try_lock(directory: Path) -> int | None:
    path = directory / _LOCK
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:  # deleted since it was listed or made
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_ino == path.stat().st_ino:
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass  # taken by another worker, or deleted between opening and locking
    os.close(lock)
    return None


def _delete_old_neighbours(parent: Path, max_age: float) -> None:
    for directory in parent.iterdir():
        if not directory.is_dir() or _age(directory) <= max_age:
            continue
        if (lock := _try_lock(directory)) is not None:
            shutil.rmtree(directory, ignore_errors=True)
            os.close(lock)


def _age(directory: Path) -> float:
    """Return seconds since anything directly in a directory, or two levels below, was made or renamed."""
    paths = [directory, *directory.glob("*"), *directory.glob("*/*")]
    try:
        return time.time() - max(path.stat().st_mtime for path in paths)
    except FileNotFoundError:  # somebody is at work there
        return 0.0

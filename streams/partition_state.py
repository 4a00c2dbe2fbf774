"""Own state per partition beside Faust, kept in a compacted topic, with a copy of it here.

Faust's tables recover 25 times slower, write without confirmation, and lose records in some first starts.
Here a partition's state is the newest record per key of one compacted topic that has as many partitions
as the topic the agent reads. It loads in the background (heartbeats stand still while Faust assigns), and
the agent waits per partition: ``store = await state.get(batch.partition)``. A copy that was kept on disk is
checked against its topic and brought up to date; a doubtful one is built anew.

The rule for writers: first every effect confirmed, then the new states published to the same partition of the
state topic and confirmed, then ``store.write(...)``, then return (and be acknowledged). What is not confirmed
is never in the store. All of it from the first send on inside ``with state.writing(partition):``.

After the load the topic is read on. A record that another producer wrote there comes from a worker that has
lost the partition and does not know it; what it wrote over is written again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from streams.fault_points import NO_FAULTS
from streams.local_copies import InMemory
from streams.partition_copy import PartitionCopy
from streams.publishing import Outgoing
from streams.state_log import StateLog
from streams.transport_errors import DoubtfulCopyError, PartitionRevokedError, StateLoadError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from faust.types import TP

    from streams.fail_stop import FailStop
    from streams.fault_points import FaultPoints
    from streams.local_copies import Stores
    from streams.newest_wins import Version
    from streams.partition_copy import Repair
    from streams.publishing import BatchPublisher
    from streams.state_stores import StateStore
    from streams.untyped import FaustApp

log = logging.getLogger(__name__)

#: Seconds of trouble with the broker after which a load gives up and the process stops.
PATIENCE_S = 120.0
_BACKOFF_S = 0.5
#: Seconds between two notes of how far a copy is; what a crash makes the next start read again.
_SAVE_EVERY_S = 5.0
_FETCH_S = 1.0


@dataclass
class LoadedPartition:
    """What one load found.

    Attributes:
        store: the newest value of every key.
        records: how many records were read, older values and deletions included.
        stale_keys: keys whose *last* record was older than one before it (a worker that had lost the
            partition wrote late). They have been written again.
        seconds: how long the load took.
        is_unchanged: whether the store is as it was when this process gave the partition up a moment ago.
    """

    store: StateStore
    records: int = 0
    stale_keys: set[bytes] = field(default_factory=set)
    seconds: float = 0.0
    is_unchanged: bool = False


class PartitionState:
    """The state that belongs to the partitions of one topic this worker is assigned.

    Args:
        app: whose transport tells about partitions; the state registers itself there.
        follows: the topic whose assigned partitions decide what is loaded.
        topic: the compacted topic with the state; must have at least as many partitions.
        client_settings: of aiokafka, see `WorkerOptions.client_settings`.
        stores: opens the store of a partition; the default keeps it in memory and for this process only.
        version: how new a value is, see `streams.newest_wins`; None: the record written last counts.
        publish: sends and confirms records, to write again what a late writer wrote over; needed with
            `version`.
        on_loaded: called with (partition, `LoadedPartition`) before anybody gets the store.
        on_revoked: called with the partition when it is given up, if it was loaded. Its store rests then:
            the partition often comes back at once.
        on_dropped: called with the partition when its store is closed because it did not come back.
    """

    def __init__(  # noqa: PLR0913 - keyword-only hooks
        self,
        app: FaustApp,
        *,
        follows: str,
        topic: str,
        client_settings: Mapping[str, Any],
        stores: Stores | None = None,
        version: Version | None = None,
        publish: Callable[[list[Outgoing]], Awaitable[object]] | None = None,
        on_loaded: Callable[[int, LoadedPartition], None] | None = None,
        on_revoked: Callable[[int], None] | None = None,
        on_dropped: Callable[[int], None] | None = None,
    ) -> None:
        self.topic = topic
        self._app = app
        self._follows = follows
        self._client_settings = client_settings
        self._stores = stores if stores is not None else InMemory()
        self._version = version
        self._publish = publish
        self._on_loaded = on_loaded
        self._on_revoked = on_revoked
        self._on_dropped = on_dropped
        self._fail_stop: FailStop = app.transport.fail_stop
        self._faults: FaultPoints = getattr(app.transport, "faults", NO_FAULTS)
        self._waiting: dict[int, asyncio.Future[StateStore]] = {}
        self._copies: dict[int, PartitionCopy] = {}
        self._work: asyncio.Task[None] | None = None
        self._ended: list[asyncio.Task[None]] = []
        self._good_at = 0.0
        self.loaded_records: dict[int, int] = {}
        app.transport.listeners.append(self)

    async def get(self, partition: int) -> StateStore:
        """Return the store of `partition`, waiting until it is loaded.

        Raises:
            PartitionRevokedError: the partition is not ours (any more).
        """
        future = self._waiting.get(partition)
        if future is None:
            raise PartitionRevokedError(f"{self.topic}[{partition}]")
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if future.cancelled():
                raise PartitionRevokedError(f"{self.topic}[{partition}]") from None
            raise

    @contextmanager
    def writing(self, partition: int) -> Iterator[None]:
        """Hold the note of how far the copy is, from before records are sent until they are in the store.

        Left by an error, it stays where it is: the next load reads from there.
        """
        copy = self._copies.get(partition)
        if copy is None:
            raise PartitionRevokedError(f"{self.topic}[{partition}]")
        token = copy.begin_write()
        yield
        copy.end_write(token)

    def deleted(self, partition: int, versions: Mapping[bytes, int]) -> None:
        """Remember deletions that were just written, so that a late older value does not undo them."""
        copy = self._copies.get(partition)
        if copy is not None:
            copy.newest.note_deletions(versions)

    @property
    def loading(self) -> frozenset[int]:
        """Return the assigned partitions whose state is not there yet."""
        return frozenset(p for p, future in self._waiting.items() if not future.done())

    @property
    def is_ready(self) -> bool:
        """Return whether the state of every assigned partition is there; for readiness checks."""
        return not self.loading

    def stores(self) -> dict[int, StateStore]:
        """Return the stores of all loaded partitions."""
        return {p: copy.store for p, copy in sorted(self._copies.items()) if self._is_loaded(p)}

    def _is_loaded(self, partition: int) -> bool:
        future = self._waiting.get(partition)
        return future is not None and future.done() and not future.cancelled()

    # PartitionListener -------------------------------------------------------------------------------

    def suspended(self) -> None:
        """Stop loading and following, and let those who wait for a load give up; what is loaded serves."""
        if self._work is not None:
            self._work.cancel()
            self._ended.append(self._work)
            self._work = None
        for future in self._waiting.values():
            future.cancel()

    def abandoned(self) -> None:
        """Need nothing: whoever works on a store is cancelled by its lane."""

    def revoked(self, partitions: Iterable[TP]) -> None:  # noqa: ARG002 - the listener's signature
        """Rest everything: with Kafka's eager protocol every partition is revoked before any is assigned."""
        self.suspended()
        if self._on_revoked is not None:
            for partition in list(self.stores()):
                self._on_revoked(partition)
        for copy in self._copies.values():
            copy.rest()
        self._waiting.clear()
        self.loaded_records.clear()

    def assigned(self, partitions: Iterable[TP]) -> None:
        """Begin to load; returns at once."""
        mine = sorted(tp.partition for tp in partitions if tp.topic == self._follows)
        loop = asyncio.get_running_loop()
        self._waiting = {partition: loop.create_future() for partition in mine}
        self._work = asyncio.create_task(self._run(mine), name=f"load {self.topic}")

    async def close(self) -> None:
        """Close all copies in order; call it when the app has stopped."""
        self.suspended()
        await asyncio.gather(*self._ended, return_exceptions=True)
        await self._drop(set(self._copies))

    # loading and following ----------------------------------------------------------------------------

    async def _run(self, mine: list[int]) -> None:
        try:
            await asyncio.gather(*self._ended, return_exceptions=True)
            self._ended.clear()
            await self._drop(self._copies.keys() - set(mine))
            self._good_at = time.monotonic()
            while mine:
                try:
                    async with StateLog(self._client_settings, self.topic) as topic:
                        await self._load(topic, mine)
                        topic.calm_down()
                        await self._follow(topic)
                except (KafkaError, OSError, TimeoutError) as error:
                    if isinstance(error, OffsetOutOfRangeError):
                        raise
                    self._check_patience()
                    log.warning("%s: trying again after %s: %s", self.topic, type(error).__name__, error)
                    await asyncio.sleep(_BACKOFF_S)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - without its state a partition must not be worked on
            self._fail_stop(f"the state in {self.topic} could not be loaded", error)

    async def _drop(self, partitions: Iterable[int]) -> None:
        for partition in sorted(partitions):
            copy = self._copies.pop(partition)
            if self._on_dropped is not None:
                self._on_dropped(partition)
            copy.close()
            await asyncio.sleep(0)

    async def _load(self, topic: StateLog, mine: list[int]) -> None:
        topic_id = await topic.identity()
        # Read after the assignment: the previous owner confirmed its writes before it gave the partition up.
        bounds = await topic.bounds(mine)
        for partition in mine:
            begin, end = bounds[partition]
            await self._prepare(partition, topic_id, begin, end)
        topic.read_from({partition: self._copies[partition].position for partition in mine})
        for partition in mine:
            await self._publish_if_loaded(partition)
        while self.loading:
            await self._read(topic)
            self._check_patience()

    async def _read(self, topic: StateLog) -> None:
        for fetched in await topic.fetch(_FETCH_S):
            self._good_at = time.monotonic()
            copy = self._copies[fetched.partition]
            if self._is_loaded(fetched.partition):
                await copy.take(fetched, own_producer=self._own_producer())
                await self._repair(fetched.partition)
            else:
                await copy.take(fetched)
                await self._publish_if_loaded(fetched.partition)

    def _check_patience(self) -> None:
        if self.loading and time.monotonic() - self._good_at > PATIENCE_S:
            raise StateLoadError(f"nothing of {self.topic} could be read for {PATIENCE_S:g} s")

    async def _prepare(self, partition: int, topic_id: str, begin: int, end: int) -> None:
        copy = self._copies.get(partition)
        if copy is None:
            store = self._stores.open(self.topic, partition)
            copy = PartitionCopy(self.topic, partition, store, self._version)
            await asyncio.sleep(0)
        try:
            copy.begin(topic_id, begin, end)
        except DoubtfulCopyError as error:
            if self._is_loaded(partition):
                raise
            log.warning("%s[%d]: the copy is built anew: %s", self.topic, partition, error)
            copy.store.destroy()
            copy = PartitionCopy(
                self.topic, partition, self._stores.renew(self.topic, partition), self._version
            )
            copy.begin(topic_id, begin, end)
        self._copies[partition] = copy

    async def _publish_if_loaded(self, partition: int) -> None:
        copy = self._copies[partition]
        if not copy.is_complete or self._waiting[partition].done():
            return
        await self._faults.reach("state.load", partition)
        stale = set(copy.newest.repairs)
        await self._repair(partition)
        seconds = copy.finish_load()
        found = LoadedPartition(copy.store, copy.records, stale, seconds, is_unchanged=copy.is_unchanged)
        self.loaded_records[partition] = copy.records
        if self._on_loaded is not None:
            self._on_loaded(partition, found)
        self._waiting[partition].set_result(copy.store)
        log.info("%s[%d]: %d records loaded in %.1f s", self.topic, partition, copy.records, seconds)

    async def _repair(self, partition: int) -> None:
        """Write again what counts, where another record stands behind it: compaction would keep that one."""
        copy = self._copies[partition]
        if not copy.newest.repairs or self._publish is None:
            return
        publish = self._publish
        log.warning("%s[%d]: %d values of a late writer", self.topic, partition, len(copy.newest.repairs))

        async def send(repairs: list[Repair]) -> None:
            await publish(
                [Outgoing(self.topic, partition, key, value, headers) for key, value, headers in repairs]
            )

        try:
            await copy.write_again(send)
        except Exception as error:  # noqa: BLE001 - whatever it is, the topic may end with an old value
            self._fail_stop("states could not be written again", error)

    async def _follow(self, topic: StateLog) -> None:
        synced_at = time.monotonic()
        while True:
            await self._read(topic)
            if time.monotonic() - synced_at >= _SAVE_EVERY_S:
                synced_at = time.monotonic()
                for copy in self._copies.values():
                    copy.synced()

    def _own_producer(self) -> int | None:
        """Return the id under which this process writes; None when it is not known."""
        publisher: BatchPublisher | None = getattr(self._app, "publisher", None)
        return None if publisher is None else publisher.producer_id


async def get_all(partition: int, *states: PartitionState) -> tuple[StateStore, ...]:
    """Return the stores of one partition in several states, when all are loaded.

    Raises:
        PartitionRevokedError: the partition is not ours (any more).
    """
    return tuple([await state.get(partition) for state in states])


@contextmanager
def writing(partitions: Iterable[int], *states: PartitionState) -> Iterator[None]:
    """Enter `PartitionState.writing` for several partitions of several states at once."""
    with ExitStack() as open_writes:
        for partition in partitions:
            for state in states:
                open_writes.enter_context(state.writing(partition))
        yield

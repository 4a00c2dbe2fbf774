"""Own state per partition beside Faust, kept in a compacted topic and loaded in bulk at assignment.

Faust's tables recover 25 times slower, write without confirmation, and lose records in some first starts.
Here a partition's state is the newest record per key of one compacted topic that has as many partitions
as the topic the agent reads. It loads in the background (heartbeats stand still while Faust assigns), and
the agent waits per partition: ``store = await state.get(batch.partition)``.

The rule for writers: first every effect confirmed, then the new states published to the same partition of the
state topic and confirmed, then ``store.write(...)``, then return (and be acknowledged). What is not confirmed
is never in the store.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.state_stores import DictStore
from streams.transport_errors import PartitionRevokedError, StateLoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from faust.types import TP

    from streams.fail_stop import FailStop
    from streams.fault_points import FaultPoints
    from streams.state_stores import StateStore
    from streams.untyped import FaustApp, KafkaConsumer, KafkaRecord

log = logging.getLogger(__name__)

_CHUNK = 5000
_LOADER_SETTINGS = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "max_partition_fetch_bytes": 4 << 20,
    "fetch_max_bytes": 64 << 20,
    "check_crcs": False,
}


@dataclass
class LoadedPartition:
    """What one load found.

    Attributes:
        store: the newest value of every key.
        records: how many records were read, older values and tombstones included.
        stale_keys: keys whose *last* record was older than one before it (a worker that had lost the
            partition wrote late). Compaction would keep the wrong one: the owner should write the value
            in the store again.
        seconds: how long the load took.
    """

    store: StateStore
    records: int = 0
    stale_keys: set[bytes] = field(default_factory=set)
    seconds: float = 0.0


def _always_newer(_old: bytes, _new: bytes) -> bool:
    return True


class PartitionState:
    """The state that belongs to the partitions of one topic this worker is assigned.

    Args:
        app: whose transport tells about partitions; the state registers itself there.
        follows: the topic whose assigned partitions decide what is loaded.
        topic: the compacted topic with the state; must have at least as many partitions.
        client_settings: of aiokafka, see `WorkerOptions.client_settings`.
        make_store: called with the partition; the default keeps it in memory.
        newer: ``newer(old, new)`` says whether `new`, which was read later, replaces `old`. Compare the
            source offsets inside the values here, so that a late writer does not win.
        on_loaded: called with (partition, `LoadedPartition`) before anybody gets the store.
        on_revoked: called with the partition before its store is destroyed, if it was loaded.
    """

    def __init__(  # noqa: PLR0913 - keyword-only hooks
        self,
        app: FaustApp,
        *,
        follows: str,
        topic: str,
        client_settings: Mapping[str, Any],
        make_store: Callable[[int], StateStore] = lambda _partition: DictStore(),
        newer: Callable[[bytes, bytes], bool] = _always_newer,
        on_loaded: Callable[[int, LoadedPartition], None] | None = None,
        on_revoked: Callable[[int], None] | None = None,
    ) -> None:
        self.topic = topic
        self._follows = follows
        self._client_settings = client_settings
        self._make_store = make_store
        self._newer = newer
        self._on_loaded = on_loaded
        self._on_revoked = on_revoked
        self._fail_stop: FailStop = app.transport.fail_stop
        self._faults: FaultPoints = app.transport.faults
        self._waiting: dict[int, asyncio.Future[StateStore]] = {}
        self._stores: dict[int, StateStore] = {}
        self._load: asyncio.Task[None] | None = None
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
        return {partition: store for partition, store in self._stores.items() if self._is_loaded(partition)}

    def _is_loaded(self, partition: int) -> bool:
        future = self._waiting.get(partition)
        return future is not None and future.done() and not future.cancelled()

    # PartitionListener -------------------------------------------------------------------------------

    def suspended(self) -> None:
        """Stop loading and let those who wait for it give up; what is loaded serves until `revoked`."""
        if self._load is not None:
            self._load.cancel()
            self._load = None
        for future in self._waiting.values():
            future.cancel()

    def abandoned(self) -> None:
        """Need nothing: whoever works on a store is cancelled by its lane."""

    def revoked(self, partitions: Iterable[TP]) -> None:  # noqa: ARG002 - the listener's signature
        """Drop everything: with Kafka's eager protocol every partition is revoked before any is assigned."""
        self.suspended()
        for partition, store in sorted(self._stores.items()):
            if self._on_revoked is not None and self._is_loaded(partition):
                self._on_revoked(partition)
            store.destroy()
        self._stores.clear()
        self._waiting.clear()
        self.loaded_records.clear()

    def assigned(self, partitions: Iterable[TP]) -> None:
        """Begin to load; returns at once."""
        mine = sorted(tp.partition for tp in partitions if tp.topic == self._follows)
        loop = asyncio.get_running_loop()
        self._waiting = {partition: loop.create_future() for partition in mine}
        if mine:
            self._load = asyncio.create_task(self._load_all(mine), name=f"load {self.topic}")

    # loading ------------------------------------------------------------------------------------------

    async def _load_all(self, partitions: list[int]) -> None:
        try:
            consumer = AIOKafkaConsumer(**_LOADER_SETTINGS, **self._client_settings)
            try:
                await consumer.start()
                await self._read(consumer, partitions)
            finally:
                await consumer.stop()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - without its state a partition must not be worked on
            self._fail_stop(f"the state in {self.topic} could not be loaded", error)

    async def _read(self, consumer: KafkaConsumer, partitions: list[int]) -> None:
        cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - see faust_hooks
        known = cluster.partitions_for_topic(self.topic) or set()
        if missing := [partition for partition in partitions if partition not in known]:
            raise StateLoadError(f"{self.topic} has no partitions {missing}; {self._follows} has")
        await self._faults.reach("state.load")
        started = time.monotonic()
        tps = {TopicPartition(self.topic, partition): partition for partition in partitions}
        consumer.assign(list(tps))
        # Read after the assignment: the previous owner confirmed its writes before it gave the partition up.
        ends = await consumer.end_offsets(list(tps))
        await consumer.seek_to_beginning(*tps)
        loads = {tp: LoadedPartition(self._make_store(partition)) for tp, partition in tps.items()}
        self._stores.update({partition: loads[tp].store for tp, partition in tps.items()})
        left = set(tps)
        while left:
            # The position is compared, not the last record: compaction leaves holes, also at the end.
            for tp in [tp for tp in left if await consumer.position(tp) >= ends[tp]]:
                left.discard(tp)
                consumer.pause(tp)
                loads[tp].seconds = time.monotonic() - started
                self._publish(tps[tp], loads[tp])
            if left:
                for tp, records in (
                    await consumer.getmany(*left, timeout_ms=200, max_records=_CHUNK)
                ).items():
                    self._apply(loads[tp], records)

    def _apply(self, loaded: LoadedPartition, records: list[KafkaRecord]) -> None:
        changes: dict[bytes, bytes | None] = {}
        store, newer, stale = loaded.store, self._newer, loaded.stale_keys
        for record in records:
            key, value = record.key, record.value
            if value is not None and newer is not _always_newer:
                old = changes[key] if key in changes else store.get(key)
                if old is not None and not newer(old, value):
                    stale.add(key)
                    continue
                stale.discard(key)
            changes[key] = value
        store.write(changes)
        loaded.records += len(records)

    def _publish(self, partition: int, loaded: LoadedPartition) -> None:
        self.loaded_records[partition] = loaded.records
        if self._on_loaded is not None:
            self._on_loaded(partition, loaded)
        self._waiting[partition].set_result(loaded.store)
        log.info("%s[%d]: %d records loaded in %.1f s", self.topic, partition, loaded.records, loaded.seconds)


async def get_all(partition: int, *states: PartitionState) -> tuple[StateStore, ...]:
    """Return the stores of one partition in several states, when all are loaded.

    Raises:
        PartitionRevokedError: the partition is not ours (any more).
    """
    return tuple([await state.get(partition) for state in states])

"""Own state of a partition: loaded from its compacted topic, waited for, dropped with the partition."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from faust.types import TP

from streams.fail_stop import FailStop
from streams.local_copies import InMemory, LocalCopies
from streams.partition_state import LoadedPartition, PartitionState, get_all
from streams.publishing import Outgoing
from streams.transport_errors import PartitionRevokedError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Topics

pytestmark = pytest.mark.kafka


class Owner:
    """Stands for an app: it hands out partitions and remembers what became of the state."""

    def __init__(self, topics: Topics) -> None:
        self.exits: list[int] = []
        self.fail_stop = FailStop(self.exits.append)
        self.app = SimpleNamespace(transport=SimpleNamespace(listeners=[], fail_stop=self.fail_stop))
        self.loaded: dict[int, LoadedPartition] = {}
        self.revoked: list[int] = []
        self.dropped: list[int] = []
        self.written_again: list[Outgoing] = []
        self.topics = topics

    def state(self, topic: str = "state", **options: object) -> PartitionState:
        """Make a state of `topic` that follows the topic ``in``."""
        return PartitionState(
            self.app,
            follows="in",
            topic=self.topics.prefix + topic,
            client_settings={"bootstrap_servers": self.topics.bootstrap},
            on_loaded=self.loaded.__setitem__,
            on_revoked=self.revoked.append,
            on_dropped=self.dropped.append,
            publish=self.publish,
            **options,
        )

    async def publish(self, records: list[Outgoing]) -> None:
        """Write records again, for real, and remember them."""
        self.written_again += records
        producer = AIOKafkaProducer(bootstrap_servers=self.topics.bootstrap)
        await producer.start()
        for record in records:
            await producer.send_and_wait(
                record.topic,
                record.value,
                key=record.key,
                partition=record.partition,
                headers=list(record.headers),
            )
        await producer.stop()

    def assign(self, *partitions: int) -> None:
        """Assign partitions of ``in``, and one of a topic that the state does not follow."""
        for listener in self.app.transport.listeners:
            listener.assigned({TP("in", p) for p in partitions} | {TP("other", 99)})

    async def revoke(self) -> None:
        """Take everything away, and let cancelled loads close their connections."""
        loads = [task for task in asyncio.all_tasks() if task.get_name().startswith("load ")]
        for listener in self.app.transport.listeners:
            listener.suspended()
            listener.revoked(set())
        await asyncio.gather(*loads, return_exceptions=True)


async def write(
    topics: Topics, topic: str, *records: tuple[int, bytes, bytes | None], **producer: object
) -> None:
    """Send (partition, key, value) in order."""
    client = AIOKafkaProducer(bootstrap_servers=topics.bootstrap, **producer)
    await client.start()
    if producer:
        await client.begin_transaction()
    for partition, key, value in records:
        await client.send_and_wait(topics.prefix + topic, value, key=key, partition=partition)
    if producer:
        await client.commit_transaction()
    await client.stop()


def number_in(_key: bytes, value: bytes) -> int | None:
    """Answer the version of a value: the number it is."""
    return int(value) if value.isdigit() else None


@pytest.mark.parametrize("kind", ["dict", "disk"])
async def test_newest_value_of_every_key_is_loaded_per_partition(
    topics: Topics, tmp_path: Path, kind: str
) -> None:
    """Old values and tombstones do not show; partitions do not mix; counts are those of the records."""
    topics.create(3, "state", cleanup_policy="compact")
    await write(
        topics, "state", (0, b"a", b"1"), (0, b"b", b"2"), (0, b"a", b"3"), (0, b"b", None), (1, b"a", b"9")
    )
    owner = Owner(topics)
    state = owner.state(stores=LocalCopies(tmp_path) if kind == "disk" else InMemory())
    owner.assign(0, 1, 2)
    assert state.loading == {0, 1, 2}
    assert not state.is_ready
    stores = [await state.get(partition) for partition in range(3)]
    assert [dict(store.items()) for store in stores] == [{b"a": b"3"}, {b"a": b"9"}, {}]
    assert stores[0].get(b"b") is None
    assert state.is_ready
    assert state.loaded_records == {0: 4, 1: 1, 2: 0}
    stores[0].write({b"a": None, b"c": b"5"})
    assert dict((await state.get(0)).items()) == {b"c": b"5"}
    await owner.revoke()
    assert owner.revoked == [0, 1, 2]
    with pytest.raises(PartitionRevokedError):
        await state.get(0)
    owner.assign(0)
    assert (await state.get(0)).get(b"b") is None
    assert owner.dropped == [1, 2]
    await owner.revoke()
    await state.close()


async def test_late_writer_does_not_win(topics: Topics) -> None:
    """An older state that was written last is not loaded; its key is named, to be repaired."""
    topics.create(1, "state", cleanup_policy="compact")
    await write(
        topics, "state", (0, b"a", b"7"), (0, b"a", b"5"), (0, b"b", b"5"), (0, b"b", b"4"), (0, b"b", b"6")
    )
    owner = Owner(topics)
    state = owner.state(version=number_in)
    owner.assign(0)
    assert dict((await state.get(0)).items()) == {b"a": b"7", b"b": b"6"}
    assert owner.loaded[0].stale_keys == {b"a"}
    assert [(record.key, record.value) for record in owner.written_again] == [(b"a", b"7")]
    await owner.revoke()


async def test_holes_at_the_end_of_the_log_do_not_hang_the_load(topics: Topics) -> None:
    """The last offset may belong to no record (here a transaction marker); the load ends all the same."""
    topics.create(1, "state", cleanup_policy="compact")
    await write(topics, "state", (0, b"a", b"1"), transactional_id=topics.prefix + "tx")
    owner = Owner(topics)
    state = owner.state()
    owner.assign(0)
    assert dict((await state.get(0)).items()) == {b"a": b"1"}
    await owner.revoke()


async def test_waiting_ends_when_the_partition_is_revoked(topics: Topics) -> None:
    """Who waits for a load that will not happen any more is told so; the load leaves nothing behind."""
    topics.create(1, "state")
    owner = Owner(topics)
    state = owner.state()
    owner.assign(0)
    waiting = asyncio.create_task(state.get(0))
    await asyncio.sleep(0)
    await owner.revoke()
    with pytest.raises(PartitionRevokedError):
        await waiting
    assert (owner.loaded, owner.revoked, state.stores()) == ({}, [], {})
    assert owner.exits == []


async def test_several_states_are_waited_for_together(topics: Topics) -> None:
    """A handler that needs two states gets both of one partition at once."""
    topics.create(1, "state", "contents")
    await write(topics, "contents", (0, b"c", b"2"))
    owner = Owner(topics)
    small, large = owner.state(), owner.state("contents")
    owner.assign(0)
    stores = await get_all(0, small, large)
    assert [dict(store.items()) for store in stores] == [{}, {b"c": b"2"}]
    await owner.revoke()


async def test_a_load_that_fails_stops_the_process(topics: Topics) -> None:
    """Without its state a partition must not be worked on: too few partitions are a fail-stop."""
    topics.create(1, "state")
    owner = Owner(topics)
    state = owner.state()
    owner.assign(0, 1)
    await asyncio.wait([state._work or asyncio.create_task(asyncio.sleep(0))])
    assert owner.exits == [70]
    assert "state" in (owner.fail_stop.reason or "")
    await owner.revoke()

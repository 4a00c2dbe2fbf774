"""The owner of a partition's state: what it kept, and what others write behind its back."""

from __future__ import annotations

import asyncio
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from kafka.admin import KafkaAdminClient

from streams.local_copies import LocalCopies
from streams.newest_wins import deletion_headers
from tests.streams.test_partition_state import Owner, number_in, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Topics

    from streams.partition_state import PartitionState

pytestmark = pytest.mark.kafka


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in a thread or a broker
            await asyncio.sleep(0.02)


async def ended(owner: Owner, state: PartitionState, copies: LocalCopies) -> None:
    """Stop a worker in order."""
    await owner.revoke()
    await state.close()
    copies.close()


async def test_a_restart_reads_only_what_came_since(topics: Topics, tmp_path: Path) -> None:
    """The copy on disk is brought up to date from its position; deletions that came meanwhile count."""
    topics.create(1, "state", cleanup_policy="compact")
    await write(topics, "state", (0, b"a", b"1"), (0, b"b", b"2"), (0, b"c", b"3"))
    first, copies = Owner(topics), LocalCopies(tmp_path)
    state = first.state(stores=copies)
    first.assign(0)
    await state.get(0)
    await ended(first, state, copies)
    await write(topics, "state", (0, b"a", b"9"), (0, b"b", None))
    second, copies = Owner(topics), LocalCopies(tmp_path)
    state = second.state(stores=copies)
    second.assign(0)
    assert dict((await state.get(0)).items()) == {b"a": b"9", b"c": b"3"}
    assert state.loaded_records == {0: 2}
    await ended(second, state, copies)


async def test_a_partition_that_comes_back_is_not_loaded_again(topics: Topics, tmp_path: Path) -> None:
    """A rebalance costs nothing for what stays; what went to another worker is dropped and kept on disk."""
    topics.create(2, "state", cleanup_policy="compact")
    await write(topics, "state", (0, b"a", b"1"), (1, b"b", b"2"))
    owner, copies = Owner(topics), LocalCopies(tmp_path)
    state = owner.state(stores=copies)
    owner.assign(0, 1)
    before = [await state.get(partition) for partition in (0, 1)]
    await owner.revoke()
    owner.assign(0)
    assert await state.get(0) is before[0]
    assert owner.loaded[0].is_unchanged
    assert state.loaded_records == {0: 0}
    assert owner.dropped == [1]
    await owner.revoke()
    owner.assign(1)
    assert dict((await state.get(1)).items()) == {b"b": b"2"}
    assert state.loaded_records == {1: 0}
    await ended(owner, state, copies)


async def test_a_topic_made_anew_is_not_taken_for_the_old_one(topics: Topics, tmp_path: Path) -> None:
    """The same name and more records than before: the topic's id says that it is another."""
    topics.create(1, "state", cleanup_policy="compact")
    await write(topics, "state", (0, b"old", b"1"))
    first, copies = Owner(topics), LocalCopies(tmp_path)
    state = first.state(stores=copies)
    first.assign(0)
    await state.get(0)
    await ended(first, state, copies)
    admin = KafkaAdminClient(bootstrap_servers=topics.bootstrap)
    admin.delete_topics([topics.prefix + "state"])
    await until(lambda: topics.prefix + "state" not in admin.list_topics())
    admin.close()
    topics.create(1, "state", cleanup_policy="compact")
    await write(topics, "state", (0, b"new", b"1"), (0, b"newer", b"2"))
    second, copies = Owner(topics), LocalCopies(tmp_path)
    state = second.state(stores=copies)
    second.assign(0)
    assert dict((await state.get(0)).items()) == {b"new": b"1", b"newer": b"2"}
    await ended(second, state, copies)


async def test_a_copy_that_is_ahead_of_its_topic_is_built_anew(topics: Topics, tmp_path: Path) -> None:
    """A copy that was put in another's place, or a topic that lost its end: nothing of it is believed."""
    topics.create(2, "state", cleanup_policy="compact")
    await write(topics, "state", (0, b"a", b"1"), (0, b"b", b"2"), (1, b"c", b"3"))
    first, copies = Owner(topics), LocalCopies(tmp_path)
    state = first.state(stores=copies)
    first.assign(0, 1)
    await state.get(0)
    await state.get(1)
    await ended(first, state, copies)
    directory = copies.directory / f"{topics.prefix}state"
    shutil.rmtree(directory / "1")
    (directory / "0").rename(directory / "1")
    second, copies = Owner(topics), LocalCopies(tmp_path)
    state = second.state(stores=copies)
    second.assign(0, 1)
    assert dict((await state.get(0)).items()) == {b"a": b"1", b"b": b"2"}
    assert dict((await state.get(1)).items()) == {b"c": b"3"}
    await ended(second, state, copies)


async def test_what_a_zombie_writes_behind_its_owner_is_written_over(topics: Topics) -> None:
    """An older value, a deletion of before, garbage: the owner's own value stands last in the topic again."""
    topics.create(1, "state", cleanup_policy="compact")
    await write(topics, "state", (0, b"a", b"7"), (0, b"b", b"8"), (0, b"c", b"9"))
    owner = Owner(topics)
    state = owner.state(version=number_in)
    owner.assign(0)
    store = await state.get(0)
    zombie = AIOKafkaProducer(bootstrap_servers=topics.bootstrap, enable_idempotence=True)
    await zombie.start()
    name = topics.prefix + "state"
    await zombie.send_and_wait(name, b"5", key=b"a", partition=0)
    await zombie.send_and_wait(name, None, key=b"b", partition=0, headers=list(deletion_headers(6)))
    await zombie.send_and_wait(name, b"garbage", key=b"c", partition=0)
    await zombie.send_and_wait(name, b"garbage", key=b"d", partition=0)
    await zombie.stop()
    await until(lambda: {record.key for record in owner.written_again} == {b"a", b"b", b"c", b"d"})
    assert dict(store.items()) == {b"a": b"7", b"b": b"8", b"c": b"9"}
    last = dict((await topics.read("state"))["state", 0])
    assert last == {b"a": b"7", b"b": b"8", b"c": b"9", b"d": None}
    await owner.revoke()
    again = Owner(topics)
    state = again.state(version=number_in)
    again.assign(0)
    assert dict((await state.get(0)).items()) == {b"a": b"7", b"b": b"8", b"c": b"9"}
    assert again.written_again == []
    await again.revoke()


async def test_a_value_from_before_its_deletion_does_not_come_back(topics: Topics) -> None:
    """A late value of a case that has ended is deleted again, while it is loaded and while it is owned."""
    topics.create(1, "state", cleanup_policy="compact")
    producer = AIOKafkaProducer(bootstrap_servers=topics.bootstrap)
    await producer.start()
    name = topics.prefix + "state"
    await producer.send_and_wait(name, b"5", key=b"a", partition=0)
    await producer.send_and_wait(name, None, key=b"a", partition=0, headers=list(deletion_headers(6)))
    await producer.send_and_wait(name, b"5", key=b"a", partition=0)
    owner = Owner(topics)
    state = owner.state(version=number_in)
    owner.assign(0)
    store = await state.get(0)
    assert [(record.key, record.value) for record in owner.written_again] == [(b"a", None)]
    state.deleted(0, {b"b": 9})
    await producer.send_and_wait(name, b"8", key=b"b", partition=0)
    await producer.stop()
    await until(lambda: len(owner.written_again) == 2)
    assert owner.written_again[1].headers == deletion_headers(9)
    assert dict(store.items()) == {}
    await owner.revoke()


async def test_the_position_waits_for_a_write_that_is_under_way(topics: Topics, tmp_path: Path) -> None:
    """The owner's own record counts as read only when it is in the store; else it is read again."""
    topics.create(1, "state", cleanup_policy="compact")
    await write(topics, "state", (0, b"a", b"1"))
    owner, copies = Owner(topics), LocalCopies(tmp_path)
    own = AIOKafkaProducer(bootstrap_servers=topics.bootstrap, enable_idempotence=True)
    await own.start()
    owner.app.publisher = SimpleNamespace(producer_id=own._txn_manager.producer_id)
    state = owner.state(stores=copies)
    owner.assign(0)
    await state.get(0)
    copy = state._copies[0]
    with pytest.raises(RuntimeError), state.writing(0):  # noqa: PT012 - the error ends the write
        await own.send_and_wait(topics.prefix + "state", b"2", key=b"a", partition=0)
        await until(lambda: copy.position == 2)
        raise RuntimeError("the worker lost the partition here")
    assert copy.safe_position == 1
    assert copy.store.get(b"a") == b"1"
    await owner.revoke()
    owner.assign(0)
    assert (await state.get(0)).get(b"a") == b"2"
    await own.stop()
    await ended(owner, state, copies)

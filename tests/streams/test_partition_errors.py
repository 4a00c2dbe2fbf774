"""Partitions that cannot be read: how long they rest, what ends it, and that nothing of others is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.structs import TopicPartition
from copying import OUT, create_all, until_delivered, workers

from operations.embedded_kafka import EmbeddedKafka
from streams.partition_errors import PartitionErrors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Topics

A, B = TopicPartition("t", 0), TopicPartition("t", 1)


class Time:
    """A clock that a test turns."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_a_partition_rests_longer_each_time_up_to_a_second() -> None:
    """A tenth of a second first, twice as long each time; others do not rest."""
    time = Time()
    failures = PartitionErrors(time)
    rests = []
    for _ in range(6):
        failures.failed(A, "damaged")
        rests.append(failures.next_end())
        assert set(failures.resting()) == {A}
        time.now += rests[-1]
        assert set(failures.resting()) == set()
    assert rests == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


def test_what_the_broker_refused_is_over_with_its_next_answer_and_damage_is_not() -> None:
    """An answer without error about a partition with damaged records says nothing about these."""
    failures = PartitionErrors(Time())
    failures.failed(A, "no leader", is_answer=True)
    failures.failed(B, "damaged")
    failures.answered({A, B}, {A})
    assert set(failures.resting()) == {A, B}
    failures.answered({B}, set())
    assert set(failures.resting()) == {A, B}, "it was not asked for"
    failures.answered({A, B}, set())
    assert set(failures.resting()) == {B}
    failures.read(B)
    assert not failures


@pytest.mark.kafka
async def test_a_damaged_batch_stops_its_partition_and_nothing_else(
    tmp_path: Path, topics_on: Callable[[EmbeddedKafka], Topics]
) -> None:
    """One byte of an unread batch is turned on the disk: all before it and all of others is there, once."""
    with EmbeddedKafka.start(
        tmp_path / "kafka", heap_mb=192, quick=True, dies_with_parent=True, security="none"
    ) as broker:
        topics = topics_on(broker)
        create_all(topics)
        await topics.fill("in0", 4, range(400))
        await topics.fill("in0", 4, range(400, 800))
        damage(tmp_path / "kafka" / "data" / f"{topics.prefix}in0-3")
        async with workers(topics) as start:
            worker = await start(max_records=20, worker={"group_patience": 6.0})
            code, logged = await asyncio.wait_for(worker.end(), 60)
        assert code == 70
        assert f"{topics.prefix}in0[3] could not be read for 6.0 s" in logged
        found = await until_delivered(topics, 700)
        sound = {number for number in range(800) if number % 4 != 3} | set(range(3, 400, 4))
        assert sorted(await topics.values(OUT)) == sorted(sound) == sorted(found)
        committed = topics.committed("group0")
        assert [committed[topics.prefix + "in0", partition] for partition in range(4)] == [200, 200, 200, 100]


def damage(partition: Path) -> None:
    """Turn one bit of the last byte of a partition's log."""
    (log,) = partition.glob("*.log")
    data: Any = bytearray(log.read_bytes())
    data[len(bytes(data).rstrip(b"\0")) - 2] ^= 1
    log.write_bytes(data)

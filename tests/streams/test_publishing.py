"""Confirmed sends in bulk against a real broker: order, confirmation, and what can never be delivered."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from streams.fault_points import FaultPoints
from streams.publishing import BatchPublisher, Outgoing
from streams.transport_errors import SendFailedError, UnconfirmedError, UndeliverableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Topics

    from operations.embedded_kafka import EmbeddedKafka

pytestmark = pytest.mark.kafka


@asynccontextmanager
async def publisher_on(
    topics: Topics,
    **options: object,
) -> AsyncIterator[BatchPublisher]:
    """Start a producer with a publisher on it."""
    producer = AIOKafkaProducer(bootstrap_servers=topics.bootstrap)
    await producer.start()
    publisher = BatchPublisher(producer, **{"metadata_patience": 5.0, **options})  # type: ignore[arg-type]
    try:
        yield publisher
    finally:
        await publisher.close()
        await producer.stop()


async def test_order_within_each_partition_is_kept_across_splits(topics: Topics) -> None:
    """A call larger than many producer batches arrives complete and in order in every partition."""
    topics.create(3, "a", "b")
    records = [
        Outgoing(topics.prefix + "ab"[n % 2], n % 3, b"k%d" % n, b"%d" % n + b"." * 100, [("n", b"%d" % n)])
        for n in range(3000)
    ]
    async with publisher_on(topics, max_batch_bytes=8192) as publisher:
        confirmation = await publisher.publish(records)
        assert confirmation.records == 3000
        assert publisher.in_flight == 0
    found = await topics.read("a", "b")
    for (topic, partition), pairs in found.items():
        wanted = [
            (r.key, r.value) for r in records if (r.topic, r.partition) == (topics.prefix + topic, partition)
        ]
        assert pairs == wanted
        assert confirmation.last_offsets[topics.prefix + topic, partition] == len(wanted) - 1


async def test_broker_clock_is_told_for_log_append_topics_only(topics: Topics) -> None:
    """The caller can compare clocks where the broker stamps, and is told nothing where it does not."""
    topics.create(1, "stamped", message_timestamp_type="LogAppendTime")
    topics.create(1, "unstamped")
    async with publisher_on(topics) as publisher:
        confirmation = await publisher.publish(
            [Outgoing(topics.prefix + topic, 0, None, b"1") for topic in ("stamped", "unstamped")]
        )
    assert list(confirmation.append_times) == [(topics.prefix + "stamped", 0)]
    assert confirmation.append_times[topics.prefix + "stamped", 0] > 1_600_000_000_000


async def test_learnt_topics_are_not_asked_for_again(topics: Topics) -> None:
    """After one call the partitions of all existing topics are known; one that does not exist is no error."""
    names = [f"learnt{number}" for number in range(40)]
    topics.create(2, *names)
    async with publisher_on(topics) as publisher:
        await publisher.learn([topics.prefix + name for name in (*names, "nowhere")])
        assert [publisher.known_partitions(topics.prefix + name) for name in names] == [2] * 40
        assert publisher.known_partitions(topics.prefix + "nowhere") is None
        await publisher.publish([Outgoing(topics.prefix + "learnt0", 0, None, b"1")])


async def test_unknown_topic_and_partition_are_named_and_the_rest_is_delivered(topics: Topics) -> None:
    """What no retry can deliver comes back record by record, after everything else was confirmed."""
    topics.create(1, "good")
    good = Outgoing(topics.prefix + "good", 0, b"k", b"1")
    nowhere = Outgoing(topics.prefix + "nowhere", 0, b"k", b"2")
    beyond = Outgoing(topics.prefix + "good", 7, b"k", b"3")
    async with publisher_on(topics, metadata_patience=0.5) as publisher:
        with pytest.raises(UndeliverableError) as caught:
            await publisher.publish([good, nowhere, beyond])
        assert caught.value.refused == [(nowhere, "unknown_topic"), (beyond, "unknown_partition")]
        with pytest.raises(UndeliverableError):
            await publisher.partitions_for(topics.prefix + "nowhere")
        assert await publisher.partitions_for(topics.prefix + "good") == 1
    assert await topics.values(["good"]) == [1]


async def test_a_topic_that_appears_later_is_no_longer_refused(topics: Topics) -> None:
    """An unknown topic is not held against its name for ever."""
    record = Outgoing(topics.prefix + "late", 0, b"k", b"1")
    async with publisher_on(topics, metadata_patience=0.01) as publisher:
        with pytest.raises(UndeliverableError):
            await publisher.publish([record])
        topics.create(1, "late")
        while True:
            try:
                await publisher.publish([record])
            except UndeliverableError:
                continue
            break
    assert await topics.values(["late"]) == [1]


async def test_only_the_too_large_records_are_refused_and_their_partition_goes_on(topics: Topics) -> None:
    """The broker refuses a batch; its small records arrive in order all the same; so does the next call."""
    topics.create(1, "small", max_message_bytes="400")
    topic = topics.prefix + "small"
    records = [Outgoing(topic, 0, b"k", b"%d" % n if n % 3 else b"9" * 1000) for n in range(9)]
    async with publisher_on(topics) as publisher:
        with pytest.raises(UndeliverableError) as caught:
            await publisher.publish(records)
        assert caught.value.refused == [(r, "too_large") for r in records if len(r.value or b"") > 400]
        assert caught.value.confirmation.records == 6  # type: ignore[attr-defined]
        await publisher.publish([Outgoing(topic, 0, b"k", b"77")])
    assert await topics.values(["small"]) == [1, 2, 4, 5, 7, 8, 77]


async def test_records_beyond_the_client_limit_are_refused_unsent(topics: Topics) -> None:
    """A record that would cut the connection never reaches it."""
    topics.create(1, "a")
    async with publisher_on(topics, max_record_bytes=100) as publisher:
        with pytest.raises(UndeliverableError, match="too_large"):
            await publisher.publish([Outgoing(topics.prefix + "a", 0, None, b"1" * n) for n in (1, 101)])
    assert await topics.values(["a"]) == [1]


async def test_send_without_an_answer_is_an_error(topics: Topics) -> None:
    """The client repeats an idempotent send for ever; the publisher says after a while that it is unknown."""
    topics.create(1, "a")
    async with publisher_on(topics, confirm_timeout=0.0) as publisher:
        with pytest.raises(UnconfirmedError, match="unconfirmed after"):
            await publisher.publish([Outgoing(topics.prefix + "a", 0, None, b"1")])


async def test_other_refusals_stop_the_caller(topics: Topics) -> None:
    """An error that says nothing about the record is fatal: here an unexpected sequence number."""
    topics.create(1, "a")
    record = Outgoing(topics.prefix + "a", 0, None, b"1")
    async with publisher_on(topics) as publisher:
        await publisher.publish([record])
        publisher._rounds.queue(topics.prefix + "a", 0)._sequence += 5
        with pytest.raises(SendFailedError, match="OutOfOrderSequenceNumber"):
            await publisher.publish([record])


async def test_a_lost_answer_neither_loses_nor_doubles(topics: Topics) -> None:
    """Batches whose confirmation got lost are sent again and are in the topic once, in order."""
    topics.create(2, "a")
    faults = FaultPoints.from_text("publisher.after_send:raise=RequestTimedOutError%0.5;seed:7")
    async with publisher_on(topics, faults=faults) as publisher:
        for number in range(10):
            await publisher.publish(
                [
                    Outgoing(topics.prefix + "a", number % 2, b"k", b"%d" % n)
                    for n in (2 * number, 2 * number + 1)
                ]
            )
        assert publisher.repeated > 0
    found = await topics.read("a")
    for partition in (0, 1):
        numbers = [int(value or b"-1") for _, value in found["a", partition]]
        assert numbers == [n for number in range(partition, 10, 2) for n in (2 * number, 2 * number + 1)]


async def test_a_topic_deleted_under_way_is_undeliverable_and_the_rest_goes_on(topics: Topics) -> None:
    """A topic that was there and is gone refuses its records, after the metadata have confirmed it."""
    topics.create(1, "gone", "stays")
    gone, stays = (Outgoing(topics.prefix + name, 0, b"k", b"1") for name in ("gone", "stays"))
    async with publisher_on(topics, metadata_patience=0.5) as publisher:
        await publisher.publish([gone, stays])
        topics.delete("gone")
        with pytest.raises(UndeliverableError) as caught:
            await publisher.publish([gone, stays])
    assert caught.value.refused == [(gone, "unknown_topic")]
    assert await topics.values(["stays"]) == [1, 1]


async def test_a_broker_that_stands_still_slows_down_and_loses_nothing(
    topics: Topics, kafka: EmbeddedKafka
) -> None:
    """While the broker is stopped calls wait, within their memory; afterwards all is there, once."""
    topics.create(1, "a")
    record = Outgoing(topics.prefix + "a", 0, b"k", b"1" * 400)
    assert kafka.pid is not None
    async with publisher_on(topics, max_waiting_bytes=2000, request_timeout=1.0) as publisher:
        await publisher.publish([record])
        os.kill(kafka.pid, signal.SIGSTOP)
        try:
            calls = [asyncio.create_task(publisher.publish([record])) for _ in range(50)]
            await asyncio.wait(calls, timeout=1.5)
            assert not any(call.done() for call in calls)
            assert publisher.waiting_bytes <= 2000
        finally:
            os.kill(kafka.pid, signal.SIGCONT)
        assert sum(done.records for done in await asyncio.gather(*calls)) == 50
    assert len(await topics.values(["a"])) == 51

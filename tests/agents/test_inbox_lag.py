"""Inbox lag on the real broker: with a network's number of inboxes, and what vanishes when."""

import asyncio
import gc
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import OffsetAndMetadata

from agents.inbox_lag import InboxLag
from agents.metrics import CasekeeperMetrics
from agents.open_cases import OpenCases
from operations.embedded_kafka import EmbeddedKafka
from streams import provision
from streams.kafka_settings import access_of
from streams.principals import CASEKEEPER
from streams.read_marks import reader_group, write_mark
from streams.topics import Topics

MEMBERS = [f"member-{number}" for number in range(40)]
LAG = "hotline_exchange_inbox_lag_records"
READ = "hotline_exchange_inbox_last_read_timestamp_seconds"


def measuring(members: list[str], **client: Any) -> tuple[InboxLag, CasekeeperMetrics]:  # noqa: ANN401 - settings
    """Answer a measurement of these members and where it shows."""
    metrics = CasekeeperMetrics(OpenCases())
    topics = client.pop("topics", Topics())
    return InboxLag(client=client, topics=topics, members=lambda: members, metrics=metrics), metrics


def lag(metrics: CasekeeperMetrics, member: str, inbox: str) -> float | None:
    """Answer the lag that is shown."""
    return metrics.registry.get_sample_value(LAG, {"member": member, "inbox": inbox})


@pytest.mark.kafka
async def test_a_whole_network_is_measured_within_one_request_time(
    kafka: EmbeddedKafka, topic_prefix: str
) -> None:
    """Eighty topics take no longer than one; what a member committed counts as read, with its time."""
    topics = Topics(topic_prefix)
    table = topics.all_for(MEMBERS, (), slot_count=1, partitions=1)
    inboxes = [topic for topic in table if topics.member_of_inbox(topic.name) in MEMBERS]
    await asyncio.to_thread(provision.provision, kafka.access, inboxes, replication=1, min_insync=1)
    inbox, urgent = topics.inbox("member-7"), topics.inbox_urgent("member-7")
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for topic, partition in ((inbox, 0), (inbox, 0), (inbox, 0), (inbox, 1), (urgent, 0)):
            await producer.send_and_wait(topic, b"message", partition=partition)
    group = reader_group(topic_prefix, "member-7")
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, group_id=group, enable_auto_commit=False
    ) as reader:
        reader.assign([TopicPartition(inbox, 0), TopicPartition(urgent, 0)])
        await reader.commit(
            {
                TopicPartition(inbox, 0): OffsetAndMetadata(1, write_mark(1_700_000_000_000)),
                TopicPartition(urgent, 0): OffsetAndMetadata(1, write_mark(1_700_000_005_000)),
            }
        )
    measure, metrics = measuring(
        [*MEMBERS, "has-no-topics"],
        topics=topics,
        bootstrap_servers=kafka.bootstrap,
        request_timeout_ms=5_000,
    )
    await measure.measure()
    assert (lag(metrics, "member-7", "normal"), lag(metrics, "member-7", "urgent")) == (3, 0)
    assert metrics.registry.get_sample_value(READ, {"member": "member-7"}) == 1_700_000_005
    assert [lag(metrics, member, "normal") for member in MEMBERS if member != "member-7"] == [0] * 39
    assert metrics.registry.get_sample_value(READ, {"member": "member-8"}) is None


async def test_a_failed_measurement_shows_nothing_and_the_worker_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without brokers the old figures vanish, one line is logged, and the next round is tried."""
    measure, metrics = measuring(["member-1"])
    metrics.inbox("member-1", {"normal": 3}, 1)
    rounds: list[float] = []

    async def unreachable() -> None:
        raise OSError("no broker")

    async def pause(seconds: float) -> None:
        rounds.append(seconds)
        if len(rounds) > 1:
            raise asyncio.CancelledError

    monkeypatch.setattr(measure, "measure", unreachable)
    monkeypatch.setattr(asyncio, "sleep", pause)
    with pytest.raises(asyncio.CancelledError):
        await measure.run(lambda: True)
    assert lag(metrics, "member-1", "normal") is None
    assert "inbox lag could not be measured: OSError" in caplog.text


async def test_a_worker_without_the_first_partition_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The duty moved to another worker: its figures are shown there only."""
    measure, metrics = measuring(["member-1"])
    metrics.inbox("member-1", {"normal": 3, "urgent": 0}, 1)

    async def pause(_seconds: float) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", pause)
    with pytest.raises(asyncio.CancelledError):
        await measure.run(lambda: False)
    assert lag(metrics, "member-1", "normal") is None
    assert metrics.registry.get_sample_value(READ, {"member": "member-1"}) is None


async def test_a_measurement_that_finds_no_broker_leaves_nothing_open() -> None:
    """Each failed try closes what it opened: an outage of an hour is 240 of them."""
    measure, _ = measuring(["member-1"], bootstrap_servers="127.0.0.1:1", request_timeout_ms=500)
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said["message"]))
    with pytest.raises(KafkaConnectionError):
        await measure.measure()
    gc.collect()
    assert complaints == []


@pytest.mark.kafka
async def test_a_member_that_is_not_provisioned_yet_hides_no_other(
    secured_exchange: Any,  # noqa: ANN401 - conftest
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Casekeeper may not look at the group of a member before it is provisioned; the others are shown."""
    await secured_exchange.start("intake")  # a broker has no coordinator before the first group
    await secured_exchange.stop()
    client = access_of(secured_exchange.settings, CASEKEEPER).client_settings()
    measure, metrics = measuring(["nl-offlimits", "se-ecpat"], topics=secured_exchange.topics, **client)
    await measure.measure()
    assert [lag(metrics, "nl-offlimits", inbox) for inbox in ("normal", "urgent")] == [0, 0]
    assert lag(metrics, "se-ecpat", "normal") is None
    assert "the inbox of se-ecpat could not be measured" in caplog.text

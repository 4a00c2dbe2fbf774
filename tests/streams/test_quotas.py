"""Client quotas on the real broker."""

import time

import pytest
from aiokafka import AIOKafkaProducer

from operations.embedded_kafka import EmbeddedKafka
from streams import provision, quotas

pytestmark = pytest.mark.kafka


def test_rates_are_set_and_set_again(kafka: EmbeddedKafka, topic_prefix: str) -> None:
    """Each client id gets its rate, the newest counts, and others keep theirs."""
    first, second = f"{topic_prefix}a", f"{topic_prefix}b"
    with provision.connect(kafka.bootstrap) as admin:
        quotas.set_rates(admin, {first: 1000, second: 2000})
        quotas.set_rates(admin, {first: 3000})
        quotas.set_rates(admin, {})
        found = quotas.read_rates(admin)
    assert {name: found[name] for name in (first, second)} == {first: 3000, second: 2000}


async def test_a_client_above_its_rate_is_slowed_down_and_loses_nothing(
    kafka: EmbeddedKafka, topic_prefix: str
) -> None:
    """The broker delays a flooding client; every record of it arrives all the same."""
    with provision.connect(kafka.bootstrap) as admin:
        admin.create_topics({f"{topic_prefix}a": {"num_partitions": 1, "replication_factor": 1}})
        quotas.set_rates(admin, {f"{topic_prefix}flooder": 20_000})
    value = bytes(range(256)) * 40
    client = {"bootstrap_servers": kafka.bootstrap, "client_id": f"{topic_prefix}flooder"}
    async with AIOKafkaProducer(**client) as producer:
        began = time.monotonic()
        offsets = [
            (await producer.send_and_wait(f"{topic_prefix}a", value, partition=0)).offset for _ in range(26)
        ]
    assert offsets == list(range(26))
    # 266 kB at 20 kB/s; the broker's window lets some ten seconds' worth pass first. Never faster than this.
    assert time.monotonic() - began > 1

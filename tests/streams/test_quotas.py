"""Client quotas on the real broker."""

import time

import pytest
from aiokafka import AIOKafkaProducer

from operations.embedded_kafka import EmbeddedKafka
from streams import provision, quotas

pytestmark = pytest.mark.kafka


def test_rates_are_set_changed_and_taken_away(kafka: EmbeddedKafka, topic_prefix: str) -> None:
    """Each client id gets its rate, then another, then none; those not named keep theirs."""
    first, second = f"{topic_prefix}a", f"{topic_prefix}b"

    def apply(wanted: dict[str, int], former: tuple[str, ...] = ()) -> dict[str, int]:
        changes = quotas.plan_rates(quotas.read_rates(admin), wanted, former)
        quotas.set_rates(admin, changes)
        return {name: rate for name, rate in quotas.read_rates(admin).items() if name in (first, second)}

    with provision.connect(kafka.bootstrap) as admin:
        assert apply({first: 1000, second: 2000}) == {first: 1000, second: 2000}
        assert apply({first: 3000}) == {first: 3000, second: 2000}
        assert apply({}, former=(first,)) == {second: 2000}
        assert apply({}) == {second: 2000}


def test_a_plan_of_rates_names_only_what_changes() -> None:
    """Who has the rate is left out, whoever is former and has one loses it, strangers are left alone."""
    found = {"a": 5, "b": 7, "gone": 5, "stranger": 1}
    changes = quotas.plan_rates(found, {"a": 5, "b": 5, "new": 5}, {"a", "gone", "never"})
    assert [str(change) for change in changes] == [
        "b: producer_byte_rate 7 -> 5",
        "gone: producer_byte_rate 5 -> unlimited",
        "new: producer_byte_rate unlimited -> 5",
    ]


async def test_a_client_above_its_rate_is_slowed_down_and_loses_nothing(
    kafka: EmbeddedKafka, topic_prefix: str
) -> None:
    """The broker delays a flooding client; every record of it arrives all the same."""
    with provision.connect(kafka.bootstrap) as admin:
        admin.create_topics({f"{topic_prefix}a": {"num_partitions": 1, "replication_factor": 1}})
        quotas.set_rates(admin, [quotas.RateChange(f"{topic_prefix}flooder", None, 20_000)])
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

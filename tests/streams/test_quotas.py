"""Quotas on the real broker."""

import time

import pytest
from aiokafka import AIOKafkaProducer

from operations.embedded_kafka import EmbeddedKafka
from streams import provision, quotas
from streams.quotas import Entity, Quota, RateChange, wanted_rates

SENDS, READS = "producer_byte_rate", "consumer_byte_rate"


@pytest.mark.kafka
@pytest.mark.parametrize("entity", ["user", "client-id"])
def test_rates_are_set_changed_and_taken_away(
    kafka: EmbeddedKafka, topic_prefix: str, entity: Entity
) -> None:
    """Each name gets its rates, then others, then none; those not named keep theirs."""
    first, second = f"{topic_prefix}a", f"{topic_prefix}b"

    def apply(wanted: dict[str, tuple[int, int]], former: tuple[str, ...] = ()) -> dict[str, tuple[int, ...]]:
        rates = {
            quota: rate
            for name, (sends, reads) in wanted.items()
            for quota, rate in wanted_rates([name], entity, sends=sends, reads=reads).items()
        }
        quotas.set_rates(admin, quotas.plan_rates(quotas.read_rates(admin), rates, former))
        found = quotas.read_rates(admin)
        both = {name: (Quota(name, entity, SENDS), Quota(name, entity, READS)) for name in (first, second)}
        return {
            name: tuple(found[quota] for quota in pair if quota in found)
            for name, pair in both.items()
            if any(quota in found for quota in pair)
        }

    with provision.connect(kafka.access) as admin:
        assert apply({first: (1000, 10), second: (2000, 20)}) == {first: (1000, 10), second: (2000, 20)}
        assert apply({first: (3000, 10)}) == {first: (3000, 10), second: (2000, 20)}
        assert apply({second: (0, 20)}, former=(first, second)) == {second: (20,)}
        assert apply({}) == {second: (20,)}
        assert apply({}, former=(second,)) == {}


def test_a_plan_of_rates_names_only_what_changes() -> None:
    """Who has the rate is left out, whoever is former and has one loses it, strangers are left alone."""
    found = {
        Quota(name, "user", SENDS): rate for name, rate in (("a", 5), ("b", 7), ("gone", 5), ("stranger", 1))
    }
    found[Quota("a", "client-id", SENDS)] = 5
    wanted = wanted_rates(["a", "b", "new"], "user", sends=5, reads=0)
    changes = quotas.plan_rates(found, wanted, {"a", "gone", "never"})
    assert [str(change) for change in changes] == [
        "client-id a: producer_byte_rate 5 -> unlimited",
        "user b: producer_byte_rate 7 -> 5",
        "user gone: producer_byte_rate 5 -> unlimited",
        "user new: producer_byte_rate unlimited -> 5",
    ]


@pytest.mark.kafka
async def test_a_client_above_its_rate_is_slowed_down_and_loses_nothing(
    kafka: EmbeddedKafka, topic_prefix: str
) -> None:
    """The broker delays a flooding client; every record of it arrives all the same."""
    flooder = f"{topic_prefix}flooder"
    with provision.connect(kafka.access) as admin:
        admin.create_topics({f"{topic_prefix}a": {"num_partitions": 1, "replication_factor": 1}})
        quotas.set_rates(admin, [RateChange(Quota(flooder, "client-id", SENDS), None, 20_000)])
    value = bytes(range(256)) * 40
    client = {"bootstrap_servers": kafka.bootstrap, "client_id": flooder}
    async with AIOKafkaProducer(**client) as producer:
        began = time.monotonic()
        offsets = [
            (await producer.send_and_wait(f"{topic_prefix}a", value, partition=0)).offset for _ in range(26)
        ]
    assert offsets == list(range(26))
    # 266 kB at 20 kB/s; the broker's window lets some ten seconds' worth pass first. Never faster than this.
    assert time.monotonic() - began > 1

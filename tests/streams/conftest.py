"""Topics for the tests of the transport, made, filled and read by plain clients without any code of ours."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import CoordinatorLoadInProgressError, NotCoordinatorError

from operations.embedded_kafka import EmbeddedKafka


@dataclass
class Topics:
    """The topics of one test, all under its prefix."""

    bootstrap: str
    prefix: str

    def create(self, partitions: int, *names: str, **configs: str) -> None:
        """Create topics under the prefix; underscores in config names stand for dots."""
        settings = {key.replace("_", "."): value for key, value in configs.items()}
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        topics = [
            NewTopic(
                name=self.prefix + name,
                num_partitions=partitions,
                replication_factor=1,
                topic_configs=settings,
            )
            for name in names
        ]
        admin.create_topics(topics)
        admin.close()

    def wait_until_served(self, *names: str) -> None:
        """Wait until a broker that was started again leads them: it knows its topics a moment later."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        admin.wait_for_topics([self.prefix + name for name in names], timeout_ms=60_000)
        admin.close()

    def delete(self, *names: str) -> None:
        """Delete topics."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        admin.delete_topics([self.prefix + name for name in names])
        admin.close()

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """Return what a group has committed; after a start of the broker, once it coordinates the group."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        until = time.monotonic() + 60
        while True:
            try:
                found = admin.list_group_offsets(self.prefix + group)
                break
            except (NotCoordinatorError, CoordinatorLoadInProgressError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        admin.close()
        offsets = found.get(self.prefix + group, found)
        return {(tp.topic, tp.partition): meta.offset for tp, meta in offsets.items() if meta.offset >= 0}

    async def fill(
        self, topic: str, partitions: int, ids: Iterable[int], keys: int = 100, size: int = 1
    ) -> None:
        """Send the ids as values of at least `size` digits, in order, to partition ``id % partitions``."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=5)
        await producer.start()
        sends = [
            await producer.send(
                self.prefix + topic,
                str(number).encode().rjust(size, b"0"),
                key=b"k%d" % (number % keys),
                partition=number % partitions,
            )
            for number in ids
        ]
        for sent in sends:
            await sent
        await producer.stop()

    async def read(self, *topics: str) -> dict[tuple[str, int], list[tuple[bytes | None, bytes | None]]]:
        """Return (key, value) of everything in `topics`, per topic and partition, in order."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        cluster = await consumer._client.fetch_all_metadata()
        tps = [
            TopicPartition(self.prefix + topic, partition)
            for topic in topics
            for partition in sorted(cluster.partitions_for_topic(self.prefix + topic))
        ]
        consumer.assign(tps)
        ends = await consumer.end_offsets(tps)
        found: dict[tuple[str, int], list[tuple[bytes | None, bytes | None]]] = {
            (tp.topic.removeprefix(self.prefix), tp.partition): [] for tp in tps
        }
        while any([await consumer.position(tp) < ends[tp] for tp in tps]):
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                found[tp.topic.removeprefix(self.prefix), tp.partition] += [(r.key, r.value) for r in records]
        await consumer.stop()
        return found

    async def values(self, topics: Sequence[str]) -> list[int]:
        """Return all values in `topics` as numbers."""
        return [int(value or b"-1") for part in (await self.read(*topics)).values() for _, value in part]


@pytest.fixture
def topics_on(topic_prefix: str) -> Callable[[EmbeddedKafka], Topics]:
    """Return a function that gives a maker and reader of topics on a broker."""
    return lambda broker: Topics(broker.bootstrap, topic_prefix)


@pytest.fixture
def topics(kafka: EmbeddedKafka, topic_prefix: str) -> Topics:
    """Return a maker and reader of topics that no other test sees."""
    return Topics(kafka.bootstrap, topic_prefix)

from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from operations.embedded_kafka import EmbeddedCluster, KafkaAlreadyRunningError

pytestmark = pytest.mark.kafka


def test_any_one_of_three_nodes_may_be_lost(tmp_path: Path) -> None:
    """What was confirmed is read and new ones are confirmed without the leader's node, which comes back.

    Brokers show each other certificates, and so does the only client here.
    """
    with EmbeddedCluster.start(tmp_path / "cluster", heap_mb=128, quick=True) as cluster:
        client = cluster.access.client_settings()
        admin = KafkaAdminClient(**client)
        admin.create_topics([NewTopic(name="kept", num_partitions=1, replication_factor=3)])
        admin.close()
        producer = KafkaProducer(acks="all", **client)
        producer.send("kept", b"before").get(timeout=60)
        first = cluster.leaders("kept")[0]
        cluster.nodes[first - 1].kill()
        producer.send("kept", b"without it").get(timeout=60)
        assert cluster.leaders("kept")[0] != first
        cluster.nodes[first - 1].restart()
        assert cluster.move_leaders(["kept"]) == 1
        producer.send("kept", b"with it again").get(timeout=60)
        producer.close()
        consumer = KafkaConsumer(consumer_timeout_ms=60_000, **client)
        consumer.assign([TopicPartition("kept", 0)])
        consumer.seek_to_beginning()
        assert [next(consumer).value for _ in range(3)] == [b"before", b"without it", b"with it again"]
        consumer.close()
    assert not any(node.is_alive() for node in cluster.nodes)


def test_a_cluster_does_not_start_over_what_is_there(tmp_path: Path) -> None:
    """A directory with something in it is refused: its nodes may be another cluster's."""
    (tmp_path / "node-1").mkdir()
    with pytest.raises(KafkaAlreadyRunningError, match="in use"):
        EmbeddedCluster.start(tmp_path)

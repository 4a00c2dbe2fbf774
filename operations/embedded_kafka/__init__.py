"""The embedded Kafka: a real broker from Java archives for demo and tests; pip is all it needs."""

from operations.embedded_kafka.broker import EmbeddedKafka, kafka_home
from operations.embedded_kafka.cluster import EmbeddedCluster
from operations.embedded_kafka.errors import (
    ArchivesAlteredError,
    ArchivesMissingError,
    EmbeddedKafkaError,
    KafkaAlreadyRunningError,
    KafkaStartError,
)

__all__ = [
    "ArchivesAlteredError",
    "ArchivesMissingError",
    "EmbeddedCluster",
    "EmbeddedKafka",
    "EmbeddedKafkaError",
    "KafkaAlreadyRunningError",
    "KafkaStartError",
    "kafka_home",
]

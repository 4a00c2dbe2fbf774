"""The embedded Kafka: a real broker from Java archives for demo and tests; pip is all it needs."""

from operations.embedded_kafka.broker import EmbeddedKafka, LocalSecurity, kafka_home
from operations.embedded_kafka.cluster import EmbeddedCluster
from operations.embedded_kafka.errors import (
    ArchivesAlteredError,
    ArchivesMissingError,
    EmbeddedKafkaError,
    KafkaAlreadyRunningError,
    KafkaStartError,
)
from operations.embedded_kafka.local_access import LocalAccess
from operations.embedded_kafka.renewal import renew

__all__ = [
    "ArchivesAlteredError",
    "ArchivesMissingError",
    "EmbeddedCluster",
    "EmbeddedKafka",
    "EmbeddedKafkaError",
    "KafkaAlreadyRunningError",
    "KafkaStartError",
    "LocalAccess",
    "LocalSecurity",
    "kafka_home",
    "renew",
]

"""Asking a broker for everything there is to ask, over a plain kafka-python connection.

Each call asks about many topics or groups at once and answers Kafka's error code for each. No client checks
anything before: what is refused was refused by the broker.
"""

import time
from collections.abc import Iterable
from typing import Any, Final, Self

from kafka import KafkaAdminClient
from kafka.protocol.admin import (
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteGroupsRequest,
    DeleteTopicsRequest,
    DescribeConfigsRequest,
    IncrementalAlterConfigsRequest,
)
from kafka.protocol.consumer import (
    FetchRequest,
    JoinGroupRequest,
    ListOffsetsRequest,
    OffsetCommitRequest,
    OffsetFetchRequest,
)
from kafka.protocol.metadata import FindCoordinatorRequest
from kafka.protocol.producer import InitProducerIdRequest, ProduceRequest
from kafka.record import MemoryRecordsBuilder

TOPIC_REFUSED: Final = 29
GROUP_REFUSED: Final = 30
CLUSTER_REFUSED: Final = 31
REFUSALS: Final = frozenset({TOPIC_REFUSED, GROUP_REFUSED, CLUSTER_REFUSED})
#: What the operations below answer when they were allowed: done, or stopped by what was asked for.
ALLOWED: Final = frozenset(
    {
        0,
        36,  # the topic exists already
        37,  # so many partitions there are already
        79,  # a member of a group asks again, with the id it was given
    }
)
_TOPIC: Final = 2
_SET: Final = 0
#: The broker is fetching ids to give away.
_LOADING: Final = 14
_PATIENCE_S: Final = 30.0


class Asker:
    """One principal's connection; a context manager."""

    def __init__(self, client: dict[str, Any]) -> None:
        self._admin: Any = KafkaAdminClient(**client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._admin.close()

    def _send(self, request: object) -> Any:  # noqa: ANN401 - kafka-python is untyped
        return self._admin._manager.run(self._admin._manager.send, request)

    def write(self, topics: Iterable[str]) -> dict[str, int]:
        """Write one record to each."""
        builder = MemoryRecordsBuilder(2, 0, 1 << 16)
        builder.append(None, b"key", b"value")
        builder.close()
        topic = ProduceRequest.TopicProduceData
        asked = [
            topic(
                name=name,
                partition_data=[topic.PartitionProduceData(index=0, records=bytes(builder.buffer()))],
            )
            for name in topics
        ]
        answer = self._send(ProduceRequest(acks=-1, timeout_ms=10_000, topic_data=asked, max_version=9))
        return {t.name: t.partition_responses[0].error_code for t in answer.responses}

    def read(self, topics: Iterable[str]) -> dict[str, int]:
        """Fetch each from its beginning."""
        topic = FetchRequest.FetchTopic
        asked = [
            topic(
                topic=name,
                partitions=[
                    topic.FetchPartition(
                        partition=0, fetch_offset=0, partition_max_bytes=1000, log_start_offset=-1
                    )
                ],
            )
            for name in topics
        ]
        answer = self._send(
            FetchRequest(
                replica_id=-1,
                max_wait_ms=0,
                min_bytes=0,
                max_bytes=1 << 20,
                isolation_level=0,
                session_id=0,
                session_epoch=-1,
                topics=asked,
                forgotten_topics_data=[],
                rack_id="",
                max_version=11,
            )
        )
        return {t.topic: t.partitions[0].error_code for t in answer.responses}

    def look(self, topics: Iterable[str]) -> dict[str, int]:
        """Ask for the end of each."""
        topic = ListOffsetsRequest.ListOffsetsTopic
        asked = [
            topic(name=name, partitions=[topic.ListOffsetsPartition(partition_index=0, timestamp=-1)])
            for name in topics
        ]
        answer = self._send(ListOffsetsRequest(replica_id=-1, isolation_level=0, topics=asked, max_version=5))
        return {t.name: t.partitions[0].error_code for t in answer.topics}

    def create(self, topics: Iterable[str]) -> dict[str, int]:
        """Ask to create each, without doing it."""
        new = CreateTopicsRequest.CreatableTopic
        asked = [
            new(name=name, num_partitions=1, replication_factor=1, assignments=[], configs=[])
            for name in topics
        ]
        answer = self._send(CreateTopicsRequest(topics=asked, timeout_ms=10_000, validate_only=True))
        return {t.name: t.error_code for t in answer.topics}

    def alter(self, topics: Iterable[str]) -> dict[str, int]:
        """Ask to change the retention of each, without doing it."""
        resource = IncrementalAlterConfigsRequest.AlterConfigsResource
        change = resource.AlterableConfig(name="retention.ms", config_operation=_SET, value="1000")
        asked = [resource(resource_type=_TOPIC, resource_name=name, configs=[change]) for name in topics]
        answer = self._send(IncrementalAlterConfigsRequest(resources=asked, validate_only=True))
        return {r.resource_name: r.error_code for r in answer.responses}

    def grow(self, topics: Iterable[str]) -> dict[str, int]:
        """Ask for more partitions of each, without making them."""
        topic = CreatePartitionsRequest.CreatePartitionsTopic
        asked = [topic(name=name, count=9, assignments=None) for name in topics]
        answer = self._send(CreatePartitionsRequest(topics=asked, timeout_ms=10_000, validate_only=True))
        return {r.name: r.error_code for r in answer.results}

    def settings(self, topics: Iterable[str]) -> dict[str, int]:
        """Ask for the configuration of each."""
        resource = DescribeConfigsRequest.DescribeConfigsResource
        asked = [
            resource(resource_type=_TOPIC, resource_name=name, configuration_keys=["retention.ms"])
            for name in topics
        ]
        answer = self._send(DescribeConfigsRequest(resources=asked, max_version=3))
        return {r.resource_name: r.error_code for r in answer.results}

    def delete(self, topics: Iterable[str]) -> dict[str, int]:
        """Ask to delete each; what is allowed is done."""
        answer = self._send(DeleteTopicsRequest(topic_names=list(topics), timeout_ms=10_000, max_version=5))
        return {t.name: t.error_code for t in answer.responses}

    def join(self, groups: Iterable[str]) -> dict[str, int]:
        """Ask to become a member of each group."""
        protocol = JoinGroupRequest.JoinGroupRequestProtocol(name="range", metadata=b"")
        return {
            group: self._send(
                JoinGroupRequest(
                    group_id=group,
                    session_timeout_ms=6000,
                    rebalance_timeout_ms=6000,
                    member_id="",
                    protocol_type="consumer",
                    protocols=[protocol],
                    max_version=5,
                )
            ).error_code
            for group in groups
        }

    def wait_for_coordinator(self, group: str) -> None:
        """Ask for the coordinator of a group until there is one: the first question on a broker makes it."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            request = FindCoordinatorRequest(key=group, key_type=0, max_version=3)
            if self._send(request).error_code == 0 and self.offsets([group])[group] == 0:
                return
            assert time.monotonic() < until
            time.sleep(0.1)

    def offsets(self, groups: Iterable[str]) -> dict[str, int]:
        """Ask for the committed offsets of each group."""
        return {
            group: self._send(OffsetFetchRequest(group_id=group, topics=None, max_version=5)).error_code
            for group in groups
        }

    def commit(self, group: str, topic: str) -> int:
        """Commit an offset of a topic outside of the group protocol, as members' readers do."""
        commit = OffsetCommitRequest.OffsetCommitRequestTopic
        place = commit.OffsetCommitRequestPartition(
            partition_index=0, committed_offset=0, committed_leader_epoch=-1, committed_metadata=""
        )
        answer = self._send(
            OffsetCommitRequest(
                group_id=group,
                generation_id_or_member_epoch=-1,
                member_id="",
                topics=[commit(name=topic, partitions=[place])],
                max_version=6,
            )
        )
        return int(answer.topics[0].partitions[0].error_code)

    def delete_groups(self, groups: Iterable[str]) -> dict[str, int]:
        """Ask to delete each group; what is allowed is done."""
        answer = self._send(DeleteGroupsRequest(groups_names=list(groups)))
        return {r.group_id: r.error_code for r in answer.results}

    def producer_id(self) -> int:
        """Ask for what an idempotent producer needs."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=1000, max_version=2)
            code = int(self._send(request).error_code)
            if code != _LOADING or time.monotonic() > until:
                return code

"""The id that Kafka gives a topic when it is created, so that one made anew under an old name is noticed.

aiokafka speaks metadata requests up to version 5; ids came with version 10. The request and its answer are
declared here with aiokafka's own types and sent through a started client.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from aiokafka import errors
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

if TYPE_CHECKING:
    from io import BytesIO

    from streams.untyped import KafkaConsumer

_METADATA = 3
_VERSION = 10
_NO_ID = bytes(16)


class _Uuid(AbstractType[bytes]):
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


_NAME = CompactString("utf-8")


class _MetadataResponseV10(Response):
    API_KEY: ClassVar[int] = _METADATA
    API_VERSION: ClassVar[int] = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", _NAME),
                ("port", Int32),
                ("rack", _NAME),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _NAME),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _MetadataRequestV10(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = _VERSION
    RESPONSE_TYPE = _MetadataResponseV10
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _NAME), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV10]):
    API_KEY = _METADATA

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[_MetadataRequestV10]) -> _MetadataRequestV10:
        return request_struct_class([(_NO_ID, self._topic, {})], False, False, False, {})  # noqa: FBT003 - by position


async def topic_identity(consumer: KafkaConsumer, topic: str) -> str:
    """Return the id of a topic as Kafka's tools show it (a UUID).

    Args:
        consumer: a started aiokafka consumer.
        topic: name of the topic.

    Raises:
        aiokafka.errors.KafkaError: the broker did not answer, or does not know the topic.
    """
    client: Any = consumer._client  # noqa: SLF001 - see faust_hooks
    response = await client.send(client.get_random_node(), _MetadataRequest(topic))
    for code, name, topic_id, *_ in response.topics:
        if name == topic:
            if code:
                raise errors.for_code(code)(topic)
            return str(uuid.UUID(bytes=topic_id))
    raise errors.UnknownTopicOrPartitionError(topic)

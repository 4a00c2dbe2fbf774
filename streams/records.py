"""A fetched record, as light as it can be: a worker draining a backlog makes more of these than of anything.

aiokafka's own ``ConsumerRecord`` has the same names and costs three times as much to make; ours is
also no work for the garbage collector.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec
from aiokafka.consumer.fetcher import FetchResult

if TYPE_CHECKING:
    from aiokafka.structs import TopicPartition

_NO_HEADERS: tuple[tuple[str, bytes | None], ...] = ()


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record of a Kafka topic.

    Attributes:
        topic: where it was read.
        partition: likewise.
        offset: likewise.
        timestamp: milliseconds since epoch.
        timestamp_type: 0 the sender's clock, 1 the broker's at the append.
        key: raw bytes.
        value: raw bytes; None is a tombstone.
        headers: name and raw bytes, in order.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = _NO_HEADERS


def _record(tp: TopicPartition, raw: Any) -> Record:  # noqa: ANN401 - a compiled class of aiokafka
    headers = raw.headers
    return Record(
        tp.topic, tp.partition, raw.offset, raw.timestamp, raw.timestamp_type, raw.key, raw.value,
        tuple(headers) if headers else _NO_HEADERS,
    )  # fmt: skip


class LeanResults(OrderedDict[Any, Any]):
    """What an aiokafka fetcher has fetched, per partition, read as `Record` instead of ``ConsumerRecord``."""

    def __setitem__(self, tp: TopicPartition, result: object) -> None:
        """Put in what was fetched of a partition, or the error."""
        if isinstance(result, FetchResult):
            result._partition_records._consumer_record = _record  # noqa: SLF001 - see faust_hooks
        super().__setitem__(tp, result)

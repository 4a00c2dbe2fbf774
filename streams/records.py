"""A fetched record, as light as it can be: a worker draining a backlog makes more of these than of anything.

aiokafka's own ``ConsumerRecord`` has the same names and costs three times as much to make; ours is
also no work for the garbage collector.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from aiokafka.consumer.fetcher import FetchResult

if TYPE_CHECKING:
    from aiokafka.structs import TopicPartition

    from streams.partition_errors import PartitionErrors

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
    """What an aiokafka fetcher has fetched, per partition, read as `Record` instead of ``ConsumerRecord``.

    aiokafka takes from one partition after another, and what it took is gone when a later one has a damaged
    batch. Here only the partition with the damage stops, behind its last good record.

    Args:
        failures: told of partitions that cannot be read.
    """

    def __init__(self, failures: PartitionErrors) -> None:
        super().__init__()
        self._failures = failures

    def __setitem__(self, tp: TopicPartition, result: object) -> None:
        """Put in what was fetched of a partition, or the error."""
        if isinstance(result, FetchResult):
            result._partition_records._consumer_record = _record  # noqa: SLF001 - see faust_hooks
            result.getall = partial(self._take, tp, result)
        super().__setitem__(tp, result)

    def _take(self, tp: TopicPartition, result: Any, max_records: int | None = None) -> list[Record]:  # noqa: ANN401 - untyped library
        """Take records of one partition, as `FetchResult.getall` does."""
        if not result.check_assignment(tp) or not result.has_more():
            return []
        found: list[Record] = []
        damage: Exception | None = None
        try:
            for record in result._partition_records:  # noqa: SLF001 - see faust_hooks
                found.append(record)
                if max_records is not None and len(found) >= max_records:
                    break
            else:
                max_records = None
        except Exception as error:  # noqa: BLE001 - whatever a damaged batch raises, other partitions are sound
            damage, max_records = error, None
        result._update_position()  # noqa: SLF001 - likewise
        behind = result._partition_records.next_fetch_offset  # noqa: SLF001 - likewise
        if max_records is None:
            result._partition_records = None  # noqa: SLF001 - likewise
        if self._failures and (found or damage is None):
            self._failures.read(tp)
        if damage is not None:
            self._failures.failed(tp, f"what stands from offset {behind} on is damaged: {damage!r}")
        return found

"""Reading records again by their offsets, beside the consumer that goes on: for work that was put off.

The reader has no group and commits nothing. What the topic has deleted meanwhile is said, not passed over.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from types import TracebackType

    from streams.untyped import KafkaConsumer, KafkaRecord

_POLL_MS = 500
#: Records of the fetched batch beyond the wanted ones are dropped, so a fetch need not be large.
_FETCH_BYTES = 256 * 1024


class OffsetReader:
    """Reads one partition; an asynchronous context manager.

    Args:
        client: Settings shared by the process's Kafka clients, as keyword arguments of aiokafka.
        topic: Name of the topic.
        partition: The partition.
        patience_s: Seconds without any record after which reading is given up.
    """

    def __init__(
        self, client: Mapping[str, Any], topic: str, partition: int, *, patience_s: float = 10.0
    ) -> None:
        self._client = client
        self._tp = TopicPartition(topic, partition)
        self._patience_s = patience_s
        self._consumer: KafkaConsumer = None
        self._beginning: int | None = None
        self._next = -1

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=_FETCH_BYTES,
            **self._client,
        )
        try:
            await self._consumer.start()
            self._consumer.assign([self._tp])
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def at(self, offsets: Iterable[int]) -> dict[int, KafkaRecord | None]:
        """Answer the records at ascending offsets; None stands for one that the topic no longer holds.

        Raises:
            TimeoutError: The broker did not answer in time.
            aiokafka.errors.KafkaError: It answered with an error.
        """
        found: dict[int, KafkaRecord | None] = {}
        for offset in offsets:
            record = await self._first_from(offset, offset + 1)
            found[offset] = record if record is not None and record.offset == offset else None
        return found

    async def between(self, start: int, end: int) -> AsyncIterator[KafkaRecord]:
        """Yield what the topic still holds from `start` on, up to and without `end`.

        Raises:
            TimeoutError: The broker did not answer in time.
            aiokafka.errors.KafkaError: It answered with an error.
        """
        while start < end:
            record = await self._first_from(start, end)
            if record is None:
                return
            yield record
            start = record.offset + 1

    async def _first_from(self, offset: int, end: int) -> KafkaRecord | None:
        """Answer the first record at or behind an offset, or None when there is none before `end`."""
        offset = max(offset, await self._first())
        if offset >= end:
            return None
        if offset != self._next:
            self._consumer.seek(self._tp, offset)
        try:
            async with asyncio.timeout(self._patience_s):
                while True:
                    found = await self._consumer.getmany(self._tp, timeout_ms=_POLL_MS, max_records=1)
                    for record in found.get(self._tp, ()):
                        self._next = record.offset + 1
                        return record if record.offset < end else None
        except OffsetOutOfRangeError:
            self._beginning = None
            if offset >= await self._first():
                return None  # beyond the end: the topic is not the one it was
            return await self._first_from(offset, end)  # deleted since the beginning was asked for

    async def _first(self) -> int:
        if self._beginning is None:
            self._beginning = (await self._consumer.beginning_offsets([self._tp]))[self._tp]
        return self._beginning

"""Reading a compacted topic by producer batches: in bulk while state is loaded, then as it grows.

aiokafka makes a Python object of ten fields for each record, which costs more than everything else that a
load does. Here its fetcher (leaders, connections, retries) brings the bytes, and batches are taken out of it
before that. Two things follow: a load costs a third, and a batch says which producer wrote it, so that the
own writes of this process are passed over without looking into them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition, errors
from aiokafka.consumer.fetcher import FetchError

from streams.topic_identity import topic_identity
from streams.transport_errors import StateLoadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SETTINGS = {
    "enable_auto_commit": False,
    "auto_offset_reset": "none",
    "max_partition_fetch_bytes": 4 << 20,
    "fetch_max_bytes": 32 << 20,
}
#: While nothing is left to load, the broker answers after this time or this much data.
_CALM_WAIT_MS = 1000
_CALM_BYTES = 1 << 20
#: Kafka's mark of a batch that was written without an idempotent producer.
_NO_PRODUCER = -1


class WrittenBatch:
    """The records that one producer wrote at once.

    Attributes:
        producer: id of the producer, None when it had none.
        next_offset: offset behind the batch.
    """

    def __init__(self, batch: Any, from_offset: int) -> None:  # noqa: ANN401 - see untyped
        self._batch = batch
        self._from_offset = from_offset
        self.next_offset: int = batch.next_offset
        found: int | None = batch.producer_id
        self.producer = None if found in {None, _NO_PRODUCER} else found

    def records(self) -> list[Any]:
        """Return the records, each with ``key``, ``value`` and ``headers`` (None or bytes); call it once."""
        if self._batch.is_control_batch:
            return []
        records = list(self._batch)
        if self._batch.base_offset < self._from_offset:
            return [record for record in records if record.offset >= self._from_offset]
        return records


class Fetched(NamedTuple):
    """What one fetch brought of one partition; reading goes on at `next_offset`."""

    partition: int
    batches: list[WrittenBatch]
    next_offset: int


class StateLog:
    """Reads the partitions of one topic; an asynchronous context manager.

    Args:
        client_settings: of aiokafka.
        topic: the topic.
    """

    def __init__(self, client_settings: Mapping[str, Any], topic: str) -> None:
        self._consumer = AIOKafkaConsumer(**_SETTINGS, **client_settings)
        self._topic = topic

    async def __aenter__(self) -> Self:
        """Connect."""
        try:
            await self._consumer.start()
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def identity(self) -> str:
        """Return the id of the topic in Kafka."""
        return await topic_identity(self._consumer, self._topic)

    async def bounds(self, partitions: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Return the first offset of each partition and the one behind its last.

        Raises:
            StateLoadError: the topic lacks one of the partitions.
        """
        cluster = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001 - see faust_hooks
        known = cluster.partitions_for_topic(self._topic) or set()
        wanted = set(partitions)
        if missing := sorted(wanted - known):
            raise StateLoadError(f"{self._topic} has no partitions {missing}")
        tps = [TopicPartition(self._topic, partition) for partition in sorted(wanted)]
        begins = await self._consumer.beginning_offsets(tps)
        ends = await self._consumer.end_offsets(tps)
        return {tp.partition: (begins[tp], ends[tp]) for tp in tps}

    def read_from(self, positions: Mapping[int, int]) -> None:
        """Begin to read partitions, each at its offset; replaces what was read before."""
        tps = {TopicPartition(self._topic, partition): offset for partition, offset in positions.items()}
        self._consumer.assign(list(tps))
        for tp, offset in tps.items():
            self._consumer.seek(tp, offset)

    def calm_down(self) -> None:
        """Ask the broker seldom from now on: nobody waits for what comes."""
        fetcher = self._consumer._fetcher  # noqa: SLF001 - see faust_hooks
        fetcher._fetch_max_wait_ms = _CALM_WAIT_MS  # noqa: SLF001 - likewise
        fetcher._fetch_min_bytes = _CALM_BYTES  # noqa: SLF001 - likewise

    async def fetch(self, timeout: float) -> list[Fetched]:  # noqa: ASYNC109 - like getmany
        """Return what has arrived, waiting for it at most `timeout` seconds.

        Raises:
            aiokafka.errors.KafkaError: the broker refuses, an offset does not exist, or bytes are damaged.
        """
        fetcher: Any = self._consumer._fetcher  # noqa: SLF001 - see faust_hooks
        if not fetcher._records:  # noqa: SLF001 - likewise
            waiter = fetcher._create_fetch_waiter()  # noqa: SLF001 - likewise
            await asyncio.wait({waiter, fetcher.error_future}, timeout=timeout,
                               return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
            waiter.cancel()
        if fetcher.error_future.done():
            raise errors.KafkaError("the fetcher has ended")
        found: list[Fetched] = []
        for tp in list(fetcher._records):  # noqa: SLF001 - likewise
            result = fetcher._records.pop(tp)  # noqa: SLF001 - likewise
            if isinstance(result, FetchError):
                result.check_raise()
            elif result.check_assignment(tp):
                found.append(self._taken(tp, result))
        fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001 - likewise: it may fetch again
        return found

    def _taken(self, tp: TopicPartition, result: Any) -> Fetched:  # noqa: ANN401 - see untyped
        records = result._partition_records  # noqa: SLF001 - see faust_hooks
        begin = end = records.next_fetch_offset
        batches = []
        while records._records.has_next():  # noqa: SLF001 - likewise
            batch = records._records.next_batch()  # noqa: SLF001 - likewise
            if not batch.validate_crc():
                raise errors.CorruptRecordException(f"{tp.topic}[{tp.partition}]")
            batches.append(WrittenBatch(batch, begin))
            end = batch.next_offset
        result._assignment.state_value(tp).consumed_to(end)  # noqa: SLF001 - likewise
        return Fetched(tp.partition, batches, end)

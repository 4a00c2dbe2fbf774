"""Confirmed sends in bulk: one producer batch per destination partition, all confirmed or an error.

A record sent alone costs its own request; here all records of a call that go to one partition travel
together. The call returns when the broker has confirmed every one of them, so what follows it
(a state write, an acknowledgement) never overtakes it.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from aiokafka import errors
from aiokafka.structs import TopicPartition

from streams.fault_points import NO_FAULTS
from streams.transport_errors import SendFailedError, UnconfirmedError, UndeliverableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.fault_points import FaultPoints
    from streams.untyped import KafkaBatch, KafkaProducer

#: The loop gets its turn after this many records: heartbeats and timers live in it too.
YIELD_EVERY = 256

_REFUSALS: dict[type[errors.KafkaError], str] = {
    errors.MessageSizeTooLargeError: "too_large",
    errors.RecordListTooLargeError: "too_large",
    errors.TopicAuthorizationFailedError: "not_authorised",
    errors.UnknownTopicOrPartitionError: "unknown_topic",
    errors.InvalidTopicError: "unknown_topic",
    errors.PolicyViolationError: "invalid",
}


class Outgoing(NamedTuple):
    """A record to send; `value` None is a tombstone."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass
class Confirmation:
    """What the broker confirmed of one call.

    Attributes:
        records: how many.
        last_offsets: (topic, partition) -> offset of the last confirmed record; -1 when the broker only
            said that it has it already.
        append_times: (topic, partition) -> the broker's clock at the append, ms since epoch; only for
            topics with ``message.timestamp.type=LogAppendTime``.
    """

    records: int = 0
    last_offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    append_times: dict[tuple[str, int], int] = field(default_factory=dict)


class BatchPublisher:
    """Publishes lists of records through one idempotent aiokafka producer, which should have no other user.

    Args:
        producer: a started ``AIOKafkaProducer`` with acks=all and idempotence.
        confirm_timeout: seconds after which an unconfirmed send is an error. aiokafka itself repeats an
            idempotent send for ever.
        metadata_patience: seconds for which an unknown or forbidden topic is asked for again before it
            counts as such: brokers learn of topics and rights some seconds late (4.7 s were measured).
        max_record_bytes: larger records are refused unsent; must be below the broker's
            ``socket.request.max.bytes`` (100 MiB), beyond which it would cut the connection.
        faults: what tests break on purpose.
    """

    def __init__(
        self,
        producer: KafkaProducer,
        *,
        confirm_timeout: float = 30.0,
        metadata_patience: float = 5.0,
        max_record_bytes: int = 16 << 20,
        faults: FaultPoints = NO_FAULTS,
    ) -> None:
        self._producer = producer
        self._confirm_timeout = confirm_timeout
        self._patience = metadata_patience
        self._max_record_bytes = max_record_bytes
        self._faults = faults
        self._locks: defaultdict[TopicPartition, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._known_missing: dict[str, tuple[float, str]] = {}
        self._running: set[asyncio.Task[Confirmation]] = set()

    @property
    def in_flight(self) -> int:
        """Return the number of calls whose records are not all confirmed, callers that gave up included."""
        return len(self._running)

    async def partitions_for(self, topic: str) -> int:
        """Return the number of partitions of a topic.

        Raises:
            UndeliverableError: the topic is unknown or forbidden, also after `metadata_patience`.
        """
        problem = await self._problem_with(topic)
        if problem is not None:
            raise UndeliverableError([(topic, problem)])
        return len(self._producer.client.cluster.partitions_for_topic(topic))

    async def learn(self, topics: Iterable[str]) -> None:
        """Ask once about many topics, so that the first send to each need not ask for it alone.

        A topic that does not exist is no error here.
        """
        client = self._producer.client
        wanted = frozenset(topics)
        for _ in range(2):  # an answer that was under way does not know the new ones
            if all(client.cluster.partitions_for_topic(topic) is not None for topic in wanted):
                return
            await client.set_topics(wanted | set(client.cluster.topics()))
            await client.force_metadata_update()

    async def publish(self, records: Sequence[Outgoing]) -> Confirmation:
        """Send `records` and return when all are confirmed; the order within a partition is kept.

        A cancelled call sends and confirms on in the background (see `in_flight`).

        Raises:
            UndeliverableError: some records can never be delivered; all others are confirmed.
            UnconfirmedError: no confirmation in time: whether it happened is unknown.
            SendFailedError: any other refusal, for example a producer fenced by its successor.
        """
        if not records:
            return Confirmation()
        task = asyncio.create_task(self._publish(records))
        self._running.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Confirmation]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved: a caller that gave up does not ask any more

    async def _publish(self, records: Sequence[Outgoing]) -> Confirmation:
        by_partition: dict[tuple[str, int], list[Outgoing]] = {}
        for number, record in enumerate(records, start=1):
            by_partition.setdefault((record.topic, record.partition), []).append(record)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        confirmation = Confirmation()
        deliveries = [
            self._deliver(TopicPartition(topic, partition), group, confirmation)
            for (topic, partition), group in by_partition.items()
        ]
        # All are waited for, also after a failure: who gets an error must not have sends under way.
        results = (
            [await deliveries[0]]
            if len(deliveries) == 1
            else await asyncio.gather(*deliveries, return_exceptions=True)
        )
        refused: list[tuple[object, str]] = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            refused.extend(result)
        if refused:
            raise UndeliverableError(refused, confirmation)
        return confirmation

    async def _deliver(
        self, tp: TopicPartition, records: list[Outgoing], confirmation: Confirmation
    ) -> list[tuple[Outgoing, str]]:
        """Send the records of one partition; return those that can never be delivered, with the reason."""
        # One batch of a partition at a time: a refused batch must not have successors under way (below).
        async with self._locks[tp]:
            problem = await self._problem_with(tp.topic) or self._problem_with_partition(tp)
            if problem is not None:
                return [(record, problem) for record in records]
            refused: list[tuple[Outgoing, str]] = []
            position = single_until = 0
            while position < len(records):
                if self._is_too_large(records[position]):
                    refused.append((records[position], "too_large"))
                    position += 1
                    continue
                limit = position + 1 if position < single_until else len(records)
                batch, end = await self._filled(records, position, limit)
                reason = await self._send(tp, batch, confirmation)
                if reason is None:
                    position = end
                elif reason != "too_large":
                    return refused + [(record, reason) for record in records[position:]]
                elif end - position > 1:
                    single_until = end  # find out which of them it is
                else:
                    refused.append((records[position], reason))
                    position = end
            return refused

    def _is_too_large(self, record: Outgoing) -> bool:
        return len(record.key or b"") + len(record.value or b"") > self._max_record_bytes

    async def _filled(self, records: list[Outgoing], start: int, limit: int) -> tuple[KafkaBatch, int]:
        batch = self._producer.create_batch()
        position = start
        while position < limit and not self._is_too_large(records[position]):
            record = records[position]
            appended = batch.append(
                key=record.key, value=record.value, timestamp=None, headers=list(record.headers)
            )
            if appended is None:
                break
            position += 1
            if (position - start) % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        batch.close()
        return batch, position

    async def _send(self, tp: TopicPartition, batch: KafkaBatch, confirmation: Confirmation) -> str | None:
        """Send one batch and wait for it; return the reason when the broker refused it for good."""
        count = batch.record_count()
        taken = self._sequence(tp)
        try:
            async with asyncio.timeout(self._confirm_timeout):
                await self._faults.reach("publisher.send", tp.partition)
                metadata = await (await self._producer.send_batch(batch, tp.topic, partition=tp.partition))
                await self._faults.reach("publisher.after_send", tp.partition)
        except TimeoutError as error:
            raise UnconfirmedError(
                f"{count} record(s) to {tp.topic}[{tp.partition}] unconfirmed after {self._confirm_timeout} s"
            ) from error
        except errors.KafkaError as error:
            reason = _REFUSALS.get(type(error))
            if reason is None:
                raise SendFailedError(f"send to {tp.topic}[{tp.partition}] failed: {error!r}") from error
            self._give_back_sequence(tp, taken, count)
            return reason
        confirmation.records += count
        confirmation.last_offsets[tp] = metadata.offset + count - 1 if metadata.offset >= 0 else -1
        if metadata.timestamp > 0:
            confirmation.append_times[tp] = metadata.timestamp
        return None

    # aiokafka counts a refused batch as sent, so the broker would refuse every later batch of the partition
    # as out of order. The Java client gives the numbers back in this case, and so do we; nothing of this
    # partition can be under way meanwhile (the lock, and aiokafka sends one batch of a partition at a time).
    def _sequence(self, tp: TopicPartition) -> int:
        return self._producer._txn_manager.sequence_number(tp)  # noqa: SLF001 - see faust_hooks

    def _give_back_sequence(self, tp: TopicPartition, taken: int, count: int) -> None:
        if self._sequence(tp) == taken + count:
            self._producer._txn_manager.increment_sequence_number(tp, -count)  # noqa: SLF001 - see faust_hooks

    def _problem_with_partition(self, tp: TopicPartition) -> str | None:
        partitions: Iterable[int] = self._producer.client.cluster.partitions_for_topic(tp.topic)
        return None if tp.partition in partitions else "unknown_partition"

    async def _problem_with(self, topic: str) -> str | None:
        """Return why a topic cannot be written to, as far as the brokers' metadata tell; None when it can."""
        cluster = self._producer.client.cluster
        if cluster.partitions_for_topic(topic) is not None:
            return None
        until, known = self._known_missing.get(topic, (0.0, ""))
        started = time.monotonic()
        if started < until:
            return known
        patience = (
            0.0 if known else self._patience
        )  # waited for once, it is asked for but not waited for again
        while True:
            self._producer.client.add_topic(topic)
            is_fresh = await self._producer.client.force_metadata_update()
            if cluster.partitions_for_topic(topic) is not None:
                self._known_missing.pop(topic, None)
                return None
            waited = time.monotonic() - started
            if is_fresh and waited >= patience:
                break
            if waited >= self._confirm_timeout:
                raise UnconfirmedError(f"no broker answered about {topic} for {self._confirm_timeout} s")
            await asyncio.sleep(min(0.25, self._patience))
        problem = "not_authorised" if topic in cluster.unauthorized_topics else "unknown_topic"
        self._known_missing[topic] = (time.monotonic() + self._patience, problem)
        return problem

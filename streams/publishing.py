"""Confirmed sends in bulk: few large batches however many calls there are, all confirmed or an error.

A record sent alone costs its own batch and its own request; here all records that wait for a partition travel
in one batch, and all batches for a broker in one request. The call returns when the broker has confirmed
every one of its records, so what follows it (a state write, an acknowledgement) never overtakes it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from streams.fault_points import NO_FAULTS
from streams.send_queues import CODECS, Call, Confirmation, Format, Outgoing, grouped
from streams.send_rounds import SendRounds
from streams.topic_lookup import TopicLookup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.fault_points import FaultPoints
    from streams.send_queues import Part
    from streams.untyped import KafkaProducer

__all__ = ["BatchPublisher", "Confirmation", "Outgoing"]


class BatchPublisher:
    """Publishes lists of records over the connections of one aiokafka producer, idempotent, with acks=all.

    It has a producer id of its own, so other users of the producer do no harm.

    Args:
        producer: a started ``AIOKafkaProducer``.
        confirm_timeout: seconds of attempts without an outcome after which a send is an error.
        metadata_patience: seconds for which an unknown or forbidden topic is asked for again before it
            counts as such: brokers learn of topics and rights some seconds late (4.7 s were measured).
        request_timeout: seconds after which one attempt counts as failed; that of the producer.
        max_record_bytes: larger records are refused unsent; must be below the broker's
            ``socket.request.max.bytes`` (100 MiB), beyond which it would cut the connection.
        max_batch_bytes: of the records in one batch; a larger record is sent alone.
        max_waiting_bytes: calls wait before they add to more than this, so a slow broker slows its callers
            down instead of filling the memory.
        compression: of batches, None for none.
        compress_from: bytes below which a batch is not compressed.
        faults: what tests break on purpose.
    """

    def __init__(  # noqa: PLR0913 - keyword-only limits
        self,
        producer: KafkaProducer,
        *,
        confirm_timeout: float = 120.0,
        metadata_patience: float = 5.0,
        request_timeout: float = 30.0,
        max_record_bytes: int = 16 << 20,
        max_batch_bytes: int = 256 << 10,
        max_waiting_bytes: int = 64 << 20,
        compression: str | None = None,
        compress_from: int = 1024,
        faults: FaultPoints = NO_FAULTS,
    ) -> None:
        self._lookup = TopicLookup(producer.client, patience=metadata_patience, give_up_after=confirm_timeout)
        self._rounds = SendRounds(
            producer.client,
            self._lookup,
            shape=Format(max_batch_bytes, CODECS[compression], compress_from),
            confirm_timeout=confirm_timeout,
            patience=metadata_patience,
            request_timeout=request_timeout,
            faults=faults,
            freed=self._freed,
        )
        self._max_record_bytes = max_record_bytes
        self._max_waiting_bytes = max_waiting_bytes
        self._room = asyncio.Event()
        self._running: set[Call] = set()
        self.waiting_bytes = 0

    @property
    def in_flight(self) -> int:
        """Return the number of calls whose records are not all confirmed, callers that gave up included."""
        return len(self._running)

    @property
    def producer_id(self) -> int | None:
        """Return the id under which the broker knows what is published here; None before the first send."""
        return self._rounds.producer_id

    @property
    def repeated(self) -> int:
        """Return how many batches had to be sent again so far."""
        return self._rounds.repeated

    def known_partitions(self, topic: str) -> int | None:
        """Return the number of partitions of a topic if it is known without asking (see `learn`)."""
        return self._lookup.count(topic)

    async def partitions_for(self, topic: str) -> int:
        """Return the number of partitions of a topic.

        Raises:
            UndeliverableError: the topic is unknown or forbidden, also after `metadata_patience`.
            UnconfirmedError: no broker answered.
        """
        return self._lookup.count(topic) or await self._lookup.partitions_for(topic)

    async def learn(self, topics: Iterable[str]) -> None:
        """Ask once about many topics, so that the first send to each need not ask for it alone.

        A topic that does not exist is no error here.
        """
        await self._lookup.learn(topics)

    async def publish(self, records: Sequence[Outgoing]) -> Confirmation:
        """Send `records` and return when all are confirmed; the order within a partition is kept.

        Errors that pass are waited out (elections, brokers that restart, too few replicas, full disks). A
        cancelled call sends and confirms on in the background (see `in_flight`).

        Raises:
            UndeliverableError: some records can never be delivered; all others are confirmed.
            UnconfirmedError: no confirmation in time: whether it happened is unknown.
            SendFailedError: any other refusal, for example a producer id that the broker no longer accepts.
                After this or the one above, the publisher sends nothing any more.
        """
        if not records:
            return Confirmation()
        call = Call(asyncio.get_running_loop().create_future(), self._running.discard)
        parts: list[Part] = []
        for part in grouped(records, call, self._max_record_bytes):
            if part is None:
                await asyncio.sleep(0)
            else:
                parts.append(part)
        await self._wait_for_room(sum(part.size for part in parts))
        if self._rounds.failure is not None:
            raise self._rounds.failure
        call.parts_left = len(parts)
        self._running.add(call)
        for part in parts:
            self._line_up(part)
        call.settle()
        return await call.future

    def _line_up(self, part: Part) -> None:
        first = part.records[0]
        problem = self._lookup.known_problem(first.topic)
        if problem is not None:
            part.refuse(problem)
            return
        self.waiting_bytes += part.size
        queue = self._rounds.queue(first.topic, first.partition)
        queue.append(part)
        self._rounds.wake(queue)

    async def _wait_for_room(self, size: int) -> None:
        while self.waiting_bytes and self.waiting_bytes + size > self._max_waiting_bytes:
            self._room.clear()
            await self._room.wait()

    def _freed(self, size: int) -> None:
        self.waiting_bytes -= size
        self._room.set()

    async def close(self) -> None:
        """Stop sending; what is not confirmed stays unconfirmed."""
        await self._rounds.close()

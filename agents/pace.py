"""Keeping intake from running ahead of casekeeper, so that a flood waits at the door and not in one queue.

The topics of submissions are parted by country, and intake takes them in turns; behind it all reports share
the queues of casekeeper. If intake, which has less work with each record, admitted a flood as fast as it can,
every report after it would wait behind all of it. So it admits only while casekeeper is less than
`max_admitted_backlog` records behind. What is urgent is not held back.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from faust.types import TP

from streams.transport_errors import PartitionRevokedError
from streams.untyped import KafkaConsumer

log = logging.getLogger(__name__)

#: A measurement serves for so long; casekeeper's commits are half a second apart anyway.
_FRESH_S: Final = 0.25


class Pace(Protocol):
    """What an intake asks before it admits a bundle."""

    def room_for(self, records: int) -> AbstractAsyncContextManager[None]:
        """Wait until so many records may be admitted; until the context ends they are under way."""


class Unpaced:
    """The pace of what is urgent."""

    @asynccontextmanager
    async def room_for(self, records: int) -> AsyncIterator[None]:  # noqa: ARG002 - nobody counts them
        """Let everything pass at once."""
        yield


class Paced:
    """Waits while casekeeper is too far behind.

    Args:
        measure: Answers how many admitted records casekeeper has not committed.
        limit: Records from which on intake waits.

    Attributes:
        backlog: The last measurement and what was let in since; it is rather too high than too low.
    """

    def __init__(self, measure: Callable[[], Awaitable[int]], limit: int) -> None:
        self._measure = measure
        self._limit = limit
        self._looked_at: float | None = None
        self._looking: asyncio.Task[None] | None = None
        self._door = asyncio.Lock()
        self._is_suspended = asyncio.Event()
        self._under_way = 0
        self.backlog = 0

    @asynccontextmanager
    async def room_for(self, records: int) -> AsyncIterator[None]:
        """Go on when casekeeper is less than the limit behind; one bundle goes above it, no second one.

        Below the limit nobody waits for a measurement but the first caller.

        Raises:
            PartitionRevokedError: The partitions are about to go, or the worker to stop.
        """
        async with self._door:
            while self._looked_at is None or self.backlog >= self._limit:
                self._check()
                await asyncio.shield(self._look())
                if self._looked_at is None or self.backlog >= self._limit:
                    await self._pause()
            self._check()
            if time.monotonic() - self._looked_at > _FRESH_S:
                self._look()
            self._under_way += records
            self.backlog += records
        try:
            yield
        finally:
            self._under_way -= records

    def _check(self) -> None:
        if self._is_suspended.is_set():
            raise PartitionRevokedError("intake gives back what it has not begun to admit")

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._is_suspended.wait(), _FRESH_S)
        except TimeoutError:
            return

    # PartitionListener -------------------------------------------------------------------------------

    def suspended(self) -> None:
        """Turn away who waits: a rebalance or a stop must not wait for casekeeper."""
        self._is_suspended.set()

    def abandoned(self) -> None:
        """Need nothing: nobody waits any more."""

    def revoked(self, partitions: Iterable[TP]) -> None:
        """Need nothing, likewise."""

    def assigned(self, partitions: Iterable[TP]) -> None:  # noqa: ARG002 - the protocol's signature
        """Let in again."""
        self._is_suspended.clear()

    def _look(self) -> asyncio.Task[None]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._measured())
        return self._looking

    async def _measured(self) -> None:
        try:
            measured = await self._measure()
        except (KafkaError, OSError) as error:
            log.warning("casekeeper's backlog could not be measured: %r", error)
        else:
            self.backlog = measured + self._under_way
            self._looked_at = time.monotonic()


class GroupLag:
    """How many records of a topic a consumer group has not committed; two small requests.

    Args:
        client: Settings shared by the process's Kafka clients, as keyword arguments of aiokafka.
        topic: The topic.
        partitions: Its number of partitions.
        group: The group.
    """

    def __init__(self, client: Mapping[str, Any], topic: str, partitions: int, group: str) -> None:
        self._client = client
        self._partitions = [TopicPartition(topic, number) for number in range(partitions)]
        self._group = group
        self._consumer: KafkaConsumer | None = None
        self._admin: Any = None
        self._coordinator: int | None = None

    async def measure(self) -> int:
        """Answer the lag in records over all partitions.

        Raises:
            KafkaError: The brokers did not answer.
        """
        try:
            return await self._measured()
        except KafkaError:
            self._coordinator = None
            raise

    async def _measured(self) -> int:
        if self._consumer is None:
            self._consumer, self._admin = await self._connected()
        if self._coordinator is None:
            self._coordinator = await self._admin.find_coordinator(self._group)
        found = await self._admin.list_consumer_group_offsets(self._group, self._coordinator)
        committed = {tp: meta.offset for tp, meta in found.items() if meta.offset >= 0}
        if missing := [tp for tp in self._partitions if tp not in committed]:
            # Also what a broker says that no longer coordinates the group: ask anew whom to ask.
            self._coordinator = None
            committed |= await self._consumer.beginning_offsets(missing)
        ends = await self._consumer.end_offsets(self._partitions)
        return sum(max(ends[tp] - committed[tp], 0) for tp in self._partitions)

    async def _connected(self) -> tuple[KafkaConsumer, Any]:
        consumer, admin = AIOKafkaConsumer(**self._client), AIOKafkaAdminClient(**self._client)
        try:
            await consumer.start()
            await admin.start()
        except BaseException:  # what could not be started must be closed as well
            await admin.close()
            await consumer.stop()
            raise
        return consumer, admin

    async def close(self) -> None:
        """Close the connections."""
        consumer, self._consumer = self._consumer, None
        admin, self._admin = self._admin, None
        if admin is not None:
            await admin.close()
        if consumer is not None:
            await consumer.stop()

"""How far each member is behind with its inbox, and when it last read: seen from outside, as it may be down.

Members report their positions as committed offsets, with the time of reading as their metadata. One worker
measures for all: the one that has the first partition of casekeeper's topic.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from agents.metrics import CasekeeperMetrics
from streams.loop_thread import LoopThread
from streams.read_marks import read_mark, reader_group
from streams.topics import Topics
from streams.untyped import KafkaConsumer

log = logging.getLogger(__name__)

EVERY_S: Final = 15.0


class InboxLag:
    """Measures the inboxes of all members.

    Args:
        client: Settings shared by the process's Kafka clients, as keyword arguments of aiokafka.
        topics: The topic table.
        members: Answers the ids of all members with an inbox.
        metrics: Where it is shown.
    """

    def __init__(
        self,
        *,
        client: Mapping[str, Any],
        topics: Topics,
        members: Callable[[], Iterable[str]],
        metrics: CasekeeperMetrics,
    ) -> None:
        self._client = client
        self._topics = topics
        self._members = members
        self._metrics = metrics

    async def run(self, is_mine: Callable[[], bool]) -> None:
        """Measure every 15 s while `is_mine` answers yes, until cancelled; errors are logged, never fatal.

        What could not be measured is not shown: an old figure would look like a quiet inbox.
        """
        # Decoding the answers about all inboxes takes a second that the agents must not wait for.
        with LoopThread("inbox-lag") as beside:
            while True:
                try:
                    if is_mine():
                        await beside.run(self.measure)
                    else:
                        self._metrics.forget_inboxes()
                except (KafkaError, OSError) as error:
                    self._metrics.forget_inboxes()
                    log.warning("inbox lag could not be measured: %s", type(error).__name__)
                await asyncio.sleep(EVERY_S)

    async def measure(self) -> None:
        """Measure all inboxes once, on whichever loop it is called."""
        consumer = AIOKafkaConsumer(enable_auto_commit=False, **self._client)
        admin = AIOKafkaAdminClient(**self._client)
        try:  # also what could not be started must be closed
            await consumer.start()
            await admin.start()
            await self._measure(consumer, admin)
        finally:
            await admin.close()
            await consumer.stop()

    async def _measure(self, consumer: KafkaConsumer, admin: Any) -> None:  # noqa: ANN401 - untyped library
        # The consumer's own list holds only topics it is assigned.
        cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - no public call answers partitions
        members = sorted(set(self._members()))
        partitions = {
            member: {
                kind: [TopicPartition(topic, p) for p in cluster.partitions_for_topic(topic) or ()]
                for kind, topic in self._inboxes(member).items()
            }
            for member in members
        }
        flat = [tp for inboxes in partitions.values() for tps in inboxes.values() for tp in tps]
        # Known at once: the consumer would ask for one unknown topic after another.
        await consumer._client.set_topics({tp.topic for tp in flat})  # noqa: SLF001 - no public call
        ends = await consumer.end_offsets(flat)
        begins = await consumer.beginning_offsets(flat)
        self._metrics.forget_inboxes(keep=members)
        for member, inboxes in partitions.items():
            try:
                committed = await admin.list_consumer_group_offsets(reader_group(self._topics.prefix, member))
            except GroupAuthorizationFailedError:
                # Published before it was provisioned: the others are measured all the same.
                log.warning("the inbox of %s could not be measured: run 'hx provision --apply'", member)
                self._metrics.forget_inbox(member)
                continue
            positions = {tp: meta.offset for tp, meta in committed.items() if meta.offset >= 0}
            marks = (read_mark(meta.metadata or "") for meta in committed.values())
            lags = {
                kind: sum(max(ends[tp] - positions.get(tp, begins[tp]), 0) for tp in tps)
                for kind, tps in inboxes.items()
            }
            last_read = max((mark for mark in marks if mark is not None), default=None)
            self._metrics.inbox(member, lags, last_read)

    def _inboxes(self, member: str) -> dict[str, str]:
        return {"normal": self._topics.inbox(member), "urgent": self._topics.inbox_urgent(member)}

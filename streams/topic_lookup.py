"""What the brokers' metadata say about topics, asked for no more often than needed.

A topic that does not exist costs a question each time it is asked for, and brokers learn of a new one some
seconds late (4.7 s were measured): so a missing topic is waited for once, then remembered for a while.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from streams.transport_errors import UnconfirmedError, UndeliverableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka.structs import TopicPartition

    from streams.untyped import KafkaClient

_POLL_S = 0.25


class TopicLookup:
    """Partitions and leaders, as one client knows them.

    Args:
        client: a started ``AIOKafkaClient``.
        patience: seconds for which a missing or forbidden topic is asked for before it counts as such.
        give_up_after: seconds without any broker that answers.
    """

    def __init__(self, client: KafkaClient, *, patience: float, give_up_after: float) -> None:
        self._client = client
        self._patience = patience
        self._give_up_after = give_up_after
        self._missing: dict[str, tuple[float, str]] = {}

    def leader(self, tp: TopicPartition) -> int | None:
        """Return the broker that leads a partition, None while none is known."""
        node = self._client.cluster.leader_for_partition(tp)
        return None if node is None or node < 0 else int(node)

    def count(self, topic: str) -> int | None:
        """Return the number of partitions if it is known without asking."""
        known = self._client.cluster.partitions_for_topic(topic)
        return None if known is None else len(known)

    def has(self, tp: TopicPartition) -> bool:
        """Return whether the partition is known to exist."""
        return tp.partition in (self._client.cluster.partitions_for_topic(tp.topic) or ())

    def known_problem(self, topic: str) -> str | None:
        """Return why a topic cannot be written to if that is known without asking."""
        until, problem = self._missing.get(topic, (0.0, ""))
        return problem if problem and time.monotonic() < until and self.count(topic) is None else None

    def patience_with(self, topic: str) -> float:
        """Return for how many seconds a topic is waited for: once; then it is only asked for."""
        return 0.0 if topic in self._missing else self._patience

    def remember(self, topic: str, problem: str) -> None:
        """Hold it against a topic for a while."""
        self._missing[topic] = (time.monotonic() + self._patience, problem)

    def problem(self, topic: str) -> str:
        """Return what is wrong with a topic that the metadata do not name."""
        return "not_authorised" if topic in self._client.cluster.unauthorized_topics else "unknown_topic"

    async def refresh(self, topics: Iterable[str] = ()) -> bool:
        """Ask the brokers, about `topics` too; return whether one answered."""
        for topic in topics:
            self._client.add_topic(topic)
        return bool(await self._client.force_metadata_update())

    async def learn(self, topics: Iterable[str]) -> None:
        """Ask once about many topics; one that does not exist is no error here."""
        wanted = frozenset(topics)
        for _ in range(2):  # an answer that was under way does not know the new ones
            if all(self.count(topic) is not None for topic in wanted):
                return
            await self._client.set_topics(wanted | set(self._client.cluster.topics()))
            await self.refresh()

    async def partitions_for(self, topic: str) -> int:
        """Return the number of partitions of a topic.

        Raises:
            UndeliverableError: the topic is unknown or forbidden, also after the patience.
            UnconfirmedError: no broker answered.
        """
        started = time.monotonic()
        patience = self.patience_with(topic)
        while (known := self.count(topic)) is None:
            problem = self.known_problem(topic)
            if problem is not None:
                raise UndeliverableError([(topic, problem)])
            is_fresh = await self.refresh([topic])
            waited = time.monotonic() - started
            if self.count(topic) is not None:
                continue
            if is_fresh and waited >= patience:
                self.remember(topic, self.problem(topic))
            elif waited >= self._give_up_after:
                raise UnconfirmedError(f"no broker answered about {topic} for {self._give_up_after} s")
            else:
                await asyncio.sleep(min(_POLL_S, self._patience))
        self._missing.pop(topic, None)
        return known

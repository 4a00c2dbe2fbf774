"""Sending what a batch brought forth, so that one inbox that cannot take a record does not stop the others.

A member's topic that is unknown or forbidden will not come by waiting: its records become dead letters with a
counter that alerts. The exchange's own topics are another matter. Without them it cannot keep its promises,
so whatever they refuse stops the process.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from agents.dead_letters import DeadLetterBox, Failure
from agents.exchange_seal import ExchangeSeal, Headers
from agents.metrics import TurnedAwayMetrics
from casework.directory import ORPHAN_DESK, Directory
from streams.directory_feed import DirectoryFeed
from streams.publishing import BatchPublisher, Confirmation, Outgoing
from streams.slots import partition_of
from streams.topics import Topics
from streams.transport_errors import UndeliverableError
from streams.untyped import KafkaRecord

log = logging.getLogger(__name__)

_BREATH: Final = 64
"""Records signed one after another before other tasks have their turn: some two milliseconds."""
Post = tuple[str, bytes, bytes]
"""Topic, url key and value of a record that its url key places."""


class Sender:
    """Confirmed sends of one worker.

    Args:
        publisher: Answers the publisher of the worker's app, once it has started.
        topics: The topic table.
        box: Makes dead letters.
        metrics: Counts them.
        real_ms: Real time, milliseconds since the epoch, UTC.
        seal: Signs what goes to members and liaisons; None: nothing is signed.
        own: The exchange's own topics that this worker writes: a record they refuse stops it. None means
            all that a worker writes.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - given once by workers
        self,
        publisher: Callable[[], BatchPublisher | None],
        topics: Topics,
        box: DeadLetterBox,
        metrics: TurnedAwayMetrics,
        real_ms: Callable[[], int],
        seal: ExchangeSeal | None = None,
        own: Collection[str] | None = None,
    ) -> None:
        self._publisher = publisher
        self._seal = seal
        self._topics = topics
        every = {topics.cases_admitted, topics.cases_events, topics.cases_status, topics.cases_contents}
        self._own = frozenset(every if own is None else own) | {topics.dead_letters}
        self._box = box
        self._metrics = metrics
        self._real_ms = real_ms

    @property
    def publisher(self) -> BatchPublisher:
        """The publisher of the started app."""
        found = self._publisher()
        assert found is not None, "the app has not started"  # noqa: S101 - lanes run only in a started app
        return found

    async def learn_destinations(self, feed: DirectoryFeed, *, writes_feeds: bool) -> None:
        """Learn the topics of everybody in the directory, now and with each new version, until cancelled.

        Args:
            feed: All directory versions.
            writes_feeds: Whether this worker may write to feeds of police, so that it may ask about them.
        """
        changed = asyncio.Event()
        feed.on_change(lambda _directory: changed.set())
        while True:
            changed.clear()
            directory = feed.known(feed.newest_version)
            if directory is not None:
                await self.publisher.learn(self._destinations(directory, writes_feeds=writes_feeds))
            await changed.wait()

    def _destinations(self, directory: Directory, *, writes_feeds: bool) -> set[str]:
        recipients = [ORPHAN_DESK, *(member.id for member in directory.members if member.active)]
        return {
            *self._own,
            *(self._topics.inbox(recipient) for recipient in recipients),
            *(self._topics.inbox_urgent(recipient) for recipient in recipients),
            *(self._topics.escalations(code) for code in directory.liaison_codes()),
            *(self._topics.feed(liaison) for liaison in directory.police() if writes_feeds),
        }

    async def placed(self, posts: Iterable[Post]) -> list[Outgoing]:
        """Answer records for topics of any number of partitions, each placed by its url key and signed.

        Raises:
            KeyRingError: The directory lists keys of the exchange, and none here counts now.
        """
        partitions: dict[str, int] = {}
        records = []
        for number, (topic, url_key, value) in enumerate(posts, start=1):
            if number % _BREATH == 0:
                await asyncio.sleep(0)
            count = partitions.get(topic)
            if count is None:
                count = partitions[topic] = await self._partitions_of(topic)
            headers: Headers = ()
            if self._seal is not None and self._topics.is_for_members(topic):
                headers = self._seal.headers(topic, value)
            records.append(Outgoing(topic, partition_of(url_key, count), url_key, value, headers))
        return records

    async def _partitions_of(self, topic: str) -> int:
        try:
            return await self.publisher.partitions_for(topic)
        except UndeliverableError:
            # Kept for `send`, which sets its records aside beside the others of their batch.
            return 1

    async def send(self, records: Sequence[Outgoing]) -> Confirmation:
        """Send all and return when all are confirmed, delivered or set aside.

        Raises:
            UndeliverableError: One of the exchange's own topics refused a record.
            FatalTransportError: A send failed or was not confirmed in time.
        """
        try:
            return await self.publisher.publish(records)
        except UndeliverableError as error:
            refused: list[tuple[Outgoing, str]] = error.refused  # type: ignore[assignment]
            if any(record.topic in self._own for record, _ in refused):
                raise
            await self._set_aside(refused)
            confirmation: Confirmation = error.confirmation  # type: ignore[assignment]
            return confirmation

    async def give_up(self, record: KafkaRecord, failure: Failure) -> Outgoing:
        """Answer the dead letter of a consumed record, to be sent with the rest of its batch."""
        partitions = await self.publisher.partitions_for(self._box.topic)
        return self._box.given_up(record, failure, partitions=partitions, failed_at=self._real_ms())

    async def _set_aside(self, refused: Sequence[tuple[Outgoing, str]]) -> None:
        partitions = await self.publisher.partitions_for(self._box.topic)
        now = self._real_ms()
        await self.publisher.publish(
            [
                self._box.undeliverable(record, reason, partitions=partitions, failed_at=now)
                for record, reason in refused
            ]
        )
        self._metrics.dead_letters({"undeliverable": len(refused)})
        for (topic, reason), count in Counter((record.topic, reason) for record, reason in refused).items():
            log.error("%d records are undeliverable to %s: %s", count, topic, reason)

import asyncio
from collections.abc import Callable

import pytest

from agents.dead_letters import DeadLetterBox, from_headers
from agents.metrics import IntakeMetrics
from agents.sending import Sender
from casework.directory import Directory
from operations.directory.document import build
from streams.publishing import Confirmation, Outgoing
from streams.topics import Topics
from streams.transport_errors import UndeliverableError

TOPICS = Topics()


class Publisher:
    """A publisher some of whose topics refuse everything."""

    def __init__(self, *refusing: str) -> None:
        self.refusing = set(refusing)
        self.sent: list[Outgoing] = []
        self.learnt: set[str] = set()

    async def learn(self, topics: set[str]) -> None:
        """Remember what was asked for."""
        self.learnt = topics

    async def partitions_for(self, topic: str) -> int:
        """Answer three for every topic that takes records."""
        if topic in self.refusing:
            raise UndeliverableError([(topic, "unknown_topic")])
        return 3

    async def publish(self, records: list[Outgoing]) -> Confirmation:
        """Take what may be taken and refuse the rest together."""
        refused = [(record, "unknown_topic") for record in records if record.topic in self.refusing]
        self.sent += [record for record in records if record.topic not in self.refusing]
        if refused:
            raise UndeliverableError(list(refused), Confirmation(len(records) - len(refused)))
        return Confirmation(len(records))


def sender(publisher: Publisher, metrics: IntakeMetrics) -> Sender:
    """Answer a sender over a publisher."""
    box = DeadLetterBox(TOPICS.dead_letters, "intake")
    return Sender(lambda: publisher, TOPICS, box, metrics, lambda: 9)  # type: ignore[arg-type, return-value]


async def test_an_inbox_that_refuses_is_set_aside_and_counted() -> None:
    """The others are delivered, the refused record becomes a dead letter, an alert can fire."""
    publisher, metrics = Publisher("inbox.a"), IntakeMetrics()
    send = sender(publisher, metrics)
    records = await send.placed((topic, b"\x01" * 33, b"v") for topic in ("inbox.a", "inbox.b"))
    await send.send(records)
    assert [record.topic for record in publisher.sent] == ["inbox.b", "dead-letters"]
    assert from_headers(publisher.sent[1].headers).topic == "inbox.a"
    name = "hotline_exchange_dead_letters_total"
    assert metrics.registry.get_sample_value(name, {"error_class": "undeliverable"}) == 1


@pytest.mark.parametrize(
    "topic", [TOPICS.cases_admitted, TOPICS.cases_events, TOPICS.cases_status, TOPICS.dead_letters]
)
async def test_the_exchanges_own_topics_may_refuse_nothing(topic: str) -> None:
    """A fact, a state or an admission that was set aside would be a promise broken: the process stops."""
    with pytest.raises(UndeliverableError):
        await sender(Publisher(topic), IntakeMetrics()).send([Outgoing(topic, 0, b"k", b"v")])


async def test_a_dead_letter_box_that_refuses_stops_the_process() -> None:
    """When even setting aside fails, nothing is acknowledged and the next owner tries again."""
    with pytest.raises(UndeliverableError):
        await sender(Publisher("inbox.a", TOPICS.dead_letters), IntakeMetrics()).send(
            [Outgoing("inbox.a", 0, b"k", b"v")]
        )


async def test_the_topics_of_everybody_are_learnt_with_each_directory_version() -> None:
    """A worker knows all inboxes before the first report, those of a new version as soon as it arrives."""
    publisher = Publisher()
    feed = Feed(build(environment="test", published_at=0, candidates="admit"))
    one = sender(publisher, IntakeMetrics())
    learning = asyncio.create_task(one.learn_destinations(feed, writes_feeds=True))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert {"inbox.nl-offlimits", "inbox.nl-offlimits.urgent", "escalations.nl"} <= publisher.learnt
    assert {"inbox.desk-orphans", "cases.events", "feed.nl-police"} <= publisher.learnt
    publisher.learnt = set()
    feed.arrive()
    for _ in range(3):
        await asyncio.sleep(0)
    assert "inbox.nl-offlimits" in publisher.learnt
    learning.cancel()


async def test_who_may_not_write_to_feeds_asks_about_none() -> None:
    """Intake has no right on the feeds of police: the broker would refuse it each time, and log it."""
    publisher = Publisher()
    feed = Feed(build(environment="test", published_at=0, candidates="admit"))
    one = sender(publisher, IntakeMetrics())
    learning = asyncio.create_task(one.learn_destinations(feed, writes_feeds=False))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert "escalations.nl" in publisher.learnt
    assert not [topic for topic in publisher.learnt if topic.startswith("feed.")]
    learning.cancel()


class Feed:
    """A directory feed with one version."""

    newest_version = 1

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._callbacks: list[Callable[[Directory], None]] = []

    def known(self, _version: int) -> Directory:
        """Answer the version."""
        return self._directory

    def on_change(self, callback: Callable[[Directory], None]) -> None:
        """Remember who wants to know."""
        self._callbacks.append(callback)

    def arrive(self) -> None:
        """Tell that a version arrived."""
        for callback in self._callbacks:
            callback(self._directory)

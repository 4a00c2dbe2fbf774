"""One exchange with everybody's mail, and situations at addresses of their own: for the everyday tests.

One exchange plays all situations of a file, each at an address of its own, so time leaps for all of them and
never back; at the end everything that came of them is decided once more.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import msgspec
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer

from agents import casekeeper, intake
from casework.messages import Case, CaseContent, Delivery, Escalation, Fact, Message, Receipt, Submission
from operations.embedded_kafka import EmbeddedKafka
from operations.reading import TopicReader
from operations.verification.run import Scope, Verification, verify
from streams import wire
from tests.agents.conftest import WAIT_S, Exchange, settings_on
from tests.agents.everyday_directory import everyday_directory

_T = TypeVar("_T")


class Mail:
    """All that the exchange writes, kept as it arrives.

    Attributes:
        by_topic: Messages of a topic.
        stored: The newest record of cases.contents by its key; None where it was erased.
    """

    def __init__(self, contents_topic: str) -> None:
        self.by_topic: defaultdict[str, list[Message]] = defaultdict(list)
        self.stored: dict[bytes, CaseContent | None] = {}
        self._contents_topic = contents_topic
        self._news = asyncio.Condition()

    async def collect(self, consumer: Any) -> None:  # noqa: ANN401 - an untyped aiokafka consumer
        """Take what comes until cancelled."""
        async for record in consumer:
            message = None if record.value is None else wire.decode(record.value)
            async with self._news:
                if record.topic == self._contents_topic:
                    self.stored[record.key] = message  # type: ignore[assignment]
                elif message is not None:
                    self.by_topic[record.topic].append(message)
                self._news.notify_all()

    async def until(self, ask: Callable[[], _T | None]) -> _T:
        """Wait until there is an answer, asking again whenever something has come."""
        async with asyncio.timeout(WAIT_S), self._news:
            while (answer := ask()) is None:
                await self._news.wait()
            return answer


class Desk:
    """The exchange as members see it."""

    def __init__(self, exchange: Exchange, mail: Mail) -> None:
        self.exchange, self.mail = exchange, mail

    @property
    def now(self) -> int:
        """The exchange's time."""
        return self.exchange.clock.now_ms()

    def at(self, name: str) -> "Situation":
        """Begin a situation at an address of its own."""
        return Situation(self, f"https://{name}.example.test/")

    def later(self, ms: int) -> None:
        """Let time pass, for everybody."""
        self.exchange.clock.ahead_ms += ms


class Situation:
    """One address and what happens to it.

    Attributes:
        number: Number of the newest fact that a receipt or a delivery has shown so far.
    """

    def __init__(self, desk: Desk, url: str) -> None:
        self.desk, self.url = desk, url
        self.exchange = desk.exchange
        self.key = self.exchange.key(url)
        self.case_id: str | None = None
        self.country = "NL"
        self.number = 0

    def a_report(
        self,
        sender: str = "gb-iwf",
        country: str = "NL",
        credentials: bytes | None = None,
        **fields: Any,  # noqa: ANN401 - fields
    ) -> Submission:
        """Answer a report of the address, received by its hotline in this minute."""
        now = self.desk.now
        given = {"occurred_at": now, "received_at": now // 60_000 * 60_000, **fields}
        if credentials is not None:
            given["credentials_digest"] = hashlib.sha256(credentials).digest()
        report = self.exchange.report(self.url, sender=sender, country=country, **given)
        return msgspec.structs.replace(report, credentials=credentials)

    async def report(self, sender: str = "gb-iwf", country: str = "NL", **fields: Any) -> Receipt:  # noqa: ANN401 - fields
        """Send a report and answer its receipt."""
        receipt = await self.send(sender, self.a_report(sender, country, **fields))
        self.case_id, self.country = receipt.case_id or self.case_id, country
        return receipt

    async def act(self, sender: str, action: str, **fields: Any) -> Receipt:  # noqa: ANN401 - fields
        """Send an action on the case and answer its receipt."""
        given = {
            "case_id": self.case_id,
            "occurred_at": self.desk.now,
            "hosting_country": self.country,
            **fields,
        }
        return await self.send(sender, self.exchange.action(self.url, sender, action, **given))

    async def send(self, sender: str, submission: Submission) -> Receipt:
        """Send a submission and answer its receipt."""
        return await self.receipt(sender, await self.exchange.send(submission))

    async def receipt(self, sender: str, event_id: str, *outcomes: str) -> Receipt:
        """Wait for a receipt of a submission, with one of some outcomes where any are given."""

        def is_it(message: Message) -> bool:
            return (
                isinstance(message, Receipt)
                and message.event_id == event_id
                and (not outcomes or message.outcome in outcomes)
            )

        found: Receipt = await self._first(is_it, self.exchange.topics.inbox(sender))
        return found

    async def told(self, member: str, fact: str, **expected: object) -> Delivery:
        """Wait until a member is told a fact of this case, in either of its inboxes."""
        topics = self.exchange.topics
        wanted = self._like(Delivery, fact=fact, **expected)
        return await self._first(wanted, topics.inbox(member), topics.inbox_urgent(member))

    async def fed(self, member: str, **expected: object) -> Delivery:
        """Wait for an item of this case in the feed of a police liaison."""
        return await self._first(self._like(Delivery, **expected), self.exchange.topics.feed(member))

    async def escalated(self, code: str, **expected: object) -> Escalation:
        """Wait for an escalation of this case."""
        return await self._first(self._like(Escalation, **expected), self.exchange.topics.escalations(code))

    def seen_by(self, member: str) -> list[Delivery]:
        """Answer what a member has been told of this case by now."""
        topics = self.exchange.topics
        found = (
            message
            for inbox in (topics.inbox(member), topics.inbox_urgent(member))
            for message in self.desk.mail.by_topic[inbox]
        )
        return [one for one in found if isinstance(one, Delivery) and one.url_key == self.key]

    async def facts(self) -> list[Fact]:
        """Answer all facts of the case, up to those that were seen so far at least."""
        events = self.desk.mail.by_topic[self.exchange.topics.cases_events]

        def ask() -> list[Fact] | None:
            found = {
                fact.number: fact for fact in events if isinstance(fact, Fact) and fact.url_key == self.key
            }
            complete = found.keys() >= set(range(1, self.number + 1))
            return [found[number] for number in sorted(found)] if complete else None

        return await self.desk.mail.until(ask)

    async def happened(self, kind: str) -> Fact:
        """Wait for the first fact of a kind."""
        found: Fact = await self._first(self._like(Fact, fact=kind), self.exchange.topics.cases_events)
        self.number = max(self.number, found.number)
        return found

    async def state(self) -> Case:
        """Answer the state of the case, after what was seen so far."""
        states = self.desk.mail.by_topic[self.exchange.topics.cases_status]

        def ask() -> Case | None:
            mine = (case for case in states if isinstance(case, Case) and case.url_key == self.key)
            newest = max(mine, key=lambda case: case.number, default=None)
            return newest if newest is not None and newest.number >= self.number else None

        return await self.desk.mail.until(ask)

    async def stored(self, wanted: Callable[[list[Submission]], bool]) -> None:
        """Wait until what the exchange stores of the case is as wanted."""

        def ask() -> bool | None:
            mine = [content for key, content in self.desk.mail.stored.items() if key.startswith(self.key)]
            kept = [wire.decode_as(Submission, one.submission) for one in mine if one is not None]
            return True if mine and wanted(kept) else None

        await self.desk.mail.until(ask)

    def _like(self, of: type[Message], **expected: object) -> Callable[[Any], bool]:
        def is_it(message: Any) -> bool:  # noqa: ANN401 - any message
            return (
                isinstance(message, of)
                and message.url_key == self.key  # type: ignore[attr-defined]
                and all(getattr(message, name) == value for name, value in expected.items())
            )

        return is_it

    async def _first(self, wanted: Callable[[Any], bool], *topics: str) -> Any:  # noqa: ANN401 - any message
        by_topic = self.desk.mail.by_topic

        def ask() -> Any:  # noqa: ANN401 - any message
            return next((one for topic in topics for one in by_topic[topic] if wanted(one)), None)

        found = await self.desk.mail.until(ask)
        self.number = max(self.number, getattr(found, "fact_number", None) or 0)
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(
    request: pytest.FixtureRequest, kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """One exchange for all situations of a file, with everybody's mail."""
    name = request.path.stem.removeprefix("test_").replace("_", "-")
    exchange = Exchange(settings_on(kafka, f"{name}.", tmp_path_factory.mktemp(name)), kafka.local_access)
    exchange.directory = everyday_directory()
    async with exchange:
        await exchange.start()
        mail = Mail(exchange.topics.cases_contents)
        consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            metadata_max_age_ms=2000,
            **exchange.client,
        )
        consumer.subscribe(pattern=rf"^{name}\.(inbox|escalations|feed|cases)\..*")
        await consumer.start()
        collecting = asyncio.create_task(mail.collect(consumer))
        yield Desk(exchange, mail)
        collecting.cancel()
        await asyncio.gather(collecting, return_exceptions=True)
        await consumer.stop()


async def all_is_decided_once_more(desk: Desk) -> None:
    """Stop the exchange and decide every record of it again: nothing differs or lacks."""
    here = desk.at("last-of-all")
    await here.report()
    exchange = desk.exchange
    await exchange.stop()

    def again() -> Verification:
        prefix, topics = exchange.settings.topic_prefix, exchange.topics
        with TopicReader(exchange.access.admin()) as reader:
            submitted = {
                name: reader.committed(f"{prefix}{group}", name)
                for group, names in intake.read_by(topics).items()
                for name in names
            }
            decided = reader.committed(f"{prefix}{casekeeper.GROUP}", topics.cases_admitted)
            scope = Scope(topics, "test", exchange.clock, bounds=decided, submitted=submitted)
            return verify(reader, scope)

    outcome = await asyncio.to_thread(again)
    assert outcome.findings == (), outcome.findings
    assert outcome.counts["facts"] == outcome.counts["facts_decided"] > 0, outcome.counts
    assert outcome.unchecked.keys() <= {"content_erased", "in_flight"}, outcome.unchecked

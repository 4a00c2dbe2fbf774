"""An exchange on the real broker with three hotlines and a few liaisons; members send plain records."""

import asyncio
import hashlib
import os
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from casekeeper_bench import Bench

from agents import workers
from casework.directory import CaseworkLimits, Directory
from casework.directory_checks import LEAD_MS
from casework.ids import new_event_id
from casework.messages import (
    ActionContent,
    ActionStatement,
    Delivery,
    DirectoryDocument,
    Message,
    Receipt,
    ReportContent,
    ReportStatement,
    Submission,
)
from casework.url_keys import url_key
from casework.urls import canonical_url, check_url
from operations.directory.document import build
from operations.embedded_kafka import EmbeddedKafka, LocalAccess
from operations.provisioning import provision_local
from operations.setting_up import wanted_topics
from streams import provision, wire
from streams.clock import SystemClock
from streams.directory_feed import document_of, publish
from streams.fail_stop import FailStop
from streams.kafka_access import plaintext
from streams.settings import Settings
from streams.slots import partition_of
from streams.topics import Topics

MEMBERS = {"nl-offlimits", "gb-iwf", "de-eco"}
LIAISONS = {"nl", "gb", "interpol"}
PARTITIONS = 3
WAIT_S = 60
DEFAULT_LIMITS = CaseworkLimits()
PUBLICATION_MS = 20_000
WORKER = (
    "import sys; from agents.workers import run_worker; from streams.settings import Settings; "
    "sys.exit(run_worker('all', Settings.load()))"
)
URL_OF_NOTHING = "https://nothing.example.test/"


def small_directory(
    version: int = 1, *, add: str = "", limits: CaseworkLimits = DEFAULT_LIMITS, **changes: str
) -> Directory:
    """Answer three hotlines out of the shipped network, one more with `add`; `changes` sets statuses."""
    whole = build(environment="test", published_at=1, candidates="admit")
    status = {name.replace("_", "-"): value for name, value in changes.items()}
    members = tuple(
        msgspec.structs.replace(member, status=status.get(member.id, member.status))
        for member in whole.members
        if member.id in {*MEMBERS, add} or member.liaison in LIAISONS
    )
    ids = {member.id for member in members}
    countries = tuple(
        msgspec.structs.replace(rule, hotlines=tuple(s for s in rule.hotlines if s.member in ids))
        for rule in whole.countries
    )
    return msgspec.structs.replace(
        whole,
        version=version,
        valid_from=1,
        casework=limits,
        members=members,
        countries=countries,
        slot_count=4,
        slots={"NL": (0, 1), "DE": (2,)},
        rest_slots=(3,),
    )


def new_id() -> str:
    """Answer a fresh event id."""
    return new_event_id(SystemClock().real_ms(), os.urandom(10))


def _fetch(address: str) -> str:
    with urllib.request.urlopen(address) as answer:  # noqa: S310 - our own server
        return answer.read().decode()


class ShiftedClock:
    """The machine's clock with the exchange's time some milliseconds ahead of it, from then on."""

    def __init__(self) -> None:
        self._shifts = [(-1, 0)]

    @property
    def ahead_ms(self) -> int:
        """How far the exchange's time is ahead now."""
        return self._shifts[-1][1]

    @ahead_ms.setter
    def ahead_ms(self, ms: int) -> None:
        self._shifts.append((self.real_ms(), ms))

    def now_ms(self) -> int:
        """The exchange's time."""
        return self.real_ms() + self.ahead_ms

    def real_ms(self) -> int:
        """The machine's time."""
        return SystemClock().real_ms()

    def at(self, real_ms: int) -> int:
        """The exchange's time at a real time: a later shift does not move it."""
        return real_ms + next(ahead for since, ahead in reversed(self._shifts) if since < real_ms)


class Exchange:
    """Topics of one test, a worker in the test's own loop, and members that send."""

    new_id = staticmethod(new_id)

    def __init__(
        self, settings: Settings, access: LocalAccess, limits: CaseworkLimits = DEFAULT_LIMITS
    ) -> None:
        self.settings = settings
        self.access = access
        self.topics = Topics(settings.topic_prefix)
        self.small_directory = partial(small_directory, limits=limits)
        self.directory = self.small_directory()
        self.clock = ShiftedClock()
        self.addresses: dict[str, str] = {}
        self.stopped_because: list[int] = []
        self._stop = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._producer: Any = None

    @property
    def client(self) -> dict[str, Any]:
        """Settings of this test's own Kafka clients, which may do everything."""
        return self.access.admin().client_settings()

    async def provision(self, directory: Directory) -> None:
        """Bring the cluster to a directory: topics, and on a secured one users and rights."""
        if self.access.trust is not None:
            await asyncio.to_thread(provision_local, self.access, self.settings, directory)
            return
        table = wanted_topics(self.settings, directory)
        await asyncio.to_thread(
            provision.provision, plaintext(self.settings.bootstrap), table, replication=1, min_insync=1
        )

    async def __aenter__(self) -> Self:
        await self.provision(self.directory)
        await self.publish(self.directory)
        self._producer = AIOKafkaProducer(acks="all", max_request_size=4 << 20, **self.client)
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self._producer.stop()

    async def publish(
        self, directory: Directory, made: Callable[[Directory], DirectoryDocument] = document_of
    ) -> None:
        """Publish a directory version; a successor takes effect at once, because time leaps to it.

        `made` answers its message, with signatures where somebody must sign.
        """
        lead = 0
        if directory.version > 1 and directory.valid_from == 1:
            lead = LEAD_MS + PUBLICATION_MS
            directory = msgspec.structs.replace(directory, valid_from=self.clock.now_ms() + lead)
        await publish(self.client, self.topics.directory, made(directory), clock=self.clock)
        if lead:
            self.clock.ahead_ms += lead

    async def start(self, kind: workers.Kind = "all") -> None:
        """Run a worker in this loop until it is ready."""
        ready: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self._stop.clear()
        self._worker = asyncio.create_task(
            workers.run(
                kind,
                self.settings,
                self.clock,
                FailStop(self.stopped_because.append),
                stop_event=self._stop,
                on_ready=ready.set_result,
            )
        )
        async with asyncio.timeout(WAIT_S):
            await asyncio.wait({ready, self._worker}, return_when=asyncio.FIRST_COMPLETED)
        if self._worker.done():
            ended, self._worker = self._worker, None
            ended.result()
        self.addresses = ready.result()

    async def stop(self) -> None:
        """Stop the worker, if it runs."""
        if self._worker is not None:
            self._stop.set()
            await self._worker
            self._worker = None

    async def shows(self, kind: str, series: dict[str, float]) -> str:
        """Wait until a part's /metrics shows these values and answer the whole page."""
        async with asyncio.timeout(WAIT_S):
            while True:
                page = await asyncio.to_thread(_fetch, self.addresses[kind])
                values = dict(line.rsplit(" ", 1) for line in page.splitlines() if line[0] != "#")
                if all(float(values.get(name, "nan")) == value for name, value in series.items()):
                    return page

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start a worker `all` as a process of its own, under a stable name in its groups."""
        settings = msgspec.structs.replace(self.settings, instance_id="w1")
        environment = {**os.environ, **settings.as_environment()}
        return subprocess.Popen([sys.executable, "-c", WORKER], env=environment)

    # what members send ---------------------------------------------------------------------------------

    def report(self, url: str, *, sender: str = "gb-iwf", country: str = "NL", **changes: Any) -> Submission:  # noqa: ANN401 - fields
        """Answer a report; `changes` go to the statement, `content` replaces fields of the content."""
        now = SystemClock().real_ms()
        content = wire.encode(ReportContent(**{"url": url, **changes.pop("content", {})}))
        key = self.key(url if check_url(url) is None else URL_OF_NOTHING)
        values: dict[str, Any] = {
            "event_id": new_id(),
            "environment": "test",
            "sender": sender,
            "url_key": key,
            "hosting_country": country,
            "sent_at": now,
            "directory_version": 1,
            "occurred_at": now,
            "received_at": now // 60_000 * 60_000,
            "reference": "case-1",
            "content_type": "media",
            "content_digest": hashlib.sha256(content).digest(),
        }
        statement = ReportStatement(**{**values, **changes})
        return Submission(statement=wire.encode(statement), content=content)

    def action(self, url: str, sender: str, action: str, **changes: Any) -> Submission:  # noqa: ANN401 - fields
        """Answer an action on the case of an address."""
        now = SystemClock().real_ms()
        content = changes.pop("content", None)
        framed = None if content is None else wire.encode(ActionContent(**content))
        values: dict[str, Any] = {
            "event_id": new_id(),
            "environment": "test",
            "sender": sender,
            "url_key": self.key(url),
            "hosting_country": "NL",
            "sent_at": now,
            "directory_version": 1,
            "action": action,
            "occurred_at": now,
            "content_digest": None if framed is None else hashlib.sha256(framed).digest(),
        }
        statement = ActionStatement(**{**values, **changes})
        return Submission(statement=wire.encode(statement), content=framed)

    def key(self, url: str) -> bytes:
        """Answer the url key of an address."""
        return url_key(canonical_url(url), self.settings.network_key.reveal())

    async def send(self, submission: Submission) -> str:
        """Send a submission where its member's client would, and answer its event id."""
        prefix = wire.prefix_of(submission.statement)
        if prefix.kind == "action":
            place = (self.topics.actions_submitted, partition_of(prefix.url_key, PARTITIONS))
        else:
            known = prefix.hosting_country if prefix.hosting_country in {"NL", "DE", "GB"} else "GB"
            urgent = wire.statement_of(submission).urgency  # type: ignore[union-attr]
            topic = self.topics.reports_urgent if urgent else self.topics.reports_submitted
            place = (topic, self.directory.slot(known, prefix.url_key))
        await self.send_raw(*place, prefix.url_key, wire.encode(submission))
        return prefix.event_id

    async def send_raw(self, topic: str, partition: int, key: bytes | None, value: bytes | None) -> None:
        """Send any record and wait for it."""
        await self._producer.send_and_wait(topic, value, key=key, partition=partition)

    # what arrives ---------------------------------------------------------------------------------------

    async def until(self, topic: str, enough: Callable[[list[Any]], bool]) -> list[Any]:
        """Read a topic from its beginning until `enough` of its records are there; answer the records."""
        consumer = AIOKafkaConsumer(enable_auto_commit=False, auto_offset_reset="earliest", **self.client)
        await consumer.start()
        try:
            cluster = await consumer._client.fetch_all_metadata()
            tps = [TopicPartition(topic, p) for p in cluster.partitions_for_topic(topic)]
            consumer.assign(tps)
            records: list[Any] = []
            async with asyncio.timeout(WAIT_S):
                while not enough(records):
                    for found in (await consumer.getmany(*tps, timeout_ms=200)).values():
                        records.extend(found)
            return records
        finally:
            await consumer.stop()

    async def messages(self, topic: str, enough: Callable[[list[Message]], bool]) -> list[Message]:
        """Read a topic of messages until `enough` are there."""
        records = await self.until(
            topic, lambda found: enough([wire.decode(record.value) for record in found])
        )
        return [wire.decode(record.value) for record in records]

    async def receipt(self, member: str, event_id: str) -> Receipt:
        """Wait for the receipt of one submission."""

        def of_it(message: Message) -> bool:
            return isinstance(message, Receipt) and message.event_id == event_id

        found = await self.messages(self.topics.inbox(member), lambda all_: any(map(of_it, all_)))
        return next(message for message in found if isinstance(message, Receipt) and of_it(message))

    async def deliveries(self, member: str, number: int, *, urgent: bool = False) -> list[Delivery]:
        """Wait for a number of deliveries in a member's inbox."""
        topic = self.topics.inbox_urgent(member) if urgent else self.topics.inbox(member)
        found = await self.messages(
            topic, lambda all_: sum(isinstance(message, Delivery) for message in all_) >= number
        )
        return [message for message in found if isinstance(message, Delivery)]


@pytest.fixture
def bench() -> Bench:
    """Casekeeper with an empty partition."""
    return Bench()


def settings_on(broker: EmbeddedKafka, prefix: str, home: Path) -> Settings:
    """Answer the settings of an exchange of one test."""
    given = Settings(
        environment="test",
        topic_prefix=prefix,
        partitions=PARTITIONS,
        intake_metrics_port=0,
        casekeeper_metrics_port=0,
        data_dir=home,
    )
    return broker.local_access.settings(given)


@pytest.fixture
async def exchange(kafka: EmbeddedKafka, topic_prefix: str, tmp_path: Path) -> AsyncIterator[Exchange]:
    """An exchange whose topics are there and whose worker is not started yet."""
    async with Exchange(settings_on(kafka, topic_prefix, tmp_path), kafka.local_access) as ready:
        yield ready


@pytest.fixture
def limits() -> CaseworkLimits:
    """How long a secured exchange waits; a test module may put its own here."""
    return DEFAULT_LIMITS


@pytest.fixture
async def secured_exchange(
    secured_kafka: EmbeddedKafka, topic_prefix: str, tmp_path: Path, limits: CaseworkLimits
) -> AsyncIterator[Exchange]:
    """The same on a broker where everybody has exactly the rights of the directory."""
    async with Exchange(
        settings_on(secured_kafka, topic_prefix, tmp_path), secured_kafka.local_access, limits
    ) as ready:
        yield ready

"""The exchange's side of a member's client, played by hand, and what its tests send and read."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.exchange_seal import ExchangeSeal
from casework.directory import Directory
from casework.messages import Message
from connectors.client import MemberClient
from connectors.drafts import ReportDraft
from connectors.inbox_reader import InboxReader
from connectors.limits import ClientLimits
from connectors.membership import Membership
from connectors.positions import MemoryPositions, Positions
from streams import wire
from streams.clock import SystemClock
from streams.key_rings import KeyRing
from streams.settings import DEMO_NETWORK_KEY
from streams.topics import Topics

ME = "nl-offlimits"
QUICK = ClientLimits(fetch_wait_ms=20, report_interval_s=0.05)
CLOCK = SystemClock()


class Exchange:
    """The exchange's side, played by hand: topics, and a producer that writes what casekeeper would."""

    def __init__(self, bootstrap: str, prefix: str, directory: Directory) -> None:
        self.kafka = {"bootstrap_servers": bootstrap}
        self.topics = Topics(prefix)
        self.directory = directory
        self.producer: Any = None
        self.ring: KeyRing | None = None

    async def open(self) -> None:
        """Make the topics that a client of these tests uses."""
        topics = self.topics
        counts = {
            topics.reports_submitted: 3, topics.reports_urgent: 3, topics.actions_submitted: 4,
            topics.inbox(ME): 2, topics.inbox_urgent(ME): 1, topics.escalations("nl"): 1,
        }  # fmt: skip
        admin = AIOKafkaAdminClient(**self.kafka)
        await admin.start()
        config = {"message.timestamp.type": "LogAppendTime"}
        await admin.create_topics(
            [NewTopic(name, count, 1, topic_configs=config) for name, count in counts.items()]
        )
        await admin.close()
        self.producer = AIOKafkaProducer(**self.kafka)
        await self.producer.start()

    async def write(self, topic: str, *messages: Message, partition: int = 0) -> None:
        """Write messages to a partition of a topic."""
        for message in messages:
            value = wire.encode(message)
            headers = () if self.ring is None else self._seal(self.ring).headers(topic, value)
            await self.producer.send_and_wait(topic, value, partition=partition, headers=list(headers))

    def _seal(self, ring: KeyRing) -> ExchangeSeal:
        return ExchangeSeal(ring, lambda: self.directory, CLOCK.real_ms, self.topics.prefix)

    def client(self, positions: Positions | None = None, **changes: object) -> MemberClient:
        """Return a client of the Dutch hotline."""
        fields: dict[str, Any] = {
            "member": ME, "environment": "test", "network_key": DEMO_NETWORK_KEY, "kafka": self.kafka,
            "topic_prefix": self.topics.prefix, "limits": QUICK,
        }  # fmt: skip
        return MemberClient(
            Membership(**(fields | changes)),  # type: ignore[arg-type]  # fields by name
            clock=CLOCK,
            positions=positions or MemoryPositions(),
            directory=lambda _now: self.directory,
        )


def report(**changes: object) -> ReportDraft:
    """Return a draft of a report hosted in the Netherlands."""
    fields: dict[str, object] = {
        "url": "https://images.example.com/1", "hosting_country": "NL", "received_at": CLOCK.now_ms(),
        "reference": "r-1", "content_type": "media",
    }  # fmt: skip
    return ReportDraft(**(fields | changes))  # type: ignore[arg-type]  # fields by name


async def take(reader: InboxReader, count: int) -> list[Any]:
    """Read and finish some messages and return their bodies."""
    bodies = []
    async with asyncio.timeout(20):
        for _ in range(count):
            message = await anext(reader)
            bodies.append(message.body)
            await message.done()
    return bodies

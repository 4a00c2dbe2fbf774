"""The whole way of a sealed report on a real Kafka: members with rings, workers without any but to sign."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from casework.directory import Directory
from casework.directory_keys import NetworkKeys
from casework.messages import ActionContent, Delivery, Escalation, Receipt, ReportContent
from casework.network_keys import holders
from connectors.client import MemberClient
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import UnreadableContentError
from connectors.inbox_messages import InboxMessage
from connectors.inbox_reader import InboxReader
from connectors.limits import ClientLimits
from connectors.membership import Membership
from connectors.positions import MemoryPositions
from operations.directory.equipping import Equipment, equip
from operations.directory.network_keys import seal_network_key
from streams import wire
from streams.clock import SystemClock
from streams.key_rings import KeyRing, PrivateKey
from streams.secret_sources import Secret

pytestmark = pytest.mark.kafka

ORIGIN, HOST, POLICE, NEXT = "gb-iwf", "nl-offlimits", "nl-police", "de-eco"
URL = "https://canary.example.test/1"
HOUR_MS = 3_600_000
QUICK = ClientLimits(fetch_wait_ms=20)
WAIT_S = 60


class Network:
    """An exchange in which everybody has keys, and its members' clients."""

    def __init__(self, exchange: Any, equipment: Equipment) -> None:  # noqa: ANN401 - conftest
        self.exchange = exchange
        self.equipment = equipment
        self.rings = dict(equipment.rings)

    async def publish(self, directory: Directory) -> None:
        """Publish a version of the directory."""
        await self.exchange.publish(directory, self.equipment.signed)

    def client(self, member: str, directory: Directory | None = None) -> MemberClient:
        """Return the client of a member; with a directory of its own it has not heard of newer ones."""
        exchange = self.exchange
        membership = Membership(
            member=member, environment="test", network_key=Secret(bytes(32)), kafka=exchange.client,
            topic_prefix=exchange.settings.topic_prefix, keys=self.rings[member], limits=QUICK,
        )  # fmt: skip
        pinned = None if directory is None else lambda _now: directory
        return MemberClient(membership, clock=exchange.clock, positions=MemoryPositions(), directory=pinned)

    def rotated(self, member: str) -> Directory:
        """Return the next version, in which a member has a new sealing key only, and give it a ring of it."""
        old = self.equipment.directory
        key = PrivateKey.new("seal")
        signing = [each for each in self.rings[member].keys if each.use == "sign"]
        self.rings[member] = KeyRing([*signing, key])
        entries = (*(each.entry(1) for each in signing), key.entry(1))
        members = tuple(
            msgspec.structs.replace(each, keys=entries) if each.id == member else each for each in old.members
        )
        new = msgspec.structs.replace(old, version=old.version + 1, members=members)
        sealed = seal_network_key(self.equipment.network_key, "test", 1, holders(new, 1))
        return msgspec.structs.replace(new, network_keys=NetworkKeys(1, (sealed,)))


@pytest.fixture
async def network(exchange: Any, tmp_path: Path) -> AsyncIterator[Network]:  # noqa: ANN401 - conftest
    """Return a running exchange with keys; the worker has the exchange's signing key and no other."""
    equipment = equip(exchange.small_directory(2), at=1)
    ring = tmp_path / "exchange.jwks"
    ring.touch(0o600)
    ring.write_bytes(equipment.exchange.to_key_set().reveal())
    exchange.settings = msgspec.structs.replace(exchange.settings, keys=f"file:{ring}")
    made = Network(exchange, equipment)
    await made.publish(equipment.directory)
    await exchange.start()
    yield made
    await exchange.stop()


def report() -> ReportDraft:
    """Return a draft of a report hosted in the Netherlands."""
    return ReportDraft(
        url=URL, hosting_country="NL", received_at=SystemClock().now_ms(), reference="r-1",
        content_type="media", note="canary",
    )  # fmt: skip


async def next_of(reader: InboxReader, kind: str) -> InboxMessage:
    """Read on to a delivery of a kind, or to an escalation."""
    async with asyncio.timeout(WAIT_S):
        async for message in reader:
            await message.done()
            body = message.body
            if isinstance(body, Escalation) or (isinstance(body, Delivery) and body.kind == kind):
                return message
    raise AssertionError("the inbox ended")


def address_in(message: InboxMessage) -> str:
    """Return the address that a message opens to."""
    content = message.open()
    assert isinstance(content, ReportContent)
    return content.url


async def test_a_sealed_report_is_read_by_the_responsible_hotline_and_answered(network: Network) -> None:
    """Signed and sealed it is accepted; the hotline opens it and acts; the origin reads signed news of it."""
    async with network.client(ORIGIN) as origin, network.client(HOST) as host:
        sent = await origin.submit(report())
        receipt = await origin.wait_for_receipt(sent.event_id, WAIT_S)
        assert (receipt.outcome, receipt.state) == ("accepted", "assigned")
        assignment = await next_of(host.inbox(), "assignment")
        assert address_in(assignment) == URL
        assert isinstance(assignment.body, Delivery)
        acted = await host.act(ActionDraft.about(assignment.body, "acknowledged", reference="NL-1", note="n"))
        assert (await host.wait_for_receipt(acted.event_id, WAIT_S)).outcome == "accepted"
        told = await next_of(origin.inbox(), "update")
        assert isinstance(told.body, Delivery)
        assert (told.body.fact, told.open()) == ("acknowledged", ActionContent(note="n"))
        assert not origin.inbox().refusals + host.inbox().refusals


async def test_content_for_a_key_that_was_changed_is_rewrapped_by_its_origin(network: Network) -> None:
    """Nobody decides anything by hand: asked by the exchange, the origin's client adds the new key."""
    before = network.equipment.directory
    origin = network.client(ORIGIN, before)
    rotated = network.rotated(HOST)
    await network.publish(rotated)
    async with origin, network.client(HOST, rotated) as host:
        # The origin has not heard of the change: it seals to the key that is gone.
        sent = await origin.submit(report())
        receipt = await origin.wait_for_receipt(sent.event_id, WAIT_S)
        assert receipt.state == "awaiting_rewrap"
        assignment = await next_of(host.inbox(), "assignment")
        with pytest.raises(UnreadableContentError, match="not_a_recipient"):
            assignment.open()
        async with network.client(ORIGIN, rotated) as later:
            asked = await next_of(later.inbox(), "rewrap_request")
            assert isinstance(asked.body, Delivery)
            assert asked.body.assigned_hotline == HOST
        assert address_in(await next_of(host.inbox(), "rewrapped_report")) == URL


async def test_the_liaison_opens_the_overdue_escalation_while_everybody_is_away(network: Network) -> None:
    """Responsible hotline and origin offline: after the time for a re-wrap the police read it themselves."""
    rotated = network.rotated(HOST)
    await network.publish(rotated)
    async with network.client(ORIGIN, network.equipment.directory) as origin:
        sent = await origin.submit(report())
        receipt: Receipt = await origin.wait_for_receipt(sent.event_id, WAIT_S)
        assert receipt.state == "awaiting_rewrap"
    network.exchange.clock.ahead_ms += 5 * HOUR_MS
    async with network.client(POLICE, rotated) as police:
        escalation = await next_of(police.escalations("nl"), "")
        assert isinstance(escalation.body, Escalation)
        assert escalation.body.reason_code == "unreadable"
        assert address_in(escalation) == URL


async def test_a_new_address_is_read_by_the_hotline_where_the_content_went(network: Network) -> None:
    """It comes sealed beside the assignment, as its sender's word; nothing of it is in the clear."""
    async with (
        network.client(ORIGIN) as origin,
        network.client(HOST) as host,
        network.client(NEXT) as there,
    ):
        await origin.submit(report())
        assignment = await next_of(host.inbox(), "assignment")
        assert isinstance(assignment.body, Delivery)
        moved = ActionDraft.about(
            assignment.body, "moved", new_hosting_country="DE", new_url="https://canary.example.test/2",
            hosting_method="whois", observed_at=SystemClock().now_ms(),
        )  # fmt: skip
        sent = await host.act(moved)
        assert (await host.wait_for_receipt(sent.event_id, WAIT_S)).outcome == "accepted"
        word = await next_of(there.inbox(), "update")
        assert isinstance(word.body, Delivery)
        assert (word.body.fact, word.body.by) == ("moved", HOST)
        assert word.open() == ActionContent(new_url="https://canary.example.test/2")
        assert b"canary.example" not in wire.encode(word.body)
        assert not there.inbox().refusals

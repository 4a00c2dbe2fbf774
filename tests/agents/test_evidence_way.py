"""Evidence from a real exchange on a real Kafka: written and checked by the command line."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import in_shell
import msgspec
import pytest

from casework.directory_checks import LEAD_MS
from casework.messages import CaseContent, Delivery
from connectors.client import MemberClient
from connectors.drafts import ActionDraft, ReportDraft
from connectors.membership import Membership
from connectors.positions import MemoryPositions
from operations.directory.equipping import Equipment, equip
from operations.evidence.container import unpack
from streams import wire
from streams.directory_feed import publish
from streams.key_rings import PrivateKey

pytestmark = pytest.mark.kafka

ORIGIN, HOST = "gb-iwf", "nl-offlimits"
URL = "https://evidence.example.test/way"
WAIT_S = 60


class Network:
    """A running exchange in which everybody has keys, and its command line."""

    def __init__(self, exchange: Any, equipment: Equipment, directory: Path) -> None:  # noqa: ANN401 - conftest
        self.exchange = exchange
        self.equipment = equipment
        self.directory = directory
        self.anchor = directory / "anchor.json"
        self.anchor.write_bytes(msgspec.json.encode(equipment.anchor))

    def ring(self, name: str) -> str:
        """Answer the address of a ring, written to a file."""
        ring = self.equipment.exchange if name == "exchange" else self.equipment.rings[name]
        path = self.directory / f"{name}.jwks"
        path.touch(0o600)
        path.write_bytes(ring.to_key_set().reveal())
        return f"file:{path}"

    def client(self, member: str) -> MemberClient:
        """Return the client of a member."""
        settings = msgspec.structs.replace(self.exchange.settings, keys=self.ring(member))
        membership = Membership.from_settings(settings, member)
        return MemberClient(membership, clock=self.exchange.clock, positions=MemoryPositions())

    async def hx(self, *words: str, kafka: bool = True) -> tuple[int, str]:
        """Run `hx evidence` as in a shell of its own; answer exit code and what it printed."""
        env = self.exchange.settings.as_environment() if kafka else {}
        code, out, err = await asyncio.to_thread(in_shell.hx, ("evidence", *words), env)
        return code, out + err


@pytest.fixture
async def network(secured_exchange: Any, tmp_path: Path) -> AsyncIterator[Network]:  # noqa: ANN401 - conftest
    """Return a running exchange with keys, on a broker where everybody has the rights of the directory."""
    exchange = secured_exchange
    equipment = equip(exchange.small_directory(2), at=1)
    made = Network(exchange, equipment, tmp_path)
    exchange.settings = msgspec.structs.replace(exchange.settings, keys=made.ring("exchange"))
    lead = 2 * LEAD_MS
    directory = msgspec.structs.replace(equipment.directory, valid_from=exchange.clock.now_ms() + lead)
    await publish(
        exchange.client, exchange.topics.directory, equipment.signed(directory), clock=exchange.clock
    )
    exchange.clock.ahead_ms += lead
    await exchange.start()
    yield made
    await exchange.stop()


async def a_case(network: Network) -> tuple[str, str]:
    """Have a report made, read and answered; answer the case id and the event id."""
    async with network.client(ORIGIN) as origin, network.client(HOST) as host:
        draft = ReportDraft(
            url=URL, hosting_country="NL", received_at=network.exchange.clock.now_ms(), reference="r-1",
            content_type="media",
        )  # fmt: skip
        sent = await origin.submit(draft)
        receipt = await origin.wait_for_receipt(sent.event_id, WAIT_S)
        assert receipt.case_id is not None
        async with asyncio.timeout(WAIT_S):
            async for message in host.inbox():
                await message.done()
                if isinstance(message.body, Delivery) and message.body.kind == "assignment":
                    acted = await host.act(ActionDraft.about(message.body, "acknowledged", reference="NL-1"))
                    await host.wait_for_receipt(acted.event_id, WAIT_S)
                    break
    return receipt.case_id, sent.event_id


async def test_a_case_is_written_and_checked_without_the_exchange(network: Network) -> None:
    """Operator and hotline each write what they can; a verifier without Kafka proves all of it."""
    case_id, event_id = await a_case(network)
    out = network.directory / "exchange.zip"
    code, told = await network.hx(case_id, "--keys", network.ring("exchange"), "--out", str(out))
    assert (code, "signed by exchange" in told) == (0, True), told
    assert out.stat().st_mode & 0o077 == 0
    code, told = await network.hx("verify", str(out), "--anchor", str(network.anchor), kafka=False)
    assert code == 0, told
    assert f"ok         statement {event_id}: signed by {ORIGIN}" in told
    assert f"ok         content {event_id}" in told
    assert f"not proven clear content {event_id}" in told

    mine = network.directory / "hotline.zip"
    words = ("--from", "inbox", "--as", HOST, "--keys", network.ring(HOST), "--disclose-content-key")
    code, told = await network.hx(event_id, *words, "--out", str(mine))
    assert (code, f"signed by {HOST}" in told) == (0, True), told
    code, told = await network.hx("verify", str(mine), "--anchor", str(network.anchor), kafka=False)
    assert code == 0, told
    assert f"clear content {event_id}: exactly what was sealed, by the content key in the bundle" in told
    assert URL.encode() in unpack(mine.read_bytes())[f"opened/{event_id}.json"]

    foreign = network.directory / "foreign.json"
    key = PrivateKey.new("sign")
    foreign.write_bytes(
        msgspec.json.encode({"threshold": 1, "keys": {"x": msgspec.to_builtins(key.entry(0))}})
    )
    code, told = await network.hx("verify", str(mine), "--anchor", str(foreign), kafka=False)
    assert (code, "FAILED     directory 2" in told) == (1, True), told
    code, told = await network.hx("verify", str(mine), "--anchor", str(mine), kafka=False)
    assert code == 78, told
    mine.write_bytes(mine.read_bytes()[:-100])
    code, told = await network.hx("verify", str(mine), kafka=False)
    assert (code, "FAILED     bundle" in told) == (1, True), told


async def test_after_an_erasure_who_said_what_is_still_proven(network: Network) -> None:
    """The tombstone takes the content; statement, signature and digest stay in the facts and prove it."""
    case_id, event_id = await a_case(network)
    topic = network.exchange.topics.cases_contents
    [stored] = await network.exchange.until(topic, lambda found: len(found) >= 1)
    assert wire.decode_as(CaseContent, stored.value).report_event_id == event_id
    await network.exchange.send_raw(topic, stored.partition, stored.key, None)
    out = network.directory / "erased.zip"
    code, told = await network.hx(case_id, "--keys", network.ring(HOST), "--out", str(out))
    assert code == 0, told
    code, told = await network.hx("verify", str(out), "--anchor", str(network.anchor), kafka=False)
    assert code == 0, told
    assert f"not proven content {event_id}: not here: erased" in told
    assert f"ok         statement {event_id}: signed by {ORIGIN}" in told

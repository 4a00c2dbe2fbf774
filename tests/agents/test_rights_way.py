"""The way of a report where everybody has exactly the rights of the directory, in the loop of workers."""

import asyncio
from typing import Any

import msgspec
import pytest
import uvloop

from casework.directory import ORPHAN_DESK
from casework.messages import Delivery, Escalation
from connectors.client import MemberClient
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import AccessDeniedError
from connectors.inbox_reader import InboxReader
from connectors.positions import MemoryPositions

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]
NOWHERE = "BO"
"""A country without a hotline."""


@pytest.fixture(scope="module")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """Run this page in the loop of worker processes."""
    return uvloop.EventLoopPolicy()


def client(exchange: Any, member: str) -> MemberClient:  # noqa: ANN401 - conftest
    """Answer a member's own client, with its own name and password."""
    return MemberClient.from_settings(exchange.settings, member, positions=MemoryPositions())


def draft(url: str, exchange: Any, **changes: Any) -> ReportDraft:  # noqa: ANN401 - conftest and fields
    """Answer a report of now."""
    now = exchange.clock.now_ms()
    given = {"hosting_country": "NL", "received_at": now, "reference": "R-1", "content_type": "media"}
    return ReportDraft(url=url, **(given | changes))


async def found(inbox: InboxReader, kind: type, case_id: str | None) -> Any:  # noqa: ANN401 - a message
    """Read on until there is a message of a kind about a case."""
    async with asyncio.timeout(60):
        async for message in inbox:
            await message.done()
            if isinstance(message.body, kind) and case_id in {None, message.body.case_id}:
                return message.body
    raise AssertionError("the inbox ended")


async def test_a_report_goes_its_way_with_least_rights(secured_exchange: Any) -> None:  # noqa: ANN401 - conftest
    """Submitted, answered, delivered, acted on, escalated, read at the desk: nobody needs another right."""
    exchange = secured_exchange
    await exchange.start()
    async with (
        client(exchange, "gb-iwf") as origin,
        client(exchange, "nl-offlimits") as responsible,
        client(exchange, "nl-police") as police,
        client(exchange, "de-eco") as desk,
    ):
        sent = await origin.submit(draft("https://material.example.test/way", exchange))
        receipt = await origin.wait_for_receipt(sent.event_id)
        assert (receipt.outcome, receipt.assigned_hotline) == ("accepted", "nl-offlimits")
        delivery = await found(responsible.inbox(), Delivery, receipt.case_id)
        assert delivery.kind == "assignment"
        about = {"hosting_country": "NL", "case_id": receipt.case_id, "url_key": sent.url_key}
        for action in ("acknowledged", "police_informed"):
            done = await responsible.act(ActionDraft(action=action, reference="NL-1", **about))
            assert (await responsible.wait_for_receipt(done.event_id)).outcome == "accepted"
        assert (await found(origin.inbox(), Delivery, receipt.case_id)).kind == "update"
        until = exchange.clock.now_ms() + 86_400_000
        held = await police.act(ActionDraft(action="hold", hold_until=until, note="wait", **about))
        assert (await police.wait_for_receipt(held.event_id)).outcome == "accepted"
        urgent = draft("https://material.example.test/urgent", exchange, urgency=("abuse_in_progress",))
        await origin.submit(urgent)
        assert (await found(police.escalations("nl"), Escalation, None)).recipient == "nl"
        await origin.submit(draft("https://material.example.test/orphan", exchange, hosting_country=NOWHERE))
        assert (await found(desk.desk(), Delivery, None)).recipient == ORPHAN_DESK
        with pytest.raises(AccessDeniedError):
            await anext(responsible.escalations("nl"))
    await exchange.stop()


async def test_a_subscribed_liaison_reads_its_feed_and_its_acknowledgement_informs_police(
    secured_exchange: Any,  # noqa: ANN401 - conftest
) -> None:
    """It has a topic of its own, can be opened, is acknowledged by its number; nobody else reads it."""
    exchange = secured_exchange
    plain = exchange.small_directory(2)
    feeds = {"feed": "all_hosted", "feed_informs_police": True}
    members = (msgspec.structs.replace(m, **feeds) if m.id == "nl-police" else m for m in plain.members)
    exchange.directory = msgspec.structs.replace(plain, members=tuple(members))
    await exchange.provision(exchange.directory)
    await exchange.publish(exchange.directory)
    await exchange.start()
    async with (
        client(exchange, "gb-iwf") as origin,
        client(exchange, "nl-offlimits") as responsible,
        client(exchange, "nl-police") as police,
        client(exchange, "interpol") as interpol,
    ):
        sent = await origin.submit(draft("https://material.example.test/fed", exchange))
        receipt = await origin.wait_for_receipt(sent.event_id)
        async with asyncio.timeout(60):
            message = await anext(police.feed())
        item = message.body
        assert (item.recipient, item.kind, item.number) == ("feed.nl-police", "feed_item", 1)
        assert message.open().url == "https://material.example.test/fed"
        await message.done()
        said = ActionDraft.about(item, "acknowledged", fact_number=item.fact_number)
        done = await police.act(said)
        assert (await police.wait_for_receipt(done.event_id)).outcome == "accepted"
        async with asyncio.timeout(60):
            async for told in responsible.inbox():
                await told.done()
                if isinstance(told.body, Delivery) and told.body.fact == "police_informed":
                    assert told.body.case_id == receipt.case_id
                    told.open()
                    break
        with pytest.raises(AccessDeniedError):
            responsible.feed()
        foreign = interpol._reader(exchange.topics.feed("nl-police"))  # what no client offers
        with pytest.raises(AccessDeniedError):
            await anext(foreign)
    await exchange.stop()


async def test_a_suspended_member_reads_its_inbox_and_sends_nothing(secured_exchange: Any) -> None:  # noqa: ANN401 - conftest
    """Its client starts, reads what came before, reports its position, and is refused when it sends."""
    exchange = secured_exchange
    await exchange.start()
    async with client(exchange, "gb-iwf") as origin:
        sent = await origin.submit(draft("https://material.example.test/before", exchange))
        receipt = await origin.wait_for_receipt(sent.event_id)
    suspended = exchange.small_directory(2, nl_offlimits="suspended")
    suspended = msgspec.structs.replace(
        suspended,
        members=tuple(
            msgspec.structs.replace(m, reason="key lost") if m.id == "nl-offlimits" else m
            for m in suspended.members
        ),
    )
    await exchange.provision(suspended)
    async with client(exchange, "nl-offlimits") as member:
        assert (await found(member.inbox(), Delivery, receipt.case_id)).kind == "assignment"
        with pytest.raises(AccessDeniedError):
            await member.submit(draft("https://material.example.test/after", exchange))
    await exchange.stop()

"""A report crosses a secured Kafka: worker, both clients of members, and new certificates while they run."""

import asyncio
import re
import ssl
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from casework.messages import Delivery
from connectors.client import MemberClient
from connectors.drafts import ReportDraft
from connectors.membership import Membership
from connectors.positions import MemoryPositions
from connectors.sync_client import SyncClient
from operations.embedded_kafka import EmbeddedKafka, renew
from streams.kafka_access import tls_context
from streams.settings import Settings

pytestmark = pytest.mark.kafka

SENDER, KEEPER = "gb-iwf", "nl-offlimits"
WAIT_S = 60
DAYS = re.compile(r'^hotline_exchange_certificate_days_left\{name="(\w+)"\} (\S+)$', re.MULTILINE)


def draft(number: int) -> ReportDraft:
    """Answer a report of an address in the Netherlands."""
    return ReportDraft(
        url=f"https://secured.example/{number}",
        hosting_country="NL",
        received_at=int(datetime(2026, 1, 2, tzinfo=UTC).timestamp() * 1000),
        reference=f"S-{number}",
        content_type="media",
    )


def submitted(settings: Settings, number: int) -> str:
    """Send a report with the synchronous client and answer the case it got."""
    with SyncClient(Membership.from_settings(settings, SENDER), clock=settings.make_clock()) as client:
        outcome = client.submit(draft(number), wait=True, timeout_s=WAIT_S)
    assert outcome.receipt is not None
    assert outcome.receipt.outcome == "accepted"
    assert outcome.receipt.case_id is not None
    return outcome.receipt.case_id


def page_of(address: str) -> str:
    """Answer what a worker measures."""
    with urllib.request.urlopen(address) as answer:  # noqa: S310 - our own server
        text: str = answer.read().decode()
    return text


async def next_delivery(inbox: Any) -> str:  # noqa: ANN401 - an iterator of messages
    """Answer the case of the next delivery, done with it."""
    async with asyncio.timeout(WAIT_S):
        async for message in inbox:
            await message.done()
            if isinstance(message.body, Delivery):
                return message.body.case_id
    raise AssertionError("the inbox ended")


async def shown_certificate(address: str, ca: Path) -> bytes:
    """Answer the certificate that a broker shows to whoever connects now."""
    host, _, port = address.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=tls_context(ca))
    tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
    shown = tls.getpeercert(binary_form=True)
    writer.transport.abort()
    assert shown is not None
    return shown


async def test_a_report_arrives_also_after_the_brokers_certificate_was_renewed(
    secured_exchange: Any,  # noqa: ANN401 - conftest
    secured_kafka: EmbeddedKafka,
) -> None:
    """All that is connected stays so, whoever connects sees the new one, and days left are told."""
    settings, trust = secured_exchange.settings, secured_kafka.local_access.trust
    assert trust is not None
    await secured_exchange.start()
    client = MemberClient.from_settings(settings, KEEPER, positions=MemoryPositions())
    async with client:
        inbox = client.inbox()
        case = await asyncio.to_thread(submitted, settings, 1)
        assert await next_delivery(inbox) == case

        before = await shown_certificate(settings.bootstrap, trust.ca)
        made = await asyncio.to_thread(renew, [secured_kafka], datetime.now(UTC), below_days=10_000)
        assert trust.broker(1) in made
        async with asyncio.timeout(WAIT_S):
            while await shown_certificate(settings.bootstrap, trust.ca) == before:
                pass

        case = await asyncio.to_thread(submitted, settings, 2)
        assert await next_delivery(inbox) == case
    page = await asyncio.to_thread(page_of, secured_exchange.addresses["intake"])
    days = {found[1]: float(found[2]) for found in DAYS.finditer(page)}
    assert set(days) == {"authority", "broker"}
    assert 3000 < days["authority"] < 3651
    assert 300 < days["broker"] < 366

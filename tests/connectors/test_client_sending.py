import asyncio
from collections.abc import Callable

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from exchange_by_hand import ME, Exchange, report, take

from casework.messages import Receipt, Submission
from connectors.drafts import ActionDraft
from connectors.errors import (
    MisuseError,
    NoReceiptError,
    NotConfirmedError,
    ReportRefusedError,
)
from streams import wire

pytestmark = pytest.mark.kafka


async def test_a_report_lands_in_the_slot_of_its_hosting_country(exchange: Exchange) -> None:
    """The record lies where the receipt of the send says, in the country's slot, with the url key as key."""
    async with exchange.client() as client:
        normal = await client.submit(report())
        urgent = await client.submit(report(urgency=("abuse_in_progress",), hosting_country="UK"))
    assert (normal.topic, normal.partition) == (exchange.topics.reports_submitted, 1)
    assert urgent.topic == exchange.topics.reports_urgent
    assert urgent.partition in {0, 2}
    async with AIOKafkaConsumer(**exchange.kafka) as consumer:
        tp = TopicPartition(normal.topic, normal.partition)
        consumer.assign([tp])
        consumer.seek(tp, normal.offset)
        record = await consumer.getone()
    assert record.key == normal.url_key
    assert record.timestamp == normal.timestamp
    statement = wire.statement_of(wire.decode_as(Submission, record.value))
    assert (statement.event_id, statement.sender) == (normal.event_id, ME)


async def test_an_action_waits_for_the_receipt_of_the_report_it_names(
    exchange: Exchange, receipt: Callable[..., Receipt]
) -> None:
    """It is sent after an accepting receipt, to its case's partition, and not at all after a refusal."""
    async with exchange.client() as client:
        one, two = await client.submit(report()), await client.submit(report())

        def about(event_id: str) -> ActionDraft:
            return ActionDraft(
                action="acknowledged", hosting_country="NL", report_event_id=event_id, url_key=one.url_key
            )

        acting = asyncio.create_task(client.act(about(one.event_id)))
        await exchange.write(exchange.topics.inbox(ME), receipt(one.event_id))
        sent = await acting
        assert sent.topic == exchange.topics.actions_submitted
        assert sent.partition == int.from_bytes(one.url_key[1:9], "big") % 4
        refusal = receipt(two.event_id, "refused", rule="unknown_code")
        await exchange.write(exchange.topics.inbox(ME), refusal)
        with pytest.raises(ReportRefusedError) as refused:
            await client.act(about(two.event_id))
        assert refused.value.receipt == refusal


async def test_a_receipt_is_found_in_either_inbox_or_named_as_missing(
    exchange: Exchange, receipt: Callable[..., Receipt]
) -> None:
    """Waiting neither needs nor disturbs the reading of the inbox."""
    async with exchange.client() as client:
        submitted = await client.submit(report(urgency=("possible_new_victim",)))
        with pytest.raises(NoReceiptError, match=submitted.event_id):
            await client.wait_for_receipt(submitted.event_id, timeout_s=0.05)
        await exchange.write(exchange.topics.inbox_urgent(ME), receipt(submitted.event_id))
        found = await client.wait_for_receipt(submitted.event_id, timeout_s=20)
        assert await client.wait_for_receipt(submitted.event_id) == found
        assert await take(client.inbox(), 1) == [found]
        with pytest.raises(MisuseError, match="was not sent by this client"):
            await client.wait_for_receipt("another")


async def test_receipts_that_came_together_are_all_found(
    exchange: Exchange, receipt: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt that passed by while another was waited for is not lost, nor when the memory overflows."""
    async with exchange.client() as client:
        sent = [(await client.submit(report())).event_id for _ in range(4)]
        await exchange.write(exchange.topics.inbox(ME), *(receipt(event_id) for event_id in sent))
        for event_id in sent[:2]:
            assert (await client.wait_for_receipt(event_id, timeout_s=10)).event_id == event_id
        monkeypatch.setattr("connectors.receipt_watch._PASSED", 1)
        client._watch._from_ms = None
        for event_id in sent[2:]:
            assert (await client.wait_for_receipt(event_id, timeout_s=10)).event_id == event_id


async def test_an_outage_before_the_first_send_is_no_missing_topic(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While no broker answers, the submission is given back to be sent again; nobody looks for a topic."""

    async def no_answer(*_: object) -> bool:
        return False

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    async with exchange.client() as client:
        prepared = client.prepare(report())
        hasty = msgspec.structs.replace(client.membership.limits, start_timeout_s=0.2)
        client.membership = msgspec.structs.replace(client.membership, limits=hasty)
        monkeypatch.setattr(client._connection.producer, "partitions_for", never)
        monkeypatch.setattr(client._connection.producer.client, "force_metadata_update", no_answer)
        with pytest.raises(NotConfirmedError) as caught:
            await client.send(prepared)
        assert caught.value.prepared == prepared

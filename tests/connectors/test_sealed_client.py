import asyncio
from collections.abc import Callable

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from exchange_by_hand import ME, QUICK, Exchange, report, take

from casework.messages import ActionStatement, Delivery, Receipt, ReportContent, Submission
from casework.sealed_content import parse
from connectors.sealing import open_sealed
from connectors.sending import Submitted
from operations.directory.equipping import Equipment
from streams import wire

pytestmark = pytest.mark.kafka


@pytest.fixture
def secured(exchange: Exchange, equipment: Equipment) -> Exchange:
    """Return the exchange with keys for everybody: it signs, and wants signed and sealed submissions."""
    exchange.directory, exchange.ring = equipment.directory, equipment.exchange
    return exchange


async def read_at(exchange: Exchange, sent: Submitted) -> Submission:
    """Return the submission at the place of a confirmed send."""
    async with AIOKafkaConsumer(**exchange.kafka) as consumer:
        tp = TopicPartition(sent.topic, sent.partition)
        consumer.assign([tp])
        consumer.seek(tp, sent.offset)
        return wire.decode_as(Submission, (await consumer.getone()).value)


async def test_a_client_with_a_ring_sends_sealed_and_reads_what_is_signed(
    secured: Exchange,
    equipment: Equipment,
    delivery: Callable[..., Delivery],
    receipt: Callable[..., Receipt],
) -> None:
    """The address stays away from the broker; its delivery opens; a forged receipt answers nothing."""
    async with secured.client(keys=equipment.rings[ME]) as client:
        sent = await client.submit(report())
        submission = await read_at(secured, sent)
        assert b"images.example" not in wire.encode(submission)
        handed = delivery(
            1, url_key=sent.url_key, report_event_id=sent.event_id, statement=submission.statement,
            signature=submission.signature, key_id=submission.key_id, content=submission.content,
        )  # fmt: skip
        secured.ring = None
        await secured.write(secured.topics.inbox(ME), handed, receipt(sent.event_id, "refused"))
        secured.ring = equipment.exchange
        await secured.write(secured.topics.inbox(ME), handed, receipt(sent.event_id))
        assert (await client.wait_for_receipt(sent.event_id, timeout_s=20)).outcome == "accepted"
        inbox = client.inbox()
        async with asyncio.timeout(20):
            message = await anext(inbox)
        content = message.open()
        assert isinstance(content, ReportContent)
        assert content.url == "https://images.example.com/1"
        await message.done()
        assert [found.rule for found in inbox.refused] == ["signature_missing"] * inbox.refusals
        [answered] = await take(inbox, 1)
        assert isinstance(answered, Receipt)
        assert answered.outcome == "accepted"


async def test_a_reader_answers_a_request_to_rewrap_before_it_shows_it(
    secured: Exchange, equipment: Equipment, delivery: Callable[..., Delivery]
) -> None:
    """When the program sees the request, the answer lies in Kafka; switched off, none does."""
    async with secured.client(keys=equipment.rings[ME]) as client:
        sent = await client.submit(report())
        submission = await read_at(secured, sent)

        def request(number: int) -> Delivery:
            return delivery(
                number, kind="rewrap_request", url_key=sent.url_key, report_event_id=sent.event_id,
                case_id="018bcfe5-687b-8000-8000-000000000000", statement=submission.statement,
                signature=submission.signature, key_id=submission.key_id, content=submission.content,
                hosting_country="BE", assigned_country="BE", assigned_hotline="be-childfocus",
            )  # fmt: skip

        await secured.write(secured.topics.inbox(ME), request(1))
        await take(client.inbox(), 1)
        found = await actions(secured)
        [answer] = found
        statement = wire.decode_as(ActionStatement, answer.statement)
        assert (statement.action, statement.report_event_id) == ("rewrap", sent.event_id)
        opened = open_sealed(parse(answer.content or b""), equipment.rings["be-childfocus"])
        assert wire.decode_as(ReportContent, opened).url == "https://images.example.com/1"
        unreadable = msgspec.structs.replace(request(2), content=b"{}")
        await secured.write(secured.topics.inbox(ME), unreadable)
        assert await take(client.inbox(), 1) == [unreadable]
    quiet = msgspec.structs.replace(QUICK, rewraps=False)
    async with secured.client(keys=equipment.rings[ME], limits=quiet) as client:
        await take(client.inbox(), 2)
        assert len(await actions(secured)) == 1


async def actions(exchange: Exchange) -> list[Submission]:
    """Return all actions in their topic."""
    topic = exchange.topics.actions_submitted
    async with AIOKafkaConsumer(**exchange.kafka) as consumer:
        partitions = [TopicPartition(topic, number) for number in range(4)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        for tp in partitions:
            consumer.seek(tp, 0)
        while sum([await consumer.position(tp) for tp in partitions]) < sum(ends.values()):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += [wire.decode_as(Submission, record.value) for record in records]
    return found

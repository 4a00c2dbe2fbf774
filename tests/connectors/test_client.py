import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.exchange_seal import ExchangeSeal
from casework.directory import Directory
from casework.messages import ActionStatement, Delivery, Message, Receipt, ReportContent, Submission
from casework.sealed_content import parse
from connectors.client import MemberClient
from connectors.delivery_order import HoldLimits
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import (
    AccessDeniedError,
    ExchangeUnreachableError,
    MisuseError,
    NoReceiptError,
    NotConfirmedError,
    PositionLostError,
    PositionsError,
    ReportRefusedError,
    StaleDirectoryError,
    TopicMissingError,
)
from connectors.inbox_reader import InboxReader
from connectors.limits import ClientLimits
from connectors.membership import Membership
from connectors.positions import Change, MemoryPositions, Positions, SqlitePositions
from connectors.sealing import open_sealed
from connectors.sending import Submitted
from operations.directory.equipping import Equipment
from operations.embedded_kafka import EmbeddedKafka
from streams import wire
from streams.clock import SystemClock
from streams.key_rings import KeyRing
from streams.read_marks import read_mark, reader_group
from streams.settings import DEMO_NETWORK_KEY
from streams.topics import Topics

pytestmark = pytest.mark.kafka

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


@pytest.fixture
async def exchange(kafka: EmbeddedKafka, topic_prefix: str, directory: Directory) -> AsyncIterator[Exchange]:
    """Return topics of this test alone."""
    made = Exchange(kafka.bootstrap, topic_prefix, directory)
    await made.open()
    yield made
    await made.producer.stop()


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


async def test_urgent_messages_come_first_and_duplicates_never(
    exchange: Exchange, delivery: Callable[..., Delivery]
) -> None:
    """What is urgent overtakes a backlog; copies are dropped in both inboxes."""
    normal = [delivery(1, case=f"n{n}") for n in range(20)]
    urgent = [delivery(1, case="u1", is_urgent=True), delivery(2, case="u1", is_urgent=True)]
    await exchange.write(exchange.topics.inbox(ME), *normal, *normal[:5])
    await exchange.write(exchange.topics.inbox_urgent(ME), *urgent, urgent[0])
    async with exchange.client() as client:
        inbox = client.inbox()
        await inbox.start()
        await wait_for_buffers(inbox)
        bodies = await take(inbox, 22)
        assert bodies[:2] == urgent
        assert sorted(body.case_id for body in bodies[2:]) == sorted(d.case_id for d in normal)
        late = delivery(1, case="late", is_urgent=True)
        await exchange.write(exchange.topics.inbox_urgent(ME), late)
        assert await take(inbox, 1) == [late]
        assert inbox.duplicates == 6


async def wait_for_buffers(inbox: InboxReader) -> None:
    """Wait until the consumer holds records of both topics, so that the order is the reader's choice."""
    await until(lambda: len({tp.topic for tp in inbox._consumer._fetcher._records}) == 2)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the library has no event for it
            await asyncio.sleep(0.01)


async def test_a_gap_is_held_named_and_filled_across_a_restart(
    exchange: Exchange, tmp_path: Path, delivery: Callable[..., Delivery]
) -> None:
    """Later deliveries wait, on disk too, while other cases go on; the missing one frees them in order."""
    topic = exchange.topics.inbox(ME)
    await exchange.write(topic, delivery(1), delivery(3), delivery(1, case="other"))
    with SqlitePositions(tmp_path / "nl.db") as positions:
        async with exchange.client(positions) as client:
            assert [(b.case_id, b.number) for b in await take(client.inbox(), 2)] == [
                ("case-1", 1), ("other", 1),
            ]  # fmt: skip
            gap = client.gaps()[0]
            assert (gap.case_id, gap.recipient, gap.missing, gap.held) == ("case-1", ME, ((2, 2),), 1)
            assert abs(gap.since_ms - CLOCK.real_ms()) < 60_000
    await exchange.write(topic, delivery(2))
    with SqlitePositions(tmp_path / "nl.db") as positions:
        async with exchange.client(positions) as client:
            bodies = await take(client.inbox(), 2)
            assert [(b.case_id, b.number) for b in bodies] == [("case-1", 2), ("case-1", 3)]
            assert client.gaps() == ()


async def test_a_restart_resumes_after_what_was_done(
    exchange: Exchange, tmp_path: Path, delivery: Callable[..., Delivery]
) -> None:
    """What was handed out and not done comes again, what was done does not, and the exchange sees where."""
    await exchange.write(exchange.topics.inbox(ME), *(delivery(n) for n in range(1, 7)))
    with SqlitePositions(tmp_path / "nl.db") as positions:
        async with exchange.client(positions) as client:
            await take(client.inbox(), 3)
            unfinished = await anext(client.inbox())
            assert unfinished.body.number == 4  # type: ignore[union-attr]  # a delivery
    admin = AIOKafkaAdminClient(**exchange.kafka)
    await admin.start()
    committed = await admin.list_consumer_group_offsets(reader_group(exchange.topics.prefix, ME))
    await admin.close()
    mark = committed[TopicPartition(exchange.topics.inbox(ME), 0)]
    assert mark.offset == 3
    read_at = read_mark(mark.metadata)
    assert read_at is not None
    assert abs(read_at - CLOCK.real_ms()) < 60_000
    with SqlitePositions(tmp_path / "nl.db") as positions:
        async with exchange.client(positions) as client:
            assert [b.number for b in await take(client.inbox(), 3)] == [4, 5, 6]


async def test_a_full_hold_stops_one_partition_and_not_the_others(
    exchange: Exchange, delivery: Callable[..., Delivery]
) -> None:
    """Back-pressure names the partition, other partitions go on, and the filler starts it again."""
    limits = msgspec.structs.replace(QUICK, hold=HoldLimits(per_case=1, in_total=1))
    topic, urgent = exchange.topics.inbox(ME), exchange.topics.inbox_urgent(ME)
    await exchange.write(urgent, delivery(2), delivery(3), delivery(4))
    async with exchange.client(limits=limits) as client:
        inbox = client.inbox()
        reading = asyncio.create_task(take(inbox, 1))
        await until(lambda: bool(inbox.stalled))
        assert inbox.stalled == ((urgent, 0),)
        await exchange.write(topic, delivery(1, case="other"))
        assert [body.case_id for body in await reading] == ["other"]
        await exchange.write(topic, delivery(1), partition=1)
        assert [body.number for body in await take(inbox, 4)] == [1, 2, 3, 4]
        assert inbox.stalled == ()


async def test_with_too_many_messages_in_hand_the_reader_waits(
    exchange: Exchange, delivery: Callable[..., Delivery]
) -> None:
    """A program that does not finish messages is not flooded; finishing one brings the next."""
    await exchange.write(exchange.topics.inbox(ME), *(delivery(n) for n in range(1, 4)))
    async with exchange.client(limits=msgspec.structs.replace(QUICK, in_flight=2)) as client:
        inbox = client.inbox()
        first, _ = await anext(inbox), await anext(inbox)
        third = asyncio.create_task(anext(inbox))
        done, _ = await asyncio.wait([third], timeout=0.2)
        assert not done
        with pytest.raises(MisuseError, match="one loop"):
            await anext(inbox)
        await first.done()
        async with asyncio.timeout(20):
            assert (await third).body.number == 3  # type: ignore[union-attr]  # a delivery


async def test_positions_that_cannot_be_saved_end_the_reading(
    exchange: Exchange, delivery: Callable[..., Delivery]
) -> None:
    """A full disk is an error of the loop and of closing, even if only duplicates came."""

    class Full(MemoryPositions):
        is_full = False

        def save(self, change: Change) -> None:
            if self.is_full:
                raise PositionsError("disk full")
            super().save(change)

    positions = Full()
    client = exchange.client(positions)
    await client.__aenter__()
    inbox = client.inbox()
    await exchange.write(exchange.topics.inbox(ME), delivery(1))
    await take(inbox, 1)
    positions.is_full = True
    waiting = asyncio.create_task(take(inbox, 1))
    await exchange.write(exchange.topics.inbox(ME), delivery(1))
    with pytest.raises(PositionsError, match="disk full"):
        await waiting
    with pytest.raises(PositionsError, match="start it again"):
        await client.__aexit__(None, None, None)
    assert inbox._consumer._closed


async def test_a_lost_position_is_an_error_and_not_a_silent_jump(exchange: Exchange) -> None:
    """A position beyond the topic, after the topic was made anew, is named with topic and offsets."""
    positions = MemoryPositions()
    positions.save(Change(positions={(exchange.topics.inbox(ME), 0): 99}))
    async with exchange.client(positions) as client:
        with pytest.raises(PositionLostError, match="saved position 99"):
            await anext(client.inbox())


async def test_what_is_not_set_up_is_told_at_once(exchange: Exchange) -> None:
    """A foreign environment, an unknown member, a missing topic or mandate each have their error."""
    with pytest.raises(StaleDirectoryError, match="not for production"):
        await exchange.client(environment="production").__aenter__()
    with pytest.raises(StaleDirectoryError, match="does not list xx-nobody"):
        await exchange.client(member="xx-nobody").__aenter__()
    hasty = msgspec.structs.replace(QUICK, start_timeout_s=1.0)
    async with exchange.client(member="be-childfocus", limits=hasty) as client:
        with pytest.raises(TopicMissingError, match=r"inbox\.be-childfocus"):
            await anext(client.inbox())
        with pytest.raises(AccessDeniedError, match="mandate"):
            client.desk()
    with pytest.raises(MisuseError, match="async with"):
        await client.submit(report())


async def test_an_absent_broker_is_named_within_the_limit(exchange: Exchange) -> None:
    """Nobody waits for ever for a broker that is not there."""
    hasty = msgspec.structs.replace(QUICK, start_timeout_s=1.0)
    with pytest.raises(ExchangeUnreachableError):
        await exchange.client(kafka={"bootstrap_servers": "127.0.0.1:1"}, limits=hasty).__aenter__()


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
        monkeypatch.setattr(client._producer, "partitions_for", never)
        monkeypatch.setattr(client._producer.client, "force_metadata_update", no_answer)
        with pytest.raises(NotConfirmedError) as caught:
            await client.send(prepared)
        assert caught.value.prepared == prepared


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

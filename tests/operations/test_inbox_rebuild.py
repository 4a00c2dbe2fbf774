"""An inbox made again from facts is the inbox; on a real Kafka its reader drops every copy."""

import asyncio
from collections import defaultdict

import msgspec
import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from paper_exchange import PaperExchange, T, lived, network, troubled

from agents.exchange_seal import ExchangeSeal
from casework.exchange_signatures import check_message
from casework.messages import CaseContent, Delivery, Fact
from connectors.delivery_order import HoldLimits
from connectors.inbox_book import InboxBook, Provenance
from connectors.inbox_book import Record as InboxRecord
from connectors.opening import Opener
from connectors.positions import MemoryPositions
from operations.embedded_kafka import EmbeddedKafka
from operations.inbox_rebuild import BrokenFactsError, rebuild, send
from operations.invariants import check, read_history
from operations.journal import Journal, Signature, entries
from operations.reading import Record, TopicReader
from operations.reconciliation import Window, reconcile
from operations.writing import TopicWriter
from streams import wire
from streams.key_rings import KeyRing, PrivateKey

MEMBERS = ("nl-offlimits", "gb-iwf", "de-eco")


def inbox(paper: PaperExchange, member: str) -> list[Delivery]:
    """Return the deliveries in a member's inboxes, each once, in their order."""
    found: dict[str, Delivery] = {}
    for record in paper.records:
        if paper.topics.member_of_inbox(record.topic) == member:
            message = wire.decode(record.value or b"")
            if isinstance(message, Delivery):
                found.setdefault(message.delivery_id, message)
    return list(found.values())


def by_case(deliveries: list[Delivery]) -> dict[str, list[bytes]]:
    """Return the bytes of deliveries by case, in their order."""
    lines: defaultdict[str, list[bytes]] = defaultdict(list)
    for each in deliveries:
        lines[each.case_id].append(wire.encode(each))
    return lines


@pytest.mark.parametrize("member", MEMBERS)
def test_an_inbox_made_again_is_the_inbox(member: str) -> None:
    """The same deliveries come out, byte for byte, into the same topics, in the same order in each case."""
    paper = lived()
    made = list(rebuild(paper.history().log, paper.topics, member, 0))
    there = inbox(paper, member)
    assert there
    assert by_case([each.message for each in made if isinstance(each.message, Delivery)]) == by_case(there)
    assert all(wire.encode(each.message) == each.framed and not each.is_erased for each in made)
    topics = {(r.topic, r.value) for r in paper.records}
    assert {(each.topic, each.framed) for each in made} <= topics


def test_cases_without_news_since_a_time_stay_out_and_the_others_come_whole() -> None:
    """A case with any news comes from its first delivery on; one without does not come at all."""
    paper = lived()
    there = inbox(paper, "gb-iwf")
    since = max(each.admitted_at for each in there)
    wanted = {each.case_id for each in there if each.admitted_at >= since}
    made = [each.message for each in rebuild(paper.history().log, paper.topics, "gb-iwf", since)]
    assert 0 < len(made) < len(there)
    assert by_case(made) == by_case([each for each in there if each.case_id in wanted])  # type: ignore[arg-type] # deliveries
    assert not list(rebuild(paper.history().log, paper.topics, "gb-iwf", since + 1))


def test_erased_content_is_named_and_the_rest_comes() -> None:
    """A delivery whose content was erased comes with its number, its id and without content."""
    paper = lived()
    contents = [r for r in paper.records if r.topic == paper.topics.cases_contents]
    erased = contents[0]._replace(value=None, offset=99)
    records = [*paper.records, erased]
    event_id = wire.decode_as(CaseContent, contents[0].value or b"").report_event_id
    made = list(rebuild(paper.history(records).log, paper.topics, "nl-offlimits", 0))
    named = [each.message for each in made if each.is_erased]
    assert [each.report_event_id for each in named if isinstance(each, Delivery)] == [event_id]
    assert all(each.content is None for each in named)
    assert len(made) == len(inbox(paper, "nl-offlimits"))


def test_nothing_is_made_from_facts_that_do_not_follow_each_other() -> None:
    """A missing fact stops the rebuild instead of sending wrong numbers."""
    paper = lived()
    lost = next(r for r in paper.records if r.topic == paper.topics.cases_events)
    log = paper.history([r for r in paper.records if r is not lost]).log
    with pytest.raises(BrokenFactsError):
        list(rebuild(log, paper.topics, "de-eco", 0))


# On a real Kafka ------------------------------------------------------------------------------------------


def copied(bootstrap: str, paper: PaperExchange, records: list[Record]) -> None:
    """Write records into topics on a broker, with their times, so that they lie there as on paper."""
    counts = dict.fromkeys([*(r.topic for r in paper.records), paper.topics.journal], 1) | paper.partitions()
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(name, count, 1) for name, count in counts.items()])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, max_request_size=4 << 20)
    sent = [
        producer.send(
            r.topic, r.value, key=r.key, partition=r.partition, timestamp_ms=r.timestamp, headers=[*r.headers]
        )
        for r in records
    ]
    for each in sent:
        each.get(timeout=30)
    producer.close()


@pytest.mark.kafka
def test_on_kafka_a_rebuilt_inbox_is_the_inbox_and_its_reader_drops_it(
    kafka: EmbeddedKafka, topic_prefix: str
) -> None:
    """Sent into the topic again, every delivery is a copy: the member's reader hands none out twice."""
    paper = lived(topic_prefix)
    topics = paper.topics
    copied(kafka.bootstrap, paper, paper.records)
    member = "nl-offlimits"
    names = (topics.inbox(member), topics.inbox_urgent(member))
    with TopicReader(kafka.access) as reader, TopicWriter(kafka.access) as writer:
        before = list(reader.whole(*names))
        made = list(rebuild(reader, topics, member, T))
        assert by_case([each.message for each in made]) == by_case(inbox(paper, member))  # type: ignore[arg-type] # deliveries
        signature = Signature("ops-1", "its store was lost")
        journal = Journal(writer, topics.journal, "test", paper.clock, signature)
        key = PrivateKey.new("sign")
        directory = msgspec.structs.replace(network(), exchange_keys=(key.entry(0),))
        seal = ExchangeSeal(KeyRing([key]), lambda: directory, paper.clock.real_ms, topics.prefix)
        assert send(made, topics.inbox(member), seal, writer, journal) == len(made)
        after = list(reader.whole(*names))
        noted = list(entries(reader.whole(topics.journal)))
    assert [(each.operation, each.state) for each in noted] == [("rebuild", "begun"), ("rebuild", "done")]
    assert {each.operator for each in noted} == {"ops-1"}
    assert len(after) == len(before) + len(made)
    again = sorted(after, key=lambda record: record.timestamp)[len(before) :]
    assert len(again) == len(made)
    for record in again:
        bare = record.topic.removeprefix(topics.prefix)
        proof = check_message(directory, bare, record.value or b"", dict(record.headers), record.timestamp)
        assert proof is None, "what is sent again is signed as what was sent"
    unsigned = Provenance(network, topics.prefix, Opener(None, None, network))
    book = InboxBook(names, MemoryPositions(), paper.clock, "test", HoldLimits(), provenance=unsigned)
    first = asyncio.run(handed_out(book, before))
    copies = book.duplicates
    assert asyncio.run(handed_out(book, [r for r in after if r not in before])) == []
    assert book.duplicates - copies == len(made)
    assert set(first) >= {each.framed for each in made}


async def handed_out(book: InboxBook, records: list[Record]) -> list[bytes]:
    """Return what a reader hands out of records, each marked as done."""
    out: list[bytes] = []
    for r in records:
        for message in book.take(InboxRecord(r.topic, r.partition, r.offset, r.timestamp, r.value)) or ():
            out.append(wire.encode(message.body))  # type: ignore[arg-type] # all are readable
            await message.done()
    return out


@pytest.mark.kafka
def test_on_kafka_whole_logs_are_whole_and_forged_ones_are_found(
    kafka: EmbeddedKafka, topic_prefix: str
) -> None:
    """Read by an independent consumer, logs are whole, and what is lost, doubled or altered is named."""
    whole, paper = lived(topic_prefix), lived(f"{topic_prefix}forged.")
    topics = paper.topics
    lost = next(r for r in paper.records if r.topic == topics.inbox("gb-iwf"))
    event = next(r for r in paper.records if r.topic == topics.cases_events)
    told = msgspec.structs.replace(wire.decode_as(Fact, event.value or b""), by="de-eco")
    older = next(r for r in paper.records if r.topic == topics.cases_status)
    forged = [r for r in paper.records if r is not lost]
    forged = [r._replace(value=wire.encode(told)) if r is event else r for r in forged]
    copied(kafka.bootstrap, whole, whole.records)
    copied(kafka.bootstrap, paper, [*forged, older])

    def broken(exchange: PaperExchange) -> set[str]:
        with TopicReader(kafka.access) as reader:
            history = read_history(reader, exchange.topics, environment="test", clock=exchange.clock)
        return {each.rule for each in check(history)}

    assert broken(whole) == set()
    found = broken(paper)
    assert found >= {"effect_missing", "fact_altered", "state_not_newest"}


def test_what_is_made_again_without_erased_content_is_no_loss_and_no_conflict() -> None:
    """A rebuilt inbox of a case that is a stub by now is whole for the proof and for reconciliation."""
    paper = troubled()
    made = list(rebuild(paper.history().log, paper.topics, "nl-offlimits", 0))
    assert any(each.is_erased for each in made)
    again = [
        Record(each.topic, 0, 1000 + n, paper.now, each.message.url_key, each.framed, ())
        for n, each in enumerate(made)
    ]
    log = paper.history([*paper.records, *again])
    assert check(log) == ()
    found = reconcile(log.log, paper.topics, Window(0, paper.now + 1, paper.now))
    assert found.items == ()
    assert found.doubled["delivery"] >= len(made) - 1

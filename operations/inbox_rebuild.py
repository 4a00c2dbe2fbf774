"""A member's deliveries once more, from facts: for a member that lost its store, or doubts it.

Facts number and address the deliveries, the store of contents has what they hand over, so they come out with
the same ids, numbers and bytes, and a client that has them drops them as duplicates. Only content that was
erased meanwhile is missing; such deliveries are named.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

import msgspec

from agents.exchange_seal import ExchangeSeal
from agents.kept_contents import content_key
from casework.effects import effects
from casework.errors import BugError, FatalError
from casework.evolution import evolve
from casework.messages import Case, Delivery, Escalation, Fact, Receipt
from casework.notices import UPDATE
from casework.postings import Posting
from operations.journal import Journal
from operations.logs import Log
from operations.verification.contents import Contents
from operations.verification.facts import Facts
from operations.verification.findings import Tally
from operations.verification.rebuilding import event_of
from operations.writing import Place, TopicWriter
from streams import wire
from streams.slots import partition_of
from streams.topics import Topics


class BrokenFactsError(FatalError):
    """The facts do not follow each other: `hx verify` names where; nothing can be rebuilt from them."""


class Rebuilt(msgspec.Struct, frozen=True):
    """A delivery to be sent again.

    Attributes:
        topic: The inbox it belongs into.
        message: The delivery, or an escalation.
        framed: Its bytes.
        is_erased: Whether content that it handed over then is not there any more.
    """

    topic: str
    message: Delivery | Escalation
    framed: bytes
    is_erased: bool


def rebuild(log: Log, topics: Topics, member: str, since_ms: int) -> Iterator[Rebuilt]:
    """Yield all deliveries of the cases of which a member learned something since a time.

    Args:
        log: The logs.
        topics: Names of the topics.
        member: Member id, the name of a desk, or of a liaison's feed.
        since_ms: By the exchange's clock; milliseconds since the epoch, UTC.

    Raises:
        BrokenFactsError: Facts are missing or unreadable.
    """
    return messages(
        log, topics, lambda posting: posting.recipient == member and _is_delivery(posting), since_ms
    )


def messages(log: Log, topics: Topics, wanted: Callable[[Posting], bool], since_ms: int) -> Iterator[Rebuilt]:
    """Yield the wanted deliveries and escalations that facts cause, of cases with one since a time.

    A case comes whole, from its first delivery on, because a client needs every number. Cases come partition
    by partition; the facts of one partition are in memory at a time.

    Args:
        log: The logs.
        topics: Names of the topics.
        wanted: Chooses among the messages.
        since_ms: By the exchange's clock; milliseconds since the epoch, UTC.

    Raises:
        BrokenFactsError: Facts are missing or unreadable.
    """
    count = log.partitions(topics.cases_events)
    for partition in range(count):
        tally = Tally()
        facts = Facts(log.part(topics.cases_events, partition), count, tally)
        contents = Contents()
        try:
            for record in log.part(topics.cases_contents, partition):
                contents.read(record.key or b"", record.value)
            for url_key, logged in facts.rest():
                of_key = [each.fact for each in logged]
                yield from _of_key(topics, of_key, contents, (url_key, wanted, since_ms))
            facts.close()
        finally:
            contents.close()
        if tally.findings:
            raise BrokenFactsError(f"{min(tally.findings).text}: run 'hx verify'")


def _of_key(
    topics: Topics, facts: list[Fact], contents: Contents, what: tuple[bytes, Callable[[Posting], bool], int]
) -> Iterator[Rebuilt]:
    url_key, wanted, since_ms = what
    for _, of_case in groupby(facts, key=lambda fact: fact.case_id):
        case: Case | None = None
        made: list[Rebuilt] = []
        newest = -1
        for _, grouped in groupby(of_case, key=lambda fact: fact.source_offset):
            together = list(grouped)
            for fact in together:
                before = case
                try:
                    case = evolve(before, fact)
                except BugError as error:
                    raise BrokenFactsError(f"a case cannot be rebuilt: {error}") from error
                event = event_of(fact, together, contents, url_key)
                for posting in effects(before, case, fact, event):
                    if not isinstance(posting.body, Receipt) and wanted(posting):
                        made.append(_rebuilt(posting, posting.body, contents, topics))
                        newest = max(newest, fact.admitted_at)
        if newest >= since_ms:
            yield from made


def _is_delivery(posting: Posting) -> bool:
    return isinstance(posting.body, Delivery)


def _rebuilt(posting: Posting, body: Delivery | Escalation, contents: Contents, topics: Topics) -> Rebuilt:
    is_erased = False
    if posting.content_of is not None:
        whole = contents.submission(content_key(body.url_key, posting.content_of))
        if whole is not None:
            body = msgspec.structs.replace(
                body,
                statement=whole.statement,
                signature=whole.signature,
                key_id=whole.key_id,
                content=whole.content,
                credentials=whole.credentials,
            )
    if isinstance(body, Escalation):
        is_erased = body.content is None
        return Rebuilt(topics.escalations(body.recipient), body, wire.encode(body), is_erased)
    if body.kind != UPDATE and body.report_event_id is not None:
        is_erased = contents.has_lost(content_key(body.url_key, body.report_event_id))
    topic = topics.delivered(body.recipient, is_urgent=body.is_urgent)
    return Rebuilt(topic, body, wire.encode(body), is_erased)


def send(
    rebuilt: Iterable[Rebuilt], topic_of_note: str, seal: ExchangeSeal, writer: TopicWriter, journal: Journal
) -> int:
    """Send deliveries into a member's inbox again, noted in the journal as one operation; answer how many.

    Args:
        rebuilt: The deliveries.
        topic_of_note: Topic that the journal names.
        seal: Signs them as the exchange signs its own.
        writer: Writes them.
        journal: Notes the operation.

    Raises:
        KeyRingError: The directory lists keys of the exchange, and the ring here has none that counts now.
        NotWrittenError: The inbox does not take one.
        KafkaUnreachableError: One was not confirmed; those before it are sent.
    """
    count = 0
    seal.check()
    with journal.noting("rebuild", Place(topic_of_note, 0, 0)) as note:
        for each in rebuilt:
            key = each.message.url_key
            partition = partition_of(key, writer.partitions(each.topic))
            headers = seal.headers(each.topic, each.framed)
            note.written = writer.write(each.topic, partition, key, each.framed, headers)
            count += 1
    return count

"""Letting a parked case go on, for operators: the order is written, and its outcome looked for."""

import os
import time

from casework.ids import RANDOM_BYTES, new_event_id
from casework.messages import Admitted, Case, Fact, Unparking
from casework.transitions import RULES_VERSION
from operations.journal import Journal, Signature
from operations.reading import TopicReader
from operations.writing import Place, TopicWriter
from schemas.errors import UnreadableError
from streams import wire
from streams.clock import Clock
from streams.slots import partition_of
from streams.topics import Topics


def order(  # noqa: PLR0913 - what an order is made of
    case: Case,
    *,
    skip: bool,
    signature: Signature,
    writer: TopicWriter,
    topics: Topics,
    clock: Clock,
    directory_version: int,
) -> Place:
    """Write an unpark for a case and answer where it stands in the topic of admitted records.

    Args:
        case: The case; one that does not wait is not changed by it.
        skip: Whether its first waiting record is set aside undecided.
        signature: Who wants it and why.
        writer: Writes records.
        topics: The topic table.
        clock: The exchange's clock.
        directory_version: A version that casekeeper has.

    Raises:
        BadInputError: Operator or reason is missing or too long.
        KafkaUnreachableError: It was not confirmed; ordering it again is harmless.
    """
    journal = Journal(writer, topics.journal, case.environment, clock, signature)
    partition = partition_of(case.url_key, writer.partitions(topics.cases_admitted))
    subject = Place(topics.cases_admitted, partition, case.parked.offsets[0] if case.parked else -1)
    with journal.noting("unpark", subject) as note:
        real = clock.real_ms()
        admitted = Admitted(
            url_key=case.url_key,
            kind="unpark",
            event_id=new_event_id(real, os.urandom(RANDOM_BYTES)),
            environment=case.environment,
            sender="",
            hosting_country="",
            admitted_at=clock.now_ms(),
            submitted_at=real,
            directory_version=directory_version,
            rules_version=RULES_VERSION,
            source_topic=note.place.topic,
            source_partition=note.place.partition,
            source_offset=note.place.offset,
            unparking=Unparking(operator=signature.operator, reason=signature.reason, skip=skip),
        )
        note.written = writer.write(topics.cases_admitted, partition, case.url_key, wire.encode(admitted))
        return note.written


def outcome(
    reader: TopicReader, topics: Topics, place: Place, *, since_ms: int, timeout_s: float
) -> Fact | None:
    """Wait for the fact that ends an order: `unparked`, or `parked` again; None when none came in time.

    Args:
        reader: An independent reader.
        topics: The topic table.
        place: Where the order stands.
        since_ms: Log-append time from which facts are looked at; milliseconds since the epoch, UTC.
        timeout_s: Seconds to wait.
    """
    end = time.monotonic() + timeout_s
    for record in reader.follow(topics.cases_events, since_ms=since_ms, stop=lambda: time.monotonic() >= end):
        try:
            fact = wire.decode_as(Fact, record.value or b"")
        except UnreadableError:
            continue
        stands = (fact.source_topic, fact.source_partition, fact.source_offset)
        if stands == place and fact.fact in {"unparked", "parked"}:
            return fact
    return None

"""The books of an exchange, filled from its topics: nothing that a worker or a client counted is in them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final, Literal

import msgspec

from casework.limits import URL_KEY_BYTES
from casework.messages import (
    Case,
    DeadLetterHeaders,
    Delivery,
    Escalation,
    Fact,
    Message,
    Receipt,
    Submission,
)
from operations.accounting import Books, Place, Submitted
from operations.logs import Log, inboxes, police
from operations.reading import Record
from schemas.errors import UnreadableError
from streams import wire
from streams.topics import Topics

_HEADER_PREFIX: Final = "hx-"


def read_books(
    reader: Log,
    topics: Topics,
    *,
    confirmed: Collection[str] = (),
    read: Mapping[str, Collection[str]] | None = None,
) -> Books:
    """Read all topics from their beginning to their end.

    Args:
        reader: An independent reader, or logs in memory.
        topics: Names of the topics.
        confirmed: As in `Books`.
        read: As in `Books`.

    Raises:
        KafkaUnreachableError: The broker went away.
    """
    pages = _Pages(reader)
    names = [*inboxes(reader, topics), *police(reader, topics)]
    messages = [message for _, message in pages.read(*names)]
    newest: dict[bytes | None, Case | None] = {}
    for record, case in pages.read(topics.cases_status):
        newest[record.key] = case if isinstance(case, Case) else None
    dead_letters = [pages.provenance(record) for record in reader.whole(topics.dead_letters)]
    return Books(
        submissions=[_submitted(record) for record in reader.whole(*topics.submissions)],
        receipts=[each for each in messages if isinstance(each, Receipt)],
        deliveries=[each for each in messages if isinstance(each, Delivery)],
        escalations=[each for each in messages if isinstance(each, Escalation)],
        facts=[fact for _, fact in pages.read(topics.cases_events) if isinstance(fact, Fact)],
        dead_letters=[place for place in dead_letters if place is not None],
        cases=[case for case in newest.values() if case is not None],
        confirmed=confirmed,
        read=read or {},
        unreadable=pages.unreadable,
    )


class SetAside(msgspec.Struct, frozen=True):
    """What lies among the dead letters.

    Attributes:
        places: Where the records lay that could not be read, judged or decided.
        undelivered: Messages that their topic refused, as if they lay there, with the offset -1.
    """

    places: frozenset[Place]
    undelivered: tuple[Record, ...]


def set_aside(log: Log, topics: Topics) -> SetAside:
    """Read the dead letters; those without provenance are left out."""
    places: set[Place] = set()
    undelivered: list[Record] = []
    for record in log.whole(topics.dead_letters):
        place = provenance_of(record)
        if place is None:
            continue
        if place[2] >= 0:
            places.add(place)
        elif record.value is not None:
            topic, partition, offset = place
            undelivered.append(record._replace(topic=topic, partition=partition, offset=offset))
    return SetAside(frozenset(places), tuple(undelivered))


def provenance_of(record: Record) -> Place | None:
    """Answer where a dead letter came from; None when it does not say so."""
    headers = dict(record.headers)
    try:
        topic, partition, offset = (
            headers[_HEADER_PREFIX + field].decode() for field in DeadLetterHeaders.__struct_fields__[:3]
        )
        return topic, int(partition), int(offset)
    except (KeyError, ValueError):
        return None


def _submitted(record: Record) -> Submitted:
    place = (record.topic, record.partition, record.offset)
    try:
        submission = wire.decode_as(Submission, record.value or b"")
        prefix = wire.prefix_of(submission.statement)
    except UnreadableError:
        return Submitted(place, "unreadable")
    kind: Literal["report", "action"] = "report" if prefix.kind == "report" else "action"
    url_key = prefix.url_key if len(prefix.url_key) == URL_KEY_BYTES else None
    return Submitted(place, kind, prefix.event_id, prefix.sender, url_key)


class _Pages:
    """What the exchange itself wrote; a record that nobody can read is noted, and the others are read.

    Attributes:
        unreadable: Places of such records.
    """

    def __init__(self, reader: Log) -> None:
        self._reader = reader
        self.unreadable: list[Place] = []

    def read(self, *topics: str) -> Iterator[tuple[Record, Message | None]]:
        """Yield each record with its message; None stands for a tombstone."""
        for record in self._reader.whole(*topics):
            try:
                yield record, None if record.value is None else wire.decode(record.value)
            except UnreadableError:
                self._note(record)

    def provenance(self, record: Record) -> Place | None:
        """Answer where a dead letter came from; None, and noted, when it does not say so."""
        place = provenance_of(record)
        if place is None:
            self._note(record)
        return place

    def _note(self, record: Record) -> None:
        self.unreadable.append((record.topic, record.partition, record.offset))

"""The books of an exchange: what accounting compares, filled from the topics with an independent consumer.

Nothing that a worker or a client counted is in them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, Literal

import msgspec

from casework.ids import SHOWN_ID
from casework.limits import URL_KEY_BYTES
from casework.messages import (
    Admitted,
    Case,
    DeadLetterHeaders,
    Delivery,
    Escalation,
    Fact,
    Message,
    Receipt,
    Submission,
)
from operations.logs import Log, inboxes, police
from operations.newest_states import NewestStates
from operations.reading import Record
from schemas.errors import UnreadableError
from streams import wire
from streams.topics import Topics

_HEADER_PREFIX: Final = "hx-"

Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""


class Submitted(msgspec.Struct, frozen=True):
    """A record on a topic of submissions; without event id when nobody can read it.

    Attributes:
        place: Where it lies.
        kind: report, action, or unreadable.
        event_id: Its event id.
        sender: Who sent it.
        url_key: Its url key, or None where it is none.
    """

    place: Place
    kind: Literal["report", "action", "unreadable"]
    event_id: str | None = None
    sender: str | None = None
    url_key: bytes | None = None

    @property
    def key(self) -> tuple[str, str | None, bytes | None] | None:
        """What tells it from others: senders may give several of their reports one event id by mistake."""
        return None if self.event_id is None else (self.event_id[:SHOWN_ID], self.sender, self.url_key)


class Books(msgspec.Struct, frozen=True):
    """Everything that is compared; order does not matter.

    Attributes:
        submissions: Records of the submission topics.
        receipts: Receipts in all inboxes.
        deliveries: Deliveries in all inboxes and desks.
        facts: Decided facts.
        dead_letters: Places of the records they were made from.
        given_up: Places of submissions of which the admitted record became a dead letter.
        undeliverable: Receipts, deliveries and escalations that their topic refused, among the dead letters.
        escalations: Messages to police liaisons.
        cases: Newest state of each case.
        confirmed: Event ids whose senders have the broker's confirmation.
        read: For each member that read its inbox to the end, the delivery ids it got.
        unreadable: Places of records in the exchange's own topics that nobody can read.
    """

    submissions: Collection[Submitted] = ()
    receipts: Collection[Receipt] = ()
    deliveries: Collection[Delivery] = ()
    facts: Collection[Fact] = ()
    dead_letters: Collection[Place] = ()
    given_up: Collection[Place] = ()
    undeliverable: Collection[Receipt | Delivery | Escalation] = ()
    escalations: Collection[Escalation] = ()
    cases: Collection[Case] = ()
    confirmed: Collection[str] = ()
    read: Mapping[str, Collection[str]] = msgspec.field(default_factory=dict)
    unreadable: Collection[Place] = ()


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
    newest = NewestStates()
    for record, _ in pages.read(topics.cases_status):
        newest.take(record)
    aside = set_aside(reader, topics)
    kept = [message for _, message in pages.decoded(aside.undelivered)]
    return Books(
        submissions=[_submitted(record) for record in reader.whole(*topics.submissions)],
        receipts=[each for each in messages if isinstance(each, Receipt)],
        deliveries=[each for each in messages if isinstance(each, Delivery)],
        escalations=[each for each in messages if isinstance(each, Escalation)],
        undeliverable=[each for each in kept if isinstance(each, Receipt | Delivery | Escalation)],
        facts=[fact for _, fact in pages.read(topics.cases_events) if isinstance(fact, Fact)],
        dead_letters=aside.places,
        given_up=aside.given_up,
        cases=[wire.decode_as(Case, framed) for framed in newest.framed().values()],
        confirmed=confirmed,
        read=read or {},
        unreadable=[*pages.unreadable, *aside.unreadable],
    )


class SetAside(msgspec.Struct, frozen=True):
    """What lies among the dead letters.

    Attributes:
        places: Where the records lay that could not be read, judged or decided.
        values: What their dead letters hold; several only where some are not true.
        given_up: Submissions that were admitted and then given up as admitted records.
        undelivered: Messages that their topic refused, as if they lay there, with the offset -1.
        unreadable: Places of dead letters that do not say where they came from.
    """

    places: frozenset[Place]
    values: Mapping[Place, Collection[bytes | None]]
    given_up: frozenset[Place]
    undelivered: tuple[Record, ...]
    unreadable: tuple[Place, ...]


def set_aside(log: Log, topics: Topics) -> SetAside:
    """Read the dead letters."""
    values: defaultdict[Place, set[bytes | None]] = defaultdict(set)
    given_up: set[Place] = set()
    undelivered: list[Record] = []
    unreadable: list[Place] = []
    for record in log.whole(topics.dead_letters):
        place = provenance_of(record)
        if place is None:
            unreadable.append((record.topic, record.partition, record.offset))
        elif place[2] < 0:
            topic, partition, offset = place
            undelivered.append(record._replace(topic=topic, partition=partition, offset=offset))
        else:
            values[place].add(record.value)
            if place[0] == topics.cases_admitted:
                given_up |= _submission_of(record)
    places = frozenset(values)
    return SetAside(places, dict(values), frozenset(given_up), tuple(undelivered), tuple(unreadable))


def _submission_of(record: Record) -> set[Place]:
    try:
        admitted = wire.decode_as(Admitted, record.value or b"")
    except UnreadableError:
        return set()
    return {(admitted.source_topic, admitted.source_partition, admitted.source_offset)}


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
        return self.decoded(self._reader.whole(*topics))

    def decoded(self, records: Iterable[Record]) -> Iterator[tuple[Record, Message | None]]:
        """Yield each of these records with its message; None stands for a tombstone."""
        for record in records:
            try:
                yield record, None if record.value is None else wire.decode(record.value)
            except UnreadableError:
                self.unreadable.append((record.topic, record.partition, record.offset))

"""Dead letters for operators: what lies there and why, and sending it back or leaving it for good.

Nothing here shows a value: a letter may hold an address. What is read out of it are ids and a member, and
only where they look like one.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, get_args

import msgspec

from agents.dead_letters import NO_OFFSET, Header, from_headers, original_headers, replayed_headers
from casework.limits import URL_KEY_BYTES
from casework.messages import DeadLetterHeaders, JournalEntry, Message, Submission
from operations.journal import DONE, Journal
from operations.reading import Record
from operations.writing import Place, TopicWriter
from schemas.errors import UnreadableError
from streams import wire
from streams.slots import partition_of

State = Literal["open", "begun", "replayed", "discarded"]
STATES: Final = get_args(State)
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MEMBER: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,63}")
_IDS: Final = ("event_id", "case_id", "delivery_id", "receipt_id", "escalation_id", "fact_id")
_OUTCOMES: Final[dict[str, State]] = {"replay": "replayed", "discard": "discarded"}


class Letter(msgspec.Struct, frozen=True):
    """A dead letter.

    Attributes:
        id: Its partition and offset in the topic of dead letters, as `0-17`.
        place: The same as a place.
        provenance: Where it came from and why; None when the record does not say.
        key: Key of the record.
        value: Its value, never shown.
        headers: All headers, the provenance included.
        member: Sender, or recipient of what could not be delivered, where it can be read.
        ids: Ids inside, where they can be read.
        message: Name of the message, where it can be read.
        state: open, begun (a replay or discard broke off), replayed or discarded.
        last: What was done to it last.
    """

    id: str
    place: Place
    provenance: DeadLetterHeaders | None
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]
    member: str | None
    ids: dict[str, str]
    message: str | None
    state: State
    last: JournalEntry | None

    def shown(self) -> dict[str, object]:
        """Answer all that may be shown: provenance, sizes, ids, what was done; no key, value or header."""
        found = {} if self.provenance is None else msgspec.structs.asdict(self.provenance)
        last = self.last
        return {
            "id": self.id,
            "state": self.state,
            **found,
            "member": self.member,
            "message_type": self.message,
            **self.ids,
            "key_bytes": None if self.key is None else len(self.key),
            "value_bytes": None if self.value is None else len(self.value),
            "headers": len(self.headers if self.provenance is None else original_headers(self.headers)),
            "done": None if last is None else last.operation,
            "done_by": None if last is None else last.operator,
            "done_because": None if last is None else last.reason,
            "done_at": None if last is None else last.at,
            "replayed_to": None if last is None or last.to_topic is None else _place_of(last),
        }


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters are meant; None and empty leave a field out.

    Attributes:
        ids: Ids of letters.
        topic: Topic they came from.
        error_class: Their class.
        rule: Rule they broke.
        member: Member concerned, where known.
        since: Given up at this time or later; milliseconds since the epoch, UTC.
        until: Given up before this time.
        states: What was done to them.
    """

    ids: tuple[str, ...] = ()
    topic: str | None = None
    error_class: str | None = None
    rule: str | None = None
    member: str | None = None
    since: int | None = None
    until: int | None = None
    states: tuple[State, ...] = ()

    @property
    def chooses(self) -> bool:
        """Whether anything but the state is asked for."""
        return self != Filter(states=self.states)

    def takes(self, letter: Letter) -> bool:
        """Answer whether a letter is meant; one without provenance only by its id or member."""
        found = letter.provenance
        asked = (
            (self.topic, None if found is None else found.topic),
            (self.error_class, None if found is None else found.error_class),
            (self.rule, None if found is None else found.rule),
            (self.member, letter.member),
        )
        if any(wanted is not None and wanted != there for wanted, there in asked):
            return False
        at = None if found is None else found.failed_at
        if self.since is not None and (at is None or at < self.since):
            return False
        if self.until is not None and (at is None or at >= self.until):
            return False
        return (not self.ids or letter.id in self.ids) and (not self.states or letter.state in self.states)


def letters(records: Iterable[Record], journal: Iterable[JournalEntry]) -> Iterator[Letter]:
    """Yield the letters in records of the topic of dead letters, with what the journal says of each."""
    notes: dict[Place, list[JournalEntry]] = {}
    for entry in journal:
        if entry.operation in _OUTCOMES:
            notes.setdefault(Place(entry.topic, entry.partition, entry.offset), []).append(entry)
    for record in records:
        place = Place(record.topic, record.partition, record.offset)
        try:
            provenance = from_headers(record.headers)
        except msgspec.ValidationError:
            provenance = None
        message, member, ids = _inside(record.value)
        done = [entry for entry in notes.get(place, ()) if entry.state == DONE]
        begun = notes.get(place, [])
        last = begun[-1] if begun else None
        if done:
            last = done[-1]
        yield Letter(
            id=f"{record.partition}-{record.offset}",
            place=place,
            provenance=provenance,
            key=record.key,
            value=record.value,
            headers=record.headers,
            member=member,
            ids=ids,
            message=message,
            state=_OUTCOMES[done[-1].operation] if done else "begun" if begun else "open",
            last=last,
        )


def target(letter: Letter, partitions: Callable[[str], int]) -> tuple[str, int]:
    """Answer topic and partition a letter is replayed to: where it came from, or where it was to go.

    Args:
        letter: A letter with provenance.
        partitions: Answers the number of partitions of a topic, or raises.
    """
    found = letter.provenance
    if found is None:
        raise ValueError("a letter without provenance has no target")
    count = partitions(found.topic)
    if found.offset != NO_OFFSET and found.partition < count:
        return found.topic, found.partition
    if letter.key is not None and len(letter.key) == URL_KEY_BYTES:
        return found.topic, partition_of(letter.key, count)
    return found.topic, min(found.partition, count - 1)


def replay(letter: Letter, writer: TopicWriter, journal: Journal) -> Place:
    """Send a letter's record back with its own key, value and headers, and note it.

    Raises:
        NotWrittenError: The topic does not exist or does not take it.
        KafkaUnreachableError: It was not confirmed; replaying it again is harmless.
    """
    topic, partition = target(letter, writer.partitions)
    with journal.noting("replay", letter.place) as note:
        headers = replayed_headers(letter.headers)
        note.written = writer.write(topic, partition, letter.key, letter.value, headers)
        return note.written


def discard(letter: Letter, journal: Journal) -> None:
    """Note that a letter is left for good; the record itself goes with the retention of its topic."""
    with journal.noting("discard", letter.place):
        return


def _inside(value: bytes | None) -> tuple[str | None, str | None, dict[str, str]]:
    if value is None:
        return None, None, {}
    try:
        message = wire.decode(value)
    except UnreadableError:
        return None, None, {}
    if isinstance(message, Submission):
        return type(message).__name__, *_of_submission(message)
    return type(message).__name__, _member(message), _ids(message)


def _of_submission(submission: Submission) -> tuple[str | None, dict[str, str]]:
    try:
        prefix = wire.prefix_of(submission.statement)
    except UnreadableError:
        return None, {}
    return _member(prefix), _ids(prefix)


def _member(message: Message | wire.StatementPrefix) -> str | None:
    found = getattr(message, "recipient", None) or getattr(message, "sender", None)
    return found if isinstance(found, str) and _MEMBER.fullmatch(found) else None


def _ids(message: Message | wire.StatementPrefix) -> dict[str, str]:
    found = {name: getattr(message, name, None) for name in _IDS}
    return {name: text for name, text in found.items() if isinstance(text, str) and _ID.fullmatch(text)}


def _place_of(entry: JournalEntry) -> str:
    return f"{entry.to_topic}/{entry.to_partition}/{entry.to_offset}"

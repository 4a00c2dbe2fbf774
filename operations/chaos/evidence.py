"""What is left after a run, held against the promises, by ids and by bytes.

Everything here is read from the topics with a consumer of its own; of the members only what they themselves
know is used: which sends were confirmed to them, and which deliveries they got.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Final

import msgspec

from casework.messages import Admitted, Delivery, Escalation, Fact, Message, Receipt
from operations.accounting import account
from operations.books import read_books
from operations.chaos.report import Violation
from operations.chaos.resending import late_messages
from operations.reading import Record, TopicReader
from schemas.errors import UnreadableError
from streams import wire
from streams.topics import Topics

_ID: Final[Mapping[type[Message], str]] = {
    Admitted: "event_id",
    Fact: "fact_id",
    Delivery: "delivery_id",
    Receipt: "receipt_id",
    Escalation: "escalation_id",
}


class Evidence(msgspec.Struct, frozen=True):
    """What the topics say.

    Attributes:
        records: Records by kind.
        duplicates: Records under an id that was there before, by kind.
        compacted_away: Records of cases.status that compaction removed.
        violations: Broken promises.
    """

    records: dict[str, int]
    duplicates: dict[str, int]
    compacted_away: int
    violations: tuple[Violation, ...]


def examine(
    bootstrap: str, topics: Topics, *, confirmed: Collection[str], read: Mapping[str, Collection[str]]
) -> Evidence:
    """Read everything and answer what is there and which promises are broken.

    Raises:
        KafkaUnreachableError: The brokers went away.
    """
    with TopicReader(bootstrap) as reader:
        found = account(read_books(reader, topics, confirmed=confirmed, read=read))
        names = sorted(reader.topics())
        effects = Effects(late_messages(reader, topics))
        for record in reader.whole(*_effect_topics(topics, names)):
            effects.take(record)
        left = sum(1 for _ in reader.whole(topics.cases_status))
        compacted = reader.count(topics.cases_status) - left
        records = effects.records | {
            "submissions": reader.count(*topics.submissions),
            "dead letters": reader.count(topics.dead_letters),
            "states left": left,
        }
    violations = [
        *(Violation("nothing is lost", loss.id, f"{loss.what}: {loss.missing}") for loss in found.lost),
        *(
            Violation("nothing takes effect twice", each.id, f"{each.what}: {each.missing}")
            for each in found.conflicts
        ),
        *effects.violations(),
    ]
    return Evidence(dict(records), dict(effects.duplicates), compacted, tuple(sorted(set(violations))))


def _effect_topics(topics: Topics, names: list[str]) -> list[str]:
    police = topics.escalations("x").removesuffix("x")
    inboxes = [name for name in names if topics.member_of_inbox(name) is not None or name.startswith(police)]
    return [topics.cases_admitted, topics.cases_events, *inboxes]


class Effects:
    """Effects in the order of their topics.

    Args:
        late: SHA-256 of messages that are known to have come late.

    Attributes:
        records: How many of each kind.
        duplicates: How many of them were there before.
    """

    def __init__(self, late: Collection[bytes] = ()) -> None:
        self._late = late
        self.records: Counter[str] = Counter()
        self.duplicates: Counter[str] = Counter()
        self._bytes: dict[tuple[str, str, str, bytes], bytes] = {}
        self._numbers: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        self._broken: list[Violation] = []

    def take(self, record: Record) -> None:
        """Take in a record; those of one partition come in their order."""
        try:
            message = wire.decode(record.value or b"")
        except UnreadableError:
            return  # told by the books
        kind = type(message).__name__.lower()
        name = _ID.get(type(message))
        if name is None:
            return
        self.records[kind] += 1
        # A sender may reuse an event id for another address; the exchange keeps them apart by the url key.
        own = (record.topic, kind, str(getattr(message, name)), record.key or b"")
        digest = hashlib.sha256(record.value or b"").digest()
        is_new = own not in self._bytes
        first = self._bytes.setdefault(own, digest)
        if first != digest:
            place = f"{record.topic}/{record.partition}/{record.offset}"
            self._broken.append(Violation("a repeated effect has identical bytes", f"{kind} {own[2]}", place))
        if not is_new:
            self.duplicates[kind] += 1
        elif digest not in self._late:
            self._in_order(record, message)

    def violations(self) -> Iterator[Violation]:
        """Yield what is wrong with the order and the bytes of effects."""
        yield from self._broken

    def _in_order(self, record: Record, message: object) -> None:
        if isinstance(message, Fact):
            key = ("", message.case_id, "facts")
        elif isinstance(message, Delivery):
            key = (record.topic, message.case_id, f"deliveries to {message.recipient}")
        else:
            return
        if message.number <= self._numbers[key]:
            found = f"number {message.number} came after {self._numbers[key]}"
            self._broken.append(Violation("a case's effects keep their order", message.case_id, found))
        self._numbers[key] = max(self._numbers[key], message.number)

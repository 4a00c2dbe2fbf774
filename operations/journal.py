"""The journal: who did what to records of the exchange by hand, and why (docs/adr/0013).

Every operation is noted twice under one id, before it is done and after it, so that none happens without a
trace, and one that broke off shows as begun.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Literal

import msgspec

from agents.dead_letters import SOFTWARE_VERSION
from casework.errors import BadInputError, RuleViolation
from casework.ids import RANDOM_BYTES, new_event_id
from casework.messages import JournalEntry
from operations.reading import Record
from operations.writing import Place, TopicWriter
from schemas.errors import UnreadableError
from streams import wire
from streams.clock import Clock

Operation = Literal["replay", "discard", "unpark", "reinject", "rebuild"]
BEGUN: Final = "begun"
DONE: Final = "done"
_PARTITION: Final = 0
_LONGEST_OPERATOR: Final = 64
_LONGEST_REASON: Final = 500


class Signature(msgspec.Struct, frozen=True):
    """Who does something and why.

    Attributes:
        operator: Id of the operator, at most 64 characters.
        reason: In words, at most 500 characters; never an address.
    """

    operator: str
    reason: str

    def check(self) -> None:
        """Raise BadInputError unless both are given, short, and without an address."""
        for field, text, longest in (
            ("operator", self.operator, _LONGEST_OPERATOR),
            ("reason", self.reason, _LONGEST_REASON),
        ):
            if not text.strip() or len(text) > longest:
                raise BadInputError(RuleViolation(field, "required", f"1 to {longest} characters"))
            if "://" in text:
                raise BadInputError(RuleViolation(field, "no_address", "the journal takes no addresses"))


class Journal:
    """Notes operations down.

    Args:
        writer: Writes records.
        topic: Name of the journal's topic.
        environment: Environment of the exchange.
        clock: Its real time stamps the entries.
        signature: Who does it and why.
    """

    def __init__(
        self, writer: TopicWriter, topic: str, environment: str, clock: Clock, signature: Signature
    ) -> None:
        signature.check()
        self._writer = writer
        self._topic = topic
        self._environment = environment
        self._clock = clock
        self._signature = signature

    @contextmanager
    def noting(self, operation: Operation, subject: Place) -> Iterator["Note"]:
        """Note an operation before and, unless it raises, after it is done."""
        now = self._clock.real_ms()
        entry = JournalEntry(
            entry_id=new_event_id(now, os.urandom(RANDOM_BYTES)),
            operation=operation,
            state=BEGUN,
            environment=self._environment,
            operator=self._signature.operator,
            reason=self._signature.reason,
            at=now,
            software_version=SOFTWARE_VERSION,
            topic=subject.topic,
            partition=subject.partition,
            offset=subject.offset,
        )
        note = Note(self._write(entry))
        yield note
        written = note.written
        self._write(
            msgspec.structs.replace(
                entry,
                state=DONE,
                at=self._clock.real_ms(),
                to_topic=None if written is None else written.topic,
                to_partition=None if written is None else written.partition,
                to_offset=None if written is None else written.offset,
            )
        )

    def _write(self, entry: JournalEntry) -> Place:
        return self._writer.write(self._topic, _PARTITION, entry.entry_id.encode(), wire.encode(entry))


class Note:
    """An operation under way.

    Attributes:
        place: Where it stands in the journal.
        written: What it wrote; set by whoever does it.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.written: Place | None = None


def entries(records: Iterable[Record]) -> Iterator[JournalEntry]:
    """Yield the entries among records of the journal; others are passed over."""
    for record in records:
        try:
            yield wire.decode_as(JournalEntry, record.value or b"")
        except UnreadableError:
            continue

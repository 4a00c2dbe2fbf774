"""The signed statements in the records of a bundle: each once, with where it was found and when it was sent.

A statement travels untouched, so the same bytes stand in facts, deliveries and escalations.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from casework.dsse import ACTION_STATEMENT, REPORT_STATEMENT
from casework.messages import (
    ActionStatement,
    Delivery,
    Escalation,
    Fact,
    Receipt,
    ReportStatement,
    Submission,
)
from operations.evidence.errors import BundleRefusedError
from operations.evidence.parts import EVENT_ID, FACTS, MESSAGES, Kept, moment, readable
from schemas.errors import UnreadableError
from streams import wire

Statement = ReportStatement | ActionStatement
_Key = tuple[bytes, bytes | None, str | None]
Answer = Delivery | Receipt | Escalation
_ANSWERS: Final = (Delivery, Receipt, Escalation)


class Said(msgspec.Struct, frozen=True):
    """A statement with its signature.

    Attributes:
        statement: What it says.
        framed: Its bytes.
        signature: Its signature, or None.
        key_id: Id of the key, or None.
        submitted_at: Log-append time of its submission, where a fact says it; milliseconds since the epoch,
            UTC, real time. Messages have only that of what caused them, which may be another submission.
        admitted_at: When the exchange took what carries it, by the exchange's clock.
        directory_version: Directory that the exchange decided with by the fact, else the sender's.
        position: Where its submission lay, where the record says it.
        found: Where it stands in the bundle.
    """

    statement: Statement
    framed: bytes
    signature: bytes | None
    key_id: str | None
    submitted_at: int | None
    admitted_at: int
    directory_version: int
    position: str | None
    found: tuple[str, ...]

    @property
    def kind(self) -> str:
        """`report` or `action`."""
        return "report" if isinstance(self.statement, ReportStatement) else "action"

    @property
    def signed_at(self) -> int:
        """The time its key is judged at: of the broker, else the one that the signed statement names itself.

        Intake holds the latter to the former, within seven days (`claimed_times.check_sent_at`).
        """
        return self.statement.sent_at if self.submitted_at is None else self.submitted_at

    @property
    def event_id(self) -> str:
        """Event id of the submission."""
        return self.statement.event_id


def facts_in(records: Iterable[Kept]) -> tuple[Fact, ...]:
    """Decode the records of cases.events.

    Raises:
        BundleRefusedError: One is no fact.
    """
    return tuple(_decoded(record, FACTS, (Fact,)) for record in records)


def answers_in(records: Iterable[Kept]) -> tuple[Answer, ...]:
    """Decode what the exchange sent to members and liaisons.

    Raises:
        BundleRefusedError: One is no such message.
    """
    return tuple(_decoded(record, MESSAGES, _ANSWERS) for record in records)


def said_in(facts: Sequence[Fact], messages: Sequence[Kept], answers: Sequence[Answer]) -> tuple[Said, ...]:
    """Answer the statements in facts and messages, in the order in which they came to the exchange.

    Args:
        facts: What `facts_in` answered.
        messages: The records of `answers`.
        answers: What `answers_in` answered.

    Raises:
        BundleRefusedError: A statement cannot be read, or its event id has another form.
    """
    found: dict[_Key, Said] = {}
    for fact in facts:
        if fact.statement is not None:
            _add(found, fact, f"fact {fact.number}")
    for record, answer in zip(messages, answers, strict=True):
        if not isinstance(answer, Receipt) and answer.statement is not None:
            _add(found, answer, record.place)
    return tuple(sorted(found.values(), key=lambda said: (said.signed_at, said.event_id)))


def shown(said: Said) -> dict[str, Any]:
    """Answer a statement for readers and for other programs; statement and signature are base64."""
    fields = readable(said.statement)
    return {
        "event_id": said.event_id,
        "payload_type": REPORT_STATEMENT if said.kind == "report" else ACTION_STATEMENT,
        "sender": said.statement.sender,
        "key_id": said.key_id,
        "statement": said.framed,
        "signature": said.signature,
        "submitted_at": said.submitted_at,
        "submitted": None if said.submitted_at is None else moment(said.submitted_at),
        "sent": moment(said.statement.sent_at),
        "submission": said.position,
        "directory_version": said.directory_version,
        "found": said.found,
        "says": fields,
    }


def _add(
    found: dict[_Key, Said],
    carrier: Fact | Delivery | Escalation,
    where: str,
) -> None:
    framed = carrier.statement or b""
    key = (framed, carrier.signature, carrier.key_id)
    known = found.get(key)
    if known is not None:
        found[key] = msgspec.structs.replace(known, found=(*known.found, where))
        return
    try:
        statement = wire.statement_of(Submission(statement=framed))
    except UnreadableError as error:
        raise BundleRefusedError("unreadable", "a framed statement", where) from error
    if not EVENT_ID.fullmatch(statement.event_id):
        raise BundleRefusedError("malformed", "an event id in the text form of a UUID", where)
    fact = carrier if isinstance(carrier, Fact) else None
    found[key] = Said(
        statement=statement,
        framed=framed,
        signature=carrier.signature,
        key_id=carrier.key_id,
        submitted_at=fact.submitted_at if fact is not None else None,
        admitted_at=carrier.admitted_at,
        directory_version=statement.directory_version if fact is None else fact.directory_version,
        position=None if fact is None else fact.input_position,
        found=(where,),
    )


def _decoded(record: Kept, part: str, kinds: tuple[type[Any], ...]) -> Any:  # noqa: ANN401 - one of `kinds`
    try:
        message = wire.decode(record.value)
    except UnreadableError as error:
        raise BundleRefusedError("unreadable", f"a framed message at {record.place}", part) from error
    if not isinstance(message, kinds):
        raise BundleRefusedError("unexpected_message", f"another kind of message at {record.place}", part)
    return message

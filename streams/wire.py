"""Messages as bytes and back: the typed values of casework in the framing and schemas of the contract.

A Fact travels as the schema CaseEvent, a Case as CaseStatus; other messages have the name of their schema.
Errors about bytes are those of schemas.errors: UnreadableError means a dead letter, whatever its kind.
"""

import functools
from typing import TypeVar

import msgspec

from casework import messages
from casework.events import ActionEvent, Event, ReportEvent, WakeUp
from casework.messages import ActionStatement, Admitted, Message, ReportStatement, Submission
from schemas import codec
from schemas.errors import BrokenLockError, UndecodableError, UnexpectedMessageError
from schemas.registry import registry

M = TypeVar("M", bound=Message)

SCHEMA_NAMES: dict[type[Message], str] = {
    messages.Submission: "Submission",
    messages.ReportStatement: "ReportStatement",
    messages.ActionStatement: "ActionStatement",
    messages.ReportContent: "ReportContent",
    messages.ActionContent: "ActionContent",
    messages.Admitted: "Admitted",
    messages.Fact: "CaseEvent",
    messages.Case: "CaseStatus",
    messages.CaseContent: "CaseContent",
    messages.Delivery: "Delivery",
    messages.Receipt: "Receipt",
    messages.Escalation: "Escalation",
    messages.DirectoryDocument: "DirectoryDocument",
    messages.DeadLetterHeaders: "DeadLetterHeaders",
}
"""The schema name of each message; everything that may be a Kafka value is here."""

_TYPES = {name: message for message, name in SCHEMA_NAMES.items()}


class StatementPrefix(msgspec.Struct, frozen=True, gc=False):
    """The routing fields of a statement, read without the rest; their meaning is that of the statement's.

    Attributes:
        kind: `report` or `action`.
        event_id: Identifier of the submission.
        environment: Environment the sender means.
        sender: Member id of the sender.
        url_key: Url key.
        hosting_country: Hosting country as the sender sees it.
        sent_at: When the sender's client sent it; milliseconds since the epoch, UTC.
        url_key_next: Url key under the next network key, or None.
        directory_version: Directory version that the sender's client used.
    """

    kind: str
    event_id: str
    environment: str
    sender: str
    url_key: bytes
    hosting_country: str
    sent_at: int
    url_key_next: bytes | None
    directory_version: int


_KINDS = {"ReportStatement": "report", "ActionStatement": "action"}


def encode(message: Message) -> bytes:
    """Return the framed bytes of a message, written with the newest schema.

    UnwritableError if a value does not fit the schema, which is a program error.
    """
    name = _checked_name(type(message))
    return codec.encode(name, msgspec.to_builtins(message, builtin_types=(bytes,)))


def decode(framed: bytes) -> Message:
    """Return the message in framed bytes of any locked version; the errors of schemas.codec.decode."""
    name, record = codec.decode(framed)
    return _typed(_TYPES[name], name, record)


def decode_as(message_type: type[M], framed: bytes) -> M:
    """Return the message in framed bytes, which must be of this type.

    UnexpectedMessageError if it is another message; otherwise the errors of `decode`.
    """
    expected = _checked_name(message_type)
    name, record = codec.decode(framed)
    if name != expected:
        raise UnexpectedMessageError(name, expected)
    return _typed(message_type, name, record)


def statement_of(submission: Submission) -> ReportStatement | ActionStatement:
    """Return the statement inside a submission; UnexpectedMessageError if it holds another message."""
    message = decode(submission.statement)
    if not isinstance(message, ReportStatement | ActionStatement):
        raise UnexpectedMessageError(SCHEMA_NAMES[type(message)], *codec.STATEMENT_NAMES)
    return message


def decode_event(framed: bytes) -> Event:
    """Return the event in a framed Admitted record, with submission and statement decoded.

    UnexpectedMessageError if kind and statement disagree; UndecodableError if the kind is unknown here or
    the submission is missing; otherwise the errors of `decode`.
    """
    admitted = decode_as(Admitted, framed)
    if admitted.kind == "wakeup":
        return WakeUp(admitted=admitted)
    if admitted.submission is None:
        raise UndecodableError("Admitted", f"kind {admitted.kind} without a submission")
    submission = decode_as(Submission, admitted.submission)
    if admitted.kind == "report":
        return ReportEvent(admitted, submission, decode_as(ReportStatement, submission.statement))
    if admitted.kind == "action":
        return ActionEvent(admitted, submission, decode_as(ActionStatement, submission.statement))
    raise UndecodableError("Admitted", "a kind that this version does not know")


def prefix_of(statement: bytes) -> StatementPrefix:
    """Return the routing fields of a framed statement; the rest of its bytes is not looked at.

    UnexpectedMessageError if the message is no statement; otherwise the errors of `decode`.
    """
    name, record = codec.decode_prefix(statement)
    return StatementPrefix(_KINDS[name], *record.values())  # type: ignore[arg-type]


@functools.cache
def _checked_name(message_type: type[Message]) -> str:
    name = SCHEMA_NAMES[message_type]
    fields, locked = message_type.__struct_fields__, registry().latest(name).field_names
    if fields != locked:
        difference = ", ".join(sorted(set(fields) ^ set(locked))) or "their order"
        raise BrokenLockError(
            f"{message_type.__name__} and the locked schema {name} differ in {difference}; `hx schemas lock`?"
        )
    return name


def _typed(message_type: type[M], name: str, record: dict[str, object]) -> M:
    try:
        return msgspec.convert(record, message_type, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise UndecodableError(name, type(error).__name__) from None

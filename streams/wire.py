"""Messages as bytes and back: the typed values of casework in the framing and schemas of the contract.

A Fact travels as the schema CaseEvent, a Case as CaseStatus; other messages have the name of their schema.
Errors about bytes are those of schemas.errors: UnreadableError means a dead letter, whatever its kind.
"""

import functools
from typing import Any, TypeVar, cast

import msgspec

from casework import messages
from casework.events import ActionEvent, Event, ReportEvent, Unpark, WakeUp
from casework.messages import ActionStatement, Admitted, Message, ReportStatement, Submission
from casework.stubs import case_of, is_stub, stub_of
from schemas import codec
from schemas.compiled import MALFORMED, MISFITS, Reader, Writer, compile_reader, compile_writer
from schemas.errors import BrokenLockError, UndecodableError, UnexpectedMessageError, UnwritableError
from schemas.framing import HEADER_BYTES, header, schema_id_of
from schemas.registry import registry

M = TypeVar("M", bound=Message)

SCHEMA_NAMES: dict[type[Message], str] = {
    messages.Submission: "Submission",
    messages.ReportStatement: "ReportStatement",
    messages.ActionStatement: "ActionStatement",
    messages.ReportContent: "ReportContent",
    messages.ActionContent: "ActionContent",
    messages.ReportCredentials: "ReportCredentials",
    messages.Admitted: "Admitted",
    messages.Fact: "CaseEvent",
    messages.Case: "CaseStatus",
    messages.CaseContent: "CaseContent",
    messages.CaseStub: "CaseStub",
    messages.Delivery: "Delivery",
    messages.Receipt: "Receipt",
    messages.Escalation: "Escalation",
    messages.DirectoryDocument: "DirectoryDocument",
    messages.DeadLetterHeaders: "DeadLetterHeaders",
    messages.JournalEntry: "JournalEntry",
}
"""The schema name of each message; everything that may be a Kafka value is here."""

_TYPES = {name: message for message, name in SCHEMA_NAMES.items()}
_CONSTRUCTORS: dict[str, type[Message]] = {
    **_TYPES,
    **{kind.__name__: kind for kind in (messages.Label, messages.Origin, messages.Seen, messages.Waiting)},
    **{kind.__name__: kind for kind in (messages.DeliveryCount, messages.Deadlines)},
    **{kind.__name__: kind for kind in (messages.DirectorySignature, messages.Parked, messages.Unparking)},
    **{
        kind.__name__: kind
        for kind in (messages.ActionDetails, messages.Asked, messages.Hold, messages.HoldRequest)
    },
    **{kind.__name__: kind for kind in (messages.HostDoubt, messages.Lease, messages.OpenEscalation)},
    messages.Stated.__name__: messages.Stated,
    **{
        kind.__name__: kind
        for kind in (messages.KeptRewrap, messages.KnownReport, messages.Move, messages.Preservation)
    },
}


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
    name, _, write, _ = _bound(type(message))
    try:
        return write(message)
    except MISFITS as error:
        raise UnwritableError(f"{name} does not take the message: {type(error).__name__}") from error


def decode(framed: bytes) -> Message:
    """Return the message in framed bytes of any locked version; the errors of schemas.codec.decode."""
    return decode_as(_TYPES[codec.name_of(framed)], framed)


def decode_as(message_type: type[M], framed: bytes) -> M:
    """Return the message in framed bytes, which must be of this type.

    UnexpectedMessageError if it is another message; otherwise the errors of `decode`.
    """
    name, frame, _, read = _bound(message_type)
    if not framed.startswith(frame):
        return _decode_other_version(message_type, name, framed)
    message, end = _read(name, read, framed)
    if end != len(framed):
        raise UndecodableError(name, f"{len(framed) - end} bytes follow the record")
    return message


def encode_case(case: messages.Case) -> bytes:
    """Return the framed bytes of a case: as CaseStub where it is one, else as CaseStatus."""
    stub = stub_of(case) if is_stub(case) else None
    return encode(case if stub is None else stub)


def statement_of(submission: Submission) -> ReportStatement | ActionStatement:
    """Return the statement inside a submission; UnexpectedMessageError if it holds another message."""
    kind = _statement_types().get(submission.statement[:HEADER_BYTES])
    if kind is not None:
        return decode_as(kind, submission.statement)
    message = decode(submission.statement)
    if not isinstance(message, ReportStatement | ActionStatement):
        raise UnexpectedMessageError(SCHEMA_NAMES[type(message)], *codec.STATEMENT_NAMES)
    return message


def decode_event(framed: bytes) -> Event:
    """Return the event in a framed Admitted record, with submission and statement decoded.

    UnexpectedMessageError if kind and statement disagree; UndecodableError if the kind is unknown here or
    what belongs to it is missing; otherwise the errors of `decode`.
    """
    admitted = decode_as(Admitted, framed)
    if admitted.kind == "wakeup":
        return WakeUp(admitted=admitted)
    if admitted.kind == "unpark":
        if admitted.unparking is None:
            raise UndecodableError("Admitted", "kind unpark without its operator")
        return Unpark(admitted, admitted.unparking)
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
    schema_id = schema_id_of(statement)
    kind, read = _prefix_reader(schema_id)
    if read is None:
        _, record = codec.decode_prefix(statement)
        return StatementPrefix(kind, *record.values())  # type: ignore[arg-type] # the fields in their order
    prefix, _ = _read(kind, read, statement)
    return prefix


@functools.cache
def _statement_types() -> dict[bytes, type[ReportStatement | ActionStatement]]:
    """Return the statements of the newest versions by their frame."""
    return {_bound(kind)[1]: kind for kind in (ReportStatement, ActionStatement)}


@functools.cache
def _bound(message_type: type[Message]) -> tuple[str, bytes, Writer, Reader]:
    """Return schema name, frame, writer and reader of a message type, after checking struct against lock."""
    name = SCHEMA_NAMES[message_type]
    schema = registry().latest(name)
    fields, locked = message_type.__struct_fields__, schema.field_names
    if fields != locked:
        difference = ", ".join(sorted(set(fields) ^ set(locked))) or "their order"
        raise BrokenLockError(
            f"{message_type.__name__} and the locked schema {name} differ in {difference}; `hx schemas lock`?"
        )
    frame = header(schema.id)
    reader = compile_reader(schema.declaration, _CONSTRUCTORS | {name: message_type})
    return name, frame, compile_writer(schema.declaration, frame), reader


@functools.lru_cache(maxsize=1024)
def _prefix_reader(schema_id: int) -> tuple[str, Reader | None]:
    schema = registry().by_id(schema_id)
    if schema.name not in _KINDS:
        raise UnexpectedMessageError(schema.name, *codec.STATEMENT_NAMES)
    kind = _KINDS[schema.name]
    if schema is not registry().latest(schema.name):
        return kind, None
    constructors = {schema.name: functools.partial(StatementPrefix, kind)}
    fields: list[object] = schema.declaration["fields"]  # type: ignore[assignment] # a record has a list of fields
    prefix = schema.declaration | {"fields": fields[: len(codec.PREFIX_FIELDS)]}
    return kind, compile_reader(prefix, constructors)


def _read(name: str, read: Reader, framed: bytes) -> tuple[Any, int]:
    try:
        value, end = read(framed, HEADER_BYTES)
    except IndexError:
        raise UndecodableError(name, "the bytes end within the record") from None
    except MALFORMED as error:
        raise UndecodableError(name, str(error) if type(error) is ValueError else "no UTF-8") from None
    if end > len(framed):
        raise UndecodableError(name, "the bytes end within the record")
    return value, end


def _case_of(stub: messages.CaseStub) -> messages.Case:
    try:
        return case_of(stub)
    except ValueError:
        raise UndecodableError(SCHEMA_NAMES[messages.CaseStub], "its case id is no UUID") from None


def _decode_other_version(message_type: type[M], name: str, framed: bytes) -> M:
    found, record = codec.decode(framed)
    if found == SCHEMA_NAMES[messages.CaseStub] and message_type is messages.Case:
        stub = msgspec.convert(record, messages.CaseStub, builtin_types=(bytes,))
        return cast("M", _case_of(stub))
    if found != name:
        raise UnexpectedMessageError(found, name)
    return msgspec.convert(record, message_type, builtin_types=(bytes,))

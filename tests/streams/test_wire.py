from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework import messages
from casework.events import ActionEvent, ReportEvent, WakeUp
from casework.messages import ActionStatement, Admitted, Message, ReportStatement, Submission
from casework.messages.base import missing
from schemas import codec
from schemas.errors import UndecodableError, UnexpectedMessageError, UnwritableError
from schemas.registry import registry
from streams import wire

TYPES = list(wire.SCHEMA_NAMES)
PREFIX = {
    "event_id": "0192f0c1-7b3a-7c11-8a2b-1234567890ab",
    "environment": "test",
    "sender": "nl-offlimits",
    "url_key": b"\1" + bytes(32),
    "hosting_country": "DE",
    "sent_at": 1_700_000_000_000,
    "directory_version": 1,
}
REPORT = ReportStatement(**PREFIX, occurred_at=1, received_at=2, reference="R-1", content_type="media")
ACTION = ActionStatement(**PREFIX, action="removed", occurred_at=1)


def _messages(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    fields = {field.name: _values(field.type) for field in msgspec.inspect.type_info(kind).fields}  # type: ignore[attr-defined]
    if kind is messages.Admitted:
        fields["kind"] = st.sampled_from(["report", "action", "wakeup", "unpark"])
    if kind is messages.Delivery:
        fields["kind"] = st.sampled_from(["assignment", "linked_report", "update"])
    if kind is messages.Receipt:
        fields["outcome"] = st.sampled_from(["accepted", "duplicate", "refused", "not_applicable"])
    return st.builds(kind, **fields)


def _values(kind: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    if isinstance(kind, msgspec.inspect.UnionType):
        return st.one_of([_values(one) for one in kind.types])
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return st.lists(_values(kind.item_type), max_size=2).map(tuple)
    if isinstance(kind, msgspec.inspect.StructType):
        return _messages(kind.cls)
    return {
        msgspec.inspect.NoneType: st.none(),
        msgspec.inspect.StrType: st.text(max_size=80),
        msgspec.inspect.BytesType: st.binary(max_size=80),
        msgspec.inspect.BoolType: st.booleans(),
        msgspec.inspect.IntType: st.integers(-(2**31), 2**31 - 1),
    }[type(kind)]


def _with_lists(value: Any) -> Any:  # noqa: ANN401 - any value of a record
    """Answer a record with lists in place of tuples, as Avro libraries answer arrays."""
    if isinstance(value, dict):
        return {name: _with_lists(item) for name, item in value.items()}
    return [_with_lists(item) for item in value] if isinstance(value, list | tuple) else value


def _admitted(kind: str, submission: Submission | None) -> bytes:
    return wire.encode(
        Admitted(
            url_key=b"\1" + bytes(32),
            kind=kind,
            event_id="e",
            environment="test",
            sender="nl-offlimits",
            hosting_country="DE",
            admitted_at=1,
            submitted_at=2,
            directory_version=1,
            rules_version=1,
            source_topic="reports.submitted",
            source_partition=0,
            source_offset=7,
            submission=None if submission is None else wire.encode(submission),
        )
    )


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_a_message_has_the_fields_of_its_schema(kind: type[Message]) -> None:
    """Names, order, types, nullability and defaults of each struct are those of the schema, nested too."""
    declaration = registry().latest(wire.SCHEMA_NAMES[kind]).declaration
    _assert_same(kind, declaration, {})


def _assert_same(kind: type[msgspec.Struct], declaration: dict[str, Any], known: dict[str, Any]) -> None:
    known[declaration["name"]] = declaration
    info = {field.name: field for field in msgspec.inspect.type_info(kind).fields}  # type: ignore[attr-defined]
    assert list(info) == [field["name"] for field in declaration["fields"]]
    for field in declaration["fields"]:
        ours = info[field["name"]]
        default = () if ours.default == () else ours.default
        expected = (
            tuple(field["default"]) if field.get("default") == [] else field.get("default", msgspec.NODEFAULT)
        )
        assert (field["name"], default) == (field["name"], expected)
        is_required = ours.required or ours.default_factory is missing
        assert is_required == ("default" not in field)
        _assert_same_type(ours.type, field["type"], known)


def _assert_same_type(ours: msgspec.inspect.Type, avro: Any, known: dict[str, Any]) -> None:  # noqa: ANN401
    if isinstance(avro, list):
        assert isinstance(ours, msgspec.inspect.UnionType)
        (inner,) = [one for one in ours.types if not isinstance(one, msgspec.inspect.NoneType)]
        assert len(ours.types) == 2
        _assert_same_type(inner, avro[1], known)
    elif isinstance(avro, dict) and avro["type"] == "array":
        assert isinstance(ours, msgspec.inspect.VarTupleType)
        _assert_same_type(ours.item_type, avro["items"], known)
    elif isinstance(avro, dict) and avro["type"] == "record":
        assert isinstance(ours, msgspec.inspect.StructType)
        _assert_same(ours.cls, avro, known)
    elif isinstance(avro, str) and avro in known:
        assert isinstance(ours, msgspec.inspect.StructType)
    else:
        primitive = "string" if isinstance(avro, dict) else avro
        expected = {"string": "StrType", "bytes": "BytesType", "boolean": "BoolType"}.get(
            primitive, "IntType"
        )
        assert type(ours).__name__ == expected


def test_every_locked_message_has_a_struct() -> None:
    """No schema is without its typed value."""
    assert sorted(wire.SCHEMA_NAMES.values()) == list(registry().names())


@settings(max_examples=10)
@given(data=st.data())
@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_message_comes_back_as_it_was(kind: type[Message], data: st.DataObject) -> None:
    """Any message survives encoding, decoded by type or by what its frame says; fastavro reads the same."""
    message = data.draw(_messages(kind))
    framed = wire.encode(message)
    record = msgspec.to_builtins(message, builtin_types=(bytes,))
    assert wire.decode_as(kind, framed) == message
    assert wire.decode(framed) == message
    assert codec.encode(wire.SCHEMA_NAMES[kind], record) == framed
    assert codec.decode(framed)[1] == _with_lists(record)


@settings(max_examples=20)
@given(data=st.data())
@pytest.mark.parametrize(("kind", "word"), [(ReportStatement, "report"), (ActionStatement, "action")])
def test_the_prefix_of_a_statement_is_that_of_the_whole(
    kind: type[Message], word: str, data: st.DataObject
) -> None:
    """What routing reads alone equals what the full statement says."""
    statement = data.draw(_messages(kind))
    prefix = wire.prefix_of(wire.encode(statement))
    assert prefix.kind == word
    for name in codec.PREFIX_FIELDS:
        assert getattr(prefix, name) == getattr(statement, name)


@pytest.mark.parametrize("statement", [REPORT, ACTION], ids=["report", "action"])
def test_a_submission_gives_its_statement(statement: ReportStatement | ActionStatement) -> None:
    """The statement inside a submission is decoded by its own frame."""
    assert wire.statement_of(Submission(statement=wire.encode(statement))) == statement


def test_a_submission_of_anything_else_is_refused() -> None:
    """A submission in a submission is no statement, and the error says what was expected."""
    inner = wire.encode(Submission(statement=b""))
    with pytest.raises(UnexpectedMessageError, match="is a Submission, expected ReportStatement or Action"):
        wire.statement_of(Submission(statement=inner))
    with pytest.raises(UnexpectedMessageError, match="is a Submission, expected Receipt"):
        wire.decode_as(messages.Receipt, inner)


def test_an_admitted_record_becomes_the_event_of_its_kind() -> None:
    """Reports, actions and wake-ups come with everything the rules need."""
    report, action = (Submission(statement=wire.encode(one)) for one in (REPORT, ACTION))
    first, second = (
        wire.decode_event(_admitted("report", report)),
        wire.decode_event(_admitted("action", action)),
    )
    third = wire.decode_event(_admitted("wakeup", None))
    assert isinstance(first, ReportEvent)
    assert (first.submission, first.statement, first.admitted.source_offset) == (report, REPORT, 7)
    assert isinstance(second, ActionEvent)
    assert second.statement == ACTION
    assert isinstance(third, WakeUp)


@pytest.mark.parametrize(
    ("kind", "submission", "error"),
    [
        ("report", Submission(statement=wire.encode(ACTION)), UnexpectedMessageError),
        ("action", Submission(statement=wire.encode(REPORT)), UnexpectedMessageError),
        ("report", None, UndecodableError),
        ("unknown", Submission(statement=wire.encode(REPORT)), UndecodableError),
    ],
)
def test_an_admitted_record_that_contradicts_itself_is_unreadable(
    kind: str, submission: Submission | None, error: type[Exception]
) -> None:
    """Kind and statement must agree; a kind of a newer version is not guessed."""
    with pytest.raises(error):
        wire.decode_event(_admitted(kind, submission))


@pytest.mark.parametrize("wrong", ["text", None, 2**63, b"1"])
def test_a_value_of_the_wrong_type_is_not_written(wrong: object) -> None:
    """A program error is found where it is made, not at the reader."""
    with pytest.raises(UnwritableError):
        wire.encode(msgspec.structs.replace(REPORT, occurred_at=wrong))


def test_a_struct_ahead_of_the_lock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that the locked schema lacks would be lost in silence; encoding refuses and names it."""

    class Submission(Message, frozen=True, kw_only=True):
        statement: bytes
        later: str = ""

    monkeypatch.setitem(wire.SCHEMA_NAMES, Submission, "Submission")
    with pytest.raises(Exception, match="differ in content, credentials, key_id, later, signature"):
        wire.encode(Submission(statement=b""))


@pytest.mark.parametrize("statement", [REPORT, ACTION], ids=["report", "action"])
def test_bytes_that_end_early_or_late_are_named_so(statement: ReportStatement | ActionStatement) -> None:
    """Each truncation of a statement is undecodable for that reason, and so is a byte too many."""
    framed = wire.encode(statement)
    for length in range(5, len(framed)):
        with pytest.raises(UndecodableError, match="the bytes end within the record"):
            wire.decode(framed[:length])
    with pytest.raises(UndecodableError, match="1 bytes follow"):
        wire.decode(framed + b"\0")

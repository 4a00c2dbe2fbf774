from collections.abc import Callable
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.errors import (
    NotFramedError,
    UndecodableError,
    UnexpectedMessageError,
    UnknownSchemaIdError,
    UnreadableError,
    UnwritableError,
)
from schemas.framing import HEADER_BYTES, header
from schemas.lock import write_lock
from schemas.registry import Registry, Schema, load, registry

pytestmark = pytest.mark.slow

NAMES = registry().names()
RECEIPT = {
    "event_id": "e",
    "recipient": "nl-offlimits",
    "outcome": "accepted",
    "receipt_id": "r",
    "environment": "test",
    "admitted_at": 1,
    "submitted_at": 2,
}


@settings(max_examples=10)  # for each message; Apache Avro is slow
@given(data=st.data())
@pytest.mark.parametrize("name", NAMES)
def test_every_record_comes_back_as_it_was_in_both_libraries(
    name: str, data: st.DataObject, any_record: Callable[..., Any], apache_avro: type[Any]
) -> None:
    """Any record survives our codec, and Apache Avro writes the same bytes and reads the same values."""
    declaration = registry().latest(name).declaration
    record = data.draw(any_record(declaration))
    framed = codec.encode(name, record)
    other = apache_avro(declaration)
    assert codec.decode(framed) == (name, record)
    assert other.read(framed[HEADER_BYTES:]) == record
    assert codec.decode(framed[:HEADER_BYTES] + other.write(record)) == (name, record)


@settings(max_examples=20)
@given(data=st.data())
@pytest.mark.parametrize("name", codec.STATEMENT_NAMES)
def test_the_prefix_is_what_the_full_codec_reads(
    name: str, data: st.DataObject, any_record: Callable[..., Any]
) -> None:
    """The routing fields read alone equal those of the whole statement, whatever follows them."""
    record = data.draw(any_record(registry().latest(name).declaration))
    framed = codec.encode(name, record)
    expected = {field: record[field] for field in codec.PREFIX_FIELDS}
    assert codec.decode_prefix(framed) == (name, expected)
    assert list(codec.decode_prefix(framed)[1]) == list(codec.PREFIX_FIELDS)


def test_a_statement_without_the_prefix_is_read_in_full() -> None:
    """Should a version ever not begin with the routing fields, they are still found."""
    latest = registry().latest("ActionStatement")
    fields: Any = latest.declaration["fields"]
    turned = latest.declaration | {"fields": fields[::-1]}
    schema = Schema(entry=latest.entry, declaration=turned, parsed=fastavro.parse_schema(turned))
    other = codec.Codec(Registry((schema,)))
    record = codec.decode(codec.encode("ActionStatement", _smallest("ActionStatement")))[1]
    assert other.decode_prefix(other.encode("ActionStatement", record)) == (
        "ActionStatement",
        {field: record[field] for field in codec.PREFIX_FIELDS},
    )


def test_versions_read_each_other_in_both_directions(contract: Any) -> None:  # noqa: ANN401 - conftest
    """Old bytes gain defaults; an old reader with the new lock loses only what it does not know."""
    first = load(contract.directory)
    old = codec.Codec(first)
    field = {"name": "later", "type": ["null", "int"], "default": None, "doc": "New."}
    contract.change("receipt.avsc", lambda schema: schema["fields"].append(field))
    contract.change("receipt.avsc", lambda schema: schema["fields"][2]["type"]["symbols"].append("parked"))
    write_lock(contract.directory)
    second = load(contract.directory)
    new = codec.Codec(second)

    read = new.decode(old.encode("Receipt", RECEIPT))[1]
    assert (read["later"], read["outcome"]) == (None, "accepted")

    written = new.encode("Receipt", RECEIPT | {"outcome": "parked", "later": 7})
    with pytest.raises(UnknownSchemaIdError):
        old.decode(written)
    extended = codec.Codec(first.reading_also(second))
    read = extended.decode(written)[1]
    assert read["outcome"] == "unknown"
    assert "later" not in read
    assert extended.encode("Receipt", RECEIPT) == old.encode("Receipt", RECEIPT)


@pytest.mark.parametrize("name", NAMES)
def test_each_truncation_and_each_trailing_byte_is_found(name: str) -> None:
    """A record cut anywhere, or followed by a byte, is Undecodable and never a shorter record."""
    framed = codec.encode(name, _smallest(name))
    for length in range(HEADER_BYTES, len(framed)):
        with pytest.raises(UndecodableError):
            codec.decode(framed[:length])
    with pytest.raises(UndecodableError, match="1 bytes follow the record"):
        codec.decode(framed + b"\0")


@settings(max_examples=50)
@given(junk=st.binary(max_size=300), schema_id=st.integers(0, 20))
def test_junk_is_unreadable_and_nothing_else(junk: bytes, schema_id: int) -> None:
    """Hostile bytes under any id give a record or an UnreadableError, no other error."""
    for framed in (junk, header(schema_id) + junk):
        for decode in (codec.decode, codec.decode_prefix):
            try:
                decode(framed)
            except UnreadableError as error:
                assert error.rule  # noqa: PT017 - a record is as good


@settings(max_examples=50)
@given(data=st.data(), place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_damaged_statement_is_unreadable_or_another_record(
    data: st.DataObject, place: int, byte: int, any_record: Callable[..., Any]
) -> None:
    """One flipped byte anywhere never raises anything but an UnreadableError."""
    record = data.draw(any_record(registry().latest("ReportStatement").declaration))
    framed = bytearray(codec.encode("ReportStatement", record))
    framed[place % len(framed)] = byte
    try:
        codec.decode(bytes(framed))
    except UnreadableError as error:
        assert str(error)  # noqa: PT017 - a record is as good


@pytest.mark.parametrize(
    ("framed", "error", "text"),
    [
        (b"", NotFramedError, "0 bytes are too short"),
        (b"\0\0\0\0", NotFramedError, "4 bytes are too short"),
        (b"\1\0\0\0\1abc", NotFramedError, "0x01, expected 0x00"),
        (b'{"event_id": 1}', NotFramedError, "0x7b"),
        (header(0), UnknownSchemaIdError, "schema id 0"),
        (header(4_000_000_000), UnknownSchemaIdError, "schema id 4000000000"),
    ],
)
def test_what_is_not_framed_is_told_apart(framed: bytes, error: type[Exception], text: str) -> None:
    """A missing frame and an unknown id are different errors, for both ways of decoding."""
    for decode in (codec.decode, codec.decode_prefix, codec.name_of):
        with pytest.raises(error, match=text):
            decode(framed)


def test_the_prefix_of_another_message_is_refused() -> None:
    """Only statements have routing fields; the error names what was found and expected."""
    with pytest.raises(UnexpectedMessageError, match="is a Receipt, expected ReportStatement or Action"):
        codec.decode_prefix(codec.encode("Receipt", RECEIPT))


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "acceptd"},
        {"admitted_at": "1"},
        {"admitted_at": 2**63},
        {"admitted_at": None},
        {"environment": "\ud800"},
        {"case_id": b"1"},
        {"breaches": None},
        {"no_such_field": 1},
    ],
    ids=str,
)
def test_a_record_that_does_not_fit_is_not_written(change: dict[str, object]) -> None:
    """A wrong symbol, type, range or field is UnwritableError, and its text holds no value."""
    with pytest.raises(UnwritableError) as caught:
        codec.encode("Receipt", RECEIPT | change)
    assert "acceptd" not in str(caught.value)


def test_defaults_fill_what_is_absent_but_nothing_else() -> None:
    """A field with a default may be left out, one without may not."""
    assert codec.decode(codec.encode("Receipt", RECEIPT))[1]["directory_version"] == 0
    with pytest.raises(UnwritableError, match="Receipt"):
        codec.encode("Receipt", {key: value for key, value in RECEIPT.items() if key != "event_id"})


def _smallest(name: str) -> dict[str, object]:
    fill = {"string": "äx", "bytes": b"123", "int": 300, "long": -70_000, "boolean": True}
    record = {}
    for field in registry().latest(name).declaration["fields"]:  # type: ignore[attr-defined]
        kind = field["type"]
        if isinstance(kind, str):
            record[field["name"]] = fill[kind]
        elif "default" not in field:
            record[field["name"]] = kind["symbols"][-1]
    return record

import io
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import fastavro
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import shapes
from schemas.compiled import MALFORMED, MISFITS, compile_reader, compile_writer
from schemas.errors import BrokenLockError
from schemas.registry import registry

pytestmark = pytest.mark.slow

INNER = {"type": "record", "name": "Inner", "doc": "d", "fields": [{"name": "x", "type": "int"}]}
KINDS = {"type": "enum", "name": "Kind", "symbols": ["unknown", "a"], "default": "unknown"}
EVERYTHING = {
    "type": "record",
    "name": "Msg",
    "fields": [
        {"name": "a", "type": "boolean"},
        {"name": "b", "type": "int"},
        {"name": "c", "type": "long"},
        {"name": "d", "type": "string"},
        {"name": "e", "type": "bytes"},
        {"name": "f", "type": KINDS},
        {"name": "g", "type": ["null", INNER]},
        {"name": "h", "type": {"type": "array", "items": "Inner"}},
        {"name": "i", "type": {"type": "array", "items": {"type": "array", "items": ["null", "Kind"]}}},
    ],
}
VALUE = {
    "a": True,
    "b": 1,
    "c": -1,
    "d": "ä",
    "e": b"\0",
    "f": "a",
    "g": {"x": 3},
    "h": [{"x": 70}],
    "i": [["a", None]],
}
DECLARATIONS = [EVERYTHING, *(registry().latest(name).declaration for name in registry().names())]
BY_NAME = pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda one: one["name"])


def _object(value: object) -> object:
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _object(one) for name, one in value.items()})
    return tuple(map(_object, value)) if isinstance(value, list) else value


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _dicts(declaration: Mapping[str, Any]) -> dict[str, Callable[..., Any]]:
    names = {declaration["name"]: _dict_of(declaration), "Inner": _dict_of(INNER)}
    for kind in (field["type"] for field in declaration["fields"]):
        for one in (kind, kind[-1] if isinstance(kind, list) else None):
            inner = one["items"] if shapes.is_array(one) else one
            if shapes.is_record(inner):
                names |= _dicts(inner)
    return names


def _dict_of(declaration: Mapping[str, Any]) -> Callable[..., Any]:
    names = [field["name"] for field in declaration["fields"]]
    return lambda *values: dict(zip(names, values, strict=True))


def _by_fastavro(declaration: Mapping[str, Any], record: object) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(dict(declaration)), record)
    return buffer.getvalue()


READ = compile_reader(EVERYTHING, _dicts(EVERYTHING))
WRITE = compile_writer(EVERYTHING, b"")


@settings(max_examples=10)
@given(data=st.data())
@BY_NAME
def test_it_writes_and_reads_what_fastavro_does(
    declaration: Mapping[str, Any], data: st.DataObject, any_record: Callable[..., Any]
) -> None:
    """On any record the bytes are those of fastavro, and reading gives the record and the place behind it."""
    record = data.draw(any_record(declaration if declaration is not EVERYTHING else _spelt_out()))
    framed = compile_writer(declaration, b"12345")(_object(record))
    assert framed == b"12345" + _by_fastavro(declaration, record)
    value, end = compile_reader(declaration, _dicts(declaration))(framed + b"rest", 5)
    assert (_plain(value), end) == (record, len(framed))


def _spelt_out() -> dict[str, Any]:
    fields = [dict(field) for field in EVERYTHING["fields"]]
    fields[7]["type"] = {"type": "array", "items": INNER}
    fields[8]["type"] = {"type": "array", "items": {"type": "array", "items": ["null", KINDS]}}
    return EVERYTHING | {"fields": fields}


@settings(max_examples=150)
@given(place=st.integers(0, 10_000), junk=st.binary(min_size=1, max_size=12))
@example(place=0, junk=b"\2")
@pytest.mark.parametrize(
    "declaration", [EVERYTHING, registry().latest("ReportStatement").declaration], ids=lambda one: one["name"]
)
def test_what_it_accepts_of_damaged_bytes_fastavro_reads_alike(
    declaration: Mapping[str, Any], place: int, junk: bytes
) -> None:
    """No bytes mean one thing here and another elsewhere: what is not malformed has fastavro's value."""
    whole = bytearray(_by_fastavro(EVERYTHING, VALUE) if declaration is EVERYTHING else bytes(90))
    at = place % len(whole)
    whole[at : at + len(junk)] = junk
    try:
        value, end = compile_reader(declaration, _dicts(declaration))(bytes(whole), 0)
    except MALFORMED:
        return
    if end <= len(whole):
        buffer = io.BytesIO(bytes(whole))
        assert fastavro.schemaless_reader(buffer, fastavro.parse_schema(dict(declaration)), None) == _plain(
            value
        )
        assert buffer.tell() == end


@pytest.mark.parametrize(
    ("kind", "payload", "text"),
    [
        ("boolean", b"\2", "boolean"),
        ("int", b"\x80\x80\x80\x80\x10", "int"),
        ("int", b"\xff\xff\xff\xff\x1f", "int"),
        ("long", b"\xff" * 9 + b"\2", "long"),
        ("long", b"\x80" * 10 + b"\0", "long"),
        ("string", b"\1", "length"),
        ("string", b"\x02\xff", "utf-8"),
        ("bytes", b"\xff\1abc", "length"),
        (["null", "int"], b"\4\0", "branch"),
        (["null", "int"], b"\1\0", "branch"),
        (KINDS, b"\4", "enum"),
        (KINDS, b"\1", "length"),
    ],
)
def test_malformed_values_are_refused(kind: Any, payload: bytes, text: str) -> None:  # noqa: ANN401
    """Out of range, negative lengths and unknown branches are errors, never a wrapped or guessed value."""
    declaration = {"type": "record", "name": "Msg", "fields": [{"name": "a", "type": kind}]}
    with pytest.raises(ValueError, match=text):
        compile_reader(declaration, _dicts(declaration))(payload, 0)


def test_every_truncation_is_seen() -> None:
    """Bytes that end early raise, or the place lies behind their end."""
    payload = _by_fastavro(EVERYTHING, VALUE)
    for length in range(len(payload)):
        try:
            _, end = READ(payload[:length], 0)
        except MALFORMED:
            continue
        assert end > length


def test_arrays_in_blocks_of_other_writers_are_read() -> None:
    """Several blocks, and blocks with their size in bytes, are one array."""
    declaration = {
        "type": "record",
        "name": "Msg",
        "fields": [{"name": "a", "type": {"type": "array", "items": "int"}}],
    }
    blocks = b"\2\2" + b"\3\4\4\6" + b"\4\x08\x0a" + b"\0"
    assert compile_reader(declaration, _dicts(declaration))(blocks, 0) == (
        {"a": (1, 2, 3, 4, 5)},
        len(blocks),
    )


def test_a_claimed_length_costs_nothing() -> None:
    """An array of 2^60 items or a string of 2^60 bytes ends with the bytes that are there."""
    huge = b"\x80\x80\x80\x80\x80\x80\x80\x80\x20"
    for kind in ("string", {"type": "array", "items": "int"}):
        declaration = {"type": "record", "name": "Msg", "fields": [{"name": "a", "type": kind}]}
        try:
            _, end = compile_reader(declaration, _dicts(declaration))(huge + b"ab", 0)
        except MALFORMED:
            continue
        assert end > 2**59


@pytest.mark.parametrize(
    "wrong",
    [
        {"a": 1},
        {"a": None},
        {"b": 2**31},
        {"b": -(2**31) - 1},
        {"b": "1"},
        {"b": 1.0},
        {"c": 2**63},
        {"d": b"1"},
        {"d": "\ud800"},
        {"d": None},
        {"e": "1"},
        {"e": [1]},
        {"f": "other"},
        {"g": 1},
        {"h": "text"},
        {"h": None},
        {"i": [["a", 1]]},
    ],
    ids=str,
)
def test_a_value_that_does_not_fit_is_not_written(wrong: dict[str, object]) -> None:
    """Each wrong type, range or symbol is an error of MISFITS."""
    assert WRITE(_object(VALUE)) == _by_fastavro(EVERYTHING, VALUE)
    with pytest.raises(MISFITS):
        WRITE(_object(VALUE | wrong))


def test_a_record_without_a_constructor_is_found_when_compiling() -> None:
    """A new nested record without its struct stops the start, not the first message."""
    with pytest.raises(BrokenLockError, match="Inner"):
        compile_reader(EVERYTHING, {"Msg": dict})

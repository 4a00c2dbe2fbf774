"""The typed source is run as Python here: mypyc keeps its meaning, and building takes most of a minute."""

import io
from collections.abc import Callable, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import native
from schemas.build_native import functions, source
from schemas.compiled import MALFORMED, MISFITS, compile_reader, compile_writer
from schemas.errors import BrokenLockError
from schemas.native_source import native_reader, native_writer
from schemas.registry import registry

pytestmark = pytest.mark.slow

DECLARATIONS = [registry().latest(name).declaration for name in registry().names()]
BY_NAME = pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda one: one["name"])
ADMITTED = registry().latest("Admitted").declaration


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of a build, not compiled."""
    module = ModuleType("native_codec")
    exec(_code(), vars(module))  # noqa: S102 - what a build would compile
    monkeypatch.setattr(native, "_module", lambda: module)
    return module


def _code(cache: list[Any] = []) -> Any:  # noqa: ANN401, B006 - compiled once for all tests
    if not cache:
        cache.append(compile(source(), "native_codec.py", "exec"))
    return cache[0]


def _by_fastavro(declaration: Mapping[str, Any], record: object) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(dict(declaration)), record)
    return buffer.getvalue()


def _object(value: Any) -> Any:  # noqa: ANN401 - any record
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _object(one) for name, one in value.items()})
    return tuple(map(_object, value)) if isinstance(value, list) else value


def _plain(value: Any) -> Any:  # noqa: ANN401 - any record
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


class _Dicts(dict[str, Callable[..., Any]]):
    def __contains__(self, _name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Callable[..., Any]:
        names = [field["name"] for field in _record(name, DECLARATIONS)["fields"]]
        # Routing fields are the first of a statement's.
        return lambda *values: dict(zip(names, values, strict=False))


def _record(name: str, kind: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the declaration of a record, wherever it stands in a type."""
    if isinstance(kind, Mapping):
        if kind.get("name") == name and kind["type"] == "record":
            return kind
        kind = list(kind.values())
    for one in kind if isinstance(kind, list) else ():
        found = _record(name, one)
        if found is not None:
            return found
    return None


@settings(max_examples=10)
@given(data=st.data())
@BY_NAME
def test_it_writes_and_reads_what_fastavro_does(
    declaration: Mapping[str, Any], data: st.DataObject, any_record: Callable[..., Any]
) -> None:
    """On any record the bytes are those of fastavro, and reading gives the record and the place behind it."""
    record = data.draw(any_record(declaration))
    framed = compile_writer(declaration, b"12345")(_object(record))
    assert framed == b"12345" + _by_fastavro(declaration, record)
    value, end = compile_reader(declaration, _Dicts())(framed + b"rest", 5)
    assert (_plain(value), end) == (record, len(framed))


@settings(max_examples=150)
@given(place=st.integers(0, 10_000), junk=st.binary(min_size=1, max_size=12))
def test_what_it_accepts_of_damaged_bytes_fastavro_reads_alike(place: int, junk: bytes) -> None:
    """No bytes mean one thing in a build and another without it."""
    declaration = registry().latest("ReportStatement").declaration
    whole = bytearray(90)
    at = place % len(whole)
    whole[at : at + len(junk)] = junk
    try:
        value, end = compile_reader(declaration, _Dicts())(bytes(whole), 0)
    except MALFORMED:
        return
    if end <= len(whole):
        buffer = io.BytesIO(bytes(whole))
        assert fastavro.schemaless_reader(buffer, fastavro.parse_schema(dict(declaration)), None) == _plain(
            value
        )
        assert buffer.tell() == end


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("kind", None), ("clock_skew", 1), ("source_partition", 2**31), ("unparking", ())],
)
def test_a_value_that_does_not_fit_is_not_written(field: str, wrong: object) -> None:
    """Each wrong type or range is an error of MISFITS."""
    value = {one["name"]: one.get("default") for one in cast("list[Any]", ADMITTED["fields"])} | {
        "kind": "report"
    }
    texts = ("url_key", "event_id", "environment", "sender", "hosting_country", "source_topic")
    value |= dict.fromkeys(texts, "a") | {"url_key": b"k"}
    value |= dict.fromkeys(("admitted_at", "submitted_at", "directory_version", "rules_version"), 1) | {
        "source_partition": 0,
        "source_offset": 0,
    }
    compile_writer(ADMITTED, b"")(_object(value))
    with pytest.raises(MISFITS):
        compile_writer(ADMITTED, b"")(_object(value | {field: wrong}))


def test_a_build_serves_only_the_schemas_it_was_made_of() -> None:
    """A field more gives another name, so an old build is passed over; nothing else decides it."""
    more = {**ADMITTED, "fields": [*cast("list[Any]", ADMITTED["fields"]), {"name": "more", "type": "int"}]}
    names = {function.name for function in functions()}
    assert {native_reader(ADMITTED).name, native_writer(ADMITTED).name} <= names
    assert not {native_reader(more).name, native_writer(more).name} & names
    assert native.writer(ADMITTED, b"") is not None
    assert native.writer(more, b"") is None
    assert native.reader(more, _Dicts()) is None


def test_a_record_without_a_constructor_is_found_when_binding() -> None:
    """A new nested record without its struct stops the start, not the first message."""
    with pytest.raises(BrokenLockError, match="Admitted"):
        native.reader(ADMITTED, {})

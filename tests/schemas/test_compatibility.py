from typing import Any

import pytest

from schemas.compatibility import compare, revived_fields


def _of(*fields: dict[str, Any], **changes: object) -> dict[str, Any]:
    base = {"type": "record", "name": "Msg", "namespace": "org.hotline_exchange", "doc": "A message."}
    return base | {"fields": [*fields]} | changes


def _field(name: str, kind: object, **changes: object) -> dict[str, Any]:
    return {"name": name, "type": kind, "doc": "A field."} | changes


def _enum(*symbols: str, **changes: object) -> dict[str, Any]:
    return {"type": "enum", "name": "Kind", "symbols": [*symbols], "doc": "Kinds."} | changes


def _array(**changes: object) -> dict[str, Any]:
    items = _of(_field("x", "int"), name="Inner") | changes
    del items["namespace"]
    return {"type": "array", "items": items}


A, B = _field("a", "int"), _field("b", "string", default="x")
OPTIONAL = _field("c", ["null", "string"], default=None)
ENUM = _enum("unknown", "a", default="unknown")

INCOMPATIBLE = [
    ("required field added", _of(A), _of(A, _field("b", "string")), {"incompatible"}),
    ("required field removed", _of(A, _field("b", "string")), _of(A), {"incompatible"}),
    ("nullability removed", _of(OPTIONAL), _of(_field("c", "string")), {"incompatible", "default_changed"}),
    ("nullability added", _of(A), _of(_field("a", ["null", "int"])), {"incompatible"}),
    ("int widened to long", _of(A), _of(_field("a", "long")), {"incompatible"}),
    ("type changed", _of(A), _of(_field("a", "string")), {"incompatible"}),
    ("record renamed", _of(A), _of(A, name="Other"), {"incompatible"}),
    ("field renamed without alias", _of(A), _of(_field("z", "int")), {"incompatible"}),
    ("field renamed with alias", _of(A), _of(_field("z", "int", aliases=["a"])), {"incompatible"}),
    (
        "symbol added, old reader without default",
        _of(_field("k", _enum("a"))),
        _of(_field("k", _enum("a", "b", default="a"))),
        {"incompatible", "default_changed"},
    ),
    (
        "nested required field",
        _of(_field("l", _array())),
        _of(_field("l", _array(fields=[A]))),
        {"incompatible"},
    ),
    ("string to bytes", _of(_field("a", "string")), _of(_field("a", "bytes")), {"string_and_bytes"}),
    (
        "bytes to string in an optional",
        _of(_field("a", ["null", "bytes"], default=None)),
        _of(_field("a", ["null", "string"], default=None)),
        {"string_and_bytes"},
    ),
    (
        "string to bytes in an array",
        _of(_field("a", {"type": "array", "items": "string"})),
        _of(_field("a", {"type": "array", "items": "bytes"})),
        {"string_and_bytes"},
    ),
    (
        "logical type changed",
        _of(_field("a", {"type": "long", "logicalType": "timestamp-millis"})),
        _of(_field("a", {"type": "long", "logicalType": "timestamp-micros"})),
        {"logical_type_changed"},
    ),
    (
        "logical type dropped",
        _of(_field("a", {"type": "string", "logicalType": "uuid"})),
        _of(_field("a", "string")),
        {"logical_type_changed"},
    ),
    ("namespace changed", _of(A), _of(A, namespace="org.other"), {"namespace_changed"}),
    ("doc of the record removed", _of(A), _of(A, doc=""), {"doc_removed"}),
    ("doc of a field removed", _of(A), _of(_field("a", "int", doc="")), {"doc_removed"}),
    ("order changed", _of(A, B), _of(B, A), {"order_changed"}),
    ("field added before others changes no order", _of(A), _of(B, A), set()),
    ("default changed", _of(B), _of(_field("b", "string", default="y")), {"default_changed"}),
    ("default removed", _of(B), _of(_field("b", "string")), {"default_changed"}),
    ("default added", _of(A), _of(_field("a", "int", default=0)), {"default_changed"}),
    ("alias dropped", _of(_field("a", "int", aliases=["z"])), _of(A), {"alias_dropped"}),
    ("alias of the record dropped", _of(A, aliases=["Old"]), _of(A), {"alias_dropped"}),
    (
        "default of the enum changed",
        _of(_field("k", ENUM)),
        _of(_field("k", _enum("unknown", "a", default="a"))),
        {"default_changed"},
    ),
    (
        "symbol removed",
        _of(_field("k", ENUM)),
        _of(_field("k", _enum("unknown", default="unknown"))),
        {"symbol_removed"},
    ),
    ("optional field added", _of(A), _of(A, OPTIONAL), set()),
    ("field with default removed", _of(A, B), _of(A), set()),
    (
        "symbol added",
        _of(_field("k", ENUM)),
        _of(_field("k", _enum("unknown", "a", "b", default="unknown"))),
        set(),
    ),
    ("alias added", _of(A), _of(_field("a", "int", aliases=["z"])), set()),
    (
        "nested optional field added",
        _of(_field("l", _array())),
        _of(_field("l", _array(fields=[_field("x", "int"), OPTIONAL]))),
        set(),
    ),
    (
        "default renamed with an alias",
        _of(A, B),
        _of(A, _field("z", "string", default="y", aliases=["b"])),
        {"default_changed"},
    ),
]


@pytest.mark.parametrize(
    ("earlier", "later", "rules"), [one[1:] for one in INCOMPATIBLE], ids=[one[0] for one in INCOMPATIBLE]
)
def test_what_breaks_other_members_is_found_and_nothing_else(
    earlier: dict[str, Any], later: dict[str, Any], rules: set[str]
) -> None:
    """Each change of a schema gives exactly the findings of its kind, or none where it is harmless."""
    found = [*compare("msg.avsc", earlier, later, 3)]
    assert {one.rule for one in found} == rules
    assert all("version 3" in one.message and one.file == "msg.avsc" for one in found)


def test_avro_findings_name_the_direction() -> None:
    """A new required field breaks the newer reader; the message says which side cannot read."""
    found = [*compare("msg.avsc", _of(A), _of(A, _field("b", "string")), 1)]
    assert [(one.path, one.message) for one in found] == [
        ("/fields/1", "cannot read version 1: reader_field_missing_default_value")
    ]


def test_a_dropped_name_never_comes_back() -> None:
    """A name used before could be filled by old members with its old meaning."""
    found = [*revived_fields("msg.avsc", (_of(A, OPTIONAL), _of(A)), _of(A, OPTIONAL))]
    assert [(one.path, one.rule) for one in found] == [("/c", "field_revived")]
    assert [*revived_fields("msg.avsc", (_of(A), _of(A, OPTIONAL)), _of(A, OPTIONAL))] == []

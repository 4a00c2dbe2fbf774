from typing import Any

import pytest

from schemas.lint import lint, lint_prefix
from schemas.registry import registry


def _message(*fields: dict[str, Any], **changes: object) -> dict[str, Any]:
    base = {"type": "record", "name": "Msg", "namespace": "org.hotline_exchange", "doc": "A message."}
    return base | {"fields": [*fields]} | changes


def _field(kind: object, **changes: object) -> dict[str, Any]:
    return {"name": "one", "type": kind, "doc": "A field."} | changes


def _enum(**changes: object) -> dict[str, Any]:
    base = {
        "type": "enum",
        "name": "Kind",
        "symbols": ["unknown", "a"],
        "default": "unknown",
        "doc": "Kinds.",
    }
    return {key: value for key, value in (base | changes).items() if value is not None}


def _inner(*fields: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {"type": "record", "name": "Inner", "doc": "Inner.", "fields": [*fields]} | changes


BROKEN = [
    ("namespace", "/", _message(_field("int"), namespace="org.other")),
    ("namespace", "/one", _message(_field(_inner(_field("int"), namespace="org.other")))),
    ("doc", "/", _message(_field("int"), doc=" ")),
    ("doc", "/one", _message(_field("int", doc=""))),
    ("doc", "/one/items/one", _message(_field({"type": "array", "items": _inner(_field("int", doc=""))}))),
    ("doc", "/one", _message(_field(_enum(doc=None)))),
    ("enum_default", "/one", _message(_field(_enum(default=None)))),
    ("enum_default", "/one", _message(_field(_enum(default="b")))),
    ("empty_record", "/", _message()),
    ("empty_record", "/one/items", _message(_field({"type": "array", "items": _inner()}))),
    ("field_name", "/oneTwo", _message(_field("int", name="oneTwo"))),
    ("default", "/one", _message(_field(["null", "int"]))),
    ("default", "/one", _message(_field("int", default="1"))),
    ("default", "/one", _message(_field("bytes", default=1))),
    ("default", "/one", _message(_field({"type": "array", "items": "string"}, default=[1]))),
    ("default", "/one", _message(_field(_enum(), default="b"))),
    ("logical_type", "/one", _message(_field({"type": "long", "logicalType": "timestamp-millis"}))),
    (
        "logical_type",
        "/one",
        _message(_field(["null", {"type": "string", "logicalType": "uuid"}], default=None)),
    ),
    ("recursive", "/one", _message(_field(["null", "Msg"], default=None))),
    ("recursive", "/one/items/one", _message(_field({"type": "array", "items": _inner(_field("Msg"))}))),
    ("type", "/one", _message(_field("null"))),
    ("type", "/one", _message(_field("double"))),
    ("type", "/one", _message(_field({"type": "map", "values": "int"}))),
    ("type", "/one", _message(_field(["int", "string"]))),
    ("type", "/one", _message(_field(["null", "int", "string"]))),
    ("type", "/one", _message(_field({"type": "fixed", "name": "Key", "size": 16}))),
]


@pytest.mark.parametrize(("rule", "path", "declaration"), BROKEN, ids=[f"{one[0]}{one[1]}" for one in BROKEN])
def test_each_rule_is_found_at_its_place(rule: str, path: str, declaration: dict[str, Any]) -> None:
    """A schema with one fault has exactly that one finding, naming file, place and rule."""
    assert [(one.file, one.path, one.rule) for one in lint("msg.avsc", declaration)] == [
        ("msg.avsc", path, rule)
    ]


def test_a_schema_stands_in_the_file_of_its_name() -> None:
    """A reader guesses the file from the name of the message."""
    found = [*lint("message.avsc", _message(_field("int")))]
    assert [(one.rule, one.message) for one in found] == [("file_name", "Msg belongs in msg.avsc")]


def test_a_sound_schema_has_no_finding() -> None:
    """Every shape that the contract uses is accepted, also a record named again."""
    declaration = _message(
        _field("bytes", name="a", default="\u00ff"),
        _field(_enum(), name="b", default="a"),
        _field({"type": "array", "items": _inner(_field("long"))}, name="c", default=[]),
        _field(["null", "Inner"], name="d", default=None),
    )
    assert [*lint("msg.avsc", declaration)] == []


@pytest.mark.parametrize("change", ["order", "type", "default"])
def test_statements_begin_with_the_same_routing_fields(change: str) -> None:
    """The prefix codec reads any statement by the same first fields, of the same types."""
    latest = registry().latest
    statements = {
        name: (f"{name}.avsc", dict(latest(name).declaration))
        for name in ("ReportStatement", "ActionStatement")
    }
    assert [*lint_prefix(statements)] == []
    declaration = statements["ActionStatement"][1]
    fields: Any = [dict(field) for field in declaration["fields"]]  # type: ignore[attr-defined]
    if change == "order":
        fields[0], fields[1] = fields[1], fields[0]
    elif change == "type":
        fields[3]["type"] = "string"
    else:
        fields[4]["default"] = "NL"
    declaration["fields"] = fields
    assert [(one.file, one.rule) for one in lint_prefix(statements)] == [("ActionStatement.avsc", "prefix")]

"""Rules for one schema by itself: what the contract demands beyond what Avro demands."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import fastavro

from schemas import shapes
from schemas.codec import PREFIX_FIELDS, STATEMENT_NAMES
from schemas.findings import Finding
from schemas.registry import NAMESPACE

_FIELD_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")

Declaration = Mapping[str, Any]


def lint(file: str, declaration: Declaration) -> Iterator[Finding]:
    """Yield what one schema breaks: docs, namespace, names, types, defaults."""
    name = declaration["name"]
    expected = _WORD_START.sub("_", name).lower() + ".avsc"
    if file.rpartition("/")[2] != expected:
        yield Finding(file, "/", "file_name", f"{name} belongs in {expected}")
    if declaration.get("namespace") != NAMESPACE:
        yield Finding(file, "/", "namespace", f"the namespace is {NAMESPACE}")
    for path, rule, message in _named("/", declaration, ()):
        yield Finding(file, path, rule, message)


def lint_prefix(statements: Mapping[str, tuple[str, Declaration]]) -> Iterator[Finding]:
    """Yield where statements (name -> file, declaration) do not begin with the same routing fields."""
    reference: list[object] | None = None
    for name in STATEMENT_NAMES:
        if name not in statements:
            continue
        file, declaration = statements[name]
        first = declaration["fields"][: len(PREFIX_FIELDS)]
        if tuple(field["name"] for field in first) != PREFIX_FIELDS:
            yield Finding(file, "/", "prefix", f"the first fields are {', '.join(PREFIX_FIELDS)}")
            continue
        shape: list[object] = [(field["name"], field["type"], field.get("default", ...)) for field in first]
        if reference is not None and shape != reference:
            yield Finding(file, "/", "prefix", "the routing fields have other types than in other statements")
        reference = reference or shape


def _named(path: str, kind: Declaration, outer: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    name = kind["name"]
    if not str(kind.get("doc", "")).strip():
        yield path, "doc", f"{name} has no doc"
    if outer and "namespace" in kind:
        yield path, "namespace", f"{name} takes the namespace of the record around it"
    if shapes.is_enum(kind):
        if kind.get("default") not in kind["symbols"]:
            yield (
                path,
                "enum_default",
                f"{name} needs a default among its symbols, for older readers",
            )
        return
    if not kind["fields"]:
        yield path, "empty_record", f"{name} has no field, so that an array of it could claim any length"
    for field in kind["fields"]:
        yield from _field(f"{path.rstrip('/')}/{field['name']}", field, (*outer, name))


def _field(path: str, field: Declaration, outer: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    if not _FIELD_NAME.fullmatch(field["name"]):
        yield path, "field_name", "field names are snake_case"
    if not str(field.get("doc", "")).strip():
        yield path, "doc", "the field has no doc"
    kind = field["type"]
    yield from _type(path, kind, outer)
    if shapes.is_optional(kind) and field.get("default", ...) is not None:
        yield path, "default", "an optional field has the default null"
    elif "default" in field and not _fits(field["default"], kind):
        yield path, "default", "the default does not fit the type"


def _type(path: str, kind: object, outer: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    if shapes.logical_type(kind) is not None:
        yield path, "logical_type", "libraries turn logical types into different values; times are longs"
    elif isinstance(kind, str):
        if kind in outer:
            yield path, "recursive", f"{kind} contains itself, so that a message could nest without end"
        elif kind in {"null", "float", "double"}:
            yield path, "type", f"{kind} is not used: null carries nothing, and fractions differ by platform"
    elif shapes.is_optional(kind):
        yield from _type(path, kind[1], outer)  # type: ignore[index] # a list by is_optional
    elif shapes.is_array(kind):
        yield from _type(f"{path}/items", kind["items"], outer)  # type: ignore[index] # a mapping by is_array
    elif shapes.is_record(kind) or shapes.is_enum(kind):
        yield from _named(path, kind, outer)  # type: ignore[arg-type] # a mapping by is_record
    else:
        yield path, "type", 'expected a primitive, a record, an enum, an array or ["null", type]'


def _fits(default: object, kind: object) -> bool:
    if isinstance(kind, str) and kind not in shapes.PRIMITIVES:
        return True
    if isinstance(kind, list):
        return _fits(default, kind[0])
    if kind == "bytes":
        return isinstance(default, str)
    return bool(fastavro.validate(default, kind, raise_errors=False))

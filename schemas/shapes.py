"""The shapes of type that the contract uses, told apart in one place: few, so that every language maps them.

A type is a primitive name, the name of a record declared before, `["null", type]`, an array, a record or an
enum. No maps, no floats, no fixed, no logical types: times are longs, which every library reads alike.
"""

from collections.abc import Mapping
from typing import Any

PRIMITIVES = frozenset({"boolean", "bytes", "int", "long", "string"})


def is_record(kind: object) -> bool:
    """Return whether the type declares a record."""
    return isinstance(kind, Mapping) and kind.get("type") == "record"


def is_enum(kind: object) -> bool:
    """Return whether the type declares an enum."""
    return isinstance(kind, Mapping) and kind.get("type") == "enum"


def is_array(kind: object) -> bool:
    """Return whether the type is an array."""
    return isinstance(kind, Mapping) and kind.get("type") == "array"


def is_optional(kind: object) -> bool:
    """Return whether the type is a union of null and one other type, null first."""
    return isinstance(kind, list) and len(kind) == 2 and kind[0] == "null" and kind[1] != "null"  # noqa: PLR2004 - the two branches


def logical_type(kind: object) -> str | None:
    """Return the logical type that annotates the type, or None."""
    return kind.get("logicalType") if isinstance(kind, Mapping) else None


def fields_of(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the fields of a record by name, in their order."""
    return {field["name"]: field for field in record["fields"]}

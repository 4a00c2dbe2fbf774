"""Whether two versions of a schema may live side by side: FULL compatibility, both reading directions.

Apache Avro's own checker is the engine. What it counts as compatible and yet changes the meaning of bytes or
of filled-in defaults is found by the rules here (measured against avro 1.12.2). One thing no tool finds: a
field or symbol that keeps its name and changes its meaning.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from schemas import shapes
from schemas.findings import Finding

Declaration = Mapping[str, Any]


def compare(file: str, earlier: Declaration, later: Declaration, version: int) -> Iterator[Finding]:
    """Yield what makes a later schema incompatible with an earlier version of it.

    Args:
        file: File of the later schema.
        earlier: The earlier version, as locked.
        later: The schema to judge.
        version: Number of the earlier version, for the messages.
    """
    for reader, writer, direction in (
        (later, earlier, f"cannot read version {version}"),
        (earlier, later, f"cannot be read by version {version}"),
    ):
        result = ReaderWriterCompatibilityChecker().get_compatibility(
            parse(json.dumps(reader)), parse(json.dumps(writer))
        )
        if result.compatibility is not SchemaCompatibilityType.compatible:
            places = ", ".join(sorted(result.locations)) or "/"
            reasons = ", ".join(sorted(str(kind.value) for kind in result.incompatibilities))
            yield Finding(file, places, "incompatible", f"{direction}: {reasons}")
    for path, rule, message in _compare_types("/", earlier, later):
        yield Finding(file, path, rule, f"{message} since version {version}")


def revived_fields(file: str, versions: tuple[Declaration, ...], later: Declaration) -> Iterator[Finding]:
    """Yield fields that the newest locked version had dropped and that come back under their old names."""
    if not versions:
        return
    gone = {name for earlier in versions for name in shapes.fields_of(earlier)} - set(
        shapes.fields_of(versions[-1])
    )
    for name in gone & set(shapes.fields_of(later)):
        yield Finding(file, f"/{name}", "field_revived", "a dropped name is never used again")


def _compare_types(path: str, earlier: object, later: object) -> Iterator[tuple[str, str, str]]:
    if shapes.logical_type(earlier) != shapes.logical_type(later):
        yield path, "logical_type_changed", "the logical type changed"
    if {_primitive(earlier), _primitive(later)} == {"string", "bytes"}:
        yield path, "string_and_bytes", "string and bytes were exchanged"
    if isinstance(earlier, list) and isinstance(later, list):
        for before, after in zip(earlier, later, strict=False):
            yield from _compare_types(path, before, after)
    elif shapes.is_array(earlier) and shapes.is_array(later):
        yield from _compare_types(f"{path}/items", earlier["items"], later["items"])  # type: ignore[index]
    elif shapes.is_enum(earlier) and shapes.is_enum(later):
        yield from _compare_named(path, earlier, later)  # type: ignore[arg-type]
        yield from _compare_enums(path, earlier, later)  # type: ignore[arg-type]
    elif shapes.is_record(earlier) and shapes.is_record(later):
        yield from _compare_named(path, earlier, later)  # type: ignore[arg-type]
        yield from _compare_records(path, earlier, later)  # type: ignore[arg-type]


def _compare_named(path: str, earlier: Declaration, later: Declaration) -> Iterator[tuple[str, str, str]]:
    if earlier.get("namespace") != later.get("namespace"):
        yield path, "namespace_changed", "the namespace changed"
    yield from _compare_labels(path, earlier, later)


def _compare_labels(path: str, earlier: Declaration, later: Declaration) -> Iterator[tuple[str, str, str]]:
    if earlier.get("doc") and not later.get("doc"):
        yield path, "doc_removed", "the doc was removed"
    dropped = set(earlier.get("aliases", ())) - set(later.get("aliases", ()))
    if dropped:
        yield path, "alias_dropped", f"the aliases {', '.join(sorted(dropped))} were dropped"


def _compare_enums(path: str, earlier: Declaration, later: Declaration) -> Iterator[tuple[str, str, str]]:
    if earlier.get("default") != later.get("default"):
        yield path, "default_changed", "the default of the enum changed"
    removed = [symbol for symbol in earlier["symbols"] if symbol not in later["symbols"]]
    if removed:
        yield path, "symbol_removed", f"the symbols {', '.join(removed)} were removed"


def _compare_records(path: str, earlier: Declaration, later: Declaration) -> Iterator[tuple[str, str, str]]:
    before, after = shapes.fields_of(earlier), _by_earlier_name(earlier, later)
    common = [name for name in before if name in after]
    if common != [name for name in after if name in before]:
        yield path, "order_changed", "the order of the fields changed"
    for name in common:
        old, new, place = before[name], after[name], f"{path.rstrip('/')}/{name}"
        if old.get("default", ...) != new.get("default", ...):
            yield place, "default_changed", "the default changed"
        yield from _compare_labels(place, old, new)
        yield from _compare_types(place, old["type"], new["type"])


def _by_earlier_name(earlier: Declaration, later: Declaration) -> dict[str, dict[str, Any]]:
    known = set(shapes.fields_of(earlier))
    renamed: dict[str, dict[str, Any]] = {}
    for name, field in shapes.fields_of(later).items():
        former = next((alias for alias in field.get("aliases", ()) if alias in known), name)
        renamed[name if name in known else former] = field
    return renamed


def _primitive(kind: object) -> object:
    return kind.get("type") if isinstance(kind, Mapping) else kind if isinstance(kind, str) else None

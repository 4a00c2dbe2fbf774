import json
from pathlib import Path
from typing import Any

import pytest

from schemas import codec
from schemas.framing import HEADER_BYTES, schema_id_of
from schemas.registry import Schema, registry

GOLDEN = Path(__file__).parent / "golden"
CASES = [
    pytest.param(schema, fill, id=f"{Path(schema.entry.file).stem}-{fill}")
    for schema in registry().all()
    for fill in ("minimal", "full")
]


def _read(schema: Schema, fill: str) -> tuple[bytes, Any]:
    stem = GOLDEN / f"{Path(schema.entry.file).stem}.{fill}"
    framed = stem.with_name(stem.name + ".bin").read_bytes()
    return framed, json.loads(stem.with_name(stem.name + ".json").read_text(encoding="utf-8"))


def _as_json(record: object) -> object:
    return json.loads(json.dumps(record, default=bytes.hex))


def _named_in(expected: Any, found: Any) -> Any:  # noqa: ANN401 - any JSON
    """Answer what was found without the fields that later versions have added, in nested records too."""
    if isinstance(expected, dict):
        return {name: _named_in(value, found[name]) for name, value in expected.items()}
    if isinstance(expected, list):
        return [_named_in(one, other) for one, other in zip(expected, found, strict=True)]
    return found


@pytest.mark.parametrize(("schema", "fill"), CASES)
def test_golden_bytes_mean_the_same_in_both_libraries(
    schema: Schema, fill: str, apache_avro: type[Any]
) -> None:
    """The committed bytes of each locked version read as the committed JSON, by fastavro and Apache Avro."""
    framed, expected = _read(schema, fill)
    newest = registry().latest(schema.name)
    ours = codec.decode(framed)
    theirs = apache_avro(schema.declaration).read(framed[HEADER_BYTES:], apache_avro(newest.declaration))
    assert schema_id_of(framed) == schema.id
    assert ours == (schema.name, theirs)
    assert _named_in(expected, _as_json(ours[1])) == expected


@pytest.mark.parametrize(("schema", "fill"), CASES)
def test_golden_bytes_are_written_again_unchanged(schema: Schema, fill: str) -> None:
    """The newest version of a message is encoded to exactly its committed bytes."""
    framed, _ = _read(schema, fill)
    if schema is not registry().latest(schema.name):
        pytest.skip("only the newest version is written")
    assert codec.encode(*codec.decode(framed)) == framed


def test_no_golden_record_is_without_a_locked_version() -> None:
    """Each golden file belongs to a version in the lock."""
    stems = {Path(schema.entry.file).stem for schema in registry().all()}
    assert {path.name.rsplit(".", 2)[0] for path in GOLDEN.iterdir()} == stems

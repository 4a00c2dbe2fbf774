"""Write the golden records that do not exist yet: `python tests/schemas/make_golden.py [--rewrite]`.

A golden record, once released, is never written again: it shows that old bytes stay readable. `--rewrite`
restates those of versions that no release has had.
"""

import json
import sys
from pathlib import Path
from typing import Any

import fastavro

from schemas.framing import header
from schemas.registry import Schema, load, read_lock

GOLDEN = Path(__file__).parent / "golden"
TEXTS = {
    "environment": "test",
    "sender": "nl-offlimits",
    "recipient": "de-eco",
    "hosting_country": "DE",
    "url": "https://images.example/äöü?x=1#frag",
}


def sample(kind: Any, name: str, *, full: bool) -> object:  # noqa: ANN401, PLR0911 - a type is any JSON
    """Return the value of a golden field: by its type, and by its name where that says more."""
    if isinstance(kind, list):
        return sample(kind[1], name, full=True) if full else None
    if isinstance(kind, dict) and kind["type"] == "record":
        return record(kind, full=full)
    if isinstance(kind, dict) and kind["type"] == "array":
        return [sample(kind["items"], name, full=True)] * 2 if full else []
    if isinstance(kind, dict):
        return kind["symbols"][1]
    if kind == "string":
        return TEXTS.get(name, f"{name}-ü" if full else "")
    if kind == "bytes":
        return bytes(range(33)) if full else b""
    if kind == "boolean":
        return full
    return (1_700_000_000_123 if kind == "long" else 2_147_483_647) if full else -1


def record(declaration: dict[str, Any], *, full: bool) -> dict[str, object]:
    """Return a golden record: every field set, or only what a sender must set."""
    return {
        field["name"]: sample(field["type"], field["name"], full=full)
        if full or "default" not in field
        else field["default"]
        for field in declaration["fields"]
    }


def write(schema: Schema, fill: str) -> None:
    """Write one golden record as framed bytes and as JSON with bytes in hex."""
    value = record(schema.declaration, full=fill == "full")
    stem = f"{Path(schema.entry.file).stem}.{fill}"
    with (GOLDEN / f"{stem}.bin").open("wb") as file:
        file.write(header(schema.id))
        fastavro.schemaless_writer(file, schema.parsed, value)
    text = json.dumps(value, indent=2, ensure_ascii=False, default=bytes.hex)
    (GOLDEN / f"{stem}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    released = read_lock().released_up_to
    for one in load().all():
        for filling in ("minimal", "full"):
            exists = (GOLDEN / f"{Path(one.entry.file).stem}.{filling}.bin").exists()
            if not exists or ("--rewrite" in sys.argv and one.id > released):
                write(one, filling)

"""Parsers of evidence bundles: the container, and the records in it."""

import hashlib
from typing import Any

from parser_promises import Parser
from sound_messages import ACTION, GOLDEN, KEY, MESSAGE, NOW, SENDER

from operations.evidence.checking import check as check_bundle
from operations.evidence.container import pack, unpack
from operations.evidence.errors import BundleRefusedError
from operations.evidence.parts import (
    FACTS,
    FORMAT,
    MANIFEST,
    MESSAGES,
    Kept,
    Manifest,
    PartEntry,
    moment,
    to_json,
)


def _bundle(facts: bytes, messages_part: bytes) -> bytes:
    """Answer an evidence bundle whose manifest lists these parts rightly, whatever is in them."""
    parts = {FACTS: facts, MESSAGES: messages_part}
    entries = {name: PartEntry(hashlib.sha256(part).hexdigest(), len(part)) for name, part in parts.items()}
    manifest = Manifest(
        FORMAT,
        ACTION.case_id or "",
        KEY.hex(),
        "test",
        "exchange",
        NOW,
        moment(NOW),
        SENDER,
        "1",
        (),
        entries,
    )
    return pack({MANIFEST: to_json(manifest), **parts})


def _unpacked_holds(data: bytes, parts: Any) -> None:  # noqa: ANN401 - parts by name
    assert pack(parts) == data


FACT = next(path.read_bytes() for path in [GOLDEN / "case_event.v2.full.bin"])
RECORDS = to_json((Kept("cases.events", 0, 1, NOW, FACT), Kept("inbox.x", 0, 2, NOW, MESSAGE)))
PARSERS = (
    Parser("evidence bundle", (_bundle(RECORDS, RECORDS),), unpack, (BundleRefusedError,), _unpacked_holds),
    Parser("evidence, facts", (RECORDS,), lambda data: check_bundle(_bundle(data, b"[]\n")), ()),
    Parser("evidence, messages", (RECORDS,), lambda data: check_bundle(_bundle(b"[]\n", data)), ()),
)

"""The worked example of docs/wire-format.md, by which another implementation can check itself."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import pytest

from casework.dsse import signed_statement
from casework.exchange_signatures import signed_message
from casework.messages import ReportContent, ReportStatement
from casework.protection import binding_of
from casework.public_keys import from_text
from casework.sealed_content import parse
from casework.signatures import is_signed
from connectors.sealing import open_sealed
from streams import wire
from streams.key_rings import KeyRing, PrivateKey, Signer
from streams.secret_sources import Secret

FILE: Final = Path(__file__).parent / "golden" / "protected_report.json"


@pytest.fixture(scope="module")
def example() -> Any:  # noqa: ANN401 - JSON
    """Return the example."""
    return json.loads(FILE.read_text())


def ring(example: Any, name: str) -> KeyRing:  # noqa: ANN401 - JSON
    """Return one of the rings."""
    return KeyRing.from_key_set(Secret(json.dumps(example["rings"][name]).encode()), name)


def key(example: Any, name: str, use: str) -> PrivateKey:  # noqa: ANN401 - JSON
    """Return the key of a ring for a use."""
    return next(key for key in ring(example, name).keys if key.use == use)


def test_the_content_opens_for_both_readers_and_is_the_one_shown(example: Any) -> None:  # noqa: ANN401 - JSON
    """Binding, digest, key ids and content of the example are what this implementation makes of them."""
    statement = wire.decode_as(ReportStatement, bytes.fromhex(example["statement_hex"]))
    sealed = parse(example["content"].encode())
    bound = binding_of(statement)
    assert bound == example["binding"].encode()
    content_key = bytes.fromhex(example["content_key_hex"])
    assert from_text(sealed.aad) == bound + hashlib.sha256(content_key).digest()
    assert sealed.digest.hex() == example["content_digest_hex"]
    assert statement.content_digest == sealed.digest
    for name in ("origin", "host"):
        assert key(example, name, "seal").id in sealed.key_ids
        opened = open_sealed(sealed, ring(example, name), bound)
        assert opened.hex() == example["clear_content_hex"]
        assert wire.decode_as(ReportContent, opened).url == example["url"]


def test_the_signatures_are_over_the_bytes_shown(example: Any) -> None:  # noqa: ANN401 - JSON
    """Ed25519 signs alike each time: the statement by its origin, a message by the exchange."""
    statement = bytes.fromhex(example["statement_hex"])
    message = signed_statement("report", statement)
    assert message.hex() == example["signed_by_origin_hex"]
    origin = key(example, "origin", "sign")
    assert Signer(origin).sign(message).hex() == example["signature_hex"]
    assert origin.id == example["key_id"]
    sent = example["message"]
    value = bytes.fromhex(sent["value_hex"])
    assert signed_message(sent["topic"], value).hex() == sent["signed_hex"]
    exchange = key(example, "exchange", "sign")
    assert exchange.id == sent["headers"]["hx-key-id"]
    assert is_signed(
        exchange.public, bytes.fromhex(sent["headers"]["hx-signature hex"]), bytes.fromhex(sent["signed_hex"])
    )

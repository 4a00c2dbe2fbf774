"""The page about what an operator sees against the golden example that it shows."""

import base64
import json
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
import pytest

from casework.messages import ReportContent, ReportStatement
from casework.sealed_content import parse
from streams import wire

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "operator-view.md").read_text(encoding="utf-8")
GOLDEN: Final = ROOT / "tests" / "connectors" / "golden" / "protected_report.json"
BLOCK: Final = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TEST: Final = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.fixture(scope="module")
def example() -> Any:  # noqa: ANN401 - JSON
    """Return the example."""
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


def held_by_the_operator(example: Any) -> bytes:  # noqa: ANN401 - JSON
    """Return all bytes of the example that pass the exchange."""
    parts = (
        bytes.fromhex(example["statement_hex"]),
        bytes.fromhex(example["signature_hex"]),
        example["key_id"].encode(),
        example["content"].encode(),
        bytes.fromhex(example["message"]["value_hex"]),
    )
    return b"\0".join(parts)


def spellings(secret: bytes) -> set[bytes]:
    """Return a secret as it is, in hexadecimal, escaped, and in base64 at each alignment."""
    found = {secret, secret.hex().encode(), quote(secret, safe="").encode()}
    for shift in range(3):
        whole = base64.urlsafe_b64encode(bytes(shift) + secret)
        # The first and the last group depend on what stands around it.
        found.add(whole[4 : len(whole) - 4])
    return found


def test_the_statement_shown_is_what_the_bytes_say(example: Any) -> None:  # noqa: ANN401 - JSON
    """Nothing that an operator can decode of the example's statement is left out on the page."""
    statement = wire.decode_as(ReportStatement, bytes.fromhex(example["statement_hex"]))
    lines = [
        f"{name} {value.hex() if isinstance(value, bytes) else value}"
        for name, value in msgspec.structs.asdict(statement).items()
        if value not in {None, (), False}
    ]
    assert "\n".join(lines) + "\n" in BLOCK.findall(PAGE)


def test_the_content_shown_is_what_the_bytes_say(example: Any) -> None:  # noqa: ANN401 - JSON
    """Ciphertext, readers' keys and signer's key are the example's; so is what the hotline wrote."""
    sealed = parse(example["content"].encode())
    shown = "".join(BLOCK.findall(PAGE))
    assert f"ciphertext {json.loads(example['content'])['ciphertext']}\n" in shown
    assert re.findall(r"^recipient (\S+)$", shown, re.MULTILINE) == list(sealed.key_ids)
    assert f"`{example['key_id']}`" in PAGE
    content = wire.decode_as(ReportContent, bytes.fromhex(example["clear_content_hex"]))
    assert f"url   {content.url}\nnote  {content.note}\n" in BLOCK.findall(PAGE)


def test_what_the_operator_holds_has_neither_address_nor_note(example: Any) -> None:  # noqa: ANN401 - JSON
    """In no spelling does address, host, note or network key stand in what passes the exchange."""
    held = held_by_the_operator(example)
    for secret in (example["url"], "images.example.test", "an example"):
        assert [form for form in spellings(secret.encode()) if form in held] == []
    key = bytes.fromhex(example["network_key_hex"])
    assert [form for form in spellings(key) if form in held] == []
    # The search finds what is there.
    clear = held + bytes.fromhex(example["clear_content_hex"])
    assert any(form in clear for form in spellings(example["url"].encode()))
    packed = base64.urlsafe_b64encode(b"x" + bytes.fromhex(example["clear_content_hex"]))
    assert any(form in packed for form in spellings(example["url"].encode()))


def test_every_test_that_the_page_names_exists() -> None:
    """Whoever wants to check it finds what is named."""
    for path, name in TEST.findall(PAGE):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text, name

"""The attacks that have names, each against the rule that refuses it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from message_parsers import EXCHANGE_HEADERS
from sound_messages import DIRECTORY, EQUIPMENT, MESSAGE, NOW, SEALED, SMALL

from casework import directory as directories
from casework.errors import BadInputError, DirectoryRefusedError
from casework.public_keys import is_usable, to_text
from casework.sealed_content import parse, to_bytes
from connectors.provenance import Record, check_record
from streams.key_rings import KeyRing, KeyRingError
from streams.secret_sources import Secret

PRIME = 2**255 - 19
LONG_X = to_text((PRIME + 9).to_bytes(32, "little"))
HIGH_BIT = to_text((9 | 1 << 255).to_bytes(32, "little"))
Change = Callable[[dict[str, Any]], object]


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("not_a_jwe", lambda jwe: jwe.update(zip="DEF")),
        ("not_a_jwe", lambda jwe: jwe.update(unprotected={"zip": "DEF"})),
        ("not_a_jwe", lambda jwe: jwe["recipients"][0]["header"].update(crit=["b64"], b64=False)),
        ("not_a_jwe", lambda jwe: jwe["recipients"][0]["header"].update(p2c=2**31, p2s="AA")),
        (
            "wrong_encryption",
            lambda jwe: jwe.update(protected=to_text(b'{"enc":"A256CBC-HS512","zip":"DEF"}')),
        ),
        ("wrong_encryption", lambda jwe: jwe.update(protected=to_text(b'{"enc":"A256GCM"}'))),
        ("wrong_algorithm", lambda jwe: jwe["recipients"][0]["header"].update(alg="none")),
        ("wrong_algorithm", lambda jwe: jwe["recipients"][0]["header"].update(alg="dir")),
        ("wrong_algorithm", lambda jwe: jwe["recipients"][0]["header"].update(alg="RSA1_5")),
        ("wrong_algorithm", lambda jwe: jwe["recipients"][0]["header"]["epk"].update(crv="X448")),
        ("wrong_algorithm", lambda jwe: jwe["recipients"][0]["header"]["epk"].update(kty="EC", crv="P-256")),
        ("weak_key", lambda jwe: jwe["recipients"][0]["header"]["epk"].update(x=to_text(bytes(32)))),
        ("weak_key", lambda jwe: jwe["recipients"][0]["header"]["epk"].update(x=LONG_X)),
        ("weak_key", lambda jwe: jwe["recipients"][0]["header"]["epk"].update(x=HIGH_BIT)),
        ("wrong_recipients", lambda jwe: jwe.update(recipients=jwe["recipients"] * 2)),
        ("wrong_recipients", lambda jwe: jwe.update(recipients=jwe["recipients"] * 40)),
        ("wrong_recipients", lambda jwe: jwe.update(recipients=[])),
        ("malformed", lambda jwe: jwe.update(iv=jwe["iv"] + "=")),
        ("malformed", lambda jwe: jwe.update(tag=jwe["tag"][:-1] + "B")),
        ("not_canonical", lambda jwe: jwe.update(tag=jwe.pop("aad"), aad=jwe["tag"])),
    ],
)
def test_sealed_content_refuses_what_a_jwe_may_hold_elsewhere(rule: str, change: Change) -> None:
    """Compression, other algorithms, weak or doubled points and doubled recipients are refused."""
    jwe = json.loads(to_bytes(SMALL))
    change(jwe)
    with pytest.raises(BadInputError, match=rule):
        parse(_compact(jwe))


@pytest.mark.parametrize("sealed", [SEALED, SMALL])
def test_sealed_content_has_one_spelling(sealed: Any) -> None:  # noqa: ANN401 - sealed content
    """Spaces, escapes, a repeated name or another order of names make other bytes, and those are refused."""
    text = to_bytes(sealed).decode()
    doubles = [
        text.replace(":", ": ", 1),
        text + " ",
        text.replace('"aad"', '"\\u0061ad"', 1),
        text.replace('{"aad"', '{"aad":"","aad"', 1),
        json.dumps(dict(sorted(json.loads(text).items(), reverse=True)), separators=(",", ":")),
    ]
    for double in doubles:
        with pytest.raises(BadInputError, match="not_canonical"):
            parse(double.encode())


def test_a_directory_has_one_spelling() -> None:
    """A document that says a name twice, or with spaces, is refused: two readers could read two of them."""
    document = directories.to_bytes(DIRECTORY)
    doubles = [
        document.replace(b'"version":3', b'"version":4,"version":3'),
        document.replace(b'"version":3', b'"version":3 '),
        document.replace(b'"version":3', b'"v\\u0065rsion":3'),
        b"\n" + document,
    ]
    for double in doubles:
        assert double != document
        with pytest.raises(DirectoryRefusedError, match="not_canonical"):
            directories.from_bytes(double)


def test_a_directory_of_an_older_version_of_the_program_is_read() -> None:
    """Fields that came later may be absent: canonical is meant of what a document says."""
    said = json.loads(directories.to_bytes(DIRECTORY))
    del said["network_keys"]
    older = json.dumps(said, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    assert directories.from_bytes(older).network_keys is None


def test_an_error_about_a_directory_repeats_no_value() -> None:
    """Names and values that do not belong in a document are not told, their place is."""
    document = directories.to_bytes(DIRECTORY)
    for hostile in (
        document.replace(b'"kind":"hotline"', b'"kind":"canary-value"', 1),
        document.replace(b'"kind":"hotline"', b'"canary-name":1,"kind":"hotline"', 1),
    ):
        with pytest.raises(DirectoryRefusedError, match=r"\$\.members") as caught:
            directories.from_bytes(hostile)
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize("name", [b"hx-signature", b"hx-key-id"])
def test_a_repeated_header_of_proof_proves_nothing(name: bytes) -> None:
    """Readers that take the first and readers that take the last would believe two things."""
    headers = [line.partition(b"=")[::2] for line in EXCHANGE_HEADERS.split(b"\n")]
    sound = [
        (key.decode(), bytes.fromhex(value.decode()) if key == b"hx-signature" else value)
        for key, value in headers
    ]
    record = Record("inbox.x", 0, 1, NOW, MESSAGE, tuple(sound))
    assert check_record(DIRECTORY, "", record) is None
    for extra in (b"", dict(headers)[name]):
        doubled = record._replace(headers=(*sound, (name.decode(), extra)))
        violation = check_record(DIRECTORY, "", doubled)
        assert violation is not None
        assert violation.rule == "repeated_header"


def test_a_point_has_one_form() -> None:
    """Two byte strings of one X25519 key would be two key ids of it, so only the canonical one is usable."""
    point = next(key.public for key in EQUIPMENT.rings["nl-police"].keys if key.use == "seal")
    assert is_usable("seal", point)
    assert not is_usable("seal", point[:31] + bytes([point[31] | 0x80]))
    for small in range(2, 19):
        assert not is_usable("seal", (PRIME + small).to_bytes(32, "little"))


def test_a_key_with_a_foreign_public_part_is_no_key() -> None:
    """A key set whose public part or id is another key's would sign or open as somebody else."""
    keys = json.loads(EQUIPMENT.rings["nl-police"].to_key_set().reveal())
    for field in ("x", "kid"):
        mixed = json.loads(json.dumps(keys))
        mixed["keys"][0][field] = mixed["keys"][1][field]
        with pytest.raises(KeyRingError):
            KeyRing.from_key_set(Secret(_compact(mixed)), "keys")

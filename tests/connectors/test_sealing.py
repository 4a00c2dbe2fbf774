import base64
import hashlib
import itertools
import json
import os
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import OKPKey

from casework.errors import BadInputError
from casework.public_keys import PublicKey, from_text, to_text
from casework.sealed_content import ALGORITHM, SealedContent, binding, parse, to_bytes
from connectors.errors import SealError, UnreadableContentError
from connectors.sealing import content_key_of, open_sealed, open_with_key, rewrap, seal
from streams.key_rings import KeyRing, PrivateKey

KEYS = tuple(PrivateKey.of("seal", bytes([number]) * 32) for number in range(1, 70))
READERS = tuple(key.entry(0) for key in KEYS)
BOUND = binding("test", "nl-offlimits", "018bcfe5-687b-7000-8000-000000000000", b"\x01" + bytes(32))
OTHER = binding("test", "nl-offlimits", "018bcfe5-687b-7000-8000-000000000001", b"\x01" + bytes(32))
CONTENT = b"https://images.example/a" * 9
ALGORITHMS = [ALGORITHM, "A256CBC-HS512"]


def jwk(key: PrivateKey, *, private: bool = True) -> OKPKey:
    """Return a key as joserfc takes it."""
    parts = {"kty": "OKP", "crv": "X25519", "x": to_text(key.public), "kid": key.id}
    return OKPKey.import_key(parts | ({"d": to_text(key.secret.reveal())} if private else {}))


def document(readers: int = 2) -> Any:  # noqa: ANN401 - JSON
    """Return sealed content as JSON."""
    return json.loads(to_bytes(seal(CONTENT, READERS[:readers], BOUND)))


def compact(value: object) -> bytes:
    """Return JSON without spaces, as the strict form wants it."""
    return json.dumps(value, separators=(",", ":")).encode()


@settings(deadline=None, max_examples=60)
@given(content=st.binary(max_size=3000), bound=st.binary(min_size=1, max_size=200), count=st.integers(1, 6))
def test_what_is_sealed_opens_for_each_reader_and_nobody_else(
    content: bytes, bound: bytes, count: int
) -> None:
    """Any content comes back for every reader, in the strict form, and stays shut for other rings."""
    sealed = parse(to_bytes(seal(content, READERS[:count], bound)))
    for key in KEYS[:count]:
        assert open_sealed(sealed, KeyRing([key]), bound) == content
    with pytest.raises(UnreadableContentError, match="not_a_recipient"):
        open_sealed(sealed, KeyRing([KEYS[count]]), bound)


def test_another_implementation_opens_what_we_seal() -> None:
    """A whole-message decryption by joserfc answers content and bound data, as RFC 7516 has them."""
    for key in KEYS[:3]:
        registry = jwe.JWERegistry(algorithms=ALGORITHMS, verify_all_recipients=False)
        opened = jwe.decrypt_json(document(3), jwk(key), registry=registry)
        assert (opened.plaintext, opened.aad[:-32]) == (CONTENT, BOUND)


def test_we_open_what_another_implementation_seals() -> None:
    """A message made by joserfc in one call opens, once it is in the strict form."""
    content_key = os.urandom(64)
    bound = BOUND + hashlib.sha256(content_key).digest()
    message = jwe.GeneralJSONEncryption({"enc": "A256CBC-HS512"}, CONTENT, aad=bound)
    for key in KEYS[:2]:
        message.add_recipient({"alg": ALGORITHM, "kid": key.id}, jwk(key, private=False))
    with mock.patch("joserfc._rfc7516.models.secrets.token_bytes", lambda size: content_key[:size]):
        made = jwe.encrypt_json(message, None, algorithms=ALGORITHMS)
    sealed = parse(to_bytes(msgspec.convert(made, SealedContent)))
    assert open_sealed(sealed, KeyRing(KEYS[1:2]), BOUND) == CONTENT


def test_readers_are_appended_and_nothing_else_changes() -> None:
    """A re-wrap opens for the new readers; digest, ciphertext, binding and old readers stay."""
    sealed = seal(CONTENT, READERS[:2], BOUND)
    wider = parse(to_bytes(rewrap(sealed, KeyRing(KEYS[1:2]), READERS[1:4])))
    assert open_sealed(wider, KeyRing(KEYS[3:4]), BOUND) == CONTENT
    assert wider.digest == sealed.digest
    assert wider.recipients[:2] == sealed.recipients
    assert msgspec.structs.replace(wider, recipients=sealed.recipients) == sealed
    assert rewrap(sealed, KeyRing(), READERS[:2]) is sealed


def test_only_a_reader_can_append_readers() -> None:
    """A ring that opens nothing, or content that was changed, gets no new readers."""
    sealed = seal(CONTENT, READERS[:2], BOUND)
    with pytest.raises(UnreadableContentError, match="not_a_recipient"):
        rewrap(sealed, KeyRing(KEYS[5:6]), READERS[5:6])
    with pytest.raises(UnreadableContentError, match="altered"):
        rewrap(msgspec.structs.replace(sealed, tag=to_text(bytes(32))), KeyRing(KEYS[:1]), READERS[5:6])


@pytest.mark.parametrize(
    ("readers", "expected"),
    [
        ((), "nobody"),
        (READERS[:65], "at most 64"),
        ((READERS[0], READERS[0]), "twice"),
        ((PrivateKey.of("sign", bytes(32)).entry(0),), "not for sealing"),
        ((PublicKey("weak", "seal", to_text(bytes(32)), 0),), "cannot be sealed"),
    ],
)
def test_a_wrong_list_of_readers_is_refused(readers: tuple[PublicKey, ...], expected: str) -> None:
    """None, too many, a double, a key for signing and a weak point are errors, never a shorter list."""
    with pytest.raises(SealError, match=expected):
        seal(CONTENT, readers, BOUND)


def test_content_is_always_bound_to_something() -> None:
    """Content that belongs to nothing in particular is not made."""
    with pytest.raises(SealError, match="bound to nothing"):
        seal(CONTENT, READERS[:1], b"")


def test_content_of_another_submission_does_not_open() -> None:
    """Content moved to another event is refused, whether its bound data is kept or written anew."""
    sealed = seal(CONTENT, READERS[:1], OTHER)
    with pytest.raises(UnreadableContentError, match="wrong_binding"):
        open_sealed(sealed, KeyRing(KEYS[:1]), BOUND)
    moved = msgspec.structs.replace(sealed, aad=to_text(BOUND + sealed.key_commitment))
    with pytest.raises(UnreadableContentError, match="altered"):
        open_sealed(moved, KeyRing(KEYS[:1]), BOUND)


def test_no_second_content_key_opens_it() -> None:
    """A second key that the cipher itself takes, with the same half for the tag, is refused."""
    sealed = seal(CONTENT, READERS[:1], BOUND)
    key = content_key_of(sealed, KeyRing(KEYS[:1])).reveal()
    cipher = jwe.JWERegistry(algorithms=ALGORITHMS).get_enc("A256CBC-HS512")
    parts = [from_text(text) for text in (sealed.ciphertext, sealed.tag, sealed.iv)]
    bound = f"{sealed.protected}.{sealed.aad}".encode()
    for number in itertools.count():
        other = key[:32] + number.to_bytes(32, "big")
        try:
            cipher.decrypt(parts[0], parts[1], other, parts[2], bound)
        except ValueError:
            continue
        break
    with pytest.raises(UnreadableContentError, match="wrong_content_key"):
        open_with_key(sealed, other)


PLACES = {
    **{name: name for name in ("protected", "iv", "aad", "ciphertext", "tag")},
    "encrypted_key": "recipients.0.encrypted_key",
    "epk": "recipients.0.header.epk.x",
    "kid": "recipients.0.header.kid",
}


def place_of(whole: Any, path: str) -> tuple[Any, str]:  # noqa: ANN401 - JSON
    """Return the part of a JSON document that a path leads to, and the last name in it."""
    *parts, last = path.split(".")
    for part in parts:
        whole = whole[int(part) if part.isdigit() else part]
    return whole, last


@pytest.mark.parametrize("field", PLACES)
def test_one_bit_changed_anywhere_is_noticed(field: str) -> None:
    """Every bit of every field: it is refused by form, by digest, or does not open; content never differs."""
    whole = document(1)
    original = parse(compact(whole))
    ring = KeyRing(KEYS[:1])
    part, name = place_of(whole, PLACES[field])
    text = part[name]
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        part[name] = to_text(bytes(changed))
        try:
            sealed = parse(compact(whole))
        except BadInputError:
            continue
        if field in {"iv", "aad", "ciphertext", "tag"}:
            assert sealed.digest != original.digest
        try:
            content = open_sealed(sealed, ring, None)
        except UnreadableContentError:
            continue
        # X25519 ignores the highest bit of a point (RFC 7748 5): the only change that means the same.
        assert (field, bit, content) == ("epk", 255, CONTENT)


def changed(path: str, value: object) -> bytes:
    """Return sealed content with one value replaced or added."""
    whole = document()
    part, name = place_of(whole, path)
    part[name] = value
    return compact(whole)


def protected(**header: str) -> str:
    """Return a protected header."""
    return to_text(compact(header))


EPK = "recipients.0.header.epk"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(changed("protected", protected(enc="A256CBC-HS512", zip="DEF")), id="zip"),
        pytest.param(changed("protected", protected(enc="A256GCM")), id="gcm"),
        pytest.param(changed("protected", protected(enc="A128CBC-HS256")), id="shorter"),
        pytest.param(changed("protected", protected(enc="A256CBC-HS512", crit="b64")), id="crit"),
        pytest.param(changed("unprotected", {"alg": "dir"}), id="unprotected"),
        *(
            pytest.param(changed("recipients.0.header.alg", name), id=name)
            for name in ("dir", "none", "A128KW", "A256KW", "RSA-OAEP", "ECDH-ES", "ECDH-ES+A128KW", "")
        ),
        pytest.param(changed(EPK, {"crv": "P-256", "kty": "EC", "x": "A" * 43}), id="P-256"),
        pytest.param(changed(EPK, {"crv": "X448", "kty": "OKP", "x": "A" * 75}), id="X448"),
        pytest.param(changed(f"{EPK}.x", to_text(bytes(32))), id="zero"),
        pytest.param(changed(f"{EPK}.x", to_text(b"\1" + bytes(31))), id="one"),
        pytest.param(changed(f"{EPK}.x", to_text(b"\1" + bytes(30) + b"\x80")), id="one with the top bit"),
        pytest.param(changed(f"{EPK}.d", "A" * 43), id="private part"),
        pytest.param(changed("recipients.0.header.apu", "QQ"), id="apu"),
        pytest.param(changed("recipients.0.header.kid", KEYS[1].id), id="double kid"),
        pytest.param(changed("recipients.0.header.kid", "short"), id="short kid"),
        pytest.param(changed("recipients", document(2)["recipients"] * 33), id="66 recipients"),
        pytest.param(changed("recipients", []), id="no recipients"),
        pytest.param(json.dumps(document()).encode(), id="spaces"),
        pytest.param(compact(document())[:-1] + b',"tag":""}', id="double name"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"", id="empty"),
    ],
)
def test_another_form_is_refused_before_anything_is_opened(content: bytes) -> None:
    """Other algorithms, curves, weak points, compression, extra names and long lists never reach a key."""
    with pytest.raises(BadInputError):
        parse(content)


def test_sixty_five_recipients_are_refused() -> None:
    """The 64th recipient is taken and the 65th is not."""
    sealed = seal(CONTENT, READERS[:64], BOUND)
    assert parse(to_bytes(sealed)) == sealed
    more = seal(CONTENT, READERS[64:65], BOUND).recipients
    with pytest.raises(BadInputError, match="wrong_recipients"):
        parse(to_bytes(msgspec.structs.replace(sealed, recipients=sealed.recipients + more)))
    with pytest.raises(SealError, match="at most 64"):
        rewrap(sealed, KeyRing(KEYS[:1]), READERS[64:65])


def test_a_broken_entry_does_not_shut_out_another_key_of_the_ring() -> None:
    """A ring with two listed keys opens content whose first entry for it was spoiled by the sender."""
    sealed = seal(CONTENT, READERS[:2], BOUND)
    first, second = sealed.recipients
    spoiled = msgspec.structs.replace(first, encrypted_key=second.encrypted_key)
    there = msgspec.structs.replace(sealed, recipients=(spoiled, second))
    assert open_sealed(there, KeyRing(KEYS[:2]), BOUND) == CONTENT
    with pytest.raises(UnreadableContentError, match="altered"):
        open_sealed(there, KeyRing(KEYS[:1]), BOUND)


def test_errors_show_neither_content_nor_keys() -> None:
    """What a failed opening says names field and rule only."""
    with pytest.raises(UnreadableContentError) as caught:
        open_sealed(seal(CONTENT, READERS[:1], BOUND), KeyRing(KEYS[1:2]), BOUND)
    assert str(caught.value) == "content: sealed for a key of this ring (not_a_recipient)"

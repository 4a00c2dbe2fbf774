import hypothesis.strategies as st
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from joserfc.jwk import OKPKey
from msgspec.structs import replace
from nacl import bindings

from casework.public_keys import (
    _LOW_ORDER,
    KeyUse,
    PublicKey,
    check_key,
    from_text,
    is_usable,
    public_key,
    thumbprint,
    to_text,
)

SEEDS = st.binary(min_size=32, max_size=32)


def key_of(use: KeyUse, seed: bytes = bytes(range(32))) -> PublicKey:
    """Answer a key that counts from second 1 on."""
    private = Ed25519PrivateKey if use == "sign" else X25519PrivateKey
    return public_key(use, private.from_private_bytes(seed).public_key().public_bytes_raw(), 1000)


def test_the_published_thumbprint_comes_out() -> None:
    """The id of the key of RFC 8037 A.3 is the thumbprint printed there."""
    raw = from_text("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert thumbprint("sign", raw) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize(("use", "curve"), [("sign", "Ed25519"), ("seal", "X25519")])
def test_an_id_is_what_another_implementation_makes(use: KeyUse, curve: str) -> None:
    """Another library (joserfc) computes the same thumbprint for a key of either use."""
    key = key_of(use)
    other = OKPKey.import_key({"kty": "OKP", "crv": curve, "x": key.public})
    assert key.id == other.thumbprint()


@given(SEEDS)
def test_real_keys_break_no_rule(seed: bytes) -> None:
    """Any key that a library makes is taken, for both uses."""
    assert check_key("k", key_of("sign", seed)) is None
    assert check_key("k", key_of("seal", seed)) is None


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"public": "short"}, "malformed"),
        ({"public": "A" * 42 + "B"}, "malformed"),
        ({"id": "A" * 43}, "not_its_thumbprint"),
        ({"use": "seal"}, "not_its_thumbprint"),
        ({"valid_until": 1000}, "out_of_range"),
    ],
)
def test_an_entry_that_lies_is_named(changes: dict[str, str], rule: str) -> None:
    """Form, id, use and times of an entry are checked, each by its own rule."""
    violation = check_key("keys[0]", replace(key_of("sign"), **changes))
    assert violation is not None
    assert violation.rule == rule


def test_weak_points_are_refused() -> None:
    """Exactly the points with which an agreed secret is zero are refused, as libsodium finds them."""
    for raw in _LOW_ORDER:
        with pytest.raises(RuntimeError):
            bindings.crypto_scalarmult(bytes(31) + b"\x40", raw)
        for high_bit in (0, 0x80):
            weak = raw[:31] + bytes([raw[31] | high_bit])
            assert not is_usable("seal", weak)
            assert check_key("k", public_key("seal", weak, 0)) is not None
        with pytest.raises(ValueError, match="shared key"):
            X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(raw))
    assert not is_usable("sign", bytes(32))
    assert not is_usable("sign", b"\x01" + bytes(31))


def test_a_key_counts_within_its_times() -> None:
    """Not before, not from its end on, and never from its revocation on; the reason is named."""
    key = replace(key_of("sign"), valid_until=2000)
    found = [key.fault_at(at) for at in (999, 1000, 1999, 2000)]
    assert found == ["key_not_yet_valid", None, None, "key_expired"]
    revoked = replace(key, revoked_at=1500)
    assert [revoked.fault_at(at) for at in (1499, 1500, 3000)] == [None, "key_revoked", "key_revoked"]


@given(st.binary(max_size=70))
def test_base64url_is_read_back(raw: bytes) -> None:
    """Bytes survive their text form, which has no padding."""
    assert from_text(to_text(raw)) == raw
    assert "=" not in to_text(raw)

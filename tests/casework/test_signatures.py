import hypothesis.strategies as st
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from msgspec.structs import replace

from casework.directory import Directory
from casework.dsse import signed_statement
from casework.public_keys import public_key
from casework.signatures import UNPROVEN, check_signature, is_signed

NL = Ed25519PrivateKey.from_private_bytes(bytes(32))
GB = Ed25519PrivateKey.from_private_bytes(b"g" * 32)
MESSAGE = signed_statement("report", b"a statement")
NL_KEY = public_key("sign", NL.public_key().public_bytes_raw(), 1000, 5000)
GB_KEY = public_key("sign", GB.public_key().public_bytes_raw(), 0)
SEAL_KEY = public_key("seal", X25519PrivateKey.generate().public_key().public_bytes_raw(), 0)


@pytest.fixture
def signed_network(network: Directory) -> Directory:
    """Answer a directory that requires signatures, with keys of two hotlines."""
    keys = {"nl-offlimits": (NL_KEY, SEAL_KEY), "gb-iwf": (GB_KEY,)}
    members = tuple(replace(member, keys=keys.get(member.id, ())) for member in network.members)
    return replace(network, members=members, protection="required")


def rule_of(directory: Directory, **changes: object) -> str | None:
    """Answer the rule that a signature by nl-offlimits breaks after these changes."""
    given_: dict[str, object] = {
        "message": MESSAGE,
        "signature": NL.sign(MESSAGE),
        "key_id": NL_KEY.id,
        "signed_at": 2000,
    }
    violation = check_signature(directory, "nl-offlimits", **{**given_, **changes})  # type: ignore[arg-type]
    return None if violation is None else violation.rule


def test_the_owner_of_a_valid_key_is_believed(signed_network: Directory) -> None:
    """A signature by a member's own key within its times breaks no rule."""
    assert rule_of(signed_network) is None


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"signature": None, "key_id": None}, "signature_missing"),
        ({"signature": None}, "not_a_signature"),
        ({"signature": b"short"}, "not_a_signature"),
        ({"key_id": None}, "unknown_key"),
        ({"key_id": "A" * 43}, "unknown_key"),
        ({"key_id": SEAL_KEY.id}, "wrong_key_use"),
        ({"key_id": GB_KEY.id, "signature": GB.sign(MESSAGE)}, "foreign_key"),
        ({"signature": GB.sign(MESSAGE)}, "signature_mismatch"),
        ({"message": signed_statement("action", b"a statement")}, "signature_mismatch"),
        ({"signed_at": 999}, "key_not_yet_valid"),
        ({"signed_at": 5000}, "key_expired"),
    ],
)
def test_every_forgery_is_named(signed_network: Directory, changes: dict[str, object], rule: str) -> None:
    """Missing, foreign, altered, retyped and out-of-time signatures are each refused by their own rule."""
    assert rule_of(signed_network, **changes) == rule


def test_a_revoked_key_proves_nothing_from_then_on(signed_network: Directory) -> None:
    """What the broker took before the revocation stays proven, everything later does not."""
    members = tuple(
        replace(m, keys=tuple(replace(k, revoked_at=3000) for k in m.keys)) for m in signed_network.members
    )
    directory = replace(signed_network, members=members)
    assert rule_of(directory, signed_at=2999) is None
    assert rule_of(directory, signed_at=3000) == "key_revoked"
    assert "key_revoked" in UNPROVEN


def test_where_signatures_are_optional_only_their_absence_is_excused(signed_network: Directory) -> None:
    """An unsigned message passes where the directory asks for none; a wrong signature never does."""
    directory = replace(signed_network, protection="optional")
    assert rule_of(directory, signature=None, key_id=None) is None
    assert rule_of(directory, signature=GB.sign(MESSAGE)) == "signature_mismatch"
    assert rule_of(directory, signature=None) == "not_a_signature"


@given(st.integers(0, (64 + len(MESSAGE)) * 8 - 1))
def test_no_bit_may_change(bit: int) -> None:
    """A signature does not survive the change of any single bit of itself or of what it covers."""
    whole = bytearray(NL.sign(MESSAGE) + MESSAGE)
    whole[bit // 8] ^= 1 << bit % 8
    assert not is_signed(NL_KEY.raw, bytes(whole[:64]), bytes(whole[64:]))


def test_keys_are_part_of_the_document(signed_network: Directory) -> None:
    """Keys survive the way through the document's bytes."""
    again = msgspec.json.decode(msgspec.json.encode(signed_network), type=Directory)
    assert again.keys_by_id[NL_KEY.id] == ("nl-offlimits", NL_KEY)

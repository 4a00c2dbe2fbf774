import json
from pathlib import Path

import pytest
from joserfc.jwk import KeySet
from msgspec.structs import replace

from casework.directory import EXCHANGE, Directory
from casework.public_keys import from_text
from casework.signatures import is_signed
from operations.directory.document import build
from streams.key_rings import KeyRing, KeyRingError, PrivateKey
from streams.secret_sources import Secret

SEED = from_text("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
OLD, NEW, SEAL = PrivateKey.of("sign", SEED), PrivateKey.new("sign"), PrivateKey.new("seal")


def directory_with(*keys: PrivateKey, owner: str = "nl-offlimits") -> Directory:
    """Answer a directory that lists these keys of an owner, each valid a second later than the one before."""
    bare = build(environment="test", published_at=0, candidates="admit")
    entries = tuple(key.entry(1000 * number) for number, key in enumerate(keys))
    if owner == EXCHANGE:
        return replace(bare, exchange_keys=entries)
    return replace(
        bare, members=tuple(replace(m, keys=entries if m.id == owner else ()) for m in bare.members)
    )


def test_a_ring_is_a_key_set_that_other_libraries_read() -> None:
    """What is written is read back, and joserfc finds the same keys in it."""
    ring = KeyRing([OLD, SEAL])
    written = ring.to_key_set()
    assert KeyRing.from_key_set(written, "keys").keys == ring.keys
    others = KeySet.import_key_set(json.loads(written.reveal()))
    assert [key.thumbprint() for key in others.keys] == [OLD.id, SEAL.id]


def test_the_published_key_comes_out() -> None:
    """The private key of RFC 8037 A.1 has the public key and the thumbprint printed there."""
    assert OLD.public == from_text("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert OLD.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("owner", ["nl-offlimits", EXCHANGE])
def test_the_directory_says_which_key_signs(owner: str) -> None:
    """The newest valid key that is in the ring signs; one that is not valid yet or not held does not."""
    directory = directory_with(OLD, NEW, PrivateKey.new("sign"), owner=owner)
    ring = KeyRing([OLD, NEW, SEAL])
    assert ring.signer(directory, owner, 500).key_id == OLD.id
    assert ring.signer(directory, owner, 1500).key_id == NEW.id
    assert ring.signer(directory, owner, 9999).key_id == NEW.id
    assert is_signed(NEW.public, ring.signer(directory, owner, 1500).sign(b"message"), b"message")


def test_a_ring_without_a_key_that_counts_is_told() -> None:
    """A key that the directory does not list signs nothing, and the error names owner and version only."""
    with pytest.raises(KeyRingError, match="nl-offlimits now by directory version 1"):
        KeyRing([OLD]).signer(directory_with(NEW), "nl-offlimits", 500)


@pytest.mark.parametrize(
    "key_set",
    [
        b"",
        b"[]",
        b'{"keys": 1}',
        b'{"keys": [{"kty": "RSA"}]}',
        b'{"keys": [{"kty": "OKP", "crv": "P-256", "x": "", "d": ""}]}',
        KeyRing([OLD]).to_key_set().reveal().replace(b'"d": "n', b'"d": "m'),
        KeyRing([OLD]).to_key_set().reveal().replace(b"kPrK", b"kPrL"),
        b"[" * 100_000,
    ],
)
def test_what_is_no_ring_is_refused_without_a_trace_of_it(key_set: bytes) -> None:
    """Anything else than whole keys with their own ids is refused, and nothing of it is in the error."""
    with pytest.raises(KeyRingError) as caught:
        KeyRing.from_key_set(Secret(key_set), "signing_key")
    assert str(caught.value) == "signing_key: expected a JSON Web Key Set with Ed25519 and X25519 keys"
    assert caught.value.__cause__ is None


def test_a_ring_is_read_from_a_file_of_its_owner(tmp_path: Path) -> None:
    """The address of a key set with mode 0600 gives the ring."""
    path = tmp_path / "keys.json"
    path.write_bytes(KeyRing([OLD]).to_key_set().reveal())
    path.chmod(0o600)
    assert KeyRing.read(f"file:{path}", "keys").key(OLD.id) == OLD
    assert "kPrK" not in repr(KeyRing([OLD]))

"""Private keys of one owner, as a JSON Web Key Set at a secret address: those that sign and those that open.

One ring holds all keys of its owner, old ones too, because content sealed to a former key must stay readable
until its case closes. Which of them counts now is not written in the ring: the directory says it.
"""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

import msgspec
from nacl import bindings

from casework.directory import EXCHANGE, Directory
from casework.errors import SetupError
from casework.public_keys import KEY_BYTES, KeyUse, PublicKey, from_text, public_key, thumbprint, to_text
from streams.secret_sources import Secret, read_secret

_CURVES: Final[Mapping[KeyUse, str]] = {"sign": "Ed25519", "seal": "X25519"}
_USES: Final[Mapping[str, KeyUse]] = {"Ed25519": "sign", "X25519": "seal"}


class KeyRingError(SetupError):
    """The ring cannot be read, or holds no key that counts; no part of a key is repeated."""


class PrivateKey(msgspec.Struct, frozen=True):
    """One key pair.

    Attributes:
        id: Its id, as in the directory.
        use: `sign` or `seal`.
        public: 32 bytes.
        secret: 32 bytes: the seed of an Ed25519 key, the scalar of an X25519 key.
    """

    id: str
    use: KeyUse
    public: bytes
    secret: Secret

    @classmethod
    def new(cls, use: KeyUse) -> Self:
        """Make a key pair from the machine's random numbers."""
        return cls.of(use, os.urandom(KEY_BYTES))

    @classmethod
    def of(cls, use: KeyUse, secret: bytes) -> Self:
        """Answer the key pair of a secret of 32 bytes."""
        if use == "sign":
            public, _ = bindings.crypto_sign_seed_keypair(secret)
        else:
            public = bindings.crypto_scalarmult_base(secret)
        return cls(thumbprint(use, public), use, public, Secret(secret))

    def entry(self, valid_from: int, valid_until: int | None = None) -> PublicKey:
        """Answer the entry for the directory; times in milliseconds since the epoch, UTC."""
        return public_key(self.use, self.public, valid_from, valid_until)


class Signer:
    """Signs messages as one key; the same message always gets the same signature (RFC 8032)."""

    def __init__(self, key: PrivateKey) -> None:
        self.key_id = key.id
        _, self._secret = bindings.crypto_sign_seed_keypair(key.secret.reveal())

    def sign(self, message: bytes) -> bytes:
        """Answer the signature of a message, 64 bytes; `dsse.pae` makes messages."""
        return bindings.crypto_sign(message, self._secret)[: bindings.crypto_sign_BYTES]


class KeyRing:
    """The private keys of one owner.

    Args:
        keys: Its keys.
    """

    def __init__(self, keys: Iterable[PrivateKey] = ()) -> None:
        self._keys = {key.id: key for key in keys}
        self._signers: dict[str, Signer] = {}

    @classmethod
    def read(cls, address: str, what: str) -> Self:
        """Read the ring at a secret address (see `secret_sources`); `what` names it in errors.

        Raises:
            SecretSourceError: There is nothing to be read at the address.
            KeyRingError: It is no key set of ours.
        """
        return cls.from_key_set(read_secret(address, what), what)

    @classmethod
    def from_key_set(cls, key_set: Secret, what: str) -> Self:
        """Answer the ring in a JSON Web Key Set (RFC 7517 5, RFC 8037).

        Raises:
            KeyRingError: It is none, or a key in it is not a whole Ed25519 or X25519 key.
        """
        try:
            keys = json.loads(key_set.reveal())["keys"]
            return cls([_from_jwk(key) for key in keys])
        except (ValueError, TypeError, KeyError, RecursionError):
            # From None: the cause would repeat parts of the secret.
            raise KeyRingError(f"{what}: expected a JSON Web Key Set with Ed25519 and X25519 keys") from None

    def to_key_set(self) -> Secret:
        """Answer the ring as a JSON Web Key Set, one line a key."""
        lines = ",\n".join(json.dumps(_jwk(key)) for key in self._keys.values())
        return Secret(f'{{"keys": [\n{lines}\n]}}\n'.encode())

    @property
    def keys(self) -> tuple[PrivateKey, ...]:
        """All keys, in the order of the ring."""
        return tuple(self._keys.values())

    def key(self, key_id: str) -> PrivateKey | None:
        """Answer the key of an id, or None when it is not in the ring."""
        return self._keys.get(key_id)

    def with_keys(self, keys: Iterable[PrivateKey]) -> "KeyRing":
        """Answer a ring with further keys."""
        return KeyRing((*self.keys, *keys))

    def signer(self, directory: Directory, owner: str, at: int) -> Signer:
        """Answer the newest key of the ring by which its owner may sign now.

        Args:
            directory: The version that lists the keys.
            owner: Member id, or `directory.EXCHANGE`.
            at: Real time; milliseconds since the epoch, UTC.

        Raises:
            KeyRingError: The directory lists no key of this ring for the owner that counts now.
        """
        listed = directory.exchange_keys if owner == EXCHANGE else directory.member(owner).keys
        usable = [key for key in listed if key.use == "sign" and key.id in self._keys and key.is_valid_at(at)]
        if not usable:
            raise KeyRingError(
                f"no key of the ring may sign for {owner} now by directory version {directory.version}"
            )
        newest = max(usable, key=lambda key: (key.valid_from, key.id)).id
        if newest not in self._signers:
            self._signers[newest] = Signer(self._keys[newest])
        return self._signers[newest]

    def __repr__(self) -> str:
        return f"KeyRing({len(self._keys)} keys)"


def _from_jwk(jwk: Mapping[str, Any]) -> PrivateKey:
    if jwk["kty"] != "OKP":
        raise ValueError("kty")
    secret = from_text(jwk["d"])
    if len(secret) != KEY_BYTES:
        raise ValueError("d")
    key = PrivateKey.of(_USES[jwk["crv"]], secret)
    if to_text(key.public) != jwk["x"] or jwk.get("kid", key.id) != key.id:
        raise ValueError("x")
    return key


def _jwk(key: PrivateKey) -> dict[str, str]:
    return {
        "kty": "OKP",
        "crv": _CURVES[key.use],
        "x": to_text(key.public),
        "d": to_text(key.secret.reveal()),
        "kid": key.id,
        "use": "sig" if key.use == "sign" else "enc",
    }

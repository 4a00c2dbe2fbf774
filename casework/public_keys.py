"""The public keys of members and of the exchange, as the directory lists them.

A key's id is computed from the key itself (RFC 7638), so no two keys can share an id and nobody chooses one.
Signing keys are Ed25519, sealing keys X25519 (RFC 8037); a key has one use, and times within which it counts.
All times are real time: signatures are judged at the broker's time of the append, never at a worker's.
"""

import base64
import hashlib
import re
from typing import Final, Literal

import msgspec
from nacl import bindings

from casework.errors import RuleViolation

KeyUse = Literal["sign", "seal"]

KEY_BYTES: Final = 32
KEY_ID_CHARACTERS: Final = 43
_CURVES: Final = {"sign": "Ed25519", "seal": "X25519"}
_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_PRIME: Final = 2**255 - 19
_HIGHEST_BIT: Final = 0x80
# The points of order 1, 2, 4 and 8 on Curve25519 and its twist, with those above the prime that mean the same
# (RFC 7748 7; D. J. Bernstein, "Curve25519", validation): every secret agreed with one is known to all.
_LOW_ORDER: Final = tuple(
    number.to_bytes(32, "little")
    for number in (
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        2**255 - 20,
        2**255 - 19,
        2**255 - 18,
    )
)
# RFC 7748 5 takes these as well, and then two keys of different ids would be the same key.
_FROM_THE_PRIME_ON: Final = tuple(number.to_bytes(32, "little") for number in range(_PRIME, 2**255))
# The highest bit of a point means nothing there.
WEAK_SEALING_KEYS: Final = frozenset(
    raw[:31] + bytes([raw[31] | bit])
    for raw in (*_LOW_ORDER, *_FROM_THE_PRIME_ON)
    for bit in (0, _HIGHEST_BIT)
)


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key of a member.

    Attributes:
        id: JWK thumbprint of the key, SHA-256, in base64url (RFC 7638); 43 characters.
        use: `sign` (Ed25519) or `seal` (X25519).
        public: The public key, 32 bytes in base64url without padding.
        valid_from: Milliseconds since the epoch, UTC, real time.
        valid_until: When it stops counting; None while no successor is named.
        revoked_at: From when on nothing by it is believed, because its private part may be known to others;
            what it signed before stays proven.
    """

    id: str
    use: KeyUse
    public: str
    valid_from: int
    valid_until: int | None = None
    revoked_at: int | None = None

    @property
    def raw(self) -> bytes:
        """The 32 bytes of the key."""
        return from_text(self.public)

    def is_valid_at(self, at: int) -> bool:
        """Answer whether the key counts at a moment, in milliseconds since the epoch, UTC."""
        return self.fault_at(at) is None

    def fault_at(self, at: int) -> str | None:
        """Answer why the key does not count at a moment: the rule's name, or None when it does."""
        if self.revoked_at is not None and at >= self.revoked_at:
            return "key_revoked"
        if self.valid_until is not None and at >= self.valid_until:
            return "key_expired"
        return "key_not_yet_valid" if at < self.valid_from else None


def public_key(use: KeyUse, raw: bytes, valid_from: int, valid_until: int | None = None) -> PublicKey:
    """Answer the entry of a key; times in milliseconds since the epoch, UTC."""
    return PublicKey(thumbprint(use, raw), use, to_text(raw), valid_from, valid_until)


def thumbprint(use: KeyUse, raw: bytes) -> str:
    """Answer the id of a key: SHA-256 of its required members, as JSON in lexical order (RFC 7638 3)."""
    document = f'{{"crv":"{_CURVES[use]}","kty":"OKP","x":"{to_text(raw)}"}}'
    return to_text(hashlib.sha256(document.encode()).digest())


def check_key(path: str, key: PublicKey) -> RuleViolation | None:
    """Answer the first rule that an entry breaks, or None: form, id, curve point, times."""
    if not _TEXT.fullmatch(key.public) or to_text(from_text(key.public)) != key.public:
        return RuleViolation(f"{path}.public", "malformed", f"{KEY_BYTES} bytes in base64url without padding")
    if key.id != thumbprint(key.use, key.raw):
        return RuleViolation(f"{path}.id", "not_its_thumbprint", "the JWK thumbprint of the key (RFC 7638)")
    if not is_usable(key.use, key.raw):
        return RuleViolation(f"{path}.public", "weak_key", f"a point of full order on {_CURVES[key.use]}")
    if key.valid_until is not None and key.valid_until <= key.valid_from:
        return RuleViolation(f"{path}.valid_until", "out_of_range", "after valid_from")
    return None


def is_usable(use: KeyUse, raw: bytes) -> bool:
    """Answer whether secrets may rest on a point: on the curve, not of low order, and in its one form."""
    if use == "sign":
        return bool(bindings.crypto_core_ed25519_is_valid_point(raw))
    return raw[-1] < _HIGHEST_BIT and raw not in WEAK_SEALING_KEYS


def to_text(raw: bytes) -> str:
    """Answer bytes in base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """Answer the bytes of a base64url text without padding.

    Raises:
        ValueError: It is none.
    """
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

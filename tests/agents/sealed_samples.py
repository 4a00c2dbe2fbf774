"""Content in the form of sealed content that nobody can open, for tests of rules that never open any."""

import hashlib
from collections.abc import Iterable

from casework.public_keys import PublicKey, public_key, to_text
from casework.sealed_content import (
    ALGORITHM,
    PROTECTED,
    EphemeralKey,
    Recipient,
    RecipientHeader,
    SealedContent,
)


def sealing_key_of(member: str) -> PublicKey:
    """Answer a member's sealing key, always the same, whose private part nobody has."""
    return public_key("seal", _point(hashlib.sha256(member.encode()).digest()), 0)


def sealed_for(readers: Iterable[str], bound: bytes) -> SealedContent:
    """Answer content that is bound to something and wrapped for members; the same for the same."""
    body = hashlib.sha256(bound).digest()
    epk = EphemeralKey("X25519", "OKP", to_text(_point(body)))
    headers = [RecipientHeader(ALGORITHM, epk, sealing_key_of(reader).id) for reader in readers]
    return SealedContent(
        aad=to_text(bound + body),
        ciphertext=to_text(body),
        iv=to_text(body[:16]),
        protected=PROTECTED,
        recipients=tuple(Recipient(to_text(bytes(72)), header) for header in headers),
        tag=to_text(body),
    )


def _point(raw: bytes) -> bytes:
    """Answer bytes in the form of a point of X25519: the highest bit is not set."""
    return raw[:31] + bytes([raw[31] & 0x7F])

"""Identifiers: time-ordered ones for what members send, derived ones for what the exchange makes of it.

A derived id is a function of what caused the message and who gets it, never of where or when it is made. A
worker that repeats a decision after a crash therefore sends the same ids, and a reader drops the second copy.
"""

import hashlib
from typing import Final

RANDOM_BYTES: Final = 10
"""Randomness of an event id: RFC 9562 leaves 74 bits beside time, version and variant."""

SHOWN_ID: Final = 64
"""Characters of a sender's event id that a refusal repeats; a sound one has 36."""

_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""A hexadecimal digit with its two leading bits set to the variant of RFC 9562."""


def new_event_id(now_ms: int, randomness: bytes) -> str:
    """Answer a UUIDv7 in lower-case text form.

    Args:
        now_ms: Milliseconds since the epoch, UTC.
        randomness: RANDOM_BYTES bytes from a secure source.

    Raises:
        ValueError: The time does not fit 48 bits, or there are more or fewer random bytes.
    """
    if not 0 <= now_ms < 1 << 48:
        raise ValueError("now_ms must fit 48 bits")
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"randomness must be {RANDOM_BYTES} bytes")
    return _text(f"{now_ms:012x}{randomness.hex()}", "7")


def derived_id(input_id: str, kind: str, recipient: str) -> str:
    """Answer the UUIDv8 of SHA-256 over the three texts, one a line, in lower-case text form.

    Args:
        input_id: Id of what caused it.
        kind: What it is, such as `receipt` or `escalation.tor`.
        recipient: Who gets it; a member id, a topic code or a case id.
    """
    return _text(hashlib.sha256(f"{input_id}\n{kind}\n{recipient}".encode()).hexdigest(), "8")


def derived_id_for_url(input_id: str, kind: str, recipient: str, url_key: bytes) -> str:
    """Answer the derived id of what a submission caused for one url key.

    A sender that gives several of its reports one event id, say that of their complaint, must not have the
    answers and escalations of all but the first taken for copies; the url key keeps them apart.
    """
    return derived_id(input_id, f"{kind}.{url_key.hex()}", recipient)


def id_bytes(event_id: str) -> bytes:
    """Answer the 16 bytes of an id in text form."""
    return bytes.fromhex(event_id.replace("-", ""))


def id_text(event_id: bytes) -> str:
    """Answer the text form of the 16 bytes of an id; reverse of `id_bytes`."""
    digits = event_id.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _text(digits: str, version: str) -> str:
    """Answer the first 32 hexadecimal digits as a UUID of a version."""
    return (
        f"{digits[:8]}-{digits[8:12]}-{version}{digits[13:16]}"
        f"-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"
    )

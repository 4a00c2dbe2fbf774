"""The url key: which place a report is about, without saying where that place is.

A plain hash of an address could be looked up in a list of known addresses by anybody who reads a topic, so
the hash is keyed with a secret that only members hold. The first byte names the version of the key, so that
the network can change its secret: during a change a report carries the keys of both versions.
"""

import hmac
from typing import Final

from casework.errors import BadInputError, RuleViolation, SetupError

URL_KEY_BYTES: Final = 33
# HMAC-SHA256 gains nothing from longer secrets and loses strength below its output size (RFC 2104, 3).
MIN_NETWORK_KEY_BYTES: Final = 32
MAX_VERSION: Final = 255


def url_key(canonical: str, network_key: bytes, version: int = 1) -> bytes:
    """Answer the key of an address: the version byte, then HMAC-SHA256 of the canonical form in UTF-8.

    Args:
        canonical: What `urls.canonical_url` answered.
        network_key: The network's secret of that version.
        version: 1 to 255.

    Raises:
        SetupError: The secret is shorter than 32 bytes or the version is out of range.
    """
    if len(network_key) < MIN_NETWORK_KEY_BYTES:
        raise SetupError(f"network_key: must be at least {MIN_NETWORK_KEY_BYTES} bytes")
    if not 1 <= version <= MAX_VERSION:
        raise SetupError(f"network_key version: must be 1 to {MAX_VERSION}")
    return bytes([version]) + hmac.digest(network_key, canonical.encode(), "sha256")


def url_key_position(key: bytes) -> int:
    """Answer the number that partitions and slots are taken from: bytes 1 to 8, big-endian."""
    return int.from_bytes(key[1:9], "big")


def url_key_text(key: bytes) -> str:
    """Answer the key as 66 lower-case hexadecimal digits, for people and command lines."""
    return key.hex()


def url_key_from_text(text: str, field: str = "url_key") -> bytes:
    """Read a key from its hexadecimal form.

    Raises:
        BadInputError: The text is not 66 hexadecimal digits that begin with a version from 1.
    """
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    violation = check_url_key(key, field)
    if violation is not None:
        raise BadInputError(violation)
    return key


def check_url_key(key: bytes, field: str = "url_key") -> RuleViolation | None:
    """Answer the violation that `key` in `field` is, or None when it has the form of a url key."""
    if len(key) == URL_KEY_BYTES and key[0] != 0:
        return None
    return RuleViolation(field, "malformed", f"must be {URL_KEY_BYTES} bytes, the first a version from 1")

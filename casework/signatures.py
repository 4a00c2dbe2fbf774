"""Whether a signature proves what it claims: Ed25519 by libsodium, at about half the cost of other libraries.

libsodium refuses keys of low order and signatures that are not canonical (RFC 8032 5.1.7), so a signature
cannot be changed into another valid one for the same bytes.
"""

from typing import Final

from nacl import bindings
from nacl.exceptions import BadSignatureError

from casework.directory import Directory
from casework.errors import RuleViolation
from casework.limits import SIGNATURE_BYTES

UNPROVEN: Final = frozenset(
    {
        "signature_missing",
        "not_a_signature",
        "unknown_key",
        "foreign_key",
        "wrong_key_use",
        "signature_mismatch",
        "key_revoked",
    }
)
"""Rules whose violation leaves open who spoke: nobody is answered, because the answer would go to whoever is
named. A key that has expired or is not valid yet still proves who holds it."""


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Answer whether a signature of 64 bytes over a message is by the holder of a public key of 32 bytes."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        bindings.crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


def check_signature(  # noqa: PLR0911, PLR0913 - one way out for each rule; who, what, when
    directory: Directory,
    sender: str,
    *,
    message: bytes,
    signature: bytes | None,
    key_id: str | None,
    signed_at: int,
) -> RuleViolation | None:
    """Answer why a signature does not prove that `sender` said `message`, or None when it does.

    A missing signature is a violation only where the directory requires signatures.

    Args:
        directory: The version the keys are looked up in.
        sender: Member id of the one who claims to speak.
        message: What was signed, as `dsse.pae` makes it.
        signature: The signature.
        key_id: Id of its key.
        signed_at: Log-append time of the record, real time; milliseconds since the epoch, UTC.
    """
    if signature is None and key_id is None:
        if directory.protection == "optional":
            return None
        return RuleViolation("signature", "signature_missing", "the directory requires signed statements")
    if signature is None or len(signature) != SIGNATURE_BYTES:
        return RuleViolation("signature", "not_a_signature", f"Ed25519, {SIGNATURE_BYTES} bytes")
    found = directory.keys_by_id.get(key_id or "")
    if found is None:
        return RuleViolation("key_id", "unknown_key", f"no key of directory {directory.version}")
    owner, key = found
    if owner != sender:
        return RuleViolation("key_id", "foreign_key", "the key belongs to another member")
    if key.use != "sign":
        return RuleViolation("key_id", "wrong_key_use", "the key is for sealing")
    if not is_signed(directory.raw_keys[key.id], signature, message):
        return RuleViolation("signature", "signature_mismatch", "not by this key over these bytes and type")
    fault = key.fault_at(signed_at)
    return None if fault is None else RuleViolation("key_id", fault, "valid when the broker took the record")

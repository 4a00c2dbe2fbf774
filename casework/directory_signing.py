"""Who stands behind a version of the directory: signed by enough of its own signers, and of those before.

The rules of a root role in TUF (The Update Framework 1.0.33, 5.3): a version names its signers itself, so it
must be signed by a threshold of them, which proves that they have their keys; and by a threshold of the
signers of the version that was trusted before, which makes a chain back to what a process was given as its
anchor. Whoever takes over the topic, the brokers or the file can leave versions out, never make one.

A signer's key counts as long as it is listed; a new version takes it out, no date does, because dates on a
signer would make a verdict depend on when it is asked for.
"""

from collections.abc import Iterable
from typing import Final, Protocol, TypeAlias

import msgspec

from casework.directory import Directory
from casework.directory_keys import Signers
from casework.dsse import DIRECTORY, pae
from casework.errors import BROKEN_JSON, DirectoryRefusedError, RuleViolation
from casework.messages import DirectoryDocument, DirectorySignature
from casework.public_keys import check_key
from casework.signatures import is_signed

MAX_SIGNATURES: Final = 64
"""Signers before and after a change of all of them, twice over; more would only cost whoever checks them."""
TrustAnchor: TypeAlias = Signers
"""The signers that a process believes from the start: the first version it meets must be theirs."""


class SignsMessages(Protocol):
    """A private key that signs, as `key_rings.Signer`."""

    key_id: str

    def sign(self, message: bytes) -> bytes:
        """Answer the signature of a message, 64 bytes."""
        ...


def signed_message(document: bytes) -> bytes:
    """Answer what is signed: the type of a directory and the very bytes of the document."""
    return pae(DIRECTORY, document)


def sign(document: DirectoryDocument, signers: Iterable[SignsMessages]) -> DirectoryDocument:
    """Answer the document with signatures added; one by the same key is replaced."""
    message = signed_message(document.document)
    made = tuple(DirectorySignature(key_id=one.key_id, signature=one.sign(message)) for one in signers)
    mine = {one.key_id for one in made}
    kept = tuple(one for one in document.signatures if one.key_id not in mine)
    return msgspec.structs.replace(document, signatures=(*kept, *made))


def signed_by(document: DirectoryDocument, signers: Signers) -> tuple[str, ...]:
    """Answer the names of the signers whose signatures are there and right, sorted; each key counts once."""
    message = signed_message(document.document)
    given: dict[str, list[bytes]] = {}
    for one in document.signatures:
        given.setdefault(one.key_id, []).append(one.signature)
    counted: dict[str, str] = {}
    for name, key in sorted(signers.keys.items()):
        if any(is_signed(key.raw, signature, message) for signature in given.get(key.id, ())):
            counted.setdefault(key.id, name)
    return tuple(sorted(counted.values()))


def check_signatures(
    document: DirectoryDocument, directory: Directory, trusted: Signers | None
) -> tuple[RuleViolation, ...]:
    """Answer why a version is not to be trusted; nothing when it is.

    Args:
        document: The envelope with its signatures.
        directory: What the envelope's document says.
        trusted: The signers of the version that was trusted before, or of the anchor; None where nobody was
            named: then a version without signers needs no signature.
    """
    if len(document.signatures) > MAX_SIGNATURES:
        return (RuleViolation("signatures", "too_many", f"at most {MAX_SIGNATURES}"),)
    return (*_envelope(document, directory), *_thresholds(document, directory.signers, trusted))


def read_anchor(text: bytes) -> TrustAnchor:
    """Read a trust anchor: JSON as `{"threshold": 2, "keys": {"anna": {...}, ...}}`.

    Raises:
        DirectoryRefusedError: It is none, or a key in it is not sound; every rule it breaks is named.
    """
    try:
        anchor = msgspec.json.decode(text, type=TrustAnchor)
    except BROKEN_JSON as error:
        raise DirectoryRefusedError(
            [RuleViolation("anchor", "unreadable", "JSON with threshold and keys")]
        ) from error
    violations = [
        violation
        for name, key in anchor.keys.items()
        if (violation := check_key(f"anchor.keys.{name}", key)) is not None
    ]
    if not 1 <= anchor.threshold <= len({key.id for key in anchor.keys.values() if key.use == "sign"}):
        violations.append(
            RuleViolation("anchor.threshold", "out_of_range", "1 to the number of signing keys")
        )
    if violations:
        raise DirectoryRefusedError(violations)
    return anchor


def _envelope(document: DirectoryDocument, directory: Directory) -> Iterable[RuleViolation]:
    # The envelope is not signed, so whatever it says must be what the document says.
    for field in ("version", "environment", "published_at", "valid_from", "expires_at"):
        if getattr(document, field) != getattr(directory, field):
            yield RuleViolation(field, "disagrees", "envelope and document say the same")


def _thresholds(
    document: DirectoryDocument, own: Signers | None, trusted: Signers | None
) -> Iterable[RuleViolation]:
    if own is None:
        if trusted is not None:
            yield RuleViolation("signers", "missing", "a version after a signed one names its signers")
        return
    for name, key in own.keys.items():
        # Before anything is verified: a key that is none would end whoever follows the topic.
        violation = check_key(f"signers.keys.{name}", key)
        if violation is not None:
            yield violation
            return
    for whose, signers in (("trusted before", trusted), ("its own", own)):
        if signers is None:
            continue
        there = len(signed_by(document, signers))
        if there < signers.threshold:
            yield RuleViolation(
                "signatures",
                "too_few_signatures",
                f"signed by {there} of the signers {whose}, {signers.threshold} are needed",
            )

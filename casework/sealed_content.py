"""Sealed content as everybody sees it: a JWE for several recipients, whose list may grow and nothing else.

General JSON serialisation (RFC 7516 7.2.1) in the one form we write: the content is encrypted once with
A256CBC-HS512, its key is wrapped for each recipient by ECDH-ES+A256KW on X25519 (RFC 7518 4.6, RFC 8037 3.2).
What it is bound to ends with the SHA-256 of the content key, so tag and digest commit to the whole key: no
sender can make one ciphertext that opens differently for two recipients (docs/adr/0016). Nothing is opened
here; intake and casekeeper hold no key for it.

The form is strict: a message that is not byte for byte what these rules write is refused, so there are no
unknown members, duplicate names, other algorithms or compressed contents to be understood in two ways.
"""

import hashlib
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from casework.errors import BROKEN_JSON, BadInputError, RuleViolation
from casework.public_keys import KEY_BYTES, KEY_ID_CHARACTERS, from_text, is_usable, to_text

PROTECTED: Final = to_text(b'{"enc":"A256CBC-HS512"}')
ALGORITHM: Final = "ECDH-ES+A256KW"
MAX_RECIPIENTS: Final = 64
"""A country's candidates, the origin, liaisons, mandated hotlines and those appended later; a list of the
whole network is no list of recipients."""
_IV_BYTES: Final = 16
_TAG_BYTES: Final = 32
_WRAPPED_KEY_BYTES: Final = 72
_BLOCK: Final = 16
COMMITMENT_BYTES: Final = 32
KEY_MARK_BYTES: Final = 8
"""What a case keeps of a recipient's key id: enough that nobody finds another key with the same beginning who
could not simply be named a recipient."""


class EphemeralKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sender's half of one key agreement."""

    crv: str
    kty: str
    x: str


class RecipientHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the content key is wrapped for one recipient; `kid` is its key id in the directory."""

    alg: str
    epk: EphemeralKey
    kid: str


class Recipient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One who can open the content."""

    encrypted_key: str
    header: RecipientHeader


class SealedContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JWE in general JSON serialisation; every text is base64url without padding.

    Attributes:
        aad: Additional authenticated data: `binding` of the submission it belongs to, then the SHA-256 of the
            content key, 32 bytes.
        ciphertext: The framed content, encrypted.
        iv: Initialisation vector.
        protected: The protected header; always `PROTECTED`.
        recipients: Who can open it.
        tag: Authentication tag.
    """

    aad: str
    ciphertext: str
    iv: str
    protected: str
    recipients: tuple[Recipient, ...]
    tag: str

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys that open it."""
        return tuple(recipient.header.kid for recipient in self.recipients)

    @property
    def digest(self) -> bytes:
        """SHA-256 over everything but the recipients, which may be appended to: the `content_digest`."""
        parts = (self.protected, self.aad, self.iv, self.ciphertext, self.tag)
        return hashlib.sha256(".".join(parts).encode()).digest()

    def is_bound_to(self, bound: bytes) -> bool:
        """Answer whether it was sealed for the submission whose `binding` is given."""
        return is_bound(self.aad, bound)

    @property
    def key_commitment(self) -> bytes:
        """The SHA-256 of the content key, as its sender committed to it; 32 bytes."""
        return from_text(self.aad)[-COMMITMENT_BYTES:]


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(SealedContent)


def binding(environment: str, sender: str, event_id: str, url_key: bytes) -> bytes:
    """Answer what ties sealed content to its submission: JSON of these four, in this order, without spaces.

    The case id does not exist yet when a report is sealed.
    """
    return _ENCODER.encode((environment, sender, event_id, url_key.hex()))


def is_bound(aad: str, bound: bytes) -> bool:
    """Answer whether authenticated data in base64url is what `bound` and a key's commitment make."""
    return from_text(aad)[:-COMMITMENT_BYTES] == bound


def to_bytes(sealed: SealedContent) -> bytes:
    """Answer the one form in which sealed content travels."""
    return _ENCODER.encode(sealed)


def parse(content: bytes) -> SealedContent:
    """Read sealed content; the key agreement and the ciphertext are only looked at, never opened.

    Raises:
        BadInputError: It is not in our form; the first rule it breaks is named.
    """
    try:
        sealed = _DECODER.decode(content)
    except BROKEN_JSON as error:
        raise _refused("not_a_jwe", "a JWE in general JSON serialisation") from error
    if _ENCODER.encode(sealed) != content:
        raise _refused("not_canonical", "without spaces, repeated names or another order of names")
    if sealed.protected != PROTECTED:
        raise _refused("wrong_encryption", "enc A256CBC-HS512 and nothing else in the protected header")
    if not 1 <= len(sealed.recipients) <= MAX_RECIPIENTS:
        raise _refused("wrong_recipients", f"1 to {MAX_RECIPIENTS} recipients")
    _require_bytes("iv", sealed.iv, _IV_BYTES)
    _require_bytes("tag", sealed.tag, _TAG_BYTES)
    if len(_require_bytes("aad", sealed.aad)) <= COMMITMENT_BYTES:
        raise _refused("malformed", "bound to something, and to a content key", "aad")
    length = len(_require_bytes("ciphertext", sealed.ciphertext))
    if not length or length % _BLOCK:
        raise _refused("malformed", "whole blocks of AES", "ciphertext")
    for recipient in sealed.recipients:
        _check_recipient(recipient)
    if len(set(sealed.key_ids)) != len(sealed.recipients):
        raise _refused("wrong_recipients", "each key once")
    return sealed


def with_recipients(sealed: SealedContent, others: Iterable[Recipient]) -> SealedContent:
    """Answer the content with those recipients appended that it does not have yet; at most 64 in all."""
    known = set(sealed.key_ids)
    new = [recipient for recipient in others if recipient.header.kid not in known]
    room = MAX_RECIPIENTS - len(sealed.recipients)
    return msgspec.structs.replace(sealed, recipients=(*sealed.recipients, *new[:room]))


def key_marks(key_ids: Iterable[str]) -> bytes:
    """Answer the beginnings of key ids as a case keeps them, one after the other, sorted."""
    return b"".join(sorted({from_text(key_id)[:KEY_MARK_BYTES] for key_id in key_ids}))


def opens(marks: bytes | None, key_ids: Collection[str]) -> bool:
    """Answer whether one of these keys opens content with these marks; None is clear content."""
    if marks is None:
        return True
    there = {marks[at : at + KEY_MARK_BYTES] for at in range(0, len(marks), KEY_MARK_BYTES)}
    return any(from_text(key_id)[:KEY_MARK_BYTES] in there for key_id in key_ids)


def join_marks(some: bytes | None, others: bytes | None) -> bytes | None:
    """Answer the marks of both; content in the clear, None, is open to everybody."""
    if some is None or others is None:
        return None
    both = some + others
    found = {both[at : at + KEY_MARK_BYTES] for at in range(0, len(both), KEY_MARK_BYTES)}
    return b"".join(sorted(found))


def _check_recipient(recipient: Recipient) -> None:
    header = recipient.header
    if header.alg != ALGORITHM:
        raise _refused("wrong_algorithm", f"alg {ALGORITHM}", "recipients")
    if (header.epk.kty, header.epk.crv) != ("OKP", "X25519"):
        raise _refused("wrong_algorithm", "an ephemeral key on X25519", "recipients")
    if len(header.kid) != KEY_ID_CHARACTERS:
        raise _refused("malformed", "a key id of the directory", "recipients.kid")
    _require_bytes("recipients.kid", header.kid, KEY_BYTES)
    _require_bytes("recipients.encrypted_key", recipient.encrypted_key, _WRAPPED_KEY_BYTES)
    if not is_usable("seal", _require_bytes("recipients.epk", header.epk.x, KEY_BYTES)):
        raise _refused("weak_key", "a point of full order", "recipients.epk")


def _require_bytes(field: str, text: str, length: int | None = None) -> bytes:
    expected = (
        "base64url without padding" if length is None else f"{length} bytes in base64url without padding"
    )
    try:
        raw = from_text(text)
    except ValueError:
        raise _refused("malformed", expected, field) from None
    if to_text(raw) != text or (length is not None and len(raw) != length):
        raise _refused("malformed", expected, field)
    return raw


def _refused(rule: str, expected: str, field: str = "") -> BadInputError:
    return BadInputError(RuleViolation(f"content{field and '.'}{field}", rule, expected))

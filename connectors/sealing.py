"""Seals content for its readers, opens it with a ring, and appends readers to what is sealed already.

`casework.sealed_content` says what sealed content looks like; here is the only place that makes or opens one.
The parts of RFC 7516 are joserfc's, put together by hand because a re-wrap keeps the content key of an
earlier message, which no call for a whole message can do.
"""

import functools
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwe import GeneralJSONEncryption, JWERegistry
from joserfc.jwk import OKPKey

from casework.errors import RuleViolation
from casework.public_keys import PublicKey, from_text, to_text
from casework.sealed_content import (
    ALGORITHM,
    MAX_RECIPIENTS,
    PROTECTED,
    EphemeralKey,
    Recipient,
    RecipientHeader,
    SealedContent,
    with_recipients,
)
from connectors.errors import SealError, UnreadableContentError
from streams.key_rings import KeyRing, PrivateKey
from streams.secret_sources import Secret

_HEADER: Final = {"enc": "A256CBC-HS512"}
_ALGORITHMS: Final = JWERegistry(algorithms=[ALGORITHM, *_HEADER.values()])
# joserfc names no types for these in public.
_AGREEMENT: Final[Any] = _ALGORITHMS.get_alg(ALGORITHM)
_CIPHER: Final = _ALGORITHMS.get_enc(_HEADER["enc"])
_APART: Final = b"credentials "
_IV_BYTES: Final = 16
_HEAD_BYTES: Final = _IV_BYTES + 32
CONTENT_KEY_BYTES: Final = 64
"""Half for the tag, half for the cipher (RFC 7518 5.2.5)."""


def seal(content: bytes, readers: Sequence[PublicKey], bound: bytes) -> SealedContent:
    """Encrypt content for readers; about 60 us for each, and 10 us for a kilobyte.

    Args:
        content: The framed content.
        readers: Sealing keys, each once; 1 to 64.
        bound: What it belongs to: `sealed_content.binding`.

    Raises:
        SealError: There are no readers, too many, the same one twice, a key that cannot be sealed to, or
            nothing to be bound to.
    """
    _check_readers(readers)
    if not bound:
        raise SealError("content: bound to nothing, it could be shown as anybody's")
    content_key, iv = _CIPHER.generate_cek(), _CIPHER.generate_iv()
    aad = to_text(bound + _commitment(content_key))
    ciphertext, tag = _CIPHER.encrypt(content, content_key, iv, _authenticated(aad))
    return SealedContent(
        aad=aad,
        ciphertext=to_text(ciphertext),
        iv=to_text(iv),
        protected=PROTECTED,
        recipients=tuple(_wrapped(content_key, reader) for reader in readers),
        tag=to_text(tag),
    )


def lock_apart(clear: bytes, bound: bytes) -> tuple[bytes, bytes]:
    """Encrypt what may be erased sooner than the content that holds its key; answer the key and what travels.

    Args:
        clear: What is encrypted, framed.
        bound: What it belongs to: `sealed_content.binding` of the submission.
    """
    key, iv = _CIPHER.generate_cek(), _CIPHER.generate_iv()
    ciphertext, tag = _CIPHER.encrypt(clear, key, iv, _APART + bound)
    return key, iv + tag + ciphertext


def unlock_apart(locked: bytes, key: bytes, bound: bytes) -> bytes:
    """Answer what was encrypted apart.

    Raises:
        UnreadableContentError: Another key, another submission, or it was changed.
    """
    if len(key) != CONTENT_KEY_BYTES:
        raise _unreadable("malformed", f"a key of the credentials of {CONTENT_KEY_BYTES} bytes")
    iv, tag, ciphertext = locked[:_IV_BYTES], locked[_IV_BYTES:_HEAD_BYTES], locked[_HEAD_BYTES:]
    try:
        clear: bytes = _CIPHER.decrypt(ciphertext, tag, key, iv, _APART + bound)
    except (JoseError, ValueError) as error:
        raise _unreadable("altered", "the credentials that were encrypted") from error
    return clear


def open_sealed(sealed: SealedContent, ring: KeyRing, bound: bytes | None = None) -> bytes:
    """Answer the content, if a key of the ring opens it.

    Args:
        sealed: What `sealed_content.parse` answered.
        ring: The reader's keys.
        bound: What it must belong to; None leaves that open.

    Raises:
        UnreadableContentError: No key of the ring is named, it belongs to another submission, or it was
            changed; the rule says which.
    """
    if bound is not None and not sealed.is_bound_to(bound):
        raise _unreadable("wrong_binding", "sealed for this sender, event and url key")
    return open_with_key(sealed, _content_key(sealed, ring))


def content_key_of(sealed: SealedContent, ring: KeyRing) -> Secret:
    """Answer the key of the content itself, 64 bytes: whoever has it can open this content and no other.

    Raises:
        UnreadableContentError: No key of the ring opens it.
    """
    open_sealed(sealed, ring)
    return Secret(_content_key(sealed, ring))


def open_with_key(sealed: SealedContent, content_key: bytes) -> bytes:
    """Answer the content by its own key, which needs no ring.

    Raises:
        UnreadableContentError: The key is not that of the content, or the content was changed.
    """
    if len(content_key) != CONTENT_KEY_BYTES:
        raise _unreadable("malformed", f"a content key of {CONTENT_KEY_BYTES} bytes")
    if not hmac.compare_digest(_commitment(content_key), sealed.key_commitment):
        raise _unreadable("wrong_content_key", "the content key that its sender committed to")
    try:
        return _CIPHER.decrypt(
            from_text(sealed.ciphertext),
            from_text(sealed.tag),
            content_key,
            from_text(sealed.iv),
            _authenticated(sealed.aad),
        )
    except (JoseError, ValueError) as error:
        raise _unreadable("altered", "the bytes that were sealed") from error


def rewrap(sealed: SealedContent, ring: KeyRing, readers: Sequence[PublicKey]) -> SealedContent:
    """Append readers to sealed content; what is sealed and its digest stay as they are.

    Readers that are named already stay as they are too.

    Raises:
        UnreadableContentError: No key of the ring opens it.
        SealError: There would be more than 64 readers, or a key cannot be sealed to.
    """
    known = set(sealed.key_ids)
    new = [reader for reader in readers if reader.id not in known]
    if not new:
        return sealed
    _check_readers(new, len(known))
    # Opened in full: who appends readers to what cannot be read only moves the failure to them.
    open_sealed(sealed, ring)
    content_key = _content_key(sealed, ring)
    return with_recipients(sealed, [_wrapped(content_key, reader) for reader in new])


def _check_readers(readers: Sequence[PublicKey], there: int = 0) -> None:
    if not readers:
        raise SealError("content: nobody to seal for")
    if len(readers) + there > MAX_RECIPIENTS:
        raise SealError(f"content: at most {MAX_RECIPIENTS} keys can be sealed to")
    if len({reader.id for reader in readers}) != len(readers):
        raise SealError("content: a key is named twice")
    for reader in readers:
        if reader.use != "seal":
            raise SealError(f"content: key {reader.id} is not for sealing")


def _commitment(content_key: bytes) -> bytes:
    return hashlib.sha256(content_key).digest()


def _authenticated(aad: str) -> bytes:
    return f"{PROTECTED}.{aad}".encode()


def _wrapped(content_key: bytes, reader: PublicKey) -> Recipient:
    recipient = _recipient({"alg": ALGORITHM}, _imported(reader.public))
    try:
        _AGREEMENT.prepare_ephemeral_key(recipient)
        agreed = _AGREEMENT.encrypt_agreed_upon_key(_CIPHER, recipient)
    except (JoseError, ValueError) as error:
        raise SealError(f"content: key {reader.id} cannot be sealed to") from error
    wrapped = _AGREEMENT.wrap_cek_with_auk(content_key, agreed)
    ephemeral = EphemeralKey("X25519", "OKP", recipient.header["epk"]["x"])
    return Recipient(to_text(wrapped), RecipientHeader(ALGORITHM, ephemeral, reader.id))


@functools.lru_cache(maxsize=1024)
def _imported(public: str) -> OKPKey:
    return OKPKey.import_key({"kty": "OKP", "crv": "X25519", "x": public})


def _content_key(sealed: SealedContent, ring: KeyRing) -> bytes:
    named = False
    for recipient in sealed.recipients:
        key = ring.key(recipient.header.kid)
        if key is None or key.use != "seal":
            continue
        named = True
        content_key = _unwrapped(recipient, key)
        if content_key is not None:
            return content_key
    if named:
        raise _unreadable("altered", "a content key that was wrapped for this ring")
    raise _unreadable("not_a_recipient", "sealed for a key of this ring")


def _unwrapped(recipient: Recipient, key: PrivateKey) -> bytes | None:
    epk = recipient.header.epk
    header = {"alg": ALGORITHM, "epk": {"kty": "OKP", "crv": "X25519", "x": epk.x}}
    own = OKPKey.import_key(
        {"kty": "OKP", "crv": "X25519", "x": to_text(key.public), "d": to_text(key.secret.reveal())}
    )
    try:
        agreed = _AGREEMENT.decrypt_agreed_upon_key(_CIPHER, _recipient(header, own))
        content_key: bytes = _AGREEMENT.unwrap_cek_with_auk(from_text(recipient.encrypted_key), agreed)
    except (JoseError, ValueError):
        return None
    return content_key


def _recipient(header: dict[str, Any], key: OKPKey) -> Any:  # noqa: ANN401 - joserfc's own recipient
    message = GeneralJSONEncryption(_HEADER)
    message.add_recipient(header, key)
    return message.recipients[0]


def _unreadable(rule: str, expected: str) -> UnreadableContentError:
    return UnreadableContentError(RuleViolation("content", rule, expected))

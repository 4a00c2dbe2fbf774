"""What a bundle is made of: the parts that were taken from Kafka as they are, and the head that lists all.

Only these are evidence. Everything for readers (timeline, readable contents, lists of keys and statements) is
made from them by `derived`, and a check makes it again and compares.
"""

import base64
import datetime as dt
import re
from typing import Any, Final, TypeVar

import msgspec

from operations.evidence.errors import BundleRefusedError

FORMAT: Final = 1
"""Layout of parts and wording of the timeline; either changes only with it."""
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.signature.json"
FACTS: Final = "facts.json"
MESSAGES: Final = "messages.json"
CONTENT_KEYS: Final = "content-keys.json"
CONTENTS: Final = "contents/"
OPENED: Final = "opened/"
DIRECTORIES: Final = "directories/"
SEALED_SUFFIX: Final = ".jwe.json"
CLEAR_SUFFIX: Final = ".avro"
EVENT_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_MAX_RECORDS: Final = 100_000

T = TypeVar("T")


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record of Kafka as it lay there.

    Attributes:
        topic: Topic without the prefix of the settings, as the exchange signs it.
        partition: Its partition.
        offset: Its offset.
        appended_at: The broker's time of the append; milliseconds since the epoch, UTC.
        value: Its bytes.
        signature: The exchange's signature over topic and value, where it signs that topic.
        key_id: Id of the exchange's key.
    """

    topic: str
    partition: int
    offset: int
    appended_at: int
    value: bytes
    signature: bytes | None = None
    key_id: str | None = None

    @property
    def place(self) -> str:
        """Topic, partition and offset."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Missing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """Something that belongs to the case and is not in the bundle.

    Attributes:
        what: What it is, such as `content 0197...` or `deliveries nl-offlimits 1-3`.
        reason: Why, by the word of whoever made the bundle.
    """

    what: str
    reason: str


class PartEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part: SHA-256 in hexadecimal, and its size in bytes."""

    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The head of a bundle.

    Attributes:
        format: `FORMAT`.
        case_id: The case.
        url_key: Its url key in hexadecimal.
        environment: The exchange it is from.
        source: `exchange`: all facts; `inbox`: what one member or liaison was sent.
        made_at: Real time; milliseconds since the epoch, UTC.
        made_at_text: The same for people.
        made_by: Member id, `exchange`, or a name that no key stands for.
        software_version: Version of this program.
        missing: What belongs to the case and is not here.
        parts: All parts but the manifest and its signature.
    """

    format: int
    case_id: str
    url_key: str
    environment: str
    source: str
    made_at: int
    made_at_text: str
    made_by: str
    software_version: str
    missing: tuple[Missing, ...]
    parts: dict[str, PartEntry]


class ManifestSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Signature of the maker over the DSSE encoding of type and manifest; named as in a DSSE envelope."""

    payload_type: str = msgspec.field(name="payloadType")
    keyid: str
    sig: bytes


class EnvelopeSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signature of a DSSE envelope."""

    keyid: str
    sig: bytes


class DirectoryEnvelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed directory as a DSSE envelope; the payload is the document, byte for byte."""

    payload_type: str = msgspec.field(name="payloadType")
    payload: bytes
    signatures: tuple[EnvelopeSignature, ...]


def to_json(value: object) -> bytes:
    """Answer the one form in which a part of JSON is written; bytes become base64."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def from_json(name: str, part: bytes, kind: type[T]) -> T:
    """Read a part of JSON.

    Raises:
        BundleRefusedError: It has another form, or says the same in other bytes.
    """
    try:
        value = msgspec.json.decode(part, type=kind, strict=True)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BundleRefusedError("unreadable", "JSON as 'hx evidence' writes it", name) from error
    if to_json(value) != part:
        raise BundleRefusedError("not_canonical", "byte for byte as 'hx evidence' writes it", name)
    return value


def records_from(name: str, part: bytes) -> tuple[Kept, ...]:
    """Read records of Kafka; the errors of `from_json`."""
    found = from_json(name, part, tuple[Kept, ...])
    if len(found) > _MAX_RECORDS:
        raise BundleRefusedError("too_many_records", f"at most {_MAX_RECORDS}", name)
    return found


def moment(at: int) -> str:
    """Answer a time in milliseconds since the epoch for people, UTC."""
    try:
        found = dt.datetime.fromtimestamp(at // 1000, tz=dt.UTC)
    except (OverflowError, ValueError, OSError):
        return f"{at} ms after 1970-01-01 UTC"
    return f"{found:%Y-%m-%d %H:%M:%S}.{at % 1000:03d} UTC"


def base64_text(value: bytes) -> str:
    """Answer bytes as base64."""
    return base64.b64encode(value).decode()


def readable(message: Any, *, leave_out: frozenset[str] = frozenset()) -> dict[str, Any]:  # noqa: ANN401 - any message
    """Answer a message for readers: fields that say something, bytes in hexadecimal.

    Fields at their default are left out, so that a later schema says the same of an old message.
    """
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(message):
        value = getattr(message, field.name)
        if field.name in leave_out or value is None or value == field.default:
            continue
        found[field.name] = _shown(value)
    return found


def _shown(value: Any) -> Any:  # noqa: ANN401 - any field
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, msgspec.Struct):
        return readable(value)
    if isinstance(value, tuple):
        return [_shown(each) for each in value]
    return value

"""What is about the exchange itself: directory versions and the provenance of dead letters."""

from casework.messages.base import Message


class DirectorySignature(Message, frozen=True, kw_only=True):
    """A signature of the secretariat over the document.

    Attributes:
        key_id: Key id.
        signature: Ed25519 signature over the document bytes and their type.
    """

    key_id: str
    signature: bytes


class DirectoryDocument(Message, frozen=True, kw_only=True):
    """One whole version of the directory.

    Attributes:
        version: Version, from 1; only grows.
        environment: Environment the directory is for.
        published_at: When it was published; milliseconds since the epoch, UTC.
        valid_from: From when it is used; milliseconds since the epoch, UTC.
        expires_at: When it must no longer be used; milliseconds since the epoch, UTC.
        document: The directory as canonical JSON, UTF-8.
        signatures: Signatures of the secretariat.
    """

    version: int
    environment: str
    published_at: int
    valid_from: int
    expires_at: int | None = None
    document: bytes
    signatures: tuple[DirectorySignature, ...] = ()


class DeadLetterHeaders(Message, frozen=True, kw_only=True):
    """Provenance of a dead letter; each field is the header hx-<field>, key and value stay byte-identical.

    Attributes:
        topic: Topic the record came from.
        partition: Its partition.
        offset: Its offset.
        timestamp: Its timestamp; milliseconds since the epoch, UTC.
        error_class: unreadable, unattributable, bug, undeliverable.
        rule: Rule that was broken; never a value of a sensitive field.
        field: Field that broke it, or empty.
        message: One sentence; never a value of a sensitive field.
        software_version: Version of the exchange's software.
        group: Consumer group that gave up.
        attempts: Number of attempts.
        failed_at: When it was given up, real time; milliseconds since the epoch, UTC.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    error_class: str
    rule: str
    field: str
    message: str
    software_version: str
    group: str
    attempts: int
    failed_at: int

"""What is about the exchange itself: directory versions, dead letters, what operators did to records."""

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


class JournalEntry(Message, frozen=True, kw_only=True):
    """What an operator did to records of the exchange, and why; written before it is done and again after.

    Attributes:
        entry_id: Identifier, a UUIDv7; the same in both entries of one operation.
        operation: replay, discard, unpark, reinject or rebuild.
        state: begun or done.
        environment: Environment of the exchange.
        operator: Who did it.
        reason: Why, in the operator's words; never an address.
        at: When, real time; milliseconds since the epoch, UTC.
        software_version: Version of the exchange's software.
        topic: Topic of the record concerned.
        partition: Its partition.
        offset: Its offset.
        to_topic: Topic of the record that was written.
        to_partition: Its partition.
        to_offset: Its offset.
    """

    entry_id: str
    operation: str
    state: str
    environment: str
    operator: str
    reason: str
    at: int
    software_version: str
    topic: str
    partition: int
    offset: int
    to_topic: str | None = None
    to_partition: int | None = None
    to_offset: int | None = None

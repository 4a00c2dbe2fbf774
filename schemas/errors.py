"""Errors of the schema contract, grouped by what the caller must do about them.

SchemaError
├── UnreadableError          these bytes will never be readable here: dead letter with the bytes untouched
│   ├── NotFramedError          no Confluent frame: magic byte or length are wrong
│   ├── UnknownSchemaIdError    the id is not in the lock: perhaps written by a newer version
│   ├── UnexpectedMessageError  a readable message, but not the one that belongs here
│   └── UndecodableError        truncated, trailing or malformed bytes under a known id
├── UnwritableError          a program error: the record does not fit the schema it is written with
├── UnknownSchemaNameError   a program error: no schema has this name
├── BrokenLockError          the installation is damaged or a schema was edited without `hx schemas lock`
└── LockRefusedError         the schema change would break other members; change it another way

Texts name message, field and rule, never a value: a value may hold an address or a secret.
"""


class SchemaError(Exception):
    """Root of the errors about schemas and encoded bytes."""


class UnreadableError(SchemaError):
    """These bytes will never become a message here; `rule` is a stable code for receipts and headers."""

    rule = "unreadable"


class NotFramedError(UnreadableError):
    """The bytes do not begin with 0x00 and a 4-byte schema id."""

    rule = "not_framed"


class UnknownSchemaIdError(UnreadableError):
    """The schema id of the frame is not in the lock.

    Attributes:
        schema_id: The id found.
    """

    rule = "unknown_schema_id"

    def __init__(self, schema_id: int) -> None:
        super().__init__(f"schema id {schema_id} is not in the lock")
        self.schema_id = schema_id


class UnexpectedMessageError(UnreadableError):
    """The bytes hold a known message, but not one that belongs here.

    Attributes:
        found: Name of the message found.
        expected: Names of the messages that belong here.
    """

    rule = "unexpected_message"

    def __init__(self, found: str, *expected: str) -> None:
        super().__init__(f"the message is a {found}, expected {' or '.join(expected)}")
        self.found = found
        self.expected = expected


class UndecodableError(UnreadableError):
    """The bytes are truncated, malformed or followed by others.

    Attributes:
        name: Name of the message the frame announces.
        reason: What is wrong, without any value.
    """

    rule = "undecodable"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be decoded: {reason}")
        self.name = name
        self.reason = reason


class UnwritableError(SchemaError):
    """The record does not fit its schema."""


class UnknownSchemaNameError(SchemaError):
    """No schema of this name is locked."""


class BrokenLockError(SchemaError):
    """Lock file, locked schemas and code disagree."""


class LockRefusedError(SchemaError):
    """The lock cannot take this change; each line of the text is one finding."""

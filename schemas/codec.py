"""Encode and decode framed records as plain dictionaries, by fastavro with schemas parsed once.

Records are always written with the newest schema of their name. Records of any locked version are read into
the newest one, so that members upgrade in any order. Limits of size are the caller's.
"""

import functools
import io

from fastavro import schemaless_reader, schemaless_writer

from schemas.errors import UndecodableError, UnexpectedMessageError, UnwritableError
from schemas.framing import HEADER_BYTES, header, schema_id_of
from schemas.registry import Schema, registry

PREFIX_FIELDS = (
    "event_id",
    "environment",
    "sender",
    "url_key",
    "hosting_country",
    "sent_at",
    "url_key_next",
    "directory_version",
)
"""The first fields of every statement, in this order and of the same types in all of them, for ever."""

STATEMENT_NAMES = ("ReportStatement", "ActionStatement")

# What fastavro raises on hostile or truncated bytes (tests/schemas/test_codec.py feeds it both).
_MALFORMED = (EOFError, IndexError, ValueError, OverflowError, KeyError, TypeError, MemoryError)


def encode(name: str, record: dict[str, object]) -> bytes:
    """Return the framed bytes of a record, written with the newest schema of `name`.

    UnwritableError if a field without default is missing, a field is unknown or has the wrong type.
    """
    schema = registry().latest(name)
    buffer = io.BytesIO(header(schema.id))
    buffer.seek(HEADER_BYTES)
    try:
        schemaless_writer(
            buffer, schema.parsed, record, strict_allow_default=True, disable_tuple_notation=True
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise UnwritableError(f"{name}: {_reason(error)}") from error
    return buffer.getvalue()


def decode(framed: bytes) -> tuple[str, dict[str, object]]:
    """Return name and fields of a framed record of any locked version, in terms of the newest version.

    NotFramedError, UnknownSchemaIdError or UndecodableError if these bytes will never be readable here.
    """
    schema, newest = _schemas(schema_id_of(framed))
    buffer = io.BytesIO(framed)
    buffer.seek(HEADER_BYTES)
    record = _read(buffer, schema.name, schema.parsed, None if newest is schema else newest.parsed)
    left_over = len(framed) - buffer.tell()
    if left_over:
        raise UndecodableError(schema.name, f"{left_over} bytes follow the record")
    return schema.name, record


def decode_prefix(framed: bytes) -> tuple[str, dict[str, object]]:
    """Return name and routing fields (PREFIX_FIELDS) of a framed statement, without reading the rest.

    The bytes behind the prefix are not looked at; whoever needs to know that they are sound decodes in full.
    UnexpectedMessageError if the message is no statement; otherwise the errors of `decode`.
    """
    schema, prefix = _prefix_schema(schema_id_of(framed))
    if prefix is None:
        name, record = decode(framed)
        return name, {field: record[field] for field in PREFIX_FIELDS}
    buffer = io.BytesIO(framed)
    buffer.seek(HEADER_BYTES)
    return schema.name, _read(buffer, schema.name, prefix, None)


def name_of(framed: bytes) -> str:
    """Return the name of the message in framed bytes by its schema id alone."""
    return registry().by_id(schema_id_of(framed)).name


@functools.lru_cache(maxsize=1024)
def _schemas(schema_id: int) -> tuple[Schema, Schema]:
    schema = registry().by_id(schema_id)
    return schema, registry().latest(schema.name)


@functools.lru_cache(maxsize=1024)
def _prefix_schema(schema_id: int) -> tuple[Schema, dict[str, object] | None]:
    schema = registry().by_id(schema_id)
    if schema.name not in STATEMENT_NAMES:
        raise UnexpectedMessageError(schema.name, *STATEMENT_NAMES)
    if schema.field_names[: len(PREFIX_FIELDS)] != PREFIX_FIELDS:
        return schema, None
    return schema, {**schema.parsed, "fields": schema.parsed["fields"][: len(PREFIX_FIELDS)]}  # type: ignore[index]


def _read(
    buffer: io.BytesIO, name: str, writer: dict[str, object], reader: dict[str, object] | None
) -> dict[str, object]:
    try:
        record: dict[str, object] = schemaless_reader(buffer, writer, reader)
    except _MALFORMED as error:
        raise UndecodableError(name, _reason(error)) from None
    return record


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "the bytes end within the record"
    if isinstance(error, UnicodeDecodeError):
        return "a string is not UTF-8"
    return type(error).__name__

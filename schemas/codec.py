"""Encode and decode framed records as plain dictionaries, by fastavro with schemas parsed once.

Records are always written with the newest schema of their name. Records of any locked version are read into
the newest one, so that members upgrade in any order. Limits of size are the caller's.
"""

import functools
import io

from fastavro import schemaless_reader, schemaless_writer

from schemas.errors import UndecodableError, UnexpectedMessageError, UnwritableError
from schemas.framing import HEADER_BYTES, header, schema_id_of
from schemas.registry import Registry, Schema, registry

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
_MISFITS = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


class Codec:
    """Reads and writes the records of one registry."""

    def __init__(self, schemas: Registry) -> None:
        self._schemas = schemas
        self._readers: dict[int, tuple[Schema, dict[str, object] | None]] = {}
        self._prefixes: dict[int, tuple[Schema, dict[str, object] | None]] = {}
        for schema in schemas.all():
            newest = schemas.latest(schema.name)
            self._readers[schema.id] = schema, None if newest is schema else newest.parsed
            if schema.name in STATEMENT_NAMES:
                self._prefixes[schema.id] = schema, _prefix_schema(schema)

    def encode(self, name: str, record: dict[str, object]) -> bytes:
        """Return the framed bytes of a record, written with the newest schema of `name`.

        UnwritableError if a field without default is missing, a field is unknown or has the wrong type.
        """
        schema = self._schemas.latest(name)
        buffer = io.BytesIO(header(schema.id))
        buffer.seek(HEADER_BYTES)
        try:
            schemaless_writer(
                buffer, schema.parsed, record, strict_allow_default=True, disable_tuple_notation=True
            )
        except _MISFITS as error:
            raise UnwritableError(f"{name} does not take the record: {type(error).__name__}") from error
        return buffer.getvalue()

    def decode(self, framed: bytes) -> tuple[str, dict[str, object]]:
        """Return name and fields of a framed record of any locked version, in terms of the newest version.

        NotFramedError, UnknownSchemaIdError or UndecodableError if these bytes will never be readable here.
        """
        schema_id = schema_id_of(framed)
        if schema_id not in self._readers:
            self._schemas.by_id(schema_id)
        schema, newest = self._readers[schema_id]
        buffer = io.BytesIO(framed)
        buffer.seek(HEADER_BYTES)
        record = _read(buffer, schema.name, schema.parsed, newest)
        left_over = len(framed) - buffer.tell()
        if left_over:
            raise UndecodableError(schema.name, f"{left_over} bytes follow the record")
        return schema.name, record

    def decode_prefix(self, framed: bytes) -> tuple[str, dict[str, object]]:
        """Return name and routing fields (PREFIX_FIELDS) of a framed statement, without reading the rest.

        The bytes behind the prefix are not looked at; who needs to know that they are sound decodes in full.
        UnexpectedMessageError if the message is no statement; otherwise the errors of `decode`.
        """
        schema_id = schema_id_of(framed)
        if schema_id not in self._prefixes:
            raise UnexpectedMessageError(self._schemas.by_id(schema_id).name, *STATEMENT_NAMES)
        schema, prefix = self._prefixes[schema_id]
        if prefix is None:
            name, record = self.decode(framed)
            return name, {field: record[field] for field in PREFIX_FIELDS}
        buffer = io.BytesIO(framed)
        buffer.seek(HEADER_BYTES)
        return schema.name, _read(buffer, schema.name, prefix, None)

    def name_of(self, framed: bytes) -> str:
        """Return the name of the message in framed bytes, by the schema id alone."""
        return self._schemas.by_id(schema_id_of(framed)).name


@functools.cache
def installed() -> Codec:
    """Return the codec of this installation's registry."""
    return Codec(registry())


def encode(name: str, record: dict[str, object]) -> bytes:
    """Encode by this installation's registry; see Codec.encode."""
    return installed().encode(name, record)


def decode(framed: bytes) -> tuple[str, dict[str, object]]:
    """Decode by this installation's registry; see Codec.decode."""
    return installed().decode(framed)


def decode_prefix(framed: bytes) -> tuple[str, dict[str, object]]:
    """Decode a statement's routing fields by this installation's registry; see Codec.decode_prefix."""
    return installed().decode_prefix(framed)


def name_of(framed: bytes) -> str:
    """Name the message in framed bytes by this installation's registry; see Codec.name_of."""
    return installed().name_of(framed)


def _prefix_schema(schema: Schema) -> dict[str, object] | None:
    """Return the schema of the routing fields alone: legal, as a record is its fields in writer order.

    None for a statement that does not begin with them, which is then read in full.
    """
    if schema.field_names[: len(PREFIX_FIELDS)] != PREFIX_FIELDS:
        return None
    fields: list[object] = schema.parsed["fields"]  # type: ignore[assignment] # a record has a list of fields
    return {**schema.parsed, "fields": fields[: len(PREFIX_FIELDS)]}


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

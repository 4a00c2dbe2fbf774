"""Confluent framing: one zero byte, the schema id as 4 bytes big-endian, then Avro binary.

Every Kafka tool with a registry of the same ids reads it.
"""

import struct

from schemas.errors import NotFramedError

MAGIC = 0
HEADER_BYTES = 5
_HEADER = struct.Struct(">BI")


def header(schema_id: int) -> bytes:
    """Return the 5 bytes that stand before a record of this schema."""
    return _HEADER.pack(MAGIC, schema_id)


def schema_id_of(framed: bytes) -> int:
    """Return the schema id of framed bytes; NotFramedError if there is no frame."""
    if len(framed) < HEADER_BYTES:
        raise NotFramedError(f"{len(framed)} bytes are too short for a frame of {HEADER_BYTES}")
    magic, schema_id = _HEADER.unpack_from(framed)
    if magic != MAGIC:
        raise NotFramedError(f"the first byte is 0x{magic:02x}, expected 0x00")
    return int(schema_id)

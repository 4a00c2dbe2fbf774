"""Case states as bytes: how new one is, without reading more than its first fields.

A worker that lost its partition may still write a state after its successor. Loading a partition compares
source offsets, for every key that occurs more than once, so this must not cost a full decode. It asks no
registry either: the first fields are the same in every version, also in one newer than this program.
"""

from typing import Final

from schemas.errors import NotFramedError
from schemas.framing import HEADER_BYTES

_MAGIC: Final = 0
_BITS: Final = 7
_MORE: Final = 0x80
_FIELDS_BEFORE: Final = 2
"""url_key and case_id stand before source_offset in every version of CaseStatus; a test holds this."""


def source_offset(framed: bytes) -> int:
    """Answer the offset in cases.admitted of the newest record that a framed CaseStatus has applied.

    Raises:
        NotFramedError: The bytes end too early.
    """
    position = HEADER_BYTES
    try:
        for _ in range(_FIELDS_BEFORE):
            length, position = read_long(framed, position)
            position += length
        return read_long(framed, position)[0]
    except IndexError:
        raise NotFramedError("a case state ends before its source offset") from None


def version_of(url_key: bytes, framed: bytes) -> int | None:
    """Answer how new a state is: its source offset; None for what is no state of this url key."""
    try:
        if framed[0] != _MAGIC:
            return None
        length, position = read_long(framed, HEADER_BYTES)
        if framed[position : position + length] != url_key:
            return None
        found = source_offset(framed)
    except (IndexError, NotFramedError):
        return None
    return found if found >= 0 else None


def read_long(data: bytes, position: int) -> tuple[int, int]:
    """Read an Avro long (zigzag, base 128) and answer it with the position behind it."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & ~_MORE) << shift
        if not byte & _MORE:
            return (value >> 1) ^ -(value & 1), position
        shift += _BITS

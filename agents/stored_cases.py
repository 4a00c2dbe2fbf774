"""Case states as bytes: which of two is newer, without reading more than the first fields.

A worker that lost its partition may still write a state after its successor. Loading a partition compares
source offsets, for every key that occurs more than once, so this must not cost a full decode.
"""

from typing import Final

from schemas.errors import NotFramedError, UnreadableError
from schemas.framing import HEADER_BYTES, schema_id_of
from schemas.registry import registry

_STATE: Final = "CaseStatus"
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
            length, position = _long(framed, position)
            position += length
        return _long(framed, position)[0]
    except IndexError:
        raise NotFramedError("a case state ends before its source offset") from None


def is_newer(old: bytes, new: bytes) -> bool:
    """Answer whether a state read later replaces the one read before it; what is no state never does."""
    offset = _offset_of_state(new)
    if offset is None:
        return False
    before = _offset_of_state(old)
    return before is None or offset >= before


def _offset_of_state(framed: bytes) -> int | None:
    try:
        is_state = registry().by_id(schema_id_of(framed)).name == _STATE
        return source_offset(framed) if is_state else None
    except UnreadableError:
        return None


def _long(data: bytes, position: int) -> tuple[int, int]:
    """Read an Avro long (zigzag, base 128) and answer it with the position behind it."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & ~_MORE) << shift
        if not byte & _MORE:
            return (value >> 1) ^ -(value & 1), position
        shift += _BITS

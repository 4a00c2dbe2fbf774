"""The values inside compiled functions: numbers and texts as Avro writes them, remembered while they repeat.

A batch names few members, countries and states, and each of its times several times over. What was written
once is found again in a table with a bound; a table that is full starts anew.
"""

from typing import Any, Final

KNOWN_LENGTHS: Final = 1024
_MOST: Final = 8192
_LONGEST_TEXT: Final = 24
"""Longer texts are addresses, ids and notes, which do not repeat."""
_LONG: Final = 2**63
_INT: Final = 2**31
_TIME_BYTES: Final = 6
"""Times of this century in milliseconds take six bytes."""

_longs: dict[Any, bytes] = {}
_ints: dict[Any, bytes] = {}
_texts: dict[Any, bytes] = {}
_some_texts: dict[Any, bytes] = {None: b"\0"}
_times: dict[bytes, int] = {}


def fail(shape: str) -> Any:  # noqa: ANN401 - stands where a value of any type would
    """Refuse a value."""
    raise ValueError(f"no value of this {shape}")


def number(value: int) -> bytes:
    """Return a number of at most 64 bits as Avro writes it: zigzag, 7 bits a byte, lowest first."""
    rest = value << 1 ^ value >> 63
    out = bytearray()
    while rest > 127:  # noqa: PLR2004 - 7 bits
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_LENGTHS: Final = tuple(number(length) for length in range(KNOWN_LENGTHS))
_SOME_LENGTHS: Final = tuple(b"\2" + length for length in _LENGTHS)


def _some_length(length: int) -> bytes:
    return _SOME_LENGTHS[length] if length < KNOWN_LENGTHS else b"\2" + number(length)


def _long(value: int) -> bytes:
    if not -_LONG <= value < _LONG:
        fail("long")
    return _remember(_longs, value, number(value))


def _int(value: int) -> bytes:
    if not -_INT <= value < _INT:
        fail("int")
    return _remember(_ints, value, number(value))


def _text(value: str) -> bytes:
    raw = value.encode()
    written = number(len(raw)) + raw
    return written if len(raw) > _LONGEST_TEXT else _remember(_texts, value, written)


def _some_text(value: str) -> bytes:
    raw = value.encode()
    written = _some_length(len(raw)) + raw
    return written if len(raw) > _LONGEST_TEXT else _remember(_some_texts, value, written)


def _remember(table: dict[Any, bytes], value: object, written: bytes) -> bytes:
    if len(table) >= _MOST:
        table.clear()
        _some_texts[None] = b"\0"
    table[value] = written
    return written


def _as_bytes(value: object) -> bytes:
    return value if value.__class__ is bytes else fail("bytes")


def _get(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place and the place behind it; at most 10 bytes and 64 bits."""
    start = at
    byte = data[at]
    value = byte & 127
    shift = 0
    while byte > 127:  # noqa: PLR2004 - the high bit says that more follow
        at += 1
        shift += 7
        byte = data[at]
        value |= (byte & 127) << shift
        if shift > 63:  # noqa: PLR2004 - bits of a long
            fail("long")
    if value >> 64:
        fail("long")
    value = value >> 1 ^ -(value & 1)
    at += 1
    if at - start == _TIME_BYTES:
        if len(_times) >= _MOST:
            _times.clear()
        _times[data[start:at]] = value
    return value, at


def _get_length(data: bytes, at: int) -> tuple[int, int]:
    length, at = _get(data, at)
    if length < 0:
        fail("length")
    return length, at


NAMES: Final[dict[str, object]] = {
    "FALSE": b"\0",
    "INT": int,
    "LENGTHS": _LENGTHS,
    "NOTHING": (),
    "NULL": b"\0",
    "SOME": b"\2",
    "TRUE": b"\1",
    "as_bytes": _as_bytes,
    "fail": fail,
    "get": _get,
    "get_length": _get_length,
    "int": _int,
    "ints": _ints,
    "join": b"".join,
    "long": _long,
    "longs": _longs,
    "number": number,
    "some_length": _some_length,
    "some_text": _some_text,
    "some_texts": _some_texts,
    "text": _text,
    "texts": _texts,
    "times": _times,
}
"""What the source of a compiled function may name."""

"""Turns sound bytes into hostile ones: a short program of bytes says what is changed where.

One drawn program is cheap to make and shrinks well; what it inserts are the classics of parsers.
"""

from typing import Final

from hypothesis import strategies as st

_BLOBS: Final = (
    b"\x00", b"\x01", b"\x02", b"\x7f", b"\x80", b"\xff", b"\x01" * 9, b"\x00" * 300,
    b"\xff" * 9 + b"\x01", b"\xff" * 12, b"\x80" * 11 + b"\x01", b"\xfe\xff\xff\xff\x0f",
    b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"[" * 3000, b'{"a":' * 2000, b"]" * 40, b"{}", b"[]", b"null", b"true", b"-1", b"0", b"1e400",
    b"9" * 400, b"9" * 5000, b"-0", b"0.1", b"NaN", b'"\\ud800"', b"\\u0000", b'"', b"'", b"\\", b",", b";",
    b":", b" ", b"\t", b"\n", b"\r", b"\r\n", b"=", b"==", b"-", b"_", b"+", b"/", b"A" * 43, b"AAAA",
    b'"zip":"DEF",', b'"alg":"none"', b'"alg":"dir"', b'"crit":["x"],', b'"p2c":2147483647,', b'"kid":"A",',
    b'"d":"AAAA",', b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xc5\xbf", b"%00", b"hx-signature", b"hx-key-id",
    b"hx-topic", b"hx-attempts", b"http://", b"\x00\x00\x00\x00\x01", b"\x00\x00\x00\x00\xff",
    b'"""', b"[[a]]", b"a.b.c=", b"<!--", b"x" * 1000,
)  # fmt: skip
_STEP: Final = 5

#: What says how bytes are changed: the first byte chooses among the sound inputs, then five bytes a change.
PROGRAMS: Final = st.binary(min_size=1 + _STEP, max_size=1 + 4 * _STEP)


def mutated(sound: tuple[bytes, ...], program: bytes) -> bytes:
    """Answer one of the sound inputs, changed as the program says; without changes it stays sound."""
    data = bytearray(sound[program[0] % len(sound)])
    for at in range(1, len(program) - _STEP + 1, _STEP):
        _change(data, program[at : at + _STEP], sound)
    return bytes(data)


def _change(data: bytearray, step: bytes, sound: tuple[bytes, ...]) -> None:
    kind, place_high, place_low, what, length = step
    place = (place_high << 8 | place_low) % (len(data) + 1)
    match kind % 9:
        case 0 if data:
            data[place % len(data)] ^= 1 << (what & 7)
        case 1 if data:
            data[place % len(data)] = what
        case 2:
            data[place:place] = _BLOBS[what % len(_BLOBS)]
        case 3:
            blob = _BLOBS[what % len(_BLOBS)]
            data[place : place + len(blob)] = blob
        case 4:
            del data[place : place + 1 + length % 64]
        case 5:
            del data[place:]
        case 6:
            data[place:place] = data[place : place + 1 + length]
        case 7:
            other = sound[what % len(sound)]
            data[place:place] = other[len(other) * length // 256 :]
        case _:
            data[place : place + 1] = bytes([what, length])

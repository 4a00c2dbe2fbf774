"""Inputs that are small for what they try to make a parser do, for each kind of parser.

Run as a program it gives them all to all parsers, in a process that may not take more than `ROOM_BYTES` of
memory beyond what it begins with, nor more than `CPU_S` seconds of a processor: a bomb that goes off ends it.
It prints how many bombs a parser got and by how many KiB the most memory in use grew.
"""

import gc
import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from foreign_parsers import PARSERS
from parser_promises import MAX_INPUT, Parser

from schemas.framing import header, schema_id_of
from schemas.registry import registry

ROOM_BYTES = 256 * 1024 * 1024
CPU_S = 300
_MINUS_HUGE = b"\xff" * 9 + b"\x01"
_HUGE = b"\xfe" + b"\xff" * 8 + b"\x01"
_MANY = b"\x80\x88\x0f"
"""125,952, as Avro writes it."""
_SMALLER = 256 * 1024


def bombs(parser: Parser) -> Iterator[tuple[str, bytes]]:
    """Yield the bombs for a parser by name; none is larger than what a topic takes."""
    sound = parser.sound[0]
    yield "nothing", b""
    yield "zeros", bytes(MAX_INPUT)
    yield "ones", b"\xff" * MAX_INPUT
    yield "sound and long", (sound * (MAX_INPUT // len(sound) + 1))[:MAX_INPUT]
    if sound[:1] == b"\0":
        yield from _avro(parser)
    else:
        yield from _texts(sound)


def _avro(parser: Parser) -> Iterator[tuple[str, bytes]]:
    for sound in parser.sound:
        places = range(5, len(sound), max(1, len(sound) // 6))
        name = registry().by_id(schema_id_of(sound)).entry.file.rpartition("/")[2]
        for place in places:
            yield f"{name} huge at {place}", sound[:place] + _HUGE + sound[place:]
            yield f"{name} less than nothing at {place}", sound[:place] + _MINUS_HUGE + sound[place:]
            yield f"{name} many of nothing at {place}", sound[:place] + _MANY + bytes(_SMALLER)
            yield f"{name} many of one at {place}", sound[:place] + _MANY + b"\2" * _SMALLER
    for schema in registry().all():
        yield f"{schema.entry.file} of zeros", header(schema.id) + bytes(_SMALLER)


def _texts(sound: bytes) -> Iterator[tuple[str, bytes]]:
    for opened in (
        b"[",
        b'{"a":',
        b'{"keys":[',
        b'[{"keys":',
        b"(",
        b'"',
        b"\\",
        b",",
        b";",
        b"=",
        b"a.",
        b"[[",
        b"\n",
    ):
        yield f"{opened!r} repeated", (opened * (MAX_INPUT // len(opened)))
        yield f"{opened!r} repeated after a sound beginning", sound[: len(sound) // 2] + opened * 200_000
    yield "a number without end", b"9" * MAX_INPUT
    yield "a name without end", b'{"' + b"a" * (MAX_INPUT - 10) + b'":1}'
    yield "a text without end", b'{"keys":"' + b"a" * (MAX_INPUT - 20) + b'"}'
    yield "many names", json.dumps({f"n{number}": 1 for number in range(100_000)}).encode()
    yield "one name often", b"{" + b'"keys":[],' * 150_000 + b'"keys":[]}'
    yield "many items", b'{"keys":[' + b"{}," * 500_000 + b"{}]}"
    yield "escapes", b'{"keys":"' + b"\\u0041" * 300_000 + b'"}'


def main() -> None:
    """Give all bombs to a share of the parsers: arguments are its number, from 0, and how many there are."""
    number, shares = int(sys.argv[1]), int(sys.argv[2])
    gc.freeze()
    in_use = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + ROOM_BYTES, in_use + ROOM_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    for parser in PARSERS[number::shares]:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        given = sum(1 for _, data in bombs(parser) if parser.give(data) is not None)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(json.dumps([parser.name, given, grown]), flush=True)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main()

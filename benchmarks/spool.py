"""Records in a file, for the process that sends them at a rate."""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_HEAD: Final = struct.Struct(">III")


def write(path: Path, records: Iterable[tuple[int, bytes, bytes]]) -> Path:
    """Write partition, key and value of records."""
    with path.open("wb") as file:
        for partition, key, value in records:
            file.write(_HEAD.pack(partition, len(key), len(value)) + key + value)
    return path


def read(path: Path) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield what `write` wrote."""
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            partition, key_size, value_size = _HEAD.unpack(head)
            yield partition, file.read(key_size), file.read(value_size)

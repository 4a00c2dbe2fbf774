"""What a parser of bytes that come from others promises, and how it is held to it.

A parser answers a value, or raises one of the errors of its contract. What it accepts keeps `holds`: above
all, no two byte strings are the same sealed content or the same directory. `MARK` stands in every sound input
wherever a member can put a text; an error that repeats it breaks the promise too.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

MARK = "canary5c1e"
MAX_INPUT = 2 * 1024 * 1024
HOME = Path(tempfile.mkdtemp(prefix="hx-hostile-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)


class Parser(NamedTuple):
    """One parser of foreign bytes.

    Attributes:
        name: What it reads.
        sound: Inputs it accepts.
        read: Reads bytes.
        errors: What it may raise.
        holds: Called with bytes and what was read from them; raises AssertionError where a promise is broken.
        repeats: Whether its errors show the value: of settings, which the one who reads them has written.
    """

    name: str
    sound: tuple[bytes, ...]
    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    holds: Callable[[bytes, Any], None] = lambda _data, _value: None
    repeats: bool = False

    def give(self, data: bytes) -> bool:
        """Give it bytes; answer whether it took them.

        Raises:
            AssertionError: A promise is broken; any other error is one that the parser does not document.
        """
        try:
            value = self.read(data)
        except self.errors as error:
            told, kind = f"{error} {error!r}", type(error).__name__
        else:
            self.holds(data, value)
            return True
        assert self.repeats or MARK not in told, f"{kind} repeats a value"
        return False


def in_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Return a parser of bytes out of one that reads a file."""

    def through_file(data: bytes) -> object:
        path = HOME / name
        path.write_bytes(data)
        return read(path)

    return through_file

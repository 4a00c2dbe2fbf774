"""The script of one worker under chaos: `hx worker`, with a clock that the suite can let jump.

It runs the code on PYTHONPATH, which may be another version than the suite's own, so it uses nothing of the
suite. The offset of its clock lies in a file of eight bytes that the suite writes while this process runs.

Usage: worker.py KIND OFFSET_FILE
"""

import mmap
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

_OFFSET = struct.Struct("<q")
_NS_PER_MS = 1_000_000


class JumpingClock:
    """A clock of the exchange whose machine is off by what the file says.

    Args:
        clock: The right one.
        file: Offset in milliseconds, eight bytes, little endian.
    """

    def __init__(self, clock: Any, file: Path) -> None:  # noqa: ANN401 - a clock of whatever version
        self._clock = clock
        with file.open("r+b") as opened:
            self._offset = mmap.mmap(opened.fileno(), _OFFSET.size, access=mmap.ACCESS_READ)

    def real_ms(self) -> int:
        """The time of this machine, as wrong as the suite wants it."""
        (offset,) = _OFFSET.unpack_from(self._offset)
        return time.time_ns() // _NS_PER_MS + int(offset)

    def now_ms(self) -> int:
        """The exchange's time as this machine reads it."""
        return self.at(self.real_ms())

    def at(self, real_ms: int) -> int:
        """The exchange's time at a real one."""
        return int(self._clock.at(real_ms))


def main() -> int:
    """Run one worker and answer its exit code."""
    from agents.workers import run_worker  # noqa: PLC0415 - whatever version PYTHONPATH names
    from streams.settings import Settings  # noqa: PLC0415 - likewise

    kind, file = sys.argv[1:]
    settings = Settings.load(os.environ)
    return run_worker(kind, settings, JumpingClock(settings.make_clock(), Path(file)))  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())

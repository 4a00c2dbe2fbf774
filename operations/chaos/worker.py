"""The script of one worker under chaos: `hx worker`, with a clock that the suite can let jump.

It runs the code on PYTHONPATH, which may be another version than the suite's own, so it uses nothing of the
suite. How wrong its clock is lies in a file that the suite writes while this process runs: the offset in
milliseconds, and the moment at which time stands still, or 0 while it runs; eight bytes each, little endian.

Usage: worker.py KIND OFFSET_FILE
"""

import mmap
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

_TOLD = struct.Struct("<qq")
_NS_PER_MS = 1_000_000


class JumpingClock:
    """A clock of the exchange whose machine is off by what the file says.

    Args:
        clock: The right one.
        file: See above.
    """

    def __init__(self, clock: Any, file: Path) -> None:  # noqa: ANN401 - a clock of whatever version
        self._clock = clock
        with file.open("r+b") as opened:
            self._told = mmap.mmap(opened.fileno(), _TOLD.size, access=mmap.ACCESS_READ)

    def real_ms(self) -> int:
        """The time of this machine, as wrong as the suite wants it."""
        offset, held_at = _TOLD.unpack_from(self._told)
        return int(held_at or time.time_ns() // _NS_PER_MS) + int(offset)

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

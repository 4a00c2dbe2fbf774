"""Time as an argument: what waits asks a clock, so a simulation runs a week in a minute and no test sleeps.

All processes of one exchange read the same ``HX_CLOCK`` and so agree on the simulated time. Machine latency,
TLS and the replay window use real time (``real_ms``) even in a simulation.
"""

import datetime as dt
import re
import time
from typing import Final, Protocol

import msgspec

from casework.errors import SetupError

_NS_PER_MS: Final = 1_000_000
_FORM: Final = re.compile(r"(?P<sim>\S+)@(?P<real>\d{1,15})x(?P<factor>\d+(?:\.\d+)?)")
_EXAMPLE: Final = "2022-01-03T00:00:00Z@1700000000000x600"


class ClockFormatError(SetupError):
    """The text of ``HX_CLOCK`` is not ORIGIN@REAL_MSxFACTOR."""


class Clock(Protocol):
    """What the exchange takes for the time; both answers are milliseconds since epoch UTC."""

    def now_ms(self) -> int:
        """The time that deadlines and statistics run on."""
        ...

    def real_ms(self) -> int:
        """The time of the world outside."""
        ...

    def at(self, real_ms: int) -> int:
        """The exchange's time at a real time: the same for every process and at every repetition."""
        ...


class SystemClock:
    """The machine's own clock: the only one production accepts."""

    def now_ms(self) -> int:
        """The machine's time in milliseconds since epoch UTC."""
        return self.real_ms()

    def real_ms(self) -> int:
        """The machine's time in milliseconds since epoch UTC."""
        return time.time_ns() // _NS_PER_MS

    def at(self, real_ms: int) -> int:
        """The very time: nothing is simulated."""
        return real_ms


class CompressedClock(msgspec.Struct, frozen=True):
    """A simulated time that passes ``factor`` times as fast as the real one.

    Attributes:
        sim_origin_ms: simulated time at the origin, milliseconds since epoch UTC.
        real_origin_ms: real time at the origin, milliseconds since epoch UTC.
        factor: simulated seconds per real second, above 0.
    """

    sim_origin_ms: int
    real_origin_ms: int
    factor: float

    def now_ms(self) -> int:
        """The simulated time in milliseconds since epoch UTC."""
        return self.at(self.real_ms())

    def real_ms(self) -> int:
        """The machine's time in milliseconds since epoch UTC."""
        return SystemClock().real_ms()

    def at(self, real_ms: int) -> int:
        """The simulated time at a real one, both in milliseconds since epoch UTC."""
        return self.sim_origin_ms + int((real_ms - self.real_origin_ms) * self.factor)


class ManualClock:
    """A clock that stands until a test moves it."""

    def __init__(self, now_ms: int, real_ms: int | None = None) -> None:
        self._now_ms = now_ms
        self._real_ms = now_ms if real_ms is None else real_ms

    def now_ms(self) -> int:
        """The time it was set to, in milliseconds since epoch UTC."""
        return self._now_ms

    def real_ms(self) -> int:
        """The real time it was set to, in milliseconds since epoch UTC."""
        return self._real_ms

    def at(self, real_ms: int) -> int:
        """The time at a real one: as far from it as the two were when the clock was made."""
        return real_ms + self._now_ms - self._real_ms

    def advance(self, ms: int) -> None:
        """Let ``ms`` milliseconds pass on both times."""
        self._now_ms += ms
        self._real_ms += ms


def parse_clock(text: str) -> SystemClock | CompressedClock:
    """Read ``HX_CLOCK``: empty for the machine's clock, else ORIGIN@REAL_MSxFACTOR.

    Example: ``2022-01-03T00:00:00Z@1700000000000x600`` was 3 January 2022 at real time 1700000000000 and runs
    ten minutes a second.

    Raises:
        ClockFormatError: it has another form.
    """
    if not text:
        return SystemClock()
    match = _FORM.fullmatch(text)
    if match is None:
        raise ClockFormatError(f"clock {text!r}: expected ORIGIN@REAL_MSxFACTOR such as {_EXAMPLE}")
    try:
        origin = dt.datetime.fromisoformat(match["sim"])
    except ValueError as error:
        raise ClockFormatError(f"clock {text!r}: {match['sim']!r} is no ISO 8601 time") from error
    if origin.tzinfo is None:
        raise ClockFormatError(f"clock {text!r}: the origin needs a time zone, such as a final Z")
    factor = float(match["factor"])
    if factor <= 0:
        raise ClockFormatError(f"clock {text!r}: the factor must be above 0")
    return CompressedClock(round(origin.timestamp() * 1000), int(match["real"]), factor)


def format_clock(clock: SystemClock | CompressedClock) -> str:
    """Write a clock so that ``parse_clock`` reads the same one."""
    if isinstance(clock, SystemClock):
        return ""
    origin = dt.datetime.fromtimestamp(clock.sim_origin_ms / 1000, tz=dt.UTC)
    digits = "milliseconds" if clock.sim_origin_ms % 1000 else "seconds"
    moment = origin.isoformat(timespec=digits).replace("+00:00", "Z")
    factor = int(clock.factor) if clock.factor == int(clock.factor) else clock.factor
    return f"{moment}@{clock.real_origin_ms}x{factor}"

"""One long calculation at a time, in slices of time, so that the loop turns quickly whatever waits in it.

Several calls that take slices by turns all end late and then all wait for the broker together, while the
processor idles; one after the other, one calculates while the others' sends are under way. And a turn of the
loop lasts one slice, however many calls there are: what must not wait (heartbeats, answers of brokers, calls
that do not pass here) waits for no more than that in each of its turns.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

#: Long against the cost of a turn of the loop (20 us), short against the wait for a broker (1 ms and more).
SLICE_S: Final = 0.002


class Slices:
    """Says when a calculation has held the loop for long enough.

    Args:
        seconds: how long is enough.
        now: a monotonic clock, seconds.
    """

    __slots__ = ("_now", "_seconds", "_until")

    def __init__(self, seconds: float = SLICE_S, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._until = now() + seconds

    async def breathe(self) -> None:
        """Let the loop turn if the slice is over; cheap enough to be called after every record."""
        if self._now() >= self._until:
            await asyncio.sleep(0)
            self._until = self._now() + self._seconds


class Turnstile:
    """Lets one calculation through at a time, first come, first served.

    Nothing may be awaited behind it but `Slices.breathe`: everybody else would wait for that too.

    Args:
        seconds: of a slice.
        now: a monotonic clock, seconds.
    """

    def __init__(self, seconds: float = SLICE_S, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Slices]:
        """Wait for those before, then calculate; the slices say when to breathe."""
        async with self._lock:
            yield self.slices()

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[Slices]:
        """Calculate without waiting, beside what is going on: for what is urgent and small."""
        yield self.slices()

    def slices(self) -> Slices:
        """Begin a slice outside of the turnstile."""
        return Slices(self._seconds, self._now)

"""What happens when: steps to be taken at times of the injected clock, in order, without a timer for each."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from streams.clock import Clock

Step = Callable[[], Coroutine[Any, Any, None]]

LOOK_S: Final = 0.02
"""Real seconds between two looks at the clock."""


class Schedule:
    """Steps by their times; equal times keep the order in which they came.

    Args:
        clock: The injected clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Step]] = []
        self._added = 0

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, time_ms: int, step: Step) -> None:
        """Take a step at a time, milliseconds since epoch UTC; a time that has passed is now."""
        self._added += 1
        heapq.heappush(self._heap, (time_ms, self._added, step))

    def due(self) -> list[Step]:
        """Answer and forget the steps whose time has come."""
        now = self._clock.now_ms()
        found = []
        while self._heap and self._heap[0][0] <= now:
            found.append(heapq.heappop(self._heap)[2])
        return found

    async def follow(self, take: Callable[[Step], Awaitable[None]]) -> None:
        """Hand each step to `take` when its time has come, until cancelled."""
        while True:
            for step in self.due():
                await take(step)
            await asyncio.sleep(LOOK_S)

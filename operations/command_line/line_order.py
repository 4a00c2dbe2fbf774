"""Answers come in any order and are told in the order of their lines, each as soon as those before it are."""

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from typing import Final

Telling = Callable[[], None]
"""Prints one answer."""

PATIENCE_S: Final = 2.0
"""Seconds after which it is said which line is waited for."""


class LineOrder:
    """Tells answers in the order in which they were added.

    Args:
        most: How many answers are waited for at most, before `add` waits too.
        patience_s: Seconds after which it is said, on standard error, what is waited for.
    """

    def __init__(self, most: int, patience_s: float = PATIENCE_S) -> None:
        self._most = most
        self._patience_s = patience_s
        self._waiting: deque[tuple[str, asyncio.Future[Telling]]] = deque()

    async def add(self, place: str, answer: asyncio.Future[Telling] | Telling) -> None:
        """Tell an answer after all before it; what it answers about is at `place`."""
        if not isinstance(answer, asyncio.Future):
            told: asyncio.Future[Telling] = asyncio.get_running_loop().create_future()
            told.set_result(answer)
            answer = told
        self._waiting.append((place, answer))
        self._tell_ready()
        while len(self._waiting) >= self._most:
            await self._tell_first()

    async def finish(self) -> None:
        """Tell all that is left."""
        while self._waiting:
            await self._tell_first()

    def _tell_ready(self) -> None:
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()[1].result()()

    async def _tell_first(self) -> None:
        place, answer = self._waiting[0]
        done, _ = await asyncio.wait({answer}, timeout=self._patience_s)
        if not done:
            behind = sum(other.done() for _, other in self._waiting)
            text = f"waiting for the answer to {place} ({behind} behind it are there)"
            print(text, file=sys.stderr, flush=True)
            await asyncio.wait({answer})
        self._tell_ready()

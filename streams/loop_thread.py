"""An event loop on a thread of its own, for work that must not hold up the loop of the agents.

The two share the interpreter, so this is for work that mostly waits and now and then computes for a while.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Result = TypeVar("Result")


class LoopThread:
    """A context manager that runs coroutines beside the current loop. The process does not wait for it.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, args=(self._loop,), name=self._name, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        assert self._loop is not None  # noqa: S101 - entered before
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Run `work` on the thread and return what it returns; cancelling cancels it there too."""
        assert self._loop is not None, "not entered"  # noqa: S101 - a mistake of the caller
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), self._loop))

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            # Its turn to end orderly: what is cancelled here closes its connections.
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            loop.close()

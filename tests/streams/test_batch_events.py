"""From a stream to whoever submits: everything that lies ready in one turn of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

from streams.batch_events import submit_all


class Stream:
    """A stream as Faust's: one event in a turn of the loop."""

    def __init__(self, *names: str) -> None:
        self.channel = SimpleNamespace(queue=asyncio.Queue())
        for name in names:
            self.channel.queue.put_nowait(SimpleNamespace(message=name))

    def noack(self) -> Stream:
        """Return the same."""
        return self

    async def events(self) -> AsyncIterator[SimpleNamespace]:
        """Give what waits, one in a turn, and end."""
        while not self.channel.queue.empty():
            await asyncio.sleep(0)
            yield self.channel.queue.get_nowait()


async def test_all_that_lies_ready_is_submitted_in_one_turn() -> None:
    """Twelve partitions of a fetch cost no twelve turns; what the consumer turns away is dropped."""
    stream = Stream("a", "b", "old", "c")
    app = SimpleNamespace(consumer=SimpleNamespace(take=lambda message: message != "old"))
    seen: list[str] = []
    task = asyncio.ensure_future(submit_all(app, stream, lambda event: seen.append(event.message)))
    await asyncio.sleep(0)
    assert seen == []
    await asyncio.sleep(0)
    assert seen == ["a", "b", "c"]
    await task

"""A loop on a thread of its own: results, errors and cancellation cross over."""

import asyncio
import threading

import pytest

from streams.loop_thread import LoopThread


async def test_work_runs_on_another_thread_and_leaves_this_loop_alone() -> None:
    """Work that blocks its own loop does not block the caller's."""
    blocked = threading.Event()
    turns = 0

    async def work() -> str:
        blocked.wait(30)
        return threading.current_thread().name

    with LoopThread("beside") as beside:
        task = asyncio.create_task(beside.run(work))
        for _ in range(10):
            await asyncio.sleep(0)
            turns += 1
        assert not task.done()
        blocked.set()
        assert await task == "beside"
    assert turns == 10


async def test_errors_come_back() -> None:
    """What the work raises, the caller sees."""

    async def work() -> None:
        raise OSError("no broker")

    with LoopThread("beside") as beside, pytest.raises(OSError, match="no broker"):
        await beside.run(work)


async def test_leaving_cancels_what_is_still_going_on() -> None:
    """Nothing goes on behind the back of somebody who left."""
    started, ended = threading.Event(), threading.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    with LoopThread("beside") as beside:
        task = asyncio.create_task(beside.run(work))
        await asyncio.to_thread(started.wait, 30)
    assert await asyncio.to_thread(ended.wait, 30)
    await asyncio.gather(task, return_exceptions=True)

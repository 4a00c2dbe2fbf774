"""The turnstile: one calculation at a time, and the loop turns in between."""

from __future__ import annotations

import asyncio

from streams.turnstile import Turnstile


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


async def test_calculations_follow_one_another_in_their_order() -> None:
    """A second calculation begins when the first has ended, however often the first breathes."""
    turnstile, seen = Turnstile(seconds=0.0), []

    async def calculate(name: str) -> None:
        async with turnstile.turn() as slices:
            for _ in range(3):
                seen.append(name)
                await slices.breathe()

    await asyncio.gather(*map(calculate, "abc"))
    assert "".join(seen) == "aaabbbccc"


async def test_the_loop_turns_when_a_slice_is_over_and_not_before() -> None:
    """Others wait for one slice and no longer; within a slice nothing is lost on turns."""
    time = Time()
    slices = Turnstile(seconds=2.0, now=time).slices()
    turns: list[float] = []
    asyncio.get_running_loop().call_soon(lambda: turns.append(time.now))
    for now in (0.0, 1.0, 1.9):
        time.now = now
        await slices.breathe()
    assert turns == []
    time.now = 2.0
    await slices.breathe()
    assert turns == [2.0]
    asyncio.get_running_loop().call_soon(lambda: turns.append(time.now))
    time.now = 3.9
    await slices.breathe()
    assert turns == [2.0]  # a new slice has begun


async def test_what_is_urgent_does_not_wait_for_who_calculates() -> None:
    """Urgent work passes while somebody stands in the turnstile, and somebody who failed has left it."""
    turnstile, seen = Turnstile(), []

    async def fail() -> None:
        async with turnstile.turn():
            async with turnstile.at_once():
                seen.append("urgent")
            raise LookupError

    await asyncio.gather(fail(), return_exceptions=True)
    async with turnstile.turn():
        seen.append("next")
    assert seen == ["urgent", "next"]

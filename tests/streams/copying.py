"""Copier workers as processes, for tests of the transport: started, heard, ended, and what they wrote."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Topics

OUT = ("out0", "out1", "out2", "out3")
SCRIPT = Path(__file__).parent / "workers" / "copier.py"
ROOT = Path(__file__).parents[2]


class Worker:
    """A worker process; what it says is read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[str] = []

    async def said(self, wanted: str) -> None:
        """Wait until the worker says a line that begins with `wanted`."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.heard.append(line.decode().strip())
            if self.heard[-1].startswith(wanted):
                return
        raise AssertionError(f"{wanted} was never said: {self.heard}")

    async def end(self, number: signal.Signals | None = None) -> tuple[int, str]:
        """Send a signal, if any; return the exit code and what was logged."""
        if number is not None:
            self.process.send_signal(number)
        out, err = await self.process.communicate()
        self.heard += out.decode().splitlines()
        assert self.process.returncode is not None
        return self.process.returncode, err.decode()

    def loaded_totals(self) -> int:
        """Return the sum of all counts that this worker found in its state when it loaded it."""
        return sum(int(line.split()[3]) for line in self.heard if line.startswith("LOADED"))


@asynccontextmanager
async def workers(topics: Topics) -> AsyncIterator[Any]:
    """Give a function that starts workers; whatever still runs at the end is killed."""
    started: list[Worker] = []

    async def start(**options: object) -> Worker:
        settings = {"bootstrap": topics.bootstrap, "prefix": topics.prefix, **options}
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(SCRIPT), json.dumps(settings), cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        started.append(Worker(process))
        return started[-1]

    try:
        yield start
    finally:
        for worker in started:
            if worker.process.returncode is None:
                await worker.end(signal.SIGKILL)


async def until_delivered(topics: Topics, wanted: int) -> list[int]:
    """Return all delivered ids as soon as `wanted` different ones have arrived."""
    while True:
        values = await topics.values(OUT)
        if len(set(values)) >= wanted:
            return values
        await asyncio.sleep(0.1)


def create_all(topics: Topics, partitions: int = 4, groups: int = 1) -> None:
    """Create sources, their states and the destinations."""
    topics.create(partitions, *(f"in{group}" for group in range(groups)))
    topics.create(partitions, *(f"in{group}.state" for group in range(groups)), cleanup_policy="compact")
    topics.create(2, *OUT)

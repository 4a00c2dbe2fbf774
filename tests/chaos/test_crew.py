import asyncio
import os
import signal
import struct
import time
from pathlib import Path

import msgspec
import pytest

from operations.chaos import crew
from operations.chaos.crew import Worker
from operations.chaos.versions import Version
from operations.chaos.worker import JumpingClock
from streams.clock import ManualClock, SystemClock
from streams.settings import Settings

SCRIPT = """
import os, sys, time
print('{"event": "ready; metrics of intake on port 1"}', flush=True)
print('{"event": "fault injected: delay casekeeper.before_send"}', flush=True)
print('{"event": "cases.status[3]: 2 values of a late writer"}', flush=True)
print('{"event": "a copy cannot be used and is built anew: x"}', flush=True)
print('{"event": "cases.status[3]: the copy is built anew: x"}', flush=True)
print('faults', os.environ["HX_FAULTS"], flush=True)
time.sleep(60)
"""


@pytest.fixture
async def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Answer a worker whose process only says what real ones say."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    monkeypatch.setattr(crew, "SCRIPT", script)
    version = Version("this", tmp_path)
    return Worker("case-a", "casekeeper", Settings(), tmp_path, version, is_static=True)


async def _until(worker: Worker, pid: int | None = None) -> int:
    """Wait until the worker is ready, as another process than `pid`; answer which."""
    until = time.monotonic() + 30
    while not worker.is_ready or worker.pid == pid:
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    assert worker.pid is not None
    return worker.pid


async def _until_said(worker: Worker) -> None:
    until = time.monotonic() + 30
    while worker.defences["local copy refused and built anew"] < 2:
        assert time.monotonic() < until
        worker.look()
        await asyncio.sleep(0.02)


async def _until_stopped(worker: Worker) -> None:
    until = time.monotonic() + 30
    while not worker.is_stopped():
        assert time.monotonic() < until
        await asyncio.sleep(0.02)


async def test_a_worker_that_dies_comes_back_and_the_exit_is_counted(worker: Worker) -> None:
    """Only `kill` and `end` keep it away; any other end is answered with a new start."""
    keeper = asyncio.create_task(worker.look_after())
    try:
        worker.start("state.load:kill@9")
        first = await _until(worker)
        os.kill(first, signal.SIGKILL)
        await _until(worker, first)
        await worker.end()
        assert not worker.is_running
        assert dict(worker.exits) == {-signal.SIGKILL: 1, -signal.SIGTERM: 1}
        log = (worker.home / "worker.log").read_text()
        assert log.count("faults state.load:kill@9") == 1  # the second start has nothing armed
    finally:
        keeper.cancel()
        await worker.kill()


async def test_what_strikes_in_a_worker_is_counted_from_its_log(worker: Worker) -> None:
    """A named point counts when its worker says so, each time once."""
    worker.start()
    try:
        await _until(worker)
        while not worker.struck:
            worker.look()
        worker.look()
        assert dict(worker.struck) == {"delay at casekeeper.before_send": 1}
        await _until_said(worker)
        assert dict(+worker.defences) == {
            "state of a late writer written over": 2,
            "local copy refused and built anew": 2,
        }
        worker.send(signal.SIGSTOP)
        await _until_stopped(worker)
    finally:
        await worker.kill()
    assert not worker.is_stopped()


async def test_a_version_is_told_only_what_it_understands(tmp_path: Path) -> None:
    """An older version refuses settings that came later, so it does not get them."""
    told = Settings(faults="state.load:kill").as_environment()
    old = Version("old", tmp_path, frozenset({"HX_BOOTSTRAP"}))
    assert old.understood(told) == {"HX_BOOTSTRAP": told["HX_BOOTSTRAP"]}
    assert msgspec.structs.replace(old, settings=None).understood(told) == told


def test_a_clock_jumps_while_it_is_read(tmp_path: Path) -> None:
    """The file moves both times or holds them, and leaves what time it was at a real one."""
    file = tmp_path / "clock"
    file.write_bytes(struct.pack("<qq", 0, 0))
    right = ManualClock(now_ms=5_000, real_ms=SystemClock().real_ms())
    clock = JumpingClock(right, file)
    assert abs(clock.real_ms() - SystemClock().real_ms()) < 5_000
    file.write_bytes(struct.pack("<qq", -60_000, 0))
    assert clock.real_ms() < SystemClock().real_ms() - 50_000
    assert clock.now_ms() < 0
    assert clock.at(12345) == right.at(12345)
    file.write_bytes(struct.pack("<qq", 0, 777))
    assert clock.real_ms() == 777

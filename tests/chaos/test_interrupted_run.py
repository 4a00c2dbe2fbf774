import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from operations.chaos.versions import ROOT

pytestmark = pytest.mark.kafka

_PATIENCE_S = 150.0


def _processes_of(home: Path) -> list[bytes]:
    """Return the command lines of all processes that work below a directory."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            line = (process / "cmdline").read_bytes() if process.name.isdigit() else b""
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(home).encode() in line:
            found.append(line)
    return found


@pytest.mark.timeout(400)
def test_a_run_that_is_interrupted_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C twice in the middle of faults: workers and brokers are gone, and the exit code says why."""
    home, said = tmp_path / "run", tmp_path / "said"
    told = ["--seed", "1", "--share-on-three", "0", "--only", "worker frozen", "--home", str(home)]
    with said.open("wb") as out:
        suite = subprocess.Popen(
            [sys.executable, "-P", "-m", "operations.chaos", *told],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + _PATIENCE_S
        while b"step 1:" not in said.read_bytes():
            assert suite.poll() is None, said.read_text()
            assert time.monotonic() < until, said.read_text()
            time.sleep(0.1)
        assert len(_processes_of(home)) > 3  # the suite, its broker and its workers
        suite.send_signal(signal.SIGINT)
        while b"ending" not in said.read_bytes():
            time.sleep(0.05)
        suite.send_signal(signal.SIGINT)
        assert suite.wait(_PATIENCE_S) == 130, said.read_text()
        assert b"Traceback" not in said.read_bytes(), said.read_text()
        assert _processes_of(home) == []
    finally:
        suite.kill()
        suite.wait()

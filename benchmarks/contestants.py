"""The two contestants as processes: the exchange's worker, and the bare loop."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from streams.settings import Settings

_STOP_PATIENCE_S: Final = 30


@contextmanager
def exchange(settings: Settings) -> Iterator[None]:
    """Intake and casekeeper in one process."""
    command = [sys.executable, "-m", "operations.command_line", "worker", "all", "--metrics-port", "0"]
    with _process(command, settings.as_environment()):
        yield


@contextmanager
def bare_loop(bootstrap: str, source: str, destination: str) -> Iterator[None]:
    """The copy loop in one process."""
    with _process([sys.executable, "-m", "benchmarks.bare_loop", bootstrap, source, destination], {}):
        yield


@contextmanager
def _process(command: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
        if process.poll() is not None:
            raise RuntimeError(f"{command[2]} ended by itself with code {process.returncode}")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

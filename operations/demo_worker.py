"""The demo's worker: a process of its own, so that killing it is a real crash."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from casework.errors import SetupError, TemporaryError
from operations.embedded_kafka.process import end_with_this_process
from streams.settings import Settings

_POLL_S: Final = 0.1
_READY_PATIENCE_S: Final = 60.0
_STOP_PATIENCE_S: Final = 20.0
_STARTS: Final = 3
_SCRAPE_TIMEOUT_S: Final = 2.0


class DemoWorker:
    """One `hx worker all`; a context manager that starts it and stops it in the end.

    Attributes:
        restarts: How often it was started again.

    Args:
        settings: What the worker is told; its metrics ports are fixed numbers.
        log: File for what it prints.
    """

    def __init__(self, settings: Settings, log: Path) -> None:
        self._settings = settings
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._is_ended = False
        self.restarts = -1

    @property
    def addresses(self) -> tuple[str, str]:
        """Metrics addresses of intake and casekeeper."""
        host = self._settings.metrics_host
        ports = (self._settings.intake_metrics_port, self._settings.casekeeper_metrics_port)
        return f"http://{host}:{ports[0]}/metrics", f"http://{host}:{ports[1]}/metrics"

    def start(self) -> None:
        """Start it, again if it ran before."""
        self._release_watchdog()
        self._is_ended = False
        environment = {key: value for key, value in os.environ.items() if not key.startswith("HX_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "operations.command_line", "worker", "all"],
                env=environment | self._settings.as_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._watchdog = end_with_this_process(self._process.pid)
        self.restarts += 1

    def kill(self) -> None:
        """End it without warning, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def revive(self) -> bool:
        """Start it again if it has ended, as an orchestrator would; answer whether it had.

        Raises:
            SetupError: It ended because a person must change something.
        """
        if self._is_ended or self._process is None or self._process.poll() is None:
            return False
        if self._process.returncode == os.EX_CONFIG:
            raise SetupError(f"the demo's worker cannot run: {self._last_words()}")
        self.start()
        return True

    def is_ready(self) -> bool:
        """Answer whether intake and casekeeper both say that they do their work."""
        return all(fetch(address.replace("/metrics", "/readyz")) is not None for address in self.addresses)

    def wait_until_ready(self, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Return when it does its work.

        Raises:
            TemporaryError: It did not within a minute, or was stopped meanwhile.
            SetupError: It ended because a person must change something.
        """
        until = time.monotonic() + _READY_PATIENCE_S
        last = self.restarts + _STARTS
        while not self.is_ready():
            if self._is_ended:
                raise TemporaryError("the demo's worker was stopped before it got ready")
            self.revive()
            if time.monotonic() > until or self.restarts > last:
                raise TemporaryError(f"the demo's worker does not get ready: {self._last_words()}")
            sleep(_POLL_S)

    def stop(self) -> None:
        """End it in an orderly way, after 20 s by force; whoever waits for it stops waiting."""
        self._is_ended = True
        self._release_watchdog()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it says nothing")

    def _release_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None


def fetch(address: str) -> str | None:
    """Answer what an address of our own worker says, or None when it does not answer with success."""
    try:
        with urllib.request.urlopen(address, timeout=_SCRAPE_TIMEOUT_S) as answer:  # noqa: S310 - ours
            text: str = answer.read().decode()
            return text
    except (OSError, urllib.error.URLError):
        return None

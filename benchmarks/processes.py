"""Contestants as processes of their own: started, watched from outside, ended by pid."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final, Self

_STOP_PATIENCE_S: Final = 30.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_QUIET_S: Final = 1.0
_LAST_BYTES: Final = 2000
ROOT: Final = Path(__file__).parent.parent


class ContestantError(Exception):
    """A contestant ended by itself, or did not do its work in time; the text holds its last words."""


class Contestant:
    """One process. As a context manager it is ended at the end, by force if it must be.

    Args:
        command: what to run; in the root of the checkout.
        environment: added to this process's.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self.name = " ".join(command[1:3])
        self.started_at = time.time()
        self._process = subprocess.Popen(
            command,
            env=os.environ | dict(environment or {}),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
        )

    @classmethod
    def module(cls, name: str, *arguments: object, environment: Mapping[str, str] | None = None) -> Self:
        """A module of this repository, with this Python."""
        return cls([sys.executable, "-m", name, *map(str, arguments)], environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._log.close()

    def check(self) -> None:
        """Raise ContestantError if it has ended."""
        code = self._process.poll()
        if code is not None:
            raise ContestantError(f"{self.name} ended by itself with code {code}: {self.last_words()}")

    def last_words(self) -> str:
        """The end of what it printed."""
        # pread: the position of the file is shared with the process that writes it.
        size = os.fstat(self._log.fileno()).st_size
        tail = os.pread(self._log.fileno(), _LAST_BYTES, max(0, size - _LAST_BYTES))
        return tail.decode(errors="replace").strip()

    def wait(self, patience_s: float) -> None:
        """Wait until it ends by itself, and well.

        Raises:
            ContestantError: It failed, or took longer than `patience_s` seconds.
        """
        try:
            code = self._process.wait(patience_s)
        except subprocess.TimeoutExpired as error:
            raise ContestantError(f"{self.name} took longer than {patience_s:.0f} s") from error
        if code != 0:
            raise ContestantError(f"{self.name} ended with code {code}: {self.last_words()}")

    def stop(self) -> None:
        """SIGTERM, after 30 s SIGKILL; nothing if it has ended."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> float:
        """SIGKILL; answers the time of it, seconds since the epoch."""
        at = time.time()
        self._process.kill()
        self._process.wait()
        return at

    def cpu_seconds(self) -> float:
        """CPU of all its threads so far, user and system."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def rss_bytes(self) -> int:
        """Memory it holds now."""
        statm = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="utf-8")
        return int(statm.split()[1]) * _PAGE

    def wait_until_quiet(self, patience_s: float, share: float = 0.25) -> None:
        """Wait until it uses less than `share` of a core for two seconds.

        Raises:
            ContestantError: It ended, or is still busy after `patience_s` seconds.
        """
        until = time.monotonic() + patience_s
        quiet = 0
        while quiet < 2:  # noqa: PLR2004 - seconds
            before = self.cpu_seconds()
            time.sleep(_QUIET_S)
            self.check()
            quiet = quiet + 1 if self.cpu_seconds() - before < share * _QUIET_S else 0
            if time.monotonic() > until:
                raise ContestantError(f"{self.name} is still busy after {patience_s:.0f} s")

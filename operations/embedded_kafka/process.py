"""Processes we start: recognised beyond their pid, ended by pid, never by name.

A pid alone may have been given to somebody else since it was written down, so a process is known by its pid,
the kernel's start time of that pid and an argument of its command line.
"""

import os
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

import msgspec

LOOPBACK = "127.0.0.1"

# Field 22 of /proc/PID/stat, counted behind the command name: clock ticks after boot (proc(5)).
_START_TIME_FIELD = 19
_POLL_S = 0.05


class ProcessIdentity(msgspec.Struct, frozen=True):
    """One process for its whole life: pid and start time in clock ticks since boot."""

    pid: int
    start_ticks: int

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """The identity of a live process; None if there is none (a zombie counts as gone)."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else cls(pid, int(fields[_START_TIME_FIELD]))

    def is_alive(self) -> bool:
        """Whether exactly this process still runs."""
        return self.of(self.pid) == self

    def has_argument(self, argument: str) -> bool:
        """Whether the process was started with this command line argument."""
        try:
            line = Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return argument.encode() in line.split(b"\0")

    def end(self, patience_s: float) -> None:
        """Ask it to end, wait, and kill it after ``patience_s`` seconds."""
        self.send(signal.SIGTERM)
        if not self.wait(patience_s):
            self.send(signal.SIGKILL)
            self.wait(patience_s)

    def send(self, number: signal.Signals) -> None:
        """Send a signal if the process still runs."""
        if self.is_alive():
            os.kill(self.pid, number)

    def wait(self, patience_s: float) -> bool:
        """Wait until it is gone; False if it still runs after ``patience_s`` seconds."""
        until = time.monotonic() + patience_s
        while self.is_alive():
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_S)
        return True


def free_port() -> int:
    """A loopback TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def port_is_open(port: int) -> bool:
    """Whether somebody accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def end_with_this_process(pid: int) -> "subprocess.Popen[bytes]":
    """Start a watchdog that ends ``pid`` when this process dies in whatever way.

    The watchdog reads from a pipe that only this process holds open; the kernel closes it even after SIGKILL.
    The kernel's own PR_SET_PDEATHSIG would not do: it fires when the starting *thread* ends. Kill the
    watchdog before ending ``pid`` in an orderly way. A stopped process is woken, so that it can end.
    """
    target = shlex.quote(str(pid))
    script = f"read -r _; kill -TERM {target} 2>/dev/null; kill -CONT {target} 2>/dev/null"
    return subprocess.Popen(  # noqa: S603 - a fixed script, the pid is an int
        ["/bin/sh", "-c", script], stdin=subprocess.PIPE, start_new_session=True
    )

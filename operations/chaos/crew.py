"""The workers under chaos: processes that are killed, stopped and started again, as an orchestrator would.

Whatever ends is started again within a second, with the exit code noted; only while a fault holds a worker
back does it stay away.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from operations.chaos.versions import Version
from operations.embedded_kafka.process import end_with_this_process
from streams.settings import Settings

SCRIPT: Final = Path(__file__).with_name("worker.py")
_STRUCK: Final = re.compile(r"fault injected: (\w+) ([a-z_]+\.[a-z_]+)")
LATE_STATES: Final = "state of a late writer written over"
_DEFENCES: Final = {
    "zombie noticed it and stopped": re.compile(r"the process stood still for()"),
    "worker put out of its group with work in hand stopped": re.compile(r"the group expelled this member()"),
    LATE_STATES: re.compile(r"\]: (\d+) values of a late writer"),
    "local copy refused and built anew": re.compile(r"copy (?:cannot be used and )?is built anew()"),
}
"""What workers say when they hold their ground, with how often at once."""
_READY: Final = "ready; metrics of"
_POLL_S: Final = 0.05
_AGAIN_S: Final = 0.3
_STOP_PATIENCE_S: Final = 45.0


class Worker:
    """One worker that always comes back.

    Args:
        name: Names its files; of static members also the group's.
        kind: intake, casekeeper or all.
        settings: What every worker is told.
        home: Directory of its files.
        version: The code it runs.
        is_static: Whether the group knows it by its name, so that it gets its partitions back at once.

    Attributes:
        exits: How often it ended with which code, signals as negative numbers.
        lock: Held by the fault that has this worker in hand.
        struck: How often which armed point was reached.
        defences: How often it said that it held its ground, and how.
    """

    def __init__(  # noqa: PLR0913 - what makes a worker, given in one place
        self, name: str, kind: str, settings: Settings, home: Path, version: Version, *, is_static: bool
    ) -> None:
        self.name = name
        self.kind = kind
        self.home = home / name
        self.home.mkdir(parents=True)
        self._clock_file = self.home / "clock"
        self._log = self.home / "worker.log"
        self.set_clock(0)
        self._settings = msgspec.structs.replace(
            settings,
            instance_id=name if is_static else None,
            data_dir=self.home / "data",
            intake_metrics_port=0,
            casekeeper_metrics_port=0,
        )
        self.version = version
        self.exits: Counter[int] = Counter()
        self.lock = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._is_wanted = False
        self._read = 0
        self._is_ready = False
        self._is_counted = True
        self.struck: Counter[str] = Counter()
        self.defences: Counter[str] = Counter()

    @property
    def data(self) -> Path:
        """Its local files: they may be lost, and must be doubted."""
        return self.home / "data"

    @property
    def pid(self) -> int | None:
        """Its process, while it has one."""
        return None if self._process is None else self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether it has said since its last start that it works."""
        self.look()
        return self._is_ready and self.is_running

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, faults: str = "", *, is_counted: bool = True) -> None:
        """Start it with some faults armed; those of a fault that is counted itself are not counted again."""
        self.look()
        self._is_counted = is_counted
        self._is_wanted = True
        self._is_ready = False
        settings = msgspec.structs.replace(self._settings, faults=faults)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("HX_")}
        told = self.version.understood(settings.as_environment())
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, "-P", str(SCRIPT), self.kind, str(self._clock_file)],
                env=kept | told | {"PYTHONPATH": str(self.version.path)},
                cwd=self.version.path,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._watchdog = end_with_this_process(self._process.pid)

    def send(self, number: signal.Signals) -> bool:
        """Send it a signal; answer whether it was there."""
        if not self.is_running or self._process is None:
            return False
        self._process.send_signal(number)
        return True

    async def kill(self) -> None:
        """End it at once and keep it away until `start`."""
        self._is_wanted = False
        self.send(signal.SIGKILL)
        await self._ended(_STOP_PATIENCE_S)

    async def end(self) -> None:
        """Ask it to end, and keep it away until `start`; whoever takes too long is killed."""
        self._is_wanted = False
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        if not await self._ended(_STOP_PATIENCE_S):
            self.exits[0xDEAD] += 1
            await self.kill()

    def is_stopped(self) -> bool:
        """Whether a SIGSTOP holds it."""
        if self._process is None:
            return False
        with contextlib.suppress(OSError, IndexError):
            stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8", errors="replace")
            return stat.rpartition(")")[2].split()[0] == "T"
        return False

    def set_clock(self, offset_ms: int, held_at_ms: int = 0) -> None:
        """Let its clock be off by so much, and stand still at a moment (milliseconds since the epoch)."""
        with self._clock_file.open("r+b" if self._clock_file.exists() else "wb") as file:
            file.write(struct.pack("<qq", offset_ms, held_at_ms))

    def lose_data(self) -> None:
        """Throw its local files away, as a new machine would have none."""
        shutil.rmtree(self.data, ignore_errors=True)

    async def look_after(self) -> None:
        """Start it again whenever it has ended, until cancelled."""
        while True:
            if self._process is not None and self._process.poll() is not None:
                self._note_end()
                if self._is_wanted:
                    await asyncio.sleep(_AGAIN_S)
                if self._must_come_back():
                    self.start()
            self.look()
            await asyncio.sleep(_POLL_S)

    def look(self) -> None:
        """Take in what it has logged since the last look."""
        if not self._log.exists():
            return
        with self._log.open("rb") as log:
            log.seek(self._read)
            fresh = log.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        text = whole.decode(errors="replace")
        self._is_ready = self._is_ready or _READY in text
        for action, point in _STRUCK.findall(text):
            self.struck[f"{action} at {point}"] += self._is_counted
        for name, said in _DEFENCES.items():
            self.defences[name] += sum(int(times or 1) for times in said.findall(text))

    def _must_come_back(self) -> bool:
        return self._is_wanted and self._process is None

    async def _ended(self, patience_s: float) -> bool:
        until = time.monotonic() + patience_s
        while self.is_running:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(_POLL_S)
        self._note_end()
        return True

    def _note_end(self) -> None:
        if self._process is not None and self._process.returncode is not None:
            self.exits[self._process.returncode] += 1
        self._process = None
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None

"""How long the members wait after a fault.

A fault is over when everything that was confirmed before it is answered, and something sent after it too.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final

import msgspec

from operations.simulator.ledger import Ledger

_LOOK_S: Final = 0.1


class Recovery(msgspec.Struct, frozen=True):
    """How long members waited after faults of one kind, in seconds.

    Attributes:
        faults: How many faults this is from.
        median_s: Half of them were over after this.
        longest_s: The longest wait. Other faults of the same time are in it.
    """

    faults: int
    median_s: float
    longest_s: float


class Watch:
    """Follows the members' ledger.

    Args:
        ledger: What they sent and what was answered.
        started: When the load started, on the monotonic clock.
    """

    def __init__(self, ledger: Ledger, started: float) -> None:
        self._ledger = ledger
        self._started = started
        self._seen = 0
        self._waiting: deque[tuple[float, str]] = deque()
        self._answered_s = -1.0
        self._open: list[tuple[float, str]] = []
        self._took: defaultdict[str, list[float]] = defaultdict(list)

    def fault(self, at_s: float, kind: str) -> None:
        """Note a fault, in seconds after the start."""
        self._open.append((at_s, kind))

    async def run(self, new_faults: Callable[[], list[tuple[float, str]]]) -> None:
        """Look ten times a second until cancelled; `new_faults` answers those since the last look."""
        while True:
            for at_s, kind in new_faults():
                self.fault(at_s, kind)
            self.look(time.monotonic() - self._started)
            await asyncio.sleep(_LOOK_S)

    def look(self, now_s: float) -> None:
        """Take in what was confirmed and answered since the last look."""
        confirmed = self._ledger.confirmed
        if len(confirmed) > self._seen:
            fresh = list(confirmed)[self._seen :]
            self._waiting.extend((now_s, event_id) for event_id in fresh)
            self._seen = len(confirmed)
        while self._waiting and self._waiting[0][1] in self._ledger.answers:
            self._answered_s, _ = self._waiting.popleft()
        for at_s, kind in self._open:
            if at_s < self._answered_s:
                self._took[kind].append(now_s - at_s)
        self._open = [each for each in self._open if each[0] >= self._answered_s]

    def recoveries(self) -> dict[str, Recovery]:
        """Answer how long each kind of fault kept members waiting."""
        return {
            kind: Recovery(len(took), round(sorted(took)[len(took) // 2], 1), round(max(took), 1))
            for kind, took in sorted(self._took.items())
        }

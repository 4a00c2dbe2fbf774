"""Which cases are parked here, and when those that only something missing stopped are tried again.

A bug waits for people; a directory version that was late needs nobody. For such a case an order to go on is
sent after a pause that doubles with each failure, jittered so that cases which stopped together do not return
together. Order and outcome are records like an operator's, so any worker after a crash goes on the same way.
After the last attempt the case waits for an operator, as one with a bug does.

The pauses are eight lines; a retry library (tenacity) repeats a call in place, which would hold up the line.
"""

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from agents.metrics import CasekeeperMetrics
from agents.sending import Sender
from agents.unparking import TEMPORARY
from casework.directory import EXCHANGE
from casework.ids import derived_id
from casework.messages import Admitted, Case, Parked, Unparking
from casework.transitions import RULES_VERSION
from streams import wire
from streams.clock import Clock
from streams.directory_feed import DirectoryFeed
from streams.publishing import Outgoing
from streams.topics import Topics

TICK_S: Final = 0.2
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 600.0
MAX_ATTEMPTS: Final = 14
"""Two hours of pauses in all: longer than a directory is late, shorter than a working day."""
_RESEND_MS: Final = 30_000


class Patience(msgspec.Struct, frozen=True):
    """How long a record is held in hand before its case is parked; others of its call are confirmed by then.

    Attributes:
        seconds: For a directory version to arrive.
        pause_s: Before what failed is tried once more; up to as much again is added at random.
        sleep: Waits; tests put their own here.
        chance: Answers a number from 0 to 1.
    """

    seconds: float = 2.0
    pause_s: float = 0.05
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random

    async def pause(self) -> None:
        """Wait a moment."""
        await self.sleep(self.pause_s * (1 + self.chance()))


HELD_IN_HAND: Final = Patience()


class _Entry(msgspec.Struct):
    """A parked case with the real time at which it is tried again; None: an operator decides."""

    case: Case
    parked: Parked
    due_ms: int | None


class ParkedCases:
    """The parked cases of the loaded partitions.

    Args:
        topics: The topic table.
        environment: Environment of the exchange.
        feed: All directory versions.
        clock: The exchange's clock; pauses run on real time.
        sender: Confirmed sends.
        metrics: Shows them.
        chance: Answers a number from 0 to 1, for the jitter.
    """

    def __init__(  # noqa: PLR0913 - what the task is made of, given once by workers
        self,
        *,
        topics: Topics,
        environment: str,
        feed: DirectoryFeed,
        clock: Clock,
        sender: Sender,
        metrics: CasekeeperMetrics,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._topics = topics
        self._environment = environment
        self._feed = feed
        self._clock = clock
        self._sender = sender
        self._chance = chance
        self._partitions: dict[int, dict[bytes, _Entry]] = {}
        self._resting: dict[int, dict[bytes, _Entry]] = {}
        self._changed: dict[int, set[bytes]] = {}
        for error_class in ("bug", TEMPORARY):
            metrics.parked_cases(error_class, functools.partial(self.count, error_class))

    def loaded(self, partition: int) -> None:
        """Begin with a partition; `loaded_case` follows for each of its cases, then `complete`."""
        self._partitions[partition] = {}
        self._changed[partition] = set()

    def loaded_case(self, partition: int, case: Case) -> None:
        """Take in a case as it was stored, unless a change of it came first."""
        if case.parked is not None and case.url_key not in self._changed.get(partition, ()):
            self._take(partition, case, case.parked)

    def complete(self, partition: int) -> None:
        """All stored cases of a partition have been taken in."""
        self._changed.pop(partition, None)

    def rest(self, partition: int) -> None:
        """Send nothing for a partition that was given up and may come back."""
        there = self._partitions.pop(partition, None)
        if there is not None:
            self._resting[partition] = there

    def resume(self, partition: int) -> None:
        """Go on with a partition that came back as it was."""
        self._partitions[partition] = self._resting.pop(partition, {})

    def revoked(self, partition: int) -> None:
        """Forget a partition that another worker has now."""
        self._partitions.pop(partition, None)
        self._resting.pop(partition, None)
        self._changed.pop(partition, None)

    def changed(self, partition: int, before: Case | None, after: Case | None) -> None:
        """Take in a case whose new state is confirmed."""
        case = after or before
        there = self._partitions.get(partition)
        if case is None or there is None:
            return
        if partition in self._changed:
            self._changed[partition].add(case.url_key)
        if after is None or after.parked is None:
            there.pop(case.url_key, None)
        else:
            self._take(partition, after, after.parked)

    def _take(self, partition: int, case: Case, parked: Parked) -> None:
        there = self._partitions.get(partition)
        if there is None:
            return
        known = there.get(case.url_key)
        if known is not None and known.parked.attempts == parked.attempts:
            known.case, known.parked = case, parked
        else:
            there[case.url_key] = _Entry(case, parked, self._due(parked))

    def count(self, error_class: str) -> int:
        """Answer how many cases are parked here because of a class of errors."""
        return sum(
            entry.parked.error_class == error_class
            for there in list(self._partitions.values())
            for entry in list(there.values())
        )

    async def run(self, on_failure: Callable[[str, BaseException], object]) -> None:
        """Tick until cancelled; an error is reported, because cases would wait without end."""
        try:
            while True:
                await self.tick()
                await asyncio.sleep(TICK_S)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody would try again
            on_failure("trying parked cases again failed", error)

    async def tick(self) -> int:
        """Send the orders that are due now and answer how many."""
        real, now = self._clock.real_ms(), self._clock.now_ms()
        records = []
        for partition, there in self._partitions.items():
            for entry in there.values():
                if entry.due_ms is None or entry.due_ms > real:
                    continue
                entry.due_ms = real + _RESEND_MS
                order = self._order(partition, entry, now)
                records.append(
                    Outgoing(self._topics.cases_admitted, partition, order.url_key, wire.encode(order))
                )
        if records:
            await self._sender.send(records)
        return len(records)

    def _due(self, parked: Parked) -> int | None:
        if parked.error_class != TEMPORARY or parked.attempts >= MAX_ATTEMPTS:
            return None
        pause = min(FIRST_PAUSE_S * 2 ** max(parked.attempts - 1, 0), LONGEST_PAUSE_S)
        return self._clock.real_ms() + int(1000 * pause * (0.5 + self._chance() / 2))

    def _order(self, partition: int, entry: _Entry, now: int) -> Admitted:
        case, attempts = entry.case, entry.parked.attempts
        return Admitted(
            url_key=case.url_key,
            kind="unpark",
            event_id=derived_id(case.case_id, f"unpark.{entry.parked.since}.{attempts}", EXCHANGE),
            environment=self._environment,
            sender="",
            hosting_country="",
            admitted_at=now,
            submitted_at=self._clock.real_ms(),
            directory_version=self._feed.latest(now).version,
            rules_version=RULES_VERSION,
            source_topic=self._topics.cases_status,
            source_partition=partition,
            source_offset=case.source_offset,
            unparking=Unparking(operator=EXCHANGE, reason=f"tried again after attempt {attempts}"),
        )

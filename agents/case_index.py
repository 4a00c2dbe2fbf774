"""What casekeeper knows of the cases of its partitions beside their states: how many are open, what is due.

It is built in the background from the stored states, after a partition was loaded and while it is served
already, and then follows every change. A change that comes first and the stored state that comes later do not
disturb each other: sums may go below zero for a moment, and what is due is looked up in the state itself when
its time comes. A partition that was given up and comes back unchanged keeps what was known of it.
"""

import asyncio
import logging
import time
from typing import Final

from agents.deadlines import Deadlines
from agents.metrics import CasekeeperMetrics
from agents.parking import ParkedCases
from casework.messages import Case
from schemas.errors import UnreadableError
from streams import wire
from streams.fail_stop import FailStop
from streams.partition_state import LoadedPartition
from streams.state_stores import StateStore

log = logging.getLogger(__name__)

_TURN_S: Final = 0.002
"""Real time after which the building of the index lets all else have its turn, for as long again."""
_CHECK_EVERY: Final = 16


class CaseIndex:
    """The hooks of the state of cases.

    Args:
        metrics: Whose gauges of open cases are kept.
        deadlines: Told what may become due.
        parked: Told what is parked.
        fail_stop: Ends the process when a stored state cannot be read from the disk.
    """

    def __init__(
        self, metrics: CasekeeperMetrics, deadlines: Deadlines, parked: ParkedCases, fail_stop: FailStop
    ) -> None:
        self._open_cases = metrics.open_cases
        self._deadlines = deadlines
        self._parked = parked
        self._fail_stop = fail_stop
        self._building: dict[int, asyncio.Task[None]] = {}
        self._resting: set[int] = set()

    def loaded(self, partition: int, found: LoadedPartition) -> None:
        """Begin with a partition, or go on with one that came back as it was."""
        if found.is_unchanged and partition in self._resting:
            self._resting.discard(partition)
            self._open_cases.complete(partition)
            self._deadlines.resume(partition)
            self._parked.resume(partition)
            return
        self._resting.discard(partition)
        self._open_cases.start(partition)
        self._deadlines.loaded(partition, found.store)
        self._parked.loaded(partition)
        self._building[partition] = asyncio.create_task(self._build(partition, found.store))

    def revoked(self, partition: int) -> None:
        """Show nothing of a partition and wake none of its cases until it comes back."""
        task = self._building.pop(partition, None)
        if task is None:
            self._open_cases.rest(partition)
            self._deadlines.rest(partition)
            self._parked.rest(partition)
            self._resting.add(partition)
            return
        task.cancel()
        self._forget(partition)

    def dropped(self, partition: int) -> None:
        """Forget a partition that did not come back."""
        self._resting.discard(partition)
        self._forget(partition)

    def changed(self, partition: int, before: Case | None, after: Case | None) -> None:
        """Take in a change that is confirmed and in the store."""
        self._open_cases.changed(partition, before, after)
        self._deadlines.changed(partition, before, after)
        self._parked.changed(partition, before, after)

    async def built(self, partition: int) -> None:
        """Wait until the index of a partition is complete; for tests and readiness."""
        task = self._building.get(partition)
        if task is not None:
            await asyncio.shield(task)

    def _forget(self, partition: int) -> None:
        self._deadlines.revoked(partition)
        self._parked.revoked(partition)
        self._open_cases.stop(partition)

    async def _build(self, partition: int, store: StateStore) -> None:
        try:
            await self._read_all(partition, store)
        except Exception as error:  # noqa: BLE001 - without its deadlines a partition must not be worked on
            self._fail_stop(f"the cases of partition {partition} could not be read", error)

    async def _read_all(self, partition: int, store: StateStore) -> None:
        turn = time.monotonic() + _TURN_S
        for number, (_, framed) in enumerate(store.items(), start=1):
            if number % _CHECK_EVERY == 0 and time.monotonic() >= turn:
                await asyncio.sleep(_TURN_S)
                turn = time.monotonic() + _TURN_S
            try:
                case = wire.decode_as(Case, framed)
            except UnreadableError as error:
                log.error("a case state of partition %d cannot be read: %s", partition, error)  # noqa: TRY400 - no values
                continue
            self._open_cases.changed(partition, None, case)
            self._deadlines.loaded_case(partition, case)
            self._parked.loaded_case(partition, case)
        self._open_cases.complete(partition)
        self._parked.complete(partition)
        self._building.pop(partition, None)

"""Deadlines: wakes cases whose time has come, for the partitions that casekeeper has loaded.

It decides nothing. A wake-up is an admitted record that says "time has passed"; casekeeper finds out what is
due. The event id comes from the case, the step and its due time, so a second wake-up changes nothing, and
one that was lost with a crash is sent again. What is due is kept in a calendar whose entries may be outdated:
when the time of one comes, the case itself is asked.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from agents.calendar import Calendar
from agents.metrics import CasekeeperMetrics
from agents.sending import Sender
from casework.directory import Directory
from casework.due import REASSIGN, Due, next_due
from casework.ids import derived_id
from casework.messages import Admitted, Case
from casework.next_legs import reason_to_reassign
from casework.parties import answerable
from casework.states import CLOSED, ORPHANED
from casework.stubs import SHRINK, may_shrink
from casework.transitions import RULES_VERSION
from schemas.errors import UnreadableError
from streams import wire
from streams.clock import Clock
from streams.directory_feed import DirectoryFeed
from streams.publishing import Outgoing
from streams.state_stores import StateStore
from streams.topics import Topics

log = logging.getLogger(__name__)

TICK_S: Final = 0.2
RETRY_MS: Final = 30_000
"""Real time after which a wake-up that has not shown an effect is sent again."""
MAX_WAKEUPS: Final = 1000
"""Wake-ups of one partition in one tick; the rest follows in the next one."""
_CHUNK: Final = 200


class _Partition:
    """What is due in one loaded partition.

    Attributes:
        store: State of its cases.
        calendar: Url keys by due time on the exchange's clock, possibly outdated.
        sent: Url key to the real time at which its wake-up is sent again.
        reassign: Url keys of cases whose hotline may no longer be active, or that may have one now.
        hotlines: Hotlines that were met here as responsible, or with an offer.
        countries: Hosting countries of the cases that were met here without a hotline.
        directory_version: Version under which the cases were looked at last.
    """

    def __init__(self, store: StateStore, directory_version: int) -> None:
        self.store = store
        self.calendar = Calendar()
        self.sent: dict[bytes, int] = {}
        self.reassign: set[bytes] = set()
        self.hotlines: set[str] = set()
        self.countries: set[str] = set()
        self.directory_version = directory_version

    def case(self, url_key: bytes) -> Case | None:
        """Answer the confirmed state of a case."""
        framed = self.store.get(url_key)
        if framed is None:
            return None
        try:
            return wire.decode_as(Case, framed)
        except UnreadableError as error:
            log.error("a case state cannot be read and has no deadlines: %s", error)  # noqa: TRY400 - no values
            return None


class Deadlines:
    """The timers of this worker.

    Args:
        topics: The topic table.
        environment: Environment of the exchange.
        feed: All directory versions.
        clock: The exchange's clock.
        sender: Confirmed sends.
        metrics: Counts.
        shrink_after_ms: Time after the last event of a closed case until it becomes a stub.
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
        shrink_after_ms: int = 90 * 86_400_000,
    ) -> None:
        self._topics = topics
        self._environment = environment
        self._feed = feed
        self._clock = clock
        self._sender = sender
        self._metrics = metrics
        self._shrink_after_ms = shrink_after_ms
        self._partitions: dict[int, _Partition] = {}
        self._resting: dict[int, _Partition] = {}

    def loaded(self, partition: int, store: StateStore) -> None:
        """Begin with a partition; `loaded_case` follows for each of its cases, in the background."""
        version = self._feed.latest(self._clock.now_ms()).version
        self._partitions[partition] = _Partition(store, version)

    def loaded_case(self, partition: int, case: Case) -> None:
        """Take in a case as it was when its partition was loaded."""
        found = self._partitions.get(partition)
        if found is None:
            return
        due = self._next(case)
        if due is not None:
            found.calendar.add(due.at, case.url_key)
        self._look_at_place(found, case)

    def rest(self, partition: int) -> None:
        """Wake none of a partition's cases until `resume`: it was given up, and may come back."""
        if (found := self._partitions.pop(partition, None)) is not None:
            self._resting[partition] = found

    def resume(self, partition: int) -> None:
        """Go on with a partition that came back unchanged."""
        self._partitions[partition] = self._resting.pop(partition)

    def revoked(self, partition: int) -> None:
        """Forget a partition that another worker has now."""
        self._partitions.pop(partition, None)
        self._resting.pop(partition, None)

    def changed(self, partition: int, before: Case | None, after: Case | None) -> None:
        """Take in a case whose new state is confirmed."""
        case = after or before
        found = self._partitions.get(partition)
        if case is None or found is None:
            return
        was_sent = found.sent.pop(case.url_key, None) is not None
        if after is None:
            return
        due = self._next(after)
        if due is not None and (was_sent or before is None or self._next(before) != due):
            found.calendar.add(due.at, after.url_key)
        # Admitted under an earlier version, decided after the look at all cases: nobody looks again.
        self._look_at_place(found, after)

    async def run(self, on_failure: Callable[[str, BaseException], object]) -> None:
        """Tick until cancelled; an error is reported, because a worker without timers must not go on."""
        try:
            while True:
                await self.tick()
                await asyncio.sleep(TICK_S)
        except Exception as error:  # noqa: BLE001 - whatever it is, cases would no longer be woken
            on_failure("deadlines failed", error)

    async def tick(self) -> int:
        """Send the wake-ups that are due now and answer how many."""
        sent = 0
        for partition, found in list(self._partitions.items()):
            await self._look_at_directory(found)
            wakeups = list(islice(self._due(found), MAX_WAKEUPS))
            if not wakeups:
                continue
            records = [
                Outgoing(self._topics.cases_admitted, partition, admitted.url_key, wire.encode(admitted))
                for admitted in (self._admitted(partition, *wakeup) for wakeup in wakeups)
            ]
            await self._sender.send(records)
            retry_at = self._clock.real_ms() + RETRY_MS
            found.sent.update((case.url_key, retry_at) for case, _ in wakeups)
            self._metrics.wakeups(Counter(due.step for _, due in wakeups))
            sent += len(wakeups)
        return sent

    def _next(self, case: Case) -> Due | None:
        """Answer what a case needs next without anybody sending anything."""
        due = next_due(case)
        if due is None and case.state == CLOSED and may_shrink(case):
            return Due(case.last_now + self._shrink_after_ms, SHRINK)
        return due

    def _look_at_place(self, found: _Partition, case: Case) -> None:
        if case.state == ORPHANED:
            found.countries.add(case.hosting_country)
        elif hotlines := answerable(case):
            found.hotlines.update(hotlines)
        else:
            return
        if goes_elsewhere(case, self._feed.latest(self._clock.now_ms())):
            found.reassign.add(case.url_key)

    def _due(self, found: _Partition) -> Iterator[tuple[Case, Due]]:
        """Yield case, due time and step of what is due and was not sent just now."""
        now, real = self._clock.now_ms(), self._clock.real_ms()
        woken: set[bytes] = set()
        overdue = [url_key for url_key, retry_at in found.sent.items() if retry_at <= real]
        for url_key in overdue:
            del found.sent[url_key]
            found.calendar.add_exact(now, url_key)
        for left in self._to_reassign(found, now):
            woken.add(left[0].url_key)
            yield left
        for _, url_key in found.calendar.take(now):
            if url_key in woken or url_key in found.sent:
                continue
            case = found.case(url_key)
            due = None if case is None else self._next(case)
            if case is None or due is None:
                continue
            if due.at > now:
                found.calendar.add_exact(due.at, url_key)
                continue
            woken.add(url_key)
            yield case, due

    def _to_reassign(self, found: _Partition, now: int) -> Iterator[tuple[Case, Due]]:
        if not found.reassign:
            return
        directory = self._feed.latest(now)
        for url_key in sorted(found.reassign - found.sent.keys()):
            case = found.case(url_key)
            if case is None or not goes_elsewhere(case, directory):
                found.reassign.discard(url_key)
                continue
            yield case, Due(directory.valid_from, REASSIGN)

    async def _look_at_directory(self, found: _Partition) -> None:
        """Find cases whose hotline is active no more by a new directory version, or that may have one."""
        directory = self._feed.latest(self._clock.now_ms())
        if directory.version == found.directory_version:
            return
        found.directory_version = directory.version
        have_joined = any(has_hotline(directory, country) for country in found.countries)
        if not have_joined and all(directory.is_active(hotline) for hotline in found.hotlines):
            return
        for number, (url_key, framed) in enumerate(found.store.items(), start=1):
            if number % _CHUNK == 0:
                await asyncio.sleep(0)
            try:
                case = wire.decode_as(Case, framed)
            except UnreadableError:
                continue
            if goes_elsewhere(case, directory):
                found.reassign.add(url_key)

    def _admitted(self, partition: int, case: Case, due: Due) -> Admitted:
        now = self._clock.now_ms()
        return Admitted(
            url_key=case.url_key,
            kind="wakeup",
            event_id=derived_id(
                case.case_id,
                f"wakeup.{case.round}.{case.leg}.{due.step}.{due.at}.{due.event_id}",
                case.assigned_hotline or "",
            ),
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
            due_at=due.at,
            step=due.step,
        )


def goes_elsewhere(case: Case, directory: Directory) -> bool:
    """Answer whether a directory version sends an open case elsewhere, unless it is parked."""
    return case.parked is None and reason_to_reassign(case, directory) is not None


def has_hotline(directory: Directory, country: str) -> bool:
    """Answer whether any hotline of a country is active."""
    if directory.pseudo_country(country) is not None:
        return False
    return any(directory.is_active(share.member) for share in directory.country(country).hotlines)

"""Casekeeper: the only writer of case state. It carries out what the rules decide, in an order that survives.

Per call, which takes what waits in several partitions: facts, messages and contents are sent and confirmed;
then the new states, in the same partitions of the state topic, and confirmed; then the own copies change;
then the records are acknowledged. A partition is in one call at a time, so a state is sent only after all
that came before it in its partition is confirmed. A crash at any point repeats the records: cases whose state
was confirmed skip what they have applied, all others decide again, the same, with the same ids.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final

from agents.case_batch import CaseBatch
from agents.case_measures import Measures
from agents.deadlines import Deadlines
from agents.metrics import CasekeeperMetrics
from agents.sending import Sender
from casework.messages import Case
from casework.postings import Posting
from schemas.errors import UnreadableError
from streams import wire
from streams.clock import Clock
from streams.directory_feed import DirectoryFeed
from streams.fail_stop import FailStop
from streams.fault_points import NO_FAULTS, FaultPoints
from streams.lanes import Bundle, JoinedLanes
from streams.loaded_first import LoadedFirst
from streams.partition_state import LoadedPartition, PartitionState, get_all
from streams.publishing import Outgoing
from streams.topics import Topics
from streams.untyped import FaustApp, FaustStream
from streams.worker import batches

log = logging.getLogger(__name__)

GROUP: Final = "casekeeper"
_YIELD_EVERY: Final = 32


class Casekeeper:
    """Handles batches of cases.admitted.

    Args:
        topics: The topic table.
        feed: All directory versions.
        clock: The exchange's clock.
        sender: Confirmed sends.
        metrics: Counts.
        deadlines: Told of every changed case.
        fail_stop: Ends the process.
        faults: What tests break on purpose.
    """

    def __init__(  # noqa: PLR0913 - what the agent is made of, given once by workers
        self,
        *,
        topics: Topics,
        feed: DirectoryFeed,
        clock: Clock,
        sender: Sender,
        metrics: CasekeeperMetrics,
        deadlines: Deadlines,
        fail_stop: FailStop,
        faults: FaultPoints = NO_FAULTS,
    ) -> None:
        self._topics = topics
        self._feed = feed
        self._clock = clock
        self._sender = sender
        self._metrics = metrics
        self._measures = Measures(metrics)
        self._deadlines = deadlines
        self._fail_stop = fail_stop
        self._faults = faults
        self._cases: PartitionState | None = None
        self._contents: PartitionState | None = None
        self._after_load: dict[int, tuple[asyncio.Task[None], asyncio.Task[None]]] = {}

    def attach(self, cases: PartitionState, contents: PartitionState) -> None:
        """Take the two states; they are made with this object's hooks."""
        self._cases, self._contents = cases, contents

    async def handle(self, bundle: Bundle) -> None:
        """Decide all records of several partitions and make the outcome last; returns when all is confirmed.

        Raises:
            PartitionRevokedError: The partitions were given up meanwhile.
            NoDirectoryError: A directory version did not arrive.
            UndeliverableError: A topic of the exchange itself refused a record.
        """
        assert self._cases is not None  # noqa: S101 - attached before the app starts
        assert self._contents is not None  # noqa: S101 - likewise
        works: list[CaseBatch] = []
        for batch in bundle:
            cases, contents = await get_all(batch.partition, self._cases, self._contents)
            if batch.partition in self._after_load:
                await asyncio.shield(self._after_load[batch.partition][0])
            works.append(CaseBatch(batch.partition, cases, contents, self._feed))
        for work, batch in zip(works, bundle, strict=True):
            for number, record in enumerate(batch.records, start=1):
                if not work.add(record):
                    await work.add_waiting(record)
                if number % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        await self._send_effects(works, await self._effects(works))
        states = [
            Outgoing(self._topics.cases_status, work.partition, key, state)
            for work in works
            for key, state in work.states().items()
        ]
        await self._sender.send(states)
        for work in works:
            await self._faults.reach("casekeeper.after_state", work.partition)
            work.write()
            for _, before, after in work.changes():
                self._metrics.open_cases.changed(work.partition, before, after)
                self._deadlines.changed(work.partition, before, after)
        self._measures.observe((step for work in works for step in work.steps), self._clock.real_ms())
        self._metrics.dead_letters(
            Counter(failure.error_class for work in works for _, failure in work.given_up)
        )

    async def _send_effects(self, works: Sequence[CaseBatch], effects: list[Outgoing]) -> None:
        for work in works:
            await self._faults.reach("casekeeper.before_send", work.partition)
        if self._faults.is_armed_at("casekeeper.between_effects"):
            half = (len(effects) + 1) // 2
            await self._sender.send(effects[:half])
            for work in works:
                await self._faults.reach("casekeeper.between_effects", work.partition)
            effects = effects[half:]
        await self._sender.send(effects)
        for work in works:
            await self._faults.reach("casekeeper.after_effects", work.partition)

    async def _effects(self, works: Sequence[CaseBatch]) -> list[Outgoing]:
        topics = self._topics
        records = [
            Outgoing(topics.cases_events, work.partition, step.event.admitted.url_key, fact)
            for work in works
            for step in work.steps
            for fact in step.facts
        ]
        records += await self._sender.placed(
            (self._topic_of(posting), step.event.admitted.url_key, body)
            for work in works
            for step in work.steps
            for posting, body in zip(step.kept.postings, step.bodies, strict=True)
        )
        records += [
            Outgoing(topics.cases_contents, work.partition, key, value)
            for work in works
            for key, value in work.contents.items()
        ]
        records += [
            await self._sender.give_up(record, failure) for work in works for record, failure in work.given_up
        ]
        return records

    def _topic_of(self, posting: Posting) -> str:
        if posting.inbox == "escalations":
            return self._topics.escalations(posting.recipient)
        if posting.is_urgent:
            return self._topics.inbox_urgent(posting.recipient)
        return self._topics.inbox(posting.recipient)

    # Hooks of the state ---------------------------------------------------------------------------------

    def loaded(self, partition: int, found: LoadedPartition) -> None:
        """Begin with a partition: correct what a late writer left, and build the index of its cases."""
        self._metrics.open_cases.start(partition)
        self._deadlines.loaded(partition, found.store)
        self._after_load[partition] = (
            asyncio.create_task(self._write_again(partition, found)),
            asyncio.create_task(self._index(partition, list(found.store.items()))),
        )

    def revoked(self, partition: int) -> None:
        """Forget a partition."""
        for task in self._after_load.pop(partition, ()):
            task.cancel()
        self._deadlines.revoked(partition)
        self._metrics.open_cases.stop(partition)

    async def _write_again(self, partition: int, found: LoadedPartition) -> None:
        """Write the newest states of keys whose last record is older: compaction would keep that one."""
        stale = [(key, found.store.get(key)) for key in sorted(found.stale_keys)]
        if stale:
            log.warning(
                "%s[%d]: %d states of a late writer", self._topics.cases_status, partition, len(stale)
            )
        try:
            await self._sender.send(
                [Outgoing(self._topics.cases_status, partition, key, value) for key, value in stale]
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the topic may end with an old state
            self._fail_stop("states could not be written again", error)

    async def _index(self, partition: int, items: list[tuple[bytes, bytes]]) -> None:
        for number, (_, framed) in enumerate(items, start=1):
            if number % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
            try:
                case = wire.decode_as(Case, framed)
            except UnreadableError as error:
                log.error("a case state of partition %d cannot be read: %s", partition, error)  # noqa: TRY400 - no values
                continue
            self._metrics.open_cases.changed(partition, None, case)
            self._deadlines.loaded_case(partition, case)
        self._metrics.open_cases.complete(partition)


def declare(app: FaustApp, casekeeper: Casekeeper, topics: Topics, *states: PartitionState) -> JoinedLanes:
    """Make the Faust agent that hands what comes of cases.admitted to the lanes, once `states` are loaded."""
    lanes = JoinedLanes(app, casekeeper.handle)
    loaded = LoadedFirst(lanes, *states)

    async def read_admitted(stream: FaustStream) -> None:
        async for event in stream.noack().events():
            loaded.submit(event)

    app.agent(batches(app, topics.cases_admitted), name="casekeeper")(read_admitted)
    return lanes

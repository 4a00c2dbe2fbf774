"""Casekeeper: the only writer of case state. It carries out what the rules decide, in an order that survives.

Per call, which takes what waits in several partitions: facts, messages and contents are sent and confirmed;
then the new states, in the same partitions of the state topic, and confirmed; then the own copies change;
then the records are acknowledged. A partition is in one call at a time, so a state is sent only after all
that came before it in its partition is confirmed. A crash at any point repeats the records: cases whose state
was confirmed skip what they have applied, all others decide again, the same, with the same ids.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final

from agents.case_batch import CaseBatch
from agents.case_index import CaseIndex
from agents.case_measures import Measures
from agents.metrics import CasekeeperMetrics
from agents.parking import HELD_IN_HAND, Patience
from agents.sending import Sender
from agents.unparking import Readers
from casework.postings import Posting
from streams import groups
from streams.batch_events import submit_all
from streams.clock import Clock
from streams.directory_feed import DirectoryFeed
from streams.fault_points import NO_FAULTS, FaultPoints
from streams.lanes import Batch, Bundle, JoinedLanes
from streams.loaded_first import LoadedFirst
from streams.newest_wins import deletion_headers
from streams.partition_state import PartitionState, get_all, writing
from streams.publishing import Outgoing
from streams.topics import Topics
from streams.turnstile import Turnstile
from streams.untyped import FaustApp, FaustStream
from streams.worker import batches

log = logging.getLogger(__name__)

GROUP: Final = groups.CASEKEEPER
#: Of one call, in all; that of intake.
CALL_RECORDS: Final = 1000
#: Of one call, of one partition.
SHARE_RECORDS: Final = 250


class Casekeeper:
    """Handles batches of cases.admitted.

    Args:
        topics: The topic table.
        feed: All directory versions.
        clock: The exchange's clock.
        sender: Confirmed sends.
        metrics: Counts.
        index: Told of every changed case.
        readers: Opens readers of what waits in parked cases.
        faults: What tests break on purpose.
        patience: How long a record that needs what is not here is held in hand.
        turnstile: What all calculate behind.
    """

    def __init__(  # noqa: PLR0913 - what the agent is made of, given once by workers
        self,
        *,
        topics: Topics,
        feed: DirectoryFeed,
        clock: Clock,
        sender: Sender,
        metrics: CasekeeperMetrics,
        index: CaseIndex,
        readers: Readers,
        faults: FaultPoints = NO_FAULTS,
        patience: Patience = HELD_IN_HAND,
        turnstile: Turnstile | None = None,
    ) -> None:
        self._topics = topics
        self._feed = feed
        self._clock = clock
        self._sender = sender
        self._metrics = metrics
        self._measures = Measures(metrics)
        self._index = index
        self._readers = readers
        self._faults = faults
        self._patience = patience
        self._turnstile = turnstile or Turnstile()
        self._cases: PartitionState | None = None
        self._contents: PartitionState | None = None

    def attach(self, cases: PartitionState, contents: PartitionState) -> None:
        """Take the two states; they are made with this object's hooks."""
        self._cases, self._contents = cases, contents

    async def handle(self, bundle: Bundle) -> None:
        """Decide all records of several partitions and make the outcome last; returns when all is confirmed.

        Raises:
            PartitionRevokedError: The partitions were given up meanwhile.
            UndeliverableError: A topic of the exchange itself refused a record.
        """
        held = await self._carry_out(bundle)
        if held:
            await self._patience.pause()
            await self._carry_out(held, patience_s=self._patience.seconds)

    async def _carry_out(self, bundle: Bundle, patience_s: float | None = None) -> Bundle:
        """Carry out all that needs no waiting and answer what is held back; with patience, everything."""
        assert self._cases is not None  # noqa: S101 - attached before the app starts
        assert self._contents is not None  # noqa: S101 - likewise
        works: list[CaseBatch] = []
        for batch in bundle:
            cases, contents = await get_all(batch.partition, self._cases, self._contents)
            works.append(CaseBatch(batch.partition, cases, contents, self._feed, self._readers))
        await self._decide(works, bundle, patience_s)
        partitions = [work.partition for work in works]
        for work in works:
            if work.erased:
                self._contents.deleted(work.partition, work.erased)
        slices = self._turnstile.slices()
        with writing(partitions, self._cases, self._contents):
            await self._send_effects(works, await self._effects(works))
            await self._send_states(works)
            for work in works:
                await self._faults.reach("casekeeper.after_state", work.partition)
                work.write()
                for _, before, after in work.changes():
                    self._index.changed(work.partition, before, after)
                await slices.breathe()
        self._measures.observe((step for work in works for step in work.steps), self._clock.real_ms())
        self._metrics.dead_letters(
            Counter(failure.error_class for work in works for _, failure in work.given_up)
        )
        return tuple(
            Batch(batch.topic, batch.partition, work.held)
            for work, batch in zip(works, bundle, strict=True)
            if work.held
        )

    async def _decide(self, works: Sequence[CaseBatch], bundle: Bundle, patience_s: float | None) -> None:
        if patience_s is None:
            async with self._turnstile.turn() as slices:
                for work, batch in zip(works, bundle, strict=True):
                    for record in batch.records:
                        work.add(record)
                        await slices.breathe()
            return
        for work, batch in zip(works, bundle, strict=True):
            for record in batch.records:
                await work.add_held(record, patience_s)

    async def _send_states(self, works: Sequence[CaseBatch]) -> None:
        """Send the new states; one that ended says by which record: a late older one cannot undo it then."""
        assert self._cases is not None  # noqa: S101 - attached before the app starts
        records = []
        for work in works:
            states, ended = work.states(), work.ended()
            for key, state in states.items():
                headers = () if state is not None else deletion_headers(ended[key])
                records.append(Outgoing(self._topics.cases_status, work.partition, key, state, headers))
            if ended:
                self._cases.deleted(work.partition, ended)
        await self._sender.send(records)

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
            Outgoing(
                topics.cases_contents,
                work.partition,
                key,
                value,
                () if value is not None else deletion_headers(work.erased[key]),
            )
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
        return self._topics.delivered(posting.recipient, is_urgent=posting.is_urgent)


def declare(app: FaustApp, casekeeper: Casekeeper, topics: Topics, *states: PartitionState) -> JoinedLanes:
    """Make the Faust agent that hands what comes of cases.admitted to the lanes, once `states` are loaded."""
    lanes = JoinedLanes(app, casekeeper.handle, max_records=CALL_RECORDS, max_partition_records=SHARE_RECORDS)
    loaded = LoadedFirst(lanes, *states)

    async def read_admitted(stream: FaustStream) -> None:
        await submit_all(app, stream, loaded.submit)

    app.agent(batches(app, topics.cases_admitted), name="casekeeper")(read_admitted)
    return lanes

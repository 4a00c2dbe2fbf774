"""Intake: the trust boundary. It reads what members send, and lets only checked submissions pass.

It keeps no state and removes no duplicates, so any number of workers may share the slots. Each batch is
judged in memory; then admissions, receipts, escalations and dead letters are sent together and confirmed,
and only then is the batch acknowledged. A crash in between repeats them with the same ids.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from agents.dead_letters import Failure
from agents.failures import Action, treatment_of
from agents.judgement import Admit, Bench, GiveUp, Refuse, Verdict, judge
from agents.metrics import IntakeMetrics
from agents.pace import Pace, Unpaced
from agents.sending import Post, Sender
from casework.errors import FatalError
from streams import groups, wire
from streams.batch_events import submit_all
from streams.clock import Clock
from streams.directory_feed import DirectoryFeed
from streams.fault_points import NO_FAULTS, FaultPoints
from streams.lanes import Bundle, JoinedLanes
from streams.publishing import Confirmation
from streams.topics import Topics
from streams.turnstile import Turnstile
from streams.untyped import FaustApp, FaustStream, KafkaRecord
from streams.worker import batches

log = logging.getLogger(__name__)

GROUP: Final = groups.INTAKE
#: Reads what is urgent, with a consumer and a producer of its own: no backlog stands before it.
URGENT_GROUP: Final = groups.INTAKE_URGENT
MAX_CLOCK_OFFSET_MS: Final = 5000
#: Of one call, in all. Fewer let the calls of others start sooner; 4,000 cost as much CPU for a record.
CALL_RECORDS: Final = 1000
#: Of one call, of one partition.
SHARE_RECORDS: Final = 250


class ClockOffsetError(FatalError):
    """The worker's clock and the broker's disagree by more than five seconds: its stamps mislead."""


class Intake:
    """Handles batches of the submission topics.

    Args:
        topics: The topic table.
        environment: Environment of the exchange.
        feed: All directory versions.
        clock: The exchange's clock.
        sender: Confirmed sends.
        metrics: Counts.
        pace: Says when the next records may be admitted.
        turnstile: What all calculate behind; None calculates at once, which is for what is urgent.
        faults: What tests break on purpose.
    """

    def __init__(  # noqa: PLR0913 - what the agent is made of, given once by workers
        self,
        *,
        topics: Topics,
        environment: str,
        feed: DirectoryFeed,
        clock: Clock,
        sender: Sender,
        metrics: IntakeMetrics,
        pace: Pace | None = None,
        turnstile: Turnstile | None = None,
        faults: FaultPoints = NO_FAULTS,
    ) -> None:
        self._topics = topics
        self._environment = environment
        self._feed = feed
        self._clock = clock
        self._sender = sender
        self._metrics = metrics
        self._pace = pace or Unpaced()
        self._turn = turnstile.turn if turnstile else Turnstile().at_once
        self._faults = faults

    async def handle(self, bundle: Bundle) -> None:
        """Judge and answer all records of several partitions; returns when everything is confirmed.

        Raises:
            ClockOffsetError: This worker's clock is more than five seconds off the broker's.
            FatalError: No directory is valid.
            UndeliverableError: A topic of the exchange itself refused a record.
        """
        async with self._pace.room_for(sum(len(batch.records) for batch in bundle)):
            await self._admit(bundle)

    async def _admit(self, bundle: Bundle) -> None:
        for batch in bundle:
            self._check_not_behind(batch.records)
        verdicts: list[tuple[KafkaRecord, Verdict]] = []
        posts: list[Post] = []
        bench: Bench | None = None
        appended_at = 0
        async with self._turn() as slices:
            for record in (record for batch in bundle for record in batch.records):
                if bench is None or record.timestamp != appended_at:
                    appended_at = record.timestamp
                    bench = self._bench(appended_at)
                verdict = _judged(record, bench)
                verdicts.append((record, verdict))
                posts += self._posts(verdict)
                await slices.breathe()
        outgoing = await self._sender.placed(posts)
        outgoing += [
            await self._sender.give_up(record, verdict.failure)
            for record, verdict in verdicts
            if isinstance(verdict, GiveUp)
        ]
        for batch in bundle:
            await self._faults.reach("intake.before_send", batch.partition)
        sent_at = self._clock.real_ms()
        confirmation = await self._sender.send(outgoing)
        self._check_clock(sent_at, confirmation)
        self._count(verdict for _, verdict in verdicts)
        if bench is not None:
            self._metrics.directory_version.set(bench.directory.version)

    def _posts(self, verdict: Verdict) -> Iterator[Post]:
        topics = self._topics
        if isinstance(verdict, Admit):
            for escalation in verdict.escalations:
                topic = topics.escalations(escalation.recipient)
                yield topic, escalation.url_key, wire.encode(escalation)
            yield topics.cases_admitted, verdict.admitted.url_key, wire.encode(verdict.admitted)
        elif isinstance(verdict, Refuse):
            receipt = verdict.receipt
            yield topics.inbox(receipt.recipient), receipt.url_key or b"", wire.encode(receipt)

    def _bench(self, appended_at: int) -> Bench:
        """Answer what a record is judged by: all of it follows from the broker's time of the append.

        What intake repeats after a crash, on another machine and under a later version, comes out the same.
        """
        stamp = self._clock.at(appended_at)
        directory = self._feed.valid_at(stamp, self._clock.now_ms())
        return Bench(directory, self._environment, stamp, self._topics)

    def _check_not_behind(self, records: Sequence[KafkaRecord]) -> None:
        behind = max((record.timestamp for record in records), default=0) - self._clock.real_ms()
        if behind > MAX_CLOCK_OFFSET_MS:
            raise ClockOffsetError(f"the clock is {behind / 1000:.1f} s behind the broker's")

    def _check_clock(self, sent_at: int, confirmation: Confirmation) -> None:
        """Compare with the broker's clock, allowing for the time the confirmation took."""
        appended = [time for time in confirmation.append_times.values() if time > 0]
        if not appended:
            return
        ahead = max(sent_at - min(appended), 0) or min(self._clock.real_ms() - max(appended), 0)
        self._metrics.clock_offset(ahead / 1000)
        if abs(ahead) > MAX_CLOCK_OFFSET_MS:
            raise ClockOffsetError(f"the clock is {ahead / 1000:.1f} s ahead of the broker's")

    def _count(self, verdicts: Iterable[Verdict]) -> None:
        submissions: Counter[tuple[str, str]] = Counter()
        refusals: Counter[str] = Counter()
        misplaced: Counter[str] = Counter()
        escalations: Counter[str] = Counter()
        dead: Counter[str] = Counter()
        unproven: Counter[str] = Counter()
        for verdict in verdicts:
            match verdict:
                case Admit(admitted, urgent):
                    submissions[admitted.kind, admitted.hosting_country] += 1
                    misplaced.update([admitted.hosting_country] if admitted.is_misplaced else [])
                    escalations.update(escalation.reason_code for escalation in urgent)
                case Refuse(_, kind, country, rule):
                    submissions[kind, country] += 1
                    refusals[rule] += 1
                case GiveUp(failure):
                    dead[failure.error_class] += 1
                    unproven.update([failure.rule] if failure.error_class == "unattributable" else [])
        self._metrics.submissions(submissions)
        self._metrics.refusals(refusals)
        self._metrics.misplaced(misplaced)
        self._metrics.escalations(escalations)
        self._metrics.dead_letters(dead)
        self._metrics.unproven(unproven)


def read_by(topics: Topics) -> dict[str, tuple[str, ...]]:
    """Answer which topics of submissions each group of intake reads; a group's name has no prefix."""
    return {
        URGENT_GROUP: (topics.reports_urgent,),
        GROUP: (topics.actions_submitted, topics.reports_submitted),
    }


def declare(app: FaustApp, intake: Intake, *topics: str) -> JoinedLanes:
    """Make the Faust agent that hands every batch of these topics to the lanes."""
    lanes = JoinedLanes(app, intake.handle, max_records=CALL_RECORDS, max_partition_records=SHARE_RECORDS)

    async def read_submissions(stream: FaustStream) -> None:
        await submit_all(app, stream, lanes.submit)

    app.agent(batches(app, *topics), name="intake")(read_submissions)
    return lanes


def _judged(record: KafkaRecord, bench: Bench) -> Verdict:
    try:
        return judge(record, bench)
    except Exception as error:
        if treatment_of(error).intake in {Action.STOP, Action.DROP}:
            raise
        name = type(error).__name__
        where = (record.topic, record.partition, record.offset)
        log.error("%s[%d]@%d could not be judged: %s", *where, name)  # noqa: TRY400 - values in a traceback
        return GiveUp(Failure("bug", name, "", "intake could not judge this record"))

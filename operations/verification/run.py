"""Verification of a whole exchange, partition by partition."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from casework.directory_signing import TrustAnchor
from operations.books import set_aside
from operations.logs import ExchangeClock, Log, directories, inboxes, police
from operations.verification.contents import Contents
from operations.verification.effects import Effects
from operations.verification.expected import Expected, OfIntake, place_name
from operations.verification.facts import Facts
from operations.verification.findings import Finding, Tally
from operations.verification.messages import Messages
from operations.verification.replay import Replay
from operations.verification.snapshot import PartitionSnapshot, Snapshot
from operations.verification.states import States
from streams.topics import Topics


class Verification(msgspec.Struct, frozen=True):
    """The outcome.

    Attributes:
        findings: What is wrong, sorted; empty when everything is as it must be.
        unchecked: What could not be decided again, counted by reason; `findings.REASONS` has the words.
        counts: What was read and compared, by kind.
    """

    findings: tuple[Finding, ...]
    unchecked: dict[str, int]
    counts: dict[str, int]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class Scope(msgspec.Struct, frozen=True):
    """What is verified.

    Attributes:
        topics: Names of the topics.
        environment: Environment of the exchange.
        clock: The exchange's clock, with which intake stamps.
        partitions: Partitions of the topics of cases; None is all.
        bounds: Offset that casekeeper has committed, by partition of cases.admitted; what lies behind is
            under way. None: the exchange is still.
        submitted: Offset that intake has committed, by topic of submissions and partition; None: all.
        snapshot: Where to begin; None is the beginning.
        with_intake: Whether submissions are judged again; without, receipts of refusals are not explained.
        anchor: As the workers have it; None believes a directory that nobody signed.
        narrow: Topics that for a while took only batches of so many bytes: what was larger may lie behind
            later messages of its case.
    """

    topics: Topics
    environment: str
    clock: ExchangeClock
    partitions: tuple[int, ...] | None = None
    bounds: Mapping[int, int] | None = None
    submitted: Mapping[str, Mapping[int, int]] | None = None
    snapshot: Snapshot | None = None
    with_intake: bool = True
    anchor: TrustAnchor | None = None
    narrow: Mapping[str, int] = msgspec.field(default_factory=dict)


def verify(log: Log, scope: Scope, *, save_snapshot: Path | None = None) -> Verification:
    """Decide again what an exchange decided, and compare.

    Args:
        log: The logs.
        scope: What is verified.
        save_snapshot: File to write the states and offsets to, so that a later run may begin here;
            nothing is written when something was found.

    Raises:
        KafkaUnreachableError: The broker went away.
        SnapshotError: The snapshot is of another exchange or cannot be written.
    """
    return _Run(log, scope).verify(save_snapshot)


class _Run:
    def __init__(self, log: Log, scope: Scope) -> None:
        self._log = log
        self._scope = scope
        self._topics = scope.topics
        self._tally = Tally()
        self._count = log.partitions(scope.topics.cases_events)
        self._feed = directories(log, scope.topics, scope.environment, scope.clock, scope.anchor)
        self._in_flight: dict[tuple[str, int], int] = {}
        self._dead_letters = set_aside(log, scope.topics)

    def verify(self, save: Path | None) -> Verification:
        scope, tally = self._scope, self._tally
        began = scope.snapshot
        if began is not None:
            began.check(scope.topics.prefix, scope.environment, self._count)
        names = [*inboxes(self._log, self._topics), *police(self._log, self._topics)]
        ends = {name: self._log.ends(name) for name in names} if save is not None else {}
        taken = {name: dict(self._taken(name)) for name in scope.topics.submissions}
        if self._count:
            effects = Effects(self._topics, self._count, tally, scope.narrow)
            expected = Expected(self._topics, self._count, scope.environment, self._feed, scope.clock, tally)
            try:
                effects.read(self._log, names, {} if began is None else began.effects_from)
                effects.read_set_aside(self._dead_letters.undelivered)
                if scope.with_intake:
                    expected.read(
                        self._log,
                        self._dead_letters.values,
                        scope.submitted,
                        {} if began is None else began.submissions_from,
                    )
                saved: dict[int, PartitionSnapshot] = {}
                for partition in scope.partitions or range(self._count):
                    saved[partition] = self._partition(partition, effects, expected)
            finally:
                effects.close()
                expected.close()
            if save is not None and not tally.findings:
                for (name, partition), offset in self._in_flight.items():
                    if offset < 0:
                        continue  # a dead letter in place of a message: these are read whole each time
                    ends[name][partition] = min(ends[name].get(partition, offset), offset)
                prefix = scope.topics.prefix
                Snapshot(prefix, scope.environment, self._count, saved, ends, taken).save(save)
        return Verification(
            tuple(sorted(tally.findings)),
            {str(reason): count for reason, count in sorted(tally.unchecked.items())},
            dict(sorted(tally.counts.items())),
        )

    def _taken(self, topic: str) -> Mapping[int, int]:
        submitted = self._scope.submitted
        return self._log.ends(topic) if submitted is None else submitted.get(topic, {})

    def _partition(self, partition: int, effects: Effects, expected: Expected) -> PartitionSnapshot:
        log, topics, tally = self._log, self._topics, self._tally
        began = None if self._scope.snapshot is None else self._scope.snapshot.partitions.get(partition)
        known = {} if began is None else {case.case_id: case.number for case in began.cases}
        facts = Facts(
            log.part(topics.cases_events, partition, 0 if began is None else began.events_from),
            self._count,
            tally,
            known,
            {case.url_key for case in began.cases if case.parked is not None} if began is not None else set(),
        )
        contents = Contents()
        try:
            for record in log.part(topics.cases_contents, partition):
                contents.read(record.key or b"", record.value)
            states = States(log.part(topics.cases_status, partition), tally)
            intake = expected.of(partition)
            messages = Messages(effects.of(partition), intake, topics, tally)
            first = 0 if began is None else began.admitted_from
            replay = Replay(
                topics=topics,
                directories=self._feed.known,
                facts=facts,
                contents=contents,
                intake=intake,
                dead_letters=self._dead_letters.places,
                tally=tally,
                on_posting=messages.expect,
                on_case=states.after,
                cases={} if began is None else {case.url_key: case for case in began.cases},
            )
            bound = None if self._scope.bounds is None else self._scope.bounds.get(partition, 0)
            here = log.begins(topics.cases_admitted).get(partition, 0)
            replay.run(log.part(topics.cases_admitted, partition, first), max(first, here), bound)
            self._admissions(intake, replay, is_trimmed=max(first, here) > 0)
            states.compare(replay.cases, replay.moving | replay.broken)
            messages.close(replay, is_from_snapshot=began is not None, with_intake=self._scope.with_intake)
            skipped = replay.undecided | replay.moving | replay.broken
            contents.compare(skipped, tally, is_from_snapshot=began is not None)
            for place, offset in messages.first_in_flight.items():
                self._in_flight[place] = min(self._in_flight.get(place, offset), offset)
            end = log.ends(topics.cases_admitted).get(partition, 0)
            return PartitionSnapshot(
                admitted_from=end if bound is None else bound,
                events_from=facts.first_of(replay.moving),
                cases=list(replay.cases.values()),
            )
        finally:
            contents.close()

    def _admissions(self, intake: OfIntake, replay: Replay, *, is_trimmed: bool) -> None:
        for key in intake.admissions.keys() - replay.admitted - intake.may_be:
            if is_trimmed:
                self._tally.unchecked["admitted_record_deleted"] += 1
            else:
                name = place_name(self._topics, key)
                self._tally.find("admission_missing", "", name, "intake admits this submission")

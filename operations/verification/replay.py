"""One partition decided again: every admitted record in its order, with what it must have brought forth.

The case before a record is what the rules made of everything earlier, so each record is decided once. What
cannot be decided again is folded from its facts, and counted by reason.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator

import msgspec

from agents.kept_contents import content_key
from casework.casekeeping import Kept, keep
from casework.directory import Directory
from casework.effects import effects
from casework.errors import BugError, HotlineExchangeError
from casework.events import Event, Source, Unpark
from casework.evolution import evolve
from casework.messages import Admitted, Case, Delivery, Escalation, Fact, Receipt
from casework.notices import UPDATE
from casework.parking import BEHIND
from casework.postings import Posting
from casework.states import AWAITED
from casework.transitions import ERASES_CONTENTS, PARKING, RULES_VERSION
from operations.reading import Record
from operations.verification.contents import Contents
from operations.verification.expected import OfIntake, place_key
from operations.verification.facts import Facts, Logged, digest, place_of
from operations.verification.findings import Tally, Unchecked
from operations.verification.rebuilding import REPORT_FACTS, event_of
from schemas.errors import UnreadableError
from streams import wire
from streams.topics import Topics

Place = tuple[str, int, int]
ERASED = b""
"""Bytes of a message that cannot be made again, because its content is gone: any are taken."""
Directories = Callable[[int], Directory | None]
OnCase = Callable[[bytes, int, Case | None], None]
OnPosting = Callable[[Posting, bytes, tuple[bytes, ...]], None]
"""Posting, its framed bytes, and those it may have once its content is erased."""


class Replay:
    """Decides the records of one partition again.

    Args:
        topics: Names of the topics.
        directories: Answers a directory version, or None.
        facts: The partition's facts.
        contents: The partition's contents.
        intake: What intake is expected to have admitted.
        dead_letters: Places of records that were set aside.
        tally: Takes what is found.
        on_posting: Told of every message that must be there.
        on_case: Told of every case after each record: url key, source offset, case.
        cases: States to begin with, by url key; changed by the replay.

    Attributes:
        cases: States after what was replayed.
        moving: Url keys of records that casekeeper has not committed yet.
        undecided: Url keys of records that were not decided again.
        broken: Url keys whose facts do not follow each other.
    """

    def __init__(  # noqa: PLR0913 - what a partition consists of
        self,
        *,
        topics: Topics,
        directories: Directories,
        facts: Facts,
        contents: Contents,
        intake: OfIntake,
        dead_letters: frozenset[Place],
        tally: Tally,
        on_posting: OnPosting,
        on_case: OnCase,
        cases: dict[bytes, Case] | None = None,
    ) -> None:
        self._topics = topics
        self._directories = directories
        self._facts = facts
        self._contents = contents
        self._intake = intake
        self._dead_letters = dead_letters
        self._tally = tally
        self._on_posting = on_posting
        self._on_case = on_case
        self._admitted_from = 0
        self.cases: dict[bytes, Case] = {} if cases is None else cases
        self.admitted: set[bytes] = set()
        self.moving: set[bytes] = set()
        self.undecided: set[bytes] = set()
        self.broken: set[bytes] = set()

    def run(self, records: Iterator[Record], first: int, bound: int | None) -> None:
        """Decide records again.

        Args:
            records: cases.admitted of the partition, in order.
            first: First offset that is still there; facts of earlier ones are folded.
            bound: Offset that casekeeper has committed; what lies behind may be under way. None: nothing is.
        """
        self._admitted_from = first
        for record in records:
            self._tally.counts["admitted"] += 1
            if bound is not None and record.offset >= bound:
                self._in_flight(record)
            else:
                self._record(record)
        for url_key, logged in self._facts.rest():
            deleted = [each for each in logged if each.at < first]
            self._fold_deleted(url_key, deleted)
            if url_key not in self.moving:
                self._unexplained([each for each in logged if each.at >= first])
        self._facts.close()

    def _in_flight(self, record: Record) -> None:
        self._tally.unchecked["in_flight"] += 1
        try:
            admitted = wire.decode_as(Admitted, record.value or b"")
        except UnreadableError:
            return  # casekeeper sets it aside when its turn comes
        self.moving.add(admitted.url_key)
        self.admitted.add(self._source_key(admitted))

    def _record(self, record: Record) -> None:
        place = (record.topic, record.partition, record.offset)
        try:
            event = wire.decode_event(record.value or b"")
        except UnreadableError as error:
            if place not in self._dead_letters:
                self._tally.find("dead_letter_missing", "", place_of(record), error.rule)
            return
        admitted = event.admitted
        url_key = admitted.url_key
        self._check_admission(record, admitted)
        logged = self._facts.take(url_key, record.offset)
        earlier = [each for each in logged if each.at < record.offset]
        if earlier:
            self._fold_deleted(url_key, [each for each in earlier if each.at < self._admitted_from])
            self._unexplained([each for each in earlier if each.at >= self._admitted_from])
            logged = [each for each in logged if each.at == record.offset]
        if place in self._dead_letters and not any(each.fact.fact in PARKING for each in logged):
            self._unexplained(logged)
            return
        reason = self._why_not(event, logged)
        kept = None
        if reason is None:
            kept = self._keep(event, record, url_key)
            if kept is None:
                self._fold(url_key, logged, event)
                return
            self._compare(kept, logged)
            self._take(url_key, kept, record.offset)
        else:
            self._tally.unchecked[reason] += 1
            self.undecided.add(url_key)
            self._fold(url_key, logged, None if isinstance(event, Unpark) else event)
        self._on_case(url_key, record.offset, self.cases.get(url_key))

    def _check_admission(self, record: Record, admitted: Admitted) -> None:
        if admitted.kind not in {"report", "action"}:
            return
        key = self._source_key(admitted)
        self.admitted.add(key)
        expected = self._intake.admissions.get(key)
        if admitted.rules_version != RULES_VERSION:
            return
        if expected is None:
            begins = self._intake.begins.get(admitted.source_topic, {})
            if admitted.source_offset < begins.get(admitted.source_partition, 1 << 62):
                self._tally.unchecked["submission_deleted"] += 1
            else:
                text = "intake admits no submission at the place it names"
                self._tally.find("admission_unknown", "", place_of(record), text)
        elif expected != digest(record.value or b""):
            text = "differs from what intake makes of the submission"
            self._tally.find("admission_altered", "", place_of(record), text)

    def _source_key(self, admitted: Admitted) -> bytes:
        source = (admitted.source_topic, admitted.source_partition, admitted.source_offset)
        return place_key(self._topics, *source)

    def _why_not(self, event: Event, logged: list[Logged]) -> Unchecked | None:
        admitted = event.admitted
        if admitted.rules_version != RULES_VERSION:
            return "another_rules_version"
        if isinstance(event, Unpark) or any(
            each.fact.fact in PARKING and each.fact.rule != BEHIND for each in logged
        ):
            return "parked"
        if self._directories(admitted.directory_version) is None:
            return "directory_version_gone"
        return None

    def _keep(self, event: Event, record: Record, url_key: bytes) -> Kept | None:
        directory = self._directories(event.admitted.directory_version)
        assert directory is not None  # noqa: S101 - _why_not asked
        source = Source(record.topic, record.partition, record.offset)
        try:
            return keep(self.cases.get(url_key), event, directory, source)
        except Exception as error:  # noqa: BLE001 - whatever it is, casekeeper met it too and set the record aside
            text = f"{type(error).__name__} while it is decided"
            self._tally.find("dead_letter_missing", "", place_of(record), text)
            return None

    def _compare(self, kept: Kept, logged: list[Logged]) -> None:
        there = {(each.fact.case_id, each.fact.number): each for each in logged}
        self._tally.counts["facts_decided"] += len(kept.facts)
        for fact in kept.facts:
            found = there.pop((fact.case_id, fact.number), None)
            if found is None:
                text = f"{fact.fact}, decided on offset {fact.source_offset}"
                self._tally.find("fact_missing", fact.case_id, str(fact.number), text)
            elif found.framed != wire.encode(fact):
                text = f"differs in {difference(found.fact, fact)}"
                self._tally.find("fact_altered", fact.case_id, str(fact.number), text)
        self._unexplained(list(there.values()))

    def _take(self, url_key: bytes, kept: Kept, offset: int) -> None:
        for content in kept.contents:
            self._contents.expect(content_key(url_key, content.report_event_id), content)
        if kept.rewrap is not None:
            self._contents.rewrap(content_key(url_key, kept.rewrap.report_event_id), kept.rewrap, offset)
        for posting in kept.postings:
            self._post(posting)
        for event_id in kept.dropped:
            self._contents.drop(content_key(url_key, event_id))
        if kept.erases_contents:
            self._contents.erase(url_key)
            for content in kept.contents:
                self._contents.expect(content_key(url_key, content.report_event_id), content)
        if kept.erases_credentials:
            self._contents.erase_credentials(url_key, offset)
        self._set(url_key, kept.case)

    def _fold(self, url_key: bytes, logged: list[Logged], event: Event | None = None) -> None:
        """Take facts as they are, and from them the messages that follow from facts alone."""
        if url_key in self.broken:
            return
        facts = [each.fact for each in logged]
        together = defaultdict(list)
        for fact in facts:
            together[fact.source_offset].append(fact)
        case = self.cases.get(url_key)
        for fact in facts:
            before = None if case is not None and fact.case_id != case.case_id and fact.number == 1 else case
            try:
                case = evolve(before, fact)
                of_record = together[fact.source_offset]
                cause = event or event_of(fact, of_record, self._contents, url_key)
                for posting in effects(before, case, fact, cause):
                    self._post(posting, is_folded=event is None)
                if fact.fact in REPORT_FACTS:
                    self._contents.require(content_key(url_key, fact.input_id))
                if fact.fact == "closed":
                    self._contents.erase_credentials(url_key, fact.source_offset)
                if fact.fact in ERASES_CONTENTS:
                    self._contents.erase(url_key)
            except (HotlineExchangeError, BugError, UnreadableError) as error:
                self._tally.find("fact_unfit", fact.case_id, str(fact.number), type(error).__name__)
                self.broken.add(url_key)
                return
        is_gone = case is not None and case.state == AWAITED and not case.waiting and case.parked is None
        self._set(url_key, None if is_gone else case)

    def _fold_deleted(self, url_key: bytes, logged: list[Logged]) -> None:
        by_source: dict[int, list[Logged]] = {}
        for each in logged:
            by_source.setdefault(each.at, []).append(each)
        for offset, together in by_source.items():
            self._tally.unchecked["admitted_record_deleted"] += len(together)
            self.undecided.add(url_key)
            self._fold(url_key, together)
            self._on_case(url_key, offset, self.cases.get(url_key))

    def _unexplained(self, logged: list[Logged]) -> None:
        for each in logged:
            fact = each.fact
            text = f"{fact.fact}, said to be decided on offset {fact.source_offset}"
            self._tally.find("fact_unknown", fact.case_id, str(fact.number), text)

    def _set(self, url_key: bytes, case: Case | None) -> None:
        if case is None:
            self.cases.pop(url_key, None)
        else:
            self.cases[url_key] = case

    def _post(self, posting: Posting, *, is_folded: bool = False) -> None:
        body = posting.body
        if is_folded and not isinstance(body, Receipt) and self._is_erased(body, posting.content_of):
            self._on_posting(posting, ERASED, (ERASED,))
            return
        bare = wire.encode(body)
        if isinstance(body, Receipt):
            self._on_posting(posting, bare, (bare,))
            return
        submission = None
        if posting.content_of is not None:
            submission = self._contents.submission(content_key(body.url_key, posting.content_of))
        if submission is None:
            self._on_posting(posting, bare, (bare, *_without_content(body)))
            return
        body = msgspec.structs.replace(
            body,
            statement=submission.statement,
            signature=submission.signature,
            key_id=submission.key_id,
            content=submission.content,
            credentials=submission.credentials,
        )
        self._on_posting(posting, wire.encode(body), (bare, *_without_content(body)))

    def _is_erased(self, body: Delivery | Escalation, content_of: str | None) -> bool:
        """Answer whether a message handed over a content that is not there any more."""
        if isinstance(body, Delivery) and body.kind == UPDATE:
            return content_of is not None and self._contents.is_erased(content_key(body.url_key, content_of))
        report = body.report_event_id if isinstance(body, Delivery) else body.event_id
        return report is not None and self._contents.has_lost(content_key(body.url_key, report))


def _without_content(body: Delivery | Escalation) -> tuple[bytes, ...]:
    """Answer what a message looks like when it is made again from facts, which keep the statement only."""
    if body.content is None:
        return ()
    less = [msgspec.structs.replace(body, content=None, credentials=None)]
    if body.credentials is not None:
        less.append(msgspec.structs.replace(body, credentials=None))
    return tuple(wire.encode(one) for one in less)


def difference(one: Fact | Case, other: Fact | Case) -> str:
    """Name the fields in which two messages differ."""
    return ", ".join(name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name))

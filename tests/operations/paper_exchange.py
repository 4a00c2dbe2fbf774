"""An exchange on paper: intake and casekeeper as plain calls that write into lists, for tests of the proof.

What they write is what the workers write, in the order in which they write it; there is no broker and no
batch. A test then loses, doubles, swaps or alters what it likes.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import pytest

from agents import case_batch, unparking
from agents.case_batch import CaseBatch
from agents.dead_letters import DeadLetterBox
from agents.judgement import Admit, Bench, GiveUp, Refuse, judge
from casework.casekeeping import keep, keep_waiting
from casework.directory import Directory
from casework.ids import new_event_id
from casework.messages import (
    ActionContent,
    ActionStatement,
    Admitted,
    Case,
    ReportContent,
    ReportStatement,
    Submission,
    Unparking,
)
from casework.postings import Posting
from casework.stubs import SHRINK
from casework.transitions import RULES_VERSION
from casework.url_keys import url_key
from operations.directory.document import build
from operations.invariants import History
from operations.logs import MemoryLog
from operations.reading import Record
from streams import wire
from streams.clock import ManualClock
from streams.directory_feed import document_of
from streams.newest_wins import deletion_headers
from streams.publishing import Outgoing
from streams.settings import DEMO_NETWORK_KEY
from streams.slots import partition_of
from streams.state_stores import DictStore
from streams.topics import Topics

T = 1_760_000_000_000
PARTITIONS = 2
HOUR_MS = 3_600_000


@cache
def network() -> Directory:
    """Answer the shipped network with everybody admitted."""
    return build(environment="test", published_at=1, candidates="admit")


class PaperExchange:
    """Intake and casekeeper on paper.

    Attributes:
        records: What lies in the topics.
        broken: Senders on whose records the rules fail.
        closed: Topics that refuse messages.
        directory: The only version there is.
        retained_from: First offset of cases.admitted that an order can still read.
    """

    def __init__(self, prefix: str = "", directory: Directory | None = None) -> None:
        self.topics = Topics(prefix)
        self.directory = network() if directory is None else directory
        self.records: list[Record] = []
        self.clock = ManualClock(T)
        self._offsets: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._cases, self._contents = DictStore(), DictStore()
        self.box = DeadLetterBox(self.topics.dead_letters, "worker")
        self.broken: set[str] = set()
        self.closed: set[str] = set()
        self.retained_from = 0
        self._ids = 0
        self.confirmed: list[str] = []
        self._append(self.topics.directory, 0, b"1", wire.encode(document_of(self.directory)))

    # What members send.

    def report(self, url: str, sender: str = "gb-iwf", country: str = "NL", **changes: Any) -> str:  # noqa: ANN401 - fields
        """Send a report and answer its event id; `credentials` are its encrypted credentials."""
        credentials: bytes | None = changes.pop("credentials", None)
        if credentials is not None:
            changes["credentials_digest"] = hashlib.sha256(credentials).digest()
        content = wire.encode(ReportContent(url=url))
        values: dict[str, Any] = {
            "event_id": self.new_id(), "environment": "test", "sender": sender,
            "url_key": url_key(url, DEMO_NETWORK_KEY.reveal()), "hosting_country": country,
            "sent_at": self.now, "directory_version": 1, "occurred_at": self.now,
            "received_at": self.now // 60_000 * 60_000, "reference": "r-1", "content_type": "media",
            "content_digest": hashlib.sha256(content).digest(),
        }  # fmt: skip
        statement = ReportStatement(**{**values, **changes})
        topic = self.topics.reports_urgent if statement.urgency else self.topics.reports_submitted
        submission = Submission(statement=wire.encode(statement), content=content, credentials=credentials)
        return self.submit(topic, submission)

    def act(self, url: str, sender: str, action: str, note: str | None = None, **changes: Any) -> str:  # noqa: ANN401 - fields
        """Send an action on the case of an address, with a note if there is one, and answer its event id."""
        content = None if note is None else wire.encode(ActionContent(note=note))
        key, case = self.key(url), self.case(url)
        values: dict[str, Any] = {
            "event_id": self.new_id(), "environment": "test", "sender": sender, "url_key": key,
            "hosting_country": "NL", "sent_at": self.now, "directory_version": 1, "action": action,
            "occurred_at": self.now, "case_id": None if case is None else case.case_id,
            "content_digest": None if content is None else hashlib.sha256(content).digest(),
        }  # fmt: skip
        statement = ActionStatement(**{**values, **changes})
        submission = Submission(statement=wire.encode(statement), content=content)
        return self.submit(self.topics.actions_submitted, submission)

    def submit(self, topic: str, submission: Submission) -> str:
        """Send any submission, through the whole exchange."""
        prefix = wire.prefix_of(submission.statement)
        self.confirmed.append(prefix.event_id)
        self.send(topic, prefix.url_key, wire.encode(submission))
        return prefix.event_id

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Send any bytes, and let intake judge them."""
        self._intake(self._append(topic, 0, key, value))

    def wake(self, url: str, *, hours: int) -> None:
        """Let time pass and a timer's record come."""
        self.clock.advance(hours * HOUR_MS)
        self._order(url, kind="wakeup", due_at=self.now, step="acknowledge")

    def shrink(self, url: str) -> None:
        """Let a closed case be erased, pass the time in which members may confirm, and become a stub."""
        self.wake(url, hours=100 * 24)
        self.clock.advance(100 * 24 * HOUR_MS)
        case = self.case(url)
        assert case is not None
        self._order(url, kind="wakeup", due_at=self.now, step=SHRINK, source_offset=case.source_offset)

    def unpark(self, url: str, *, skip: bool = False) -> None:
        """Let a parked case go on, as an operator would."""
        order = Unparking(operator="ops-1", reason="repaired", skip=skip)
        self._order(url, kind="unpark", source_topic=self.topics.journal, unparking=order)

    def _order(self, url: str, **changes: Any) -> None:  # noqa: ANN401 - fields
        key = self.key(url)
        values: dict[str, Any] = {
            "url_key": key, "event_id": self.new_id(), "environment": "test", "sender": "",
            "hosting_country": "", "admitted_at": self.now, "submitted_at": self.now,
            "directory_version": 1, "rules_version": RULES_VERSION, "source_offset": 0,
            "source_topic": self.topics.cases_status, "source_partition": partition_of(key, PARTITIONS),
        }  # fmt: skip
        due = Admitted(**{**values, **changes})
        self._casekeeper(self._placed(self.topics.cases_admitted, key, wire.encode(due)))

    def case(self, url: str) -> Case | None:
        """Answer the case of an address as it is now."""
        framed = self._cases.get(self.key(url))
        return None if framed is None else wire.decode_as(Case, framed)

    @staticmethod
    def key(url: str) -> bytes:
        """Answer the url key of an address."""
        return url_key(url, DEMO_NETWORK_KEY.reveal())

    @property
    def now(self) -> int:
        """The exchange's time."""
        return self.clock.now_ms()

    def new_id(self) -> str:
        """Answer an event id."""
        self._ids += 1
        return new_event_id(self.now, self._ids.to_bytes(10, "big"))

    def history(self, records: list[Record] | None = None) -> History:
        """Answer the history of what lies in the topics, or of other records."""
        log = MemoryLog(self.records if records is None else records, self.partitions())
        return History(log, self.topics, "test", self.clock, self.confirmed)

    def partitions(self) -> dict[str, int]:
        """Answer the partitions of the topics of cases."""
        topics = self.topics
        names = (topics.cases_admitted, topics.cases_events, topics.cases_status, topics.cases_contents)
        return dict.fromkeys(topics.submissions, 1) | dict.fromkeys(names, PARTITIONS)

    # What the workers do.

    def _intake(self, record: Record) -> None:
        bench = Bench(self.directory, "test", self.clock.at(record.timestamp), self.topics)
        match judge(record, bench):
            case Admit(admitted, escalations):
                for each in escalations:
                    self._append(self.topics.escalations(each.recipient), 0, each.url_key, wire.encode(each))
                key, value = admitted.url_key, wire.encode(admitted)
                self._casekeeper(self._placed(self.topics.cases_admitted, key, value))
            case Refuse(receipt):
                inbox = self.topics.inbox(receipt.recipient)
                self._append(inbox, 0, receipt.url_key or b"", wire.encode(receipt))
            case GiveUp(failure):
                self._letter(self.box.given_up(record, failure, partitions=1, failed_at=record.timestamp))

    def _casekeeper(self, record: Record) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for module, rule in ((case_batch, keep), (unparking, keep_waiting)):
                patch.setattr(module, rule.__name__, self._breaking(rule))
            batch = self._batch(record.partition)
            batch.add(record)
            if batch.held:
                batch = self._batch(record.partition)
                asyncio.run(batch.add_held(record, 0.0))
        for step in batch.steps:
            for fact in step.facts:
                self._placed(self.topics.cases_events, step.event.admitted.url_key, fact)
        for step in batch.steps:
            for posting, body in zip(step.kept.postings, step.bodies, strict=True):
                self._post(posting, step.event.admitted.url_key, body)
        for key, content in batch.contents.items():
            headers = () if content is not None else deletion_headers(batch.erased[key])
            self._append(self.topics.cases_contents, record.partition, key, content, headers)
        for given_up, failure in batch.given_up:
            self._letter(self.box.given_up(given_up, failure, partitions=1, failed_at=self.now))
        for key, state in batch.states().items():
            headers = () if state is not None else deletion_headers(batch.ended()[key])
            self._append(self.topics.cases_status, record.partition, key, state, headers)
        batch.write()

    def _batch(self, partition: int) -> CaseBatch:
        return CaseBatch(partition, self._cases, self._contents, self, self._reader)  # type: ignore[arg-type] # the feed is this object

    def _breaking(self, rule: Any) -> Any:  # noqa: ANN401 - either rule
        def stands_in(case: Any, event: Any, *rest: Any) -> Any:  # noqa: ANN401 - passes through
            waits = rule is keep and case is not None and case.parked is not None
            if event.admitted.sender in self.broken and not waits:
                raise ZeroDivisionError
            return rule(case, event, *rest)

        return stands_in

    def known(self, _version: int) -> Directory:
        """Answer the only directory version, as a feed does."""
        return self.directory

    async def version(self, _version: int, _wait_s: float) -> Directory:
        """Answer the only directory version, as a feed does."""
        return self.directory

    @asynccontextmanager
    async def _reader(self, partition: int) -> AsyncIterator["_Reader"]:
        topic = self.topics.cases_admitted
        there = [r for r in self.records if (r.topic, r.partition) == (topic, partition)]
        yield _Reader({r.offset: r for r in there if r.offset >= self.retained_from})

    def _post(self, posting: Posting, key: bytes, body: bytes) -> None:
        if posting.inbox == "escalations":
            topic = self.topics.escalations(posting.recipient)
        else:
            topic = self.topics.delivered(posting.recipient, is_urgent=posting.is_urgent)
        if topic in self.closed:
            refused = Outgoing(topic, 0, key, body)
            letter = self.box.undeliverable(refused, "unknown_topic", partitions=1, failed_at=self.now)
            self._letter(letter)
        else:
            self._append(topic, 0, key, body)

    def _letter(self, letter: Outgoing) -> None:
        self._append(letter.topic, 0, letter.key, letter.value, tuple(letter.headers))

    def _placed(self, topic: str, key: bytes, value: bytes) -> Record:
        return self._append(topic, partition_of(key, PARTITIONS), key, value)

    def _append(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> Record:
        offset = self._offsets[topic, partition]
        self._offsets[topic, partition] += 1
        record = Record(topic, partition, offset, self.now, key, value, headers)
        self.records.append(record)
        return record


class _Reader:
    """Reads what waits in a parked case."""

    def __init__(self, records: dict[int, Record]) -> None:
        self._records = records

    async def at(self, offsets: Iterable[int]) -> dict[int, Record | None]:
        """Answer the records at offsets."""
        return {offset: self._records.get(offset) for offset in offsets}

    async def between(self, start: int, end: int) -> AsyncIterator[Record]:
        """Yield the records between two offsets."""
        for offset in range(start, end):
            if offset in self._records:
                yield self._records[offset]


def troubled(prefix: str = "") -> PaperExchange:
    """Answer an exchange in which cases were parked, went on, ended and became stubs, and a topic refused."""
    paper = PaperExchange(prefix)
    parked, linked, skipped, stub, waits = (f"https://trouble.example.test/{n}" for n in range(5))
    paper.report(linked)
    paper.broken = {"de-eco"}
    paper.report(parked, sender="de-eco")
    paper.report(parked)
    paper.report(linked, sender="de-eco")
    paper.act(linked, "nl-offlimits", "acknowledged")
    paper.report(skipped, sender="de-eco")
    paper.report(skipped)
    paper.unpark(parked)
    paper.broken = set()
    paper.report("https://trouble.example.test/between")
    for url in (parked, linked):
        paper.unpark(url)
    paper.unpark(skipped, skip=True)
    paper.unpark(parked)
    paper.act(parked, "nl-offlimits", "acknowledged")
    paper.closed = {paper.topics.inbox("nl-offlimits")}
    paper.report(stub)
    paper.closed = set()
    paper.act(stub, "nl-offlimits", "removed")
    paper.shrink(stub)
    paper.report(stub, sender="de-eco")
    paper.report("https://trouble.example.test/again", sender="ie-hotline")
    paper.act("https://trouble.example.test/again", "nl-offlimits", "removed")
    paper.shrink("https://trouble.example.test/again")
    nothing = "https://trouble.example.test/nothing"
    paper.broken = {"de-eco"}
    paper.report(nothing, sender="de-eco")
    paper.broken = set()
    paper.unpark(nothing, skip=True)
    paper.act(nothing, "de-eco", "removed", report_event_id=paper.new_id())
    paper.broken = {""}
    paper.wake(nothing, hours=2)
    paper.broken = set()
    paper.unpark(nothing)
    paper.broken = {"de-eco"}
    paper.report(waits, sender="de-eco")
    paper.report(waits)
    paper.broken = set()
    return paper


def lived(prefix: str = "") -> PaperExchange:
    """Answer an exchange in which everything that leaves a trace has happened."""
    paper = PaperExchange(prefix)
    first, second, moved, urgent = (f"https://material.example.test/{n}" for n in range(4))
    paper.report(first)
    paper.report(first, sender="de-eco")
    for action in ("acknowledged", "police_informed"):
        paper.act(first, "nl-offlimits", action)
    paper.act(first, "nl-offlimits", "provider_informed", recipient_role="host")
    paper.act(first, "nl-offlimits", "removed")
    paper.report(second, country="DE")
    paper.wake(second, hours=100)
    paper.report(moved)
    paper.report(moved, sender="de-eco", country="DE")
    seen = {"hosting_method": "traceroute", "observed_at": paper.now}
    paper.act(moved, "nl-offlimits", "moved", new_hosting_country="DE", **seen)
    paper.report(urgent, urgency=("abuse_in_progress",))
    paper.report("https://material.example.test/tor", country="XT")
    paper.act("https://none.example.test/", "de-eco", "removed", report_event_id=paper.new_id())
    paper.wake("https://none.example.test/", hours=2)
    paper.report(first, environment="demo")
    paper.send(paper.topics.reports_submitted, b"", b"no kafka frame")
    copies = [r for r in paper.records if r.topic == paper.topics.actions_submitted][:1]
    for copy in copies * 2:
        paper.clock.advance(1000)
        paper.send(copy.topic, copy.key or b"", copy.value or b"")
    return paper

"""An exchange on paper: intake and casekeeper as plain calls that write into lists, for tests of the proof.

What they write is what the workers write, in the order in which they write it; there is no broker and no
batch. A test then loses, doubles, swaps or alters what it likes.
"""

import hashlib
from collections import defaultdict
from functools import cache
from typing import Any

import msgspec

from agents.dead_letters import DeadLetterBox
from agents.judgement import Admit, Bench, GiveUp, Refuse, judge
from casework.casekeeping import keep
from casework.directory import Directory
from casework.events import Source
from casework.ids import new_event_id
from casework.messages import (
    ActionStatement,
    Admitted,
    Case,
    CaseContent,
    Receipt,
    ReportContent,
    ReportStatement,
    Submission,
)
from casework.postings import Posting
from casework.transitions import RULES_VERSION
from casework.url_keys import url_key
from operations.directory.document import build
from operations.invariants import History
from operations.logs import MemoryLog
from operations.reading import Record
from operations.verification.contents import content_key
from streams import wire
from streams.clock import ManualClock
from streams.directory_feed import document_of
from streams.settings import DEMO_NETWORK_KEY
from streams.slots import partition_of
from streams.topics import Topics

T = 1_760_000_000_000
PARTITIONS = 2
HOUR_MS = 3_600_000


@cache
def network() -> Directory:
    """Answer the shipped network with everybody admitted."""
    return build(environment="test", published_at=1, candidates="admit")


class PaperExchange:
    """Intake and casekeeper on paper; `records` is what lies in the topics."""

    def __init__(self, prefix: str = "") -> None:
        self.topics = Topics(prefix)
        self.records: list[Record] = []
        self.clock = ManualClock(T)
        self._offsets: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._cases: dict[bytes, Case] = {}
        self._contents: dict[bytes, bytes] = {}
        self._ids = 0
        self.confirmed: list[str] = []
        self._append(self.topics.directory, 0, b"1", wire.encode(document_of(network())))

    # What members send.

    def report(self, url: str, sender: str = "gb-iwf", country: str = "NL", **changes: Any) -> str:  # noqa: ANN401 - fields
        """Send a report and answer its event id."""
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
        return self.submit(topic, Submission(statement=wire.encode(statement), content=content))

    def act(self, url: str, sender: str, action: str, **changes: Any) -> str:  # noqa: ANN401 - fields
        """Send an action on the case of an address and answer its event id."""
        key = url_key(url, DEMO_NETWORK_KEY.reveal())
        case = self._cases.get(key)
        values: dict[str, Any] = {
            "event_id": self.new_id(), "environment": "test", "sender": sender, "url_key": key,
            "hosting_country": "NL", "sent_at": self.now, "directory_version": 1, "action": action,
            "occurred_at": self.now, "case_id": None if case is None else case.case_id,
        }  # fmt: skip
        statement = ActionStatement(**{**values, **changes})
        return self.submit(self.topics.actions_submitted, Submission(statement=wire.encode(statement)))

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
        key = url_key(url, DEMO_NETWORK_KEY.reveal())
        due = Admitted(
            url_key=key, kind="wakeup", event_id=self.new_id(), environment="test", sender="",
            hosting_country="", admitted_at=self.now, submitted_at=self.now, directory_version=1,
            rules_version=RULES_VERSION, source_topic=self.topics.cases_admitted,
            source_partition=partition_of(key, PARTITIONS), source_offset=0, due_at=self.now,
            step="acknowledge",
        )  # fmt: skip
        self._casekeeper(self._placed(self.topics.cases_admitted, key, wire.encode(due)))

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
        bench = Bench(network(), "test", self.clock.at(record.timestamp), self.topics)
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
                box = DeadLetterBox(self.topics.dead_letters, "intake")
                letter = box.given_up(record, failure, partitions=1, failed_at=record.timestamp)
                self._append(letter.topic, 0, letter.key, letter.value, tuple(letter.headers))

    def _casekeeper(self, record: Record) -> None:
        event = wire.decode_event(record.value or b"")
        key = event.admitted.url_key
        source = Source(record.topic, record.partition, record.offset)
        before = self._cases.get(key)
        kept = keep(before, event, network(), source)
        for content in kept.contents:
            self._contents[content_key(key, content.report_event_id)] = wire.encode(content)
        for fact in kept.facts:
            self._placed(self.topics.cases_events, key, wire.encode(fact))
        for posting in kept.postings:
            self._post(posting, key)
        for content in kept.contents:
            name = content_key(key, content.report_event_id)
            self._append(self.topics.cases_contents, record.partition, name, wire.encode(content))
        if kept.case is before:
            return
        if kept.case is None:
            self._cases.pop(key, None)
        else:
            self._cases[key] = kept.case
        state = None if kept.case is None else wire.encode(kept.case)
        self._append(self.topics.cases_status, record.partition, key, state)

    def _post(self, posting: Posting, key: bytes) -> None:
        body = posting.body
        if posting.content_of is not None and not isinstance(body, Receipt):
            framed = self._contents[content_key(key, posting.content_of)]
            whole = wire.decode_as(Submission, wire.decode_as(CaseContent, framed).submission)
            body = msgspec.structs.replace(body, **{
                name: getattr(whole, name) for name in ("statement", "signature", "key_id", "content")
            })  # fmt: skip
        topic = self.topics.inbox(posting.recipient)
        if posting.inbox == "escalations":
            topic = self.topics.escalations(posting.recipient)
        elif posting.is_urgent:
            topic = self.topics.inbox_urgent(posting.recipient)
        self._append(topic, 0, key, wire.encode(body))

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
    paper.act(moved, "nl-offlimits", "moved", new_hosting_country="DE")
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

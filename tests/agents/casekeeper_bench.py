"""Casekeeper on a bench: one partition whose sends and stores a test sees, and the records to feed it."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import SimpleNamespace
from typing import Any

from agents.case_index import CaseIndex
from agents.casekeeper import Casekeeper
from agents.dead_letters import DeadLetterBox, Failure
from agents.deadlines import Deadlines
from agents.metrics import CasekeeperMetrics
from agents.open_cases import OpenCases
from agents.parking import ParkedCases, Patience
from agents.sending import Post
from casework.directory import Directory
from casework.ids import new_event_id
from casework.messages import (
    ActionStatement,
    Admitted,
    Case,
    ReportContent,
    ReportStatement,
    Submission,
    Unparking,
)
from operations.directory.document import build
from schemas.errors import UnreadableError
from streams import wire
from streams.clock import ManualClock
from streams.lanes import Batch
from streams.publishing import Confirmation, Outgoing
from streams.state_stores import DictStore
from streams.topics import Topics

T = 1_760_000_000_000
KEY = b"\x01" + bytes(range(32))
TOPICS = Topics()
DIRECTORY = build(environment="test", published_at=0, candidates="admit")
ADMITTED, EVENTS, STATUS = TOPICS.cases_admitted, TOPICS.cases_events, TOPICS.cases_status


class CrashError(Exception):
    """The process dies at this point."""


class Bench:
    """Casekeeper over one partition, whose sends and stores a test sees; `die_before` names a topic."""

    def __init__(self) -> None:
        self.sent: list[list[Outgoing]] = []
        self.die_before = ""
        self.offset = 0
        self.directory = DIRECTORY
        self.cases, self.contents = DictStore(), DictStore()
        self.metrics = metrics = CasekeeperMetrics(OpenCases())
        clock = ManualClock(T)
        self.box = DeadLetterBox(TOPICS.dead_letters, "casekeeper")
        deadlines = Deadlines(
            topics=TOPICS, environment="test", feed=self, clock=clock, sender=self, metrics=metrics
        )  # type: ignore[arg-type]
        self.stopped: list[str] = []
        self.clock, self.log = clock, dict[int, Any]()
        self.parked = ParkedCases(
            topics=TOPICS,
            environment="test",
            feed=self,
            clock=clock,
            sender=self,
            metrics=metrics,
            chance=lambda: 1.0,
        )  # type: ignore[arg-type]
        self.index = CaseIndex(
            metrics,
            deadlines,
            self.parked,
            lambda reason, _error: self.stopped.append(reason),  # type: ignore[arg-type]
        )
        self.keeper = Casekeeper(
            topics=TOPICS,
            feed=self,  # type: ignore[arg-type]
            clock=clock,
            sender=self,  # type: ignore[arg-type]
            metrics=metrics,
            index=self.index,
            readers=self.reader,  # type: ignore[arg-type]
            patience=Patience(0.0, 0.0),
        )
        self.keeper.attach(_State(self.cases), _State(self.contents))  # type: ignore[arg-type]

    # The feed and the sender that casekeeper is given.

    def latest(self, _now_ms: int) -> Directory:
        """Answer the only version."""
        return DIRECTORY

    def known(self, _version: int) -> Directory:
        """Answer the version that was set."""
        return self.directory

    async def version(self, _version: int, _wait_s: float = 0) -> Directory:
        """Answer the version that was set."""
        return self.directory

    @asynccontextmanager
    async def reader(self, _partition: int) -> AsyncIterator["Bench"]:
        """Open the reader of what waits: this bench itself."""
        yield self

    async def at(self, offsets: Iterable[int]) -> dict[int, Any]:
        """Answer records that came before; None for those that the test deleted."""
        return {offset: self.log.get(offset) for offset in offsets}

    async def between(self, start: int, end: int) -> AsyncIterator[Any]:
        """Yield records that came before."""
        for offset in range(start, end):
            if offset in self.log:
                yield self.log[offset]

    async def placed(self, posts: Iterable[Post]) -> list[Outgoing]:
        """Place records."""
        return [Outgoing(topic, 0, url_key, value) for topic, url_key, value in posts]

    async def give_up(self, record: Any, failure: Failure) -> Outgoing:  # noqa: ANN401 - a Kafka record
        """Make a dead letter."""
        return self.box.given_up(record, failure, partitions=1, failed_at=T)

    async def send(self, records: list[Outgoing]) -> Confirmation:
        """Take one confirmed send, or die before it."""
        if any(record.topic == self.die_before for record in records):
            raise CrashError
        self.sent.append(list(records))
        return Confirmation(len(records))

    # What a test does.

    async def take(self, *values: bytes | None) -> None:
        """Hand over one batch."""
        records = []
        for value in values:
            self.offset += 1
            records.append(record(value, self.offset))
            self.log[self.offset] = records[-1]
        await self.keeper.handle((Batch(ADMITTED, 2, records),))

    async def indexed(self) -> None:
        """Wait until all cases of the loaded partition are in the index."""
        await self.index.built(2)

    def case(self, key: bytes = KEY) -> Case | None:
        """Answer the confirmed state."""
        framed = self.cases.get(key)
        return None if framed is None else wire.decode_as(Case, framed)

    def messages(self, kind: type[Any]) -> list[Any]:
        """Answer every message of a kind that was sent."""
        decoded = [wire.decode(r.value) for send in self.sent for r in send if _is_message(r)]
        return [message for message in decoded if isinstance(message, kind)]


class _State:
    """A partition state that is loaded."""

    def __init__(self, store: DictStore) -> None:
        self._store = store

    async def get(self, _partition: int) -> DictStore:
        return self._store

    @contextmanager
    def writing(self, _partition: int) -> Iterator[None]:
        yield

    def deleted(self, _partition: int, versions: dict[bytes, int]) -> None:
        pass


def _is_message(outgoing: Outgoing) -> bool:
    return outgoing.value is not None and outgoing.topic != TOPICS.dead_letters


def record(value: bytes | None, offset: int) -> Any:  # noqa: ANN401 - a Kafka record
    """Answer a record of cases.admitted."""
    place = {"topic": ADMITTED, "partition": 2, "offset": offset, "timestamp": T, "headers": ()}
    try:
        key = wire.decode_as(Admitted, value or b"").url_key
    except UnreadableError:
        key = KEY
    return SimpleNamespace(key=key, value=value, **place)


def admitted(statement: ReportStatement | ActionStatement, content: bytes | None) -> bytes:
    """Answer what intake admits."""
    submission = Submission(statement=wire.encode(statement), content=content)
    return wire.encode(
        Admitted(
            url_key=statement.url_key,
            kind="report" if isinstance(statement, ReportStatement) else "action",
            event_id=statement.event_id,
            environment="test",
            sender=statement.sender,
            hosting_country="NL",
            admitted_at=T,
            submitted_at=T,
            directory_version=1,
            rules_version=1,
            source_topic=TOPICS.reports_submitted,
            source_partition=0,
            source_offset=int(statement.event_id[-4:], 16),
            submission=wire.encode(submission),
        )
    )


def unpark(key: bytes = KEY, *, skip: bool = False) -> bytes:
    """Answer an operator's order."""
    return wire.encode(
        Admitted(
            url_key=key,
            kind="unpark",
            event_id=new_event_id(T, bytes(10)),
            environment="test",
            sender="",
            hosting_country="",
            admitted_at=T,
            submitted_at=T,
            directory_version=1,
            rules_version=1,
            source_topic=TOPICS.journal,
            source_partition=0,
            source_offset=0,
            unparking=Unparking(operator="ops-1", reason="repaired", skip=skip),
        )
    )


def report(number: int, sender: str = "gb-iwf", key: bytes = KEY) -> bytes:
    """Answer an admitted report."""
    content = wire.encode(ReportContent(url=f"https://example.test/{number}"))
    return admitted(
        ReportStatement(
            event_id=new_event_id(T, bytes(8) + number.to_bytes(2, "big")),
            environment="test",
            sender=sender,
            url_key=key,
            hosting_country="NL",
            sent_at=T,
            directory_version=1,
            occurred_at=T,
            received_at=T,
            reference="r",
            content_type="media",
            content_digest=hashlib.sha256(content).digest(),
        ),
        content,
    )


def act(  # noqa: PLR0917 - what an action names
    number: int,
    action: str,
    case_id: str,
    key: bytes = KEY,
    sender: str = "nl-offlimits",
    report_event_id: str | None = None,
) -> bytes:
    """Answer an admitted action, of the responsible hotline unless another sender is named."""
    statement = ActionStatement(
        event_id=new_event_id(T, bytes(8) + number.to_bytes(2, "big")),
        environment="test",
        sender=sender,
        url_key=key,
        hosting_country="NL",
        sent_at=T,
        directory_version=1,
        action=action,
        case_id=case_id,
        report_event_id=report_event_id,
        occurred_at=T,
    )
    return admitted(statement, None)


def wake_up(step: str) -> bytes:
    """Answer a wake-up of the deadlines agent under directory version 2."""
    return wire.encode(
        Admitted(
            url_key=KEY,
            kind="wakeup",
            event_id=new_event_id(T, bytes(10)),
            environment="test",
            sender="",
            hosting_country="",
            admitted_at=T,
            submitted_at=T,
            directory_version=2,
            rules_version=1,
            source_topic=STATUS,
            source_partition=2,
            source_offset=1,
            due_at=T,
            step=step,
        )
    )

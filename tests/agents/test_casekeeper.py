import hashlib
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from prometheus_client import generate_latest

from agents.case_batch import content_key
from agents.casekeeper import Casekeeper
from agents.dead_letters import DeadLetterBox, Failure
from agents.deadlines import Deadlines
from agents.metrics import CasekeeperMetrics
from agents.open_cases import OpenCases
from casework.directory import Directory
from casework.ids import new_event_id
from casework.messages import (
    ActionStatement,
    Admitted,
    Case,
    Delivery,
    Fact,
    Receipt,
    ReportContent,
    ReportStatement,
    Submission,
)
from operations.directory.document import build
from streams import wire
from streams.clock import ManualClock
from streams.directory_feed import PassedOverError
from streams.lanes import Batch
from streams.partition_state import LoadedPartition
from streams.publishing import Confirmation, Outgoing
from streams.state_stores import DictStore
from streams.topics import Topics
from streams.transport_errors import StoreError

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
        self.keeper = Casekeeper(
            topics=TOPICS,
            feed=self,  # type: ignore[arg-type]
            clock=clock,
            sender=self,  # type: ignore[arg-type]
            metrics=metrics,
            deadlines=deadlines,
            fail_stop=lambda reason, _error: self.stopped.append(reason),  # type: ignore[arg-type]
        )
        self.keeper.attach(_State(self.cases), _State(self.contents))  # type: ignore[arg-type]

    # The feed and the sender that casekeeper is given.

    def latest(self, _now_ms: int) -> Directory:
        """Answer the only version."""
        return DIRECTORY

    async def version(self, _version: int) -> Directory:
        """Answer the version that was set."""
        return self.directory

    async def by_url_key(self, topic: str, url_key: bytes, value: bytes) -> Outgoing:
        """Place a record."""
        return Outgoing(topic, 0, url_key, value)

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
        await self.keeper.handle(Batch(ADMITTED, 2, records))

    async def indexed(self) -> None:
        """Wait until all cases of the loaded partition are in the index."""
        await self.keeper._after_load[2][1]

    def case(self) -> Case | None:
        """Answer the confirmed state."""
        framed = self.cases.get(KEY)
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


def _is_message(outgoing: Outgoing) -> bool:
    return outgoing.value is not None and outgoing.topic != TOPICS.dead_letters


def record(value: bytes | None, offset: int) -> Any:  # noqa: ANN401 - a Kafka record
    """Answer a record of cases.admitted."""
    place = {"topic": ADMITTED, "partition": 2, "offset": offset, "timestamp": T, "headers": ()}
    return SimpleNamespace(key=KEY, value=value, **place)


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


def act(number: int, action: str, case_id: str) -> bytes:
    """Answer an admitted action of the responsible hotline."""
    statement = ActionStatement(
        event_id=new_event_id(T, bytes(8) + number.to_bytes(2, "big")),
        environment="test",
        sender="nl-offlimits",
        url_key=KEY,
        hosting_country="NL",
        sent_at=T,
        directory_version=1,
        action=action,
        case_id=case_id,
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


@pytest.fixture
def bench() -> Bench:
    """Casekeeper with an empty partition."""
    return Bench()


async def test_effects_are_confirmed_before_the_state_and_the_state_before_the_own_copy(bench: Bench) -> None:
    """Facts, messages and contents go first, together; the state alone after them, into its own partition."""
    await bench.take(report(1))
    effects, states = bench.sent
    assert {r.topic for r in effects} == {
        EVENTS,
        TOPICS.cases_contents,
        TOPICS.inbox("gb-iwf"),
        TOPICS.inbox("nl-offlimits"),
    }
    assert [(r.topic, r.partition, r.key) for r in states] == [(STATUS, 2, KEY)]
    assert bench.cases.get(KEY) == states[0].value


@pytest.mark.parametrize("topic", [EVENTS, STATUS])
async def test_a_crash_at_any_point_repeats_the_batch_with_the_same_ids(bench: Bench, topic: str) -> None:
    """Before the effects or between effects and state: the next owner sends exactly the same again."""
    bench.die_before = topic
    with pytest.raises(CrashError):
        await bench.take(report(1), report(2, "de-eco"))
    assert bench.case() is None
    first = [r for send in bench.sent for r in send]
    bench.die_before, bench.offset, bench.sent = "", 0, []
    await bench.take(report(1), report(2, "de-eco"))
    if first:
        assert first == bench.sent[0]
    assert bench.case() is not None


async def test_a_batch_whose_state_is_confirmed_has_no_effect_again(bench: Bench) -> None:
    """Redelivered after a crash before the commit: nothing is sent, nothing changes."""
    await bench.take(report(1), report(2, "de-eco"))
    state, bench.sent, bench.offset = bench.case(), [], 0
    await bench.take(report(1), report(2, "de-eco"))
    assert [r for send in bench.sent for r in send] == []
    assert bench.case() == state


async def test_records_of_one_case_in_one_batch_see_each_other_and_write_one_state(bench: Bench) -> None:
    """A report, its link and an action in one batch give numbered facts and a single state record."""
    await bench.take(report(1))
    case = bench.case()
    assert case is not None
    bench.sent.clear()
    await bench.take(report(2, "de-eco"), act(3, "acknowledged", case.case_id), report(4, "gb-iwf"))
    facts = bench.messages(Fact)
    assert [fact.number for fact in facts] == list(range(case.number + 1, case.number + 1 + len(facts)))
    assert len(bench.sent[-1]) == 1
    after = bench.case()
    assert after is not None
    assert (after.state, after.source_offset) == ("acknowledged", 4)
    assert [d.number for d in bench.messages(Delivery) if d.recipient == "nl-offlimits"] == [2, 3]


async def test_a_linked_report_is_delivered_with_its_own_content(bench: Bench) -> None:
    """Each report reaches the responsible hotline with what its own origin sealed."""
    await bench.take(report(1), report(2, "de-eco"))
    urls = [wire.decode_as(ReportContent, d.content).url for d in bench.messages(Delivery) if d.content]
    assert urls == ["https://example.test/1", "https://example.test/2"]


async def test_who_becomes_responsible_later_gets_the_stored_content(bench: Bench) -> None:
    """When a hotline leaves, the next queue gets statement and content as the origin sent them."""
    await bench.take(report(1))
    members = tuple(
        msgspec.structs.replace(m, status="left") if m.id == "nl-offlimits" else m for m in DIRECTORY.members
    )
    bench.directory = msgspec.structs.replace(DIRECTORY, version=2, members=members)
    bench.sent.clear()
    await bench.take(wake_up("reassign"))
    (delivery,) = [d for d in bench.messages(Delivery) if d.content is not None]
    assert wire.decode_as(ReportContent, delivery.content).url == "https://example.test/1"
    assert wire.prefix_of(delivery.statement).sender == "gb-iwf"


async def test_a_record_that_cannot_be_read_is_set_aside_alone(bench: Bench) -> None:
    """The records around it are decided; it becomes a dead letter with its bytes, or without any."""
    await bench.take(report(1), b"garbage", None, report(2, "de-eco"))
    letters = [r for send in bench.sent for r in send if r.topic == TOPICS.dead_letters]
    assert [letter.value for letter in letters] == [b"garbage", None]
    assert {receipt.recipient for receipt in bench.messages(Receipt)} == {"gb-iwf", "de-eco"}


async def test_a_bug_in_the_rules_sets_one_record_aside(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception of casework for one record leaves no trace of it in the batch, and the others go on."""
    from agents import case_batch  # noqa: PLC0415 - the place where the name is looked up

    whole = case_batch.keep

    def fails_for_eco(case: Any, event: Any, *rest: Any) -> Any:  # noqa: ANN401 - passes through
        if event.admitted.sender == "de-eco":
            raise ZeroDivisionError
        return whole(case, event, *rest)

    monkeypatch.setattr(case_batch, "keep", fails_for_eco)
    await bench.take(report(1), report(2, "de-eco"), report(3))
    letters = [r for send in bench.sent for r in send if r.topic == TOPICS.dead_letters]
    assert len(letters) == 1
    assert dict(letters[0].headers)["hx-error_class"] == b"bug"
    assert {receipt.recipient for receipt in bench.messages(Receipt)} == {"gb-iwf"}


async def test_a_record_whose_outcome_cannot_be_written_is_set_aside_alone(bench: Bench) -> None:
    """A fact that no schema takes, such as one of the year 292 million, stops neither worker nor line."""
    far = wire.decode_as(Admitted, act(2, "acknowledged", "0" * 36))
    far = msgspec.structs.replace(far, admitted_at=2**63 - 1, url_key=b"\x01" + b"f" * 32)
    await bench.take(report(1), wire.encode(far), report(3))
    letters = [r for send in bench.sent for r in send if r.topic == TOPICS.dead_letters]
    assert [letter.value for letter in letters] == [wire.encode(far)]
    assert len(bench.messages(Receipt)) == 2


async def test_a_directory_version_that_will_never_come_sets_one_record_aside(bench: Bench) -> None:
    """Versions only rise: a record stamped with one that was passed over must not stop the line for ever."""

    async def version(number: int) -> Directory:
        if number == 0:
            raise PassedOverError("version 0")
        return DIRECTORY

    bench.version = version  # type: ignore[method-assign]
    bench.keeper._feed = bench
    lost = msgspec.structs.replace(wire.decode_as(Admitted, report(1)), directory_version=0)
    await bench.take(wire.encode(lost), report(2))
    (letter,) = [r for send in bench.sent for r in send if r.topic == TOPICS.dead_letters]
    assert dict(letter.headers)["hx-rule"] == b"unknown_directory_version"
    assert len(bench.messages(Receipt)) == 1


async def test_a_failing_disk_stops_the_worker_and_blames_no_record(bench: Bench) -> None:
    """A store that cannot be read says nothing about the record, which the next owner repeats."""
    await bench.take(report(1))
    members = tuple(
        msgspec.structs.replace(m, status="left") if m.id == "nl-offlimits" else m for m in DIRECTORY.members
    )
    bench.directory = msgspec.structs.replace(DIRECTORY, version=2, members=members)

    def get(_key: bytes) -> bytes:
        raise StoreError("no disk")

    bench.contents.get = get  # type: ignore[method-assign]
    bench.sent.clear()
    with pytest.raises(StoreError):
        await bench.take(wake_up("reassign"))
    assert bench.sent == []


async def test_reports_that_share_an_event_id_keep_their_own_contents(bench: Bench) -> None:
    """The stored content of one URL is not overwritten by another report under the same event id."""
    other = b"\x01" + b"o" * 32
    await bench.take(report(1), report(1, key=other))
    assert {key for key, _ in bench.contents.items()} == {
        content_key(key, bench.messages(Receipt)[0].event_id) for key in (KEY, other)
    }
    assert len({receipt.receipt_id for receipt in bench.messages(Receipt)}) == 2


async def test_what_a_late_writer_left_is_written_again_before_anything_else(bench: Bench) -> None:
    """A state that would win in the topic by coming last is overwritten with the newest one first."""
    await bench.take(report(1))
    bench.sent.clear()
    bench.keeper.loaded(2, LoadedPartition(bench.cases, stale_keys={KEY}))
    await bench.take(report(2, "de-eco"))
    assert [(r.topic, r.key) for r in bench.sent[0]] == [(STATUS, KEY)]
    assert bench.stopped == []
    bench.keeper.revoked(2)


async def test_the_gauges_of_a_partition_come_with_its_load_and_vanish_with_its_revocation(
    bench: Bench,
) -> None:
    """Open cases of a loaded partition are shown; another worker's are not, and none that would grow old."""
    name = "hotline_exchange_open_cases"
    labels = {"hotline": "nl-offlimits", "state": "assigned"}
    await bench.take(report(1))
    bench.keeper.loaded(2, LoadedPartition(bench.cases))
    await bench.indexed()
    assert bench.metrics.registry.get_sample_value(name, labels) == 1
    assert "hotline_exchange_oldest_open_case_timestamp_seconds{" in shown(bench)
    bench.keeper.revoked(2)
    assert bench.metrics.registry.get_sample_value(name, labels) is None
    assert "hotline_exchange_oldest_open_case_timestamp_seconds{" not in shown(bench)


def shown(bench: Bench) -> str:
    """Answer the page that a scraper gets."""
    return generate_latest(bench.metrics.registry).decode()

import msgspec
import pytest
from casekeeper_bench import (
    DIRECTORY,
    EVENTS,
    KEY,
    STATUS,
    TOPICS,
    Bench,
    CrashError,
    T,
    act,
    report,
    wake_up,
)
from msgspec.structs import replace
from prometheus_client import generate_latest

from agents.kept_contents import content_key
from casework.ids import new_event_id
from casework.messages import (
    Admitted,
    CaseContent,
    Delivery,
    Fact,
    Receipt,
    ReportContent,
    Submission,
)
from streams import wire
from streams.newest_wins import VERSION_HEADER
from streams.partition_state import LoadedPartition


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


def gated(framed: bytes) -> bytes:
    """Answer an admitted report with credentials."""
    one = wire.decode_as(Admitted, framed)
    submission = replace(wire.decode_as(Submission, one.submission or b""), credentials=b"locked")
    return wire.encode(replace(one, submission=wire.encode(submission)))


def stored(bench: Bench) -> list[Submission]:
    """Answer the submissions that are stored."""
    contents = (wire.decode_as(CaseContent, framed) for _, framed in bench.contents.items())
    return [wire.decode_as(Submission, content.submission) for content in contents]


async def test_credentials_are_erased_at_the_closing_and_contents_later(bench: Bench) -> None:
    """With the closing user names and passwords go, in one batch too; contents stay until their own time."""
    await bench.take(gated(report(1)))
    case = bench.case()
    assert case is not None
    assert [one.credentials for one in stored(bench)] == [b"locked"]
    assert bench.messages(Delivery)[0].credentials == b"locked"
    await bench.take(gated(report(2, "de-eco")), act(3, "removed", case.case_id), gated(report(4)))
    assert [(one.credentials, one.content is None) for one in stored(bench)] == [(None, False)] * 3
    assert [d.credentials for d in bench.messages(Delivery) if d.content] == [b"locked"] * 3
    due = replace(wire.decode_as(Admitted, wake_up("erase")), admitted_at=T + DIRECTORY.casework.erase_ms)
    await bench.take(wire.encode(replace(due, directory_version=1)))
    assert stored(bench) == []
    assert [request.kind for request in bench.messages(Delivery)][-1] == "erasure_request"
    erased = [out for out in bench.sent[-2] if out.topic == TOPICS.cases_contents]
    assert {(out.value, out.headers) for out in erased} == {(None, ((VERSION_HEADER, b"%d" % bench.offset),))}


async def test_what_was_withdrawn_is_erased_with_the_rest_and_not_handed_on(bench: Bench) -> None:
    """Of three reports two are taken back: the third is handed on; all are erased at the time of the case."""
    await bench.take(report(1), report(2), report(3))
    case = bench.case()
    assert case is not None
    ids = [receipt.event_id for receipt in bench.messages(Receipt)]
    await bench.take(*(act(n + 4, "withdraw", case.case_id, KEY, "gb-iwf", ids[n]) for n in (1, 2)))
    assert [receipt.outcome for receipt in bench.messages(Receipt)][-2:] == ["accepted", "accepted"]
    members = tuple(
        replace(m, status="left") if m.id == "nl-offlimits" else m for m in bench.directory.members
    )
    bench.directory = replace(DIRECTORY, version=2, members=members)
    bench.sent.clear()
    await bench.take(wake_up("reassign"))
    (delivery,) = [d for d in bench.messages(Delivery) if d.content is not None]
    assert delivery.report_event_id == ids[0]
    assert wire.decode_as(ReportContent, delivery.content).url == "https://example.test/1"
    await bench.take(act(9, "withdraw", case.case_id, KEY, "gb-iwf", ids[0]))
    due = replace(wire.decode_as(Admitted, wake_up("erase")), admitted_at=T + 2 * DIRECTORY.casework.erase_ms)
    await bench.take(wire.encode(due))
    assert stored(bench) == []


async def test_reports_that_share_an_event_id_keep_their_own_contents(bench: Bench) -> None:
    """The stored content of one URL is not overwritten by another report under the same event id."""
    other = b"\x01" + b"o" * 32
    await bench.take(report(1), report(1, key=other))
    assert {key for key, _ in bench.contents.items()} == {
        content_key(key, bench.messages(Receipt)[0].event_id) for key in (KEY, other)
    }
    assert len({receipt.receipt_id for receipt in bench.messages(Receipt)}) == 2


async def test_the_gauges_of_a_partition_come_with_its_load_and_vanish_with_its_revocation(
    bench: Bench,
) -> None:
    """Open cases of a loaded partition are shown; another worker's are not, and none that would grow old."""
    name = "hotline_exchange_open_cases"
    labels = {"hotline": "nl-offlimits", "state": "assigned"}
    await bench.take(report(1))
    bench.index.loaded(2, LoadedPartition(bench.cases))
    await bench.indexed()
    assert bench.metrics.registry.get_sample_value(name, labels) == 1
    assert "hotline_exchange_oldest_open_case_timestamp_seconds{" in shown(bench)
    bench.index.revoked(2)
    assert bench.metrics.registry.get_sample_value(name, labels) is None
    assert "hotline_exchange_oldest_open_case_timestamp_seconds{" not in shown(bench)


def shown(bench: Bench) -> str:
    """Answer the page that a scraper gets."""
    return generate_latest(bench.metrics.registry).decode()


async def test_the_end_of_a_case_names_the_record_that_ended_it(bench: Bench) -> None:
    """A record held back behind it is not decided yet: a crash before it leaves a state that admits it."""
    early = act(1, "removed", new_event_id(T, bytes(10)))
    await bench.take(early)
    assert bench.case() is not None
    later = msgspec.structs.replace(
        wire.decode_as(Admitted, wake_up("expire")), admitted_at=T + 2 * 3_600_000, directory_version=1
    )
    late = msgspec.structs.replace(wire.decode_as(Admitted, report(2)), directory_version=2)
    bench.known = lambda version: bench.directory if version == 1 else None  # type: ignore[method-assign,assignment,return-value]
    bench.sent.clear()
    await bench.take(wire.encode(later), wire.encode(late))
    states = [r for send in bench.sent for r in send if r.topic == STATUS]
    assert [(r.value is None, list(r.headers)) for r in states] == [
        (True, [(VERSION_HEADER, b"2")]),
        (False, []),
    ]
    assert bench.case().source_offset == 3  # type: ignore[union-attr]

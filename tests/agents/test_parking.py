"""Parking on the bench: what one failing case costs, and what an order to go on brings back."""

from typing import Any

import msgspec
import pytest
from casekeeper_bench import (
    ADMITTED,
    EVENTS,
    KEY,
    TOPICS,
    Bench,
    CrashError,
    T,
    act,
    record,
    report,
    unpark,
    wake_up,
)
from prometheus_client import generate_latest

from agents import case_batch, unparking
from agents.parking import FIRST_PAUSE_S, MAX_ATTEMPTS
from casework.casekeeping import Kept, keep, keep_waiting
from casework.directory import Directory
from casework.ids import new_event_id
from casework.messages import Admitted, Delivery, Fact, Receipt
from casework.parking import MAX_LISTED
from casework.transitions import PARKING
from streams import wire
from streams.directory_feed import NoDirectoryError
from streams.lanes import Batch

OTHER = b"\x01" + b"o" * 32


class Breakage:
    """A rule that is broken for some senders, until it is repaired."""

    def __init__(self) -> None:
        self.senders: set[str] = {"de-eco"}

    def keep(self, case: Any, event: Any, *rest: Any) -> Kept:  # noqa: ANN401 - passes through
        """Stand in for the rules where a record comes first."""
        waits = case is not None and case.parked is not None
        self._check(event, waits=waits)
        return keep(case, event, *rest)

    def keep_waiting(self, case: Any, event: Any, *rest: Any) -> Kept:  # noqa: ANN401 - passes through
        """Stand in for the rules where a record has waited."""
        self._check(event, waits=False)
        return keep_waiting(case, event, *rest)

    def _check(self, event: Any, *, waits: bool) -> None:  # noqa: ANN401 - any event
        if event.admitted.sender in self.senders and not waits:
            raise ZeroDivisionError("https://secret.example/")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Breakage:
    """Break the rules for reports of de-eco."""
    breakage = Breakage()
    monkeypatch.setattr(case_batch, "keep", breakage.keep)
    monkeypatch.setattr(unparking, "keep_waiting", breakage.keep_waiting)
    return breakage


def told(bench: Bench) -> list[Any]:
    """Answer all messages of a case without what facts of parking shift."""
    return [
        msgspec.structs.replace(m, delivery_id="", fact_number=0)
        if isinstance(m, Delivery)
        else msgspec.structs.replace(m, fact_number=None)
        for m in bench.messages(Delivery) + bench.messages(Receipt)
    ]


def facts(bench: Bench) -> list[str]:
    """Answer the kinds of all facts that were sent."""
    return [fact.fact for fact in bench.messages(Fact)]


def letters(bench: Bench) -> list[Any]:
    """Answer all dead letters."""
    return [r for send in bench.sent for r in send if r.topic == TOPICS.dead_letters]


@pytest.mark.usefixtures("broken")
async def test_a_bug_for_one_case_parks_it_and_nothing_else(bench: Bench) -> None:
    """Other cases of the batch are decided; the failed record leaves a fact and no other trace."""
    await bench.take(report(1, "de-eco"), report(2), report(3, key=OTHER))
    assert bench.case().parked.offsets == (1, 2)
    assert bench.case(OTHER).state == "assigned"
    assert {receipt.url_key for receipt in bench.messages(Receipt)} == {OTHER}
    assert letters(bench) == []
    (first, second) = [f for f in bench.messages(Fact) if f.fact == "parked"]
    assert (first.rule, second.rule) == ("ZeroDivisionError", "behind_a_parked_record")
    assert b"secret" not in b"".join(r.value or b"" for r in bench.sent[0] if r.topic == EVENTS)


async def test_after_the_repair_comes_what_would_have_come(bench: Bench, broken: Breakage) -> None:
    """An unpark decides what waits in order and before newer records, exactly as without the bug."""
    records = [report(1, "de-eco"), report(2), report(3, "de-eco")]
    await bench.take(*records[:2])
    broken.senders.clear()
    await bench.take(unpark(), records[2])
    plain = Bench()
    await plain.take(*records)
    assert told(bench) == told(plain)
    assert [f for f in facts(bench) if f not in PARKING] == facts(plain)
    ours, theirs = bench.case(), plain.case()
    shifted = {"number": 0, "source_offset": 0}
    assert msgspec.structs.replace(ours, **shifted) == msgspec.structs.replace(theirs, **shifted)


@pytest.mark.usefixtures("broken")
async def test_what_fails_again_stays_parked_with_a_new_fact(bench: Bench) -> None:
    """Without a repair the order changes nothing but the number of attempts, and is obeyed once."""
    await bench.take(report(1, "de-eco"), report(2))
    await bench.take(unpark())
    parked = bench.case().parked
    assert (parked.offsets, parked.count, parked.attempts) == ((1, 2), 2, 2)
    assert facts(bench) == ["parked"] * 3
    assert bench.messages(Fact)[-1].unparking.operator == "ops-1"
    await bench.keeper.handle((Batch(ADMITTED, 2, [bench.log[3]]),))
    assert bench.case().parked == parked


async def test_an_order_is_obeyed_as_far_as_the_rules_go(bench: Bench, broken: Breakage) -> None:
    """What comes before the record that fails is decided; it and the rest wait on."""
    broken.senders = {"gb-iwf", "de-eco"}
    await bench.take(report(1), report(2, "de-eco"), report(3))
    broken.senders = {"de-eco"}
    await bench.take(unpark())
    assert bench.case().parked.offsets == (2, 3)
    assert bench.case().parked.attempts == 1
    assert {receipt.recipient for receipt in bench.messages(Receipt)} == {"gb-iwf"}
    broken.senders = set()
    await bench.take(unpark())
    assert bench.case().parked is None
    assert [receipt.recipient for receipt in bench.messages(Receipt)] == ["gb-iwf", "de-eco", "gb-iwf"]


async def crashed(bench: Bench, topic: str, *values: bytes) -> list[Any]:
    """Die before a topic is written, repeat the records, and answer what was sent before and after."""
    offset, sent = bench.offset, len(bench.sent)
    bench.die_before = topic
    with pytest.raises(CrashError):
        await bench.take(*values)
    before = [send for send in bench.sent[sent:] if send]
    del bench.sent[sent:]
    bench.die_before, bench.offset = "", offset
    await bench.take(*values)
    return [before, [send for send in bench.sent[sent:] if send]]


@pytest.mark.parametrize("topic", [EVENTS, TOPICS.cases_status])
async def test_a_crash_repeats_parking_and_order_with_the_same_bytes(
    bench: Bench, broken: Breakage, topic: str
) -> None:
    """Facts, ids and messages after a crash at any point are those that were sent before it."""
    before, after = await crashed(bench, topic, report(1, "de-eco"), report(2))
    assert before == after[: len(before)]
    assert bench.case().parked.count == 2
    broken.senders.clear()
    before, after = await crashed(bench, topic, unpark())
    assert before == after[: len(before)]
    assert len(before) == (topic != EVENTS)
    assert bench.case().parked is None


async def test_a_record_that_was_deleted_is_named(bench: Bench, broken: Breakage) -> None:
    """A waiting record beyond retention leaves a fact with its offset; the others are decided."""
    await bench.take(report(1, "de-eco"), report(2))
    broken.senders.clear()
    del bench.log[1]
    await bench.take(unpark())
    (gone,) = [fact for fact in bench.messages(Fact) if fact.fact == "given_up"]
    assert (gone.source_offset, gone.rule) == (1, "deleted_by_retention")
    assert bench.case().parked is None
    assert [receipt.recipient for receipt in bench.messages(Receipt)] == ["gb-iwf"]


@pytest.mark.usefixtures("broken")
async def test_an_operator_can_set_the_first_record_aside(bench: Bench) -> None:
    """A record that no repair will cure becomes a dead letter with its bytes, and its case goes on."""
    values = [report(1, "de-eco"), report(2)]
    await bench.take(*values)
    await bench.take(unpark(skip=True))
    (letter,) = letters(bench)
    assert letter.value == values[0]
    assert dict(letter.headers)["hx-rule"] == b"skipped_by_operator"
    assert [fact.rule for fact in bench.messages(Fact) if fact.fact == "given_up"] == ["skipped_by_operator"]
    assert (bench.case().parked, bench.case().state) == (None, "assigned")


async def test_a_flood_on_a_parked_case_is_decided_in_portions(bench: Bench, broken: Breakage) -> None:
    """One order decides what the list holds and lists the next ones; none is left out, none comes twice."""
    number = MAX_LISTED + 20
    await bench.take(report(1, "de-eco"), *(report(n) for n in range(2, number + 1)))
    assert bench.case().parked.more_from == MAX_LISTED + 1
    broken.senders.clear()
    await bench.take(unpark())
    assert (bench.case().parked.count, bench.case().parked.rule) == (20, "more_wait")
    bench.clock.advance(int(FIRST_PAUSE_S * 1000))
    await bench.take(unpark())
    assert bench.case().parked is None
    assert len(bench.messages(Receipt)) == number


async def test_a_late_directory_holds_up_its_case_alone(bench: Bench) -> None:
    """Records of other cases are confirmed first; the one that waits is decided after them."""
    there = {1}
    bench.known = lambda version: bench.directory if version in there else None  # type: ignore[method-assign,assignment,return-value]

    async def version(number: int, _wait_s: float) -> Directory:
        there.add(number)
        return bench.directory

    bench.version = version  # type: ignore[method-assign]
    later = msgspec.structs.replace(wire.decode_as(Admitted, report(1)), directory_version=2)
    await bench.take(wire.encode(later), report(2), report(3, key=OTHER))
    first = next(i for i, send in enumerate(bench.sent) if any(r.key == KEY for r in send))
    assert {r.key for send in bench.sent[:first] for r in send if r.topic == EVENTS} == {OTHER}
    assert [f.input_id for f in bench.messages(Fact) if f.fact == "linked"] == [
        wire.decode_as(Admitted, report(2)).event_id
    ]


async def test_a_directory_that_does_not_come_is_a_bounded_wait(bench: Bench) -> None:
    """A forged version stops no worker: the case is parked, tried again with growing pauses, then waits."""

    async def never(number: int, _wait_s: float) -> Directory:
        raise NoDirectoryError(f"version {number}")

    known = bench.known
    bench.known = lambda version: known(version) if version == 1 else None  # type: ignore[method-assign,assignment,return-value]
    bench.version = never  # type: ignore[method-assign]
    forged = msgspec.structs.replace(wire.decode_as(Admitted, report(1)), directory_version=99)
    bench.index._parked.loaded(2)
    await bench.take(wire.encode(forged), report(2, key=OTHER))
    assert (bench.case().parked.error_class, bench.case().parked.rule) == (
        "temporary",
        "directory_version_not_there",
    )
    assert 'parked_cases{error_class="temporary"} 1.0' in generate_latest(bench.metrics.registry).decode()
    pauses = []
    while bench.case().parked.attempts < MAX_ATTEMPTS:
        before = bench.clock.real_ms()
        while not await bench.parked.tick():
            bench.clock.advance(500)
        pauses.append(bench.clock.real_ms() - before)
        (order,) = bench.sent[-1]
        assert order.topic == ADMITTED
        await bench.take(order.value)
    assert pauses[:5] == [1000, 2000, 4000, 8000, 16000]
    assert max(pauses) == 600_000
    bench.clock.advance(10_000_000)
    assert await bench.parked.tick() == 0
    await bench.take(unpark(skip=True))
    assert [dict(letter.headers)["hx-rule"] for letter in letters(bench)] == [b"skipped_by_operator"]


async def test_the_gauge_follows_the_partition(bench: Bench, broken: Breakage) -> None:
    """Parked cases show at their owner, and vanish when they go on or the partition goes."""
    await bench.take(report(1, "de-eco"))
    bench.parked.loaded(2)
    bench.parked.loaded_case(2, bench.case())
    bench.parked.complete(2)
    assert bench.parked.count("bug") == 1
    bench.parked.rest(2)
    assert bench.parked.count("bug") == 0
    bench.parked.resume(2)
    assert bench.parked.count("bug") == 1
    broken.senders.clear()
    await bench.take(unpark())
    assert bench.parked.count("bug") == 0


async def test_a_record_with_a_foreign_key_is_set_aside(bench: Bench) -> None:
    """A forged record whose key is not its url key would be decided in the wrong partition."""
    forged = record(report(1), 1)
    forged.key = OTHER
    await bench.keeper.handle((Batch(ADMITTED, 2, [forged]),))
    (letter,) = letters(bench)
    assert dict(letter.headers)["hx-rule"] == b"wrong_key"


async def test_an_action_waits_behind_the_report_that_failed(bench: Bench, broken: Breakage) -> None:
    """Records of one case stay in their order: nothing overtakes what waits."""
    await bench.take(report(1, "de-eco"))
    case_id = bench.case().case_id
    await bench.take(act(2, "acknowledged", case_id))
    broken.senders.clear()
    await bench.take(act(3, "police_informed", case_id), unpark())
    assert [f for f in facts(bench) if f not in PARKING] == [
        "opened",
        "assigned",
        "acknowledged",
        "police_informed",
    ]


@pytest.mark.usefixtures("broken")
async def test_an_order_after_which_nothing_is_left_is_told_and_leaves_no_case(bench: Bench) -> None:
    """A case whose only record is set aside ends with its order, and the operator finds the fact."""
    await bench.take(report(1, "de-eco"))
    await bench.take(unpark(skip=True))
    assert bench.case() is None
    assert facts(bench)[-2:] == ["given_up", "unparked"]


async def test_an_order_whose_records_end_the_case_is_told(bench: Bench, broken: Breakage) -> None:
    """Where what waited ends the case itself, the fact that ends the order comes nevertheless, once."""
    await bench.take(act(1, "removed", new_event_id(T, bytes(10))))
    broken.senders.add("")
    later = msgspec.structs.replace(
        wire.decode_as(Admitted, wake_up("expire")), admitted_at=T + 2 * 3_600_000, directory_version=1
    )
    await bench.take(wire.encode(later))
    assert bench.case().parked is not None
    broken.senders.clear()
    await bench.take(unpark())
    assert bench.case() is None
    assert facts(bench) == ["awaited", "parked", "refused", "unparked"]


async def test_a_worker_killed_after_an_order_repeats_nothing(bench: Bench, broken: Breakage) -> None:
    """The order and what had waited come again when the state was confirmed and the commit was not."""
    await bench.take(report(1, "de-eco"), report(2))
    broken.senders.clear()
    await bench.take(unpark(), report(3))
    state, bench.offset = bench.case(), 2
    bench.sent.clear()
    await bench.take(unpark(), report(3))
    assert [r for send in bench.sent for r in send] == []
    assert bench.case() == state

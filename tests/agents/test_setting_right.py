"""What operators set right on the real broker: a case that a bug parked, and letters that nobody acted on."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agents import case_batch, intake, unparking
from agents.dead_letters import from_headers
from casework.casekeeping import keep, keep_waiting
from casework.messages import Delivery, Fact
from operations.accounting import account
from operations.books import read_books
from operations.command_line import main
from operations.reading import TopicReader
from streams import wire

pytestmark = pytest.mark.kafka
URL, OTHER = "https://material.example.test/parked", "https://material.example.test/other"
SIGNED = ("--operator", "ops-1", "--reason", "repaired in 1.4.2")
Hx = Callable[..., Awaitable[tuple[int, list[dict[str, Any]]]]]


@pytest.fixture
def hx(exchange: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Hx:  # noqa: ANN401 - conftest
    """Run `hx` beside the worker of this test; answers exit code and the lines of JSON it printed."""
    for name, value in exchange.settings.as_environment().items():
        monkeypatch.setenv(name, value)

    def run(words: tuple[str, ...]) -> tuple[int, list[dict[str, Any]]]:
        monkeypatch.setattr(sys, "argv", ["hx", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        assert isinstance(ended.value.code, int)
        return ended.value.code, [json.loads(line) for line in lines]

    return lambda *words: asyncio.to_thread(run, words)


async def test_a_bug_parks_one_case_and_an_order_brings_everything_back(
    exchange: Any,  # noqa: ANN401 - conftest
    hx: Hx,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Others go on meanwhile; after the repair each record is decided in order, and nothing is lost."""
    is_broken = True

    def failing(rule: Any) -> Any:  # noqa: ANN401 - either rule
        def stands_in(case: Any, event: Any, *rest: Any) -> Any:  # noqa: ANN401 - passes through
            waits = rule is keep and case is not None and case.parked is not None
            if is_broken and event.admitted.sender == "de-eco" and not waits:
                raise ZeroDivisionError(URL)
            return rule(case, event, *rest)

        return stands_in

    monkeypatch.setattr(case_batch, "keep", failing(keep))
    monkeypatch.setattr(unparking, "keep_waiting", failing(keep_waiting))
    await exchange.start()
    sent = [await exchange.send(exchange.report(URL, sender="de-eco")), "", ""]
    facts = exchange.topics.cases_events
    await exchange.messages(facts, lambda all_: len(all_) >= 1)
    sent[1] = await exchange.send(exchange.report(URL))
    assert (await exchange.receipt("gb-iwf", await exchange.send(exchange.report(OTHER)))).state == "assigned"
    found = await exchange.messages(facts, lambda all_: sum(f.fact == "parked" for f in all_) >= 2)
    first = next(fact for fact in found if fact.fact == "parked")
    assert (first.rule, first.input_id) == ("ZeroDivisionError", sent[0])
    await exchange.shows("casekeeper", {'hotline_exchange_parked_cases{error_class="bug"}': 1})

    code, (listed,) = await hx("cases", "list", "--parked", "--json")
    assert (code, listed["parked"]["count"]) == (0, 2)
    order = ("cases", "unpark", listed["url_key"], *SIGNED, "--json")
    code, (failed,) = await hx(*order)
    assert (code, failed["fact"]["parked"]["attempts"]) == (1, 2)
    is_broken = False
    code, (outcome,) = await hx(*order)
    assert (code, outcome["fact"]["fact"], outcome["fact"]["unparking"]["operator"]) == (
        0,
        "unparked",
        "ops-1",
    )
    sent[2] = await exchange.send(exchange.report(URL))
    for event_id, member in zip(sent, ("de-eco", "gb-iwf", "gb-iwf"), strict=True):
        assert (await exchange.receipt(member, event_id)).outcome == "accepted"
    key = exchange.key(URL)

    def of_case(all_: list[Any]) -> list[Delivery]:
        return [each for each in all_ if isinstance(each, Delivery) and each.url_key == key]

    inbox = exchange.topics.inbox("nl-offlimits")
    got = of_case(await exchange.messages(inbox, lambda all_: len(of_case(all_)) >= 3))
    assert [(each.number, each.report_event_id) for each in got] == list(enumerate(sent, start=1))
    assert (await hx(*order))[0] == 1
    await exchange.shows("casekeeper", {'hotline_exchange_parked_cases{error_class="bug"}': 0})
    await exchange.stop()
    with TopicReader(exchange.settings.bootstrap) as reader:
        assert account(read_books(reader, exchange.topics)).is_whole


async def test_letters_are_replayed_as_they_were_and_twice_is_harmless(
    exchange: Any,  # noqa: ANN401 - conftest
    hx: Hx,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A submission that met a bug is taken after the repair, once; what nobody can read fails again."""

    def fails(*_: object) -> None:
        raise ZeroDivisionError(URL)

    whole = intake.judge
    monkeypatch.setattr(intake, "judge", fails)
    await exchange.start()
    submission = exchange.report(URL)
    event_id = await exchange.send(submission)
    letters = exchange.topics.dead_letters
    await exchange.until(letters, lambda records: len(records) == 1)
    monkeypatch.setattr(intake, "judge", whole)
    headers = [("trace", b"1"), ("trace", b"2"), ("empty", None)]
    topic = exchange.topics.reports_submitted
    await exchange._producer.send_and_wait(topic, b"no frame", key=None, headers=headers, partition=1)
    (bug, garbage) = sorted(
        await exchange.until(letters, lambda records: len(records) == 2), key=lambda r: r.offset
    )
    assert (garbage.key, garbage.value, list(garbage.headers[:3])) == (None, b"no frame", headers)

    code, listed = await hx("deadletters", "list", "--json")
    assert (code, [(each["error_class"], each["state"]) for each in listed]) == (
        0,
        [("bug", "open"), ("unreadable", "open")],
    )
    assert listed[0]["member"] == "gb-iwf"
    assert "material" not in json.dumps(listed)
    code, said = await hx("deadletters", "replay", "--all", *SIGNED, "--dry-run", "--json")
    assert (code, len(said)) == (0, 2)
    assert (await hx("deadletters", "replay", "--error-class", "bug", *SIGNED))[0] == 0
    assert (await exchange.receipt("gb-iwf", event_id)).outcome == "accepted"
    assert (await hx("deadletters", "replay", "--error-class", "bug", *SIGNED))[0] == 1
    assert (await hx("deadletters", "replay", f"{bug.partition}-{bug.offset}", *SIGNED))[0] == 0
    assert (await hx("deadletters", "replay", f"{garbage.partition}-{garbage.offset}", *SIGNED))[0] == 0
    again = (await exchange.until(letters, lambda records: len(records) == 3))[-1]
    assert (again.key, again.value) == (None, b"no frame")
    assert from_headers(again.headers).attempts == 2
    receipts = await exchange.messages(
        exchange.topics.inbox("gb-iwf"), lambda all_: len({m.receipt_id for m in all_}) >= 2
    )
    assert {receipt.outcome for receipt in receipts} == {"accepted", "duplicate"}
    assert (await hx("deadletters", "discard", f"{again.partition}-{again.offset}", *SIGNED))[0] == 0

    code, listed = await hx("deadletters", "list", "--json")
    assert [(each["state"], each["attempts"], each["done_by"]) for each in listed] == [
        ("replayed", 1, "ops-1"),
        ("replayed", 1, "ops-1"),
        ("discarded", 2, "ops-1"),
    ]
    facts = await exchange.messages(exchange.topics.cases_events, lambda all_: len(all_) >= 2)
    assert [fact.fact for fact in facts if isinstance(fact, Fact)] == ["opened", "assigned"]
    replayed = await exchange.until(topic, lambda records: len(records) == 5)
    copies = [record for record in replayed if record.value == wire.encode(submission)]
    assert len({(record.key, record.partition) for record in copies}) == 1
    assert len(copies) == 3

"""What operators do beside a running worker on the real broker, one day of it: every tool is really run.

Workers, members and the operator have exactly the rights of the directory, in the loop that workers run in.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop
from kafka import KafkaAdminClient, TopicPartition

from agents import case_batch, intake, unparking
from agents.dead_letters import from_headers
from casework.casekeeping import keep, keep_waiting
from casework.directory import HOUR_MS, CaseworkLimits
from casework.errors import EditRefusedError
from casework.messages import Delivery, Submission
from connectors.client import MemberClient
from connectors.inbox_reader import InboxReader
from connectors.positions import MemoryPositions
from operations.command_line import main
from operations.invariants import examine, read_history
from operations.reading import TopicReader
from streams import wire
from streams.clock import CompressedClock, SystemClock, format_clock
from streams.kafka_settings import access_of
from streams.principals import OPERATOR
from streams.slots import partition_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
SIGNED = ("--operator", "ops-1", "--reason", "repaired in 1.4.2")
NOBODY = "se-ecpat"
FACTOR = 4_000.0
"""A simulated day in 22 s: a closed case becomes a stub in this test, and no replayed report is too old."""
STUB = "https://material.example.test/stub"
AHEAD_S = 1.5
WINDOW = ("--since", "2020-01-01T00:00:00Z", "--until", "2100-01-01T00:00:00Z", "--late-after", "100000")
Lines = list[dict[str, Any]]
Hx = Callable[..., Awaitable[tuple[int, Lines]]]


class Rules:
    """The rules, which fail on what some senders send until they are repaired."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken: set[str] = set()
        self.judges = True
        monkeypatch.setattr(case_batch, "keep", self._failing(keep))
        monkeypatch.setattr(unparking, "keep_waiting", self._failing(keep_waiting))
        judge = intake.judge

        def judging(*known: Any) -> Any:  # noqa: ANN401 - passes through
            if not self.judges:
                raise ZeroDivisionError("https://secret.example/")
            return judge(*known)

        monkeypatch.setattr(intake, "judge", judging)

    def _failing(self, rule: Any) -> Any:  # noqa: ANN401 - either rule
        def stands_in(case: Any, event: Any, *rest: Any) -> Any:  # noqa: ANN401 - passes through
            waits = rule is keep and case is not None and case.parked is not None
            if event.admitted.sender in self.broken and not waits:
                raise ZeroDivisionError("https://secret.example/")
            return rule(case, event, *rest)

        return stands_in


class Day:
    """An exchange with a worker and a running client of the Dutch hotline."""

    def __init__(self, exchange: Any, rules: Rules, hx: Hx, inbox: InboxReader) -> None:  # noqa: ANN401 - conftest
        self.exchange, self.rules, self.hx, self.inbox = exchange, rules, hx, inbox
        self.topics = exchange.topics
        self.got: list[str] = []

    async def report(self, url: str, sender: str = "gb-iwf") -> str:
        """Report an address and answer the event id, once the sender is answered."""
        event_id: str = await self.exchange.send(self.draft(url, sender))
        assert (await self.exchange.receipt(sender, event_id)).outcome == "accepted"
        return event_id

    def draft(self, url: str, sender: str = "gb-iwf") -> Submission:
        """Answer a report of this moment of the exchange's time."""
        now = self.exchange.clock.now_ms()
        times = {"sent_at": now, "occurred_at": now, "received_at": now // 60_000 * 60_000}
        draft: Submission = self.exchange.report(url, sender=sender, **times)
        return draft

    async def facts(self, *kinds: str, of: str) -> list[Any]:
        """Wait for facts of these kinds about an address and answer all that are there about it."""
        key = self.exchange.key(of)

        def about(all_: list[Any]) -> list[Any]:
            return [fact for fact in all_ if fact.url_key == key]

        def are_there(all_: list[Any]) -> bool:
            kinds_there = [fact.fact for fact in about(all_)]
            return all(kinds_there.count(kind) >= kinds.count(kind) for kind in kinds)

        return about(await self.exchange.messages(self.topics.cases_events, are_there))

    async def reads(self, *event_ids: str) -> None:
        """Let the Dutch client read until it has the reports."""
        async with asyncio.timeout(60):
            while not set(event_ids) <= set(self.got):
                message = await anext(self.inbox)
                if isinstance(message.body, Delivery) and message.body.kind in {
                    "assignment",
                    "linked_report",
                }:
                    self.got.append(message.body.report_event_id or "")
                await message.done()

    async def parks_and_unparks(self) -> None:
        """A bug parks one case, others go on, and an order brings back what waited, in its order."""
        url, rules = "https://material.example.test/parked", self.rules
        rules.broken = {"de-eco"}
        first = await self.exchange.send(self.draft(url, "de-eco"))
        await self.facts("parked", of=url)
        second = await self.exchange.send(self.draft(url))
        await self.report("https://material.example.test/other")
        parked = await self.facts("parked", "parked", of=url)
        assert (parked[0].rule, parked[0].input_id) == ("ZeroDivisionError", first)
        code, (listed,) = await self.hx("cases", "list", "--parked", "--json")
        assert (code, listed["parked"]["count"]) == (0, 2)
        code, lines = await self.hx("verify", "--json")
        assert (code, lines[-1]["findings"], lines[-1]["unchecked"]["parked"]) == (0, 0, 1)
        order = ("cases", "unpark", listed["url_key"], *SIGNED, "--json")
        code, (failed,) = await self.hx(*order)
        assert (code, failed["fact"]["parked"]["attempts"]) == (1, 2)
        rules.broken = set()
        code, (outcome,) = await self.hx(*order)
        assert (code, outcome["fact"]["fact"]) == (0, "unparked")
        assert outcome["fact"]["unparking"]["operator"] == "ops-1"
        assert (await self.hx(*order))[0] == 1
        third = await self.report(url)
        await self.reads(first, second, third)
        assert [each for each in self.got if each in {first, second, third}] == [first, second, third]

    async def replays_letters(self, tmp_path: Path) -> None:
        """What met a bug, cannot be read or was taken by no topic goes back as it was, or stays for good."""
        exchange, hx, letters = self.exchange, self.hx, self.topics.dead_letters
        url, topic = "https://material.example.test/letter", self.topics.reports_submitted
        self.rules.judges = False
        submission = self.draft(url)
        event_id = await exchange.send(submission)
        await exchange.until(letters, lambda records: len(records) == 1)
        self.rules.judges = True
        headers = [("trace", b"1"), ("trace", b"2"), ("empty", None)]
        await exchange._producer.send_and_wait(topic, b"no frame", headers=headers, partition=1)
        await self._joins(NOBODY)
        unheard = await exchange.send(self.draft(url + "/unheard", NOBODY))
        # Time is short here, so the member that no topic is there for is also told what is overdue.
        found = await exchange.until(letters, lambda records: len(rules_of(records)) == 3)
        by_rule = rules_of(found)
        code, listed = await hx("deadletters", "list", "--json")
        classes = {(each["error_class"], each["state"], each["member"]) for each in listed}
        assert classes == {
            ("bug", "open", "gb-iwf"), ("unreadable", "open", None), ("undeliverable", "open", NOBODY)
        }  # fmt: skip
        assert "material" not in json.dumps(listed)
        code, (shown,) = await hx("deadletters", "show", by_rule["not_authorised"], "--json")
        assert (code, shown["topic"]) == (0, self.topics.inbox(NOBODY))
        assert (await hx("deadletters", "export", "--to", str(tmp_path / "letters")))[0] == 0
        assert len((tmp_path / "letters").read_text().splitlines()) >= 3
        code, said = await hx("deadletters", "replay", "--all", *SIGNED, "--dry-run", "--json")
        impossible = [each for each in said if each["outcome"].startswith("not possible")]
        assert (code, len(said) - len(impossible)) == (1, 2)
        code, lines = await hx("verify", "--json")
        assert (code, lines[:-1]) == (0, [])

        await exchange.provision(exchange.small_directory(2, add=NOBODY))
        assert (await hx("deadletters", "replay", "--all", *SIGNED))[0] == 0
        assert (await exchange.receipt("gb-iwf", event_id)).outcome == "accepted"
        assert (await exchange.receipt(NOBODY, unheard)).outcome == "accepted"
        assert (await hx("deadletters", "replay", by_rule["ZeroDivisionError"], *SIGNED))[0] == 0
        await exchange.until(letters, lambda records: any(map(is_again, records)))
        (again,) = filter(is_again, await exchange.until(letters, bool))
        assert (again.key, again.value, list(again.headers[:3])) == (None, b"no frame", headers)
        place = f"{again.partition}-{again.offset}"
        assert (await hx("deadletters", "discard", place, *SIGNED))[0] == 0
        _, listed = await hx("deadletters", "list", "--json")
        states = [each["state"] for each in listed if each["rule"] != "not_authorised"]
        assert sorted(states) == ["discarded", "replayed", "replayed"]
        assert (await hx("deadletters", "list", "--state", "replayed", "--member", NOBODY, "--json"))[1]
        copies = [r for r in await exchange.until(topic, bool) if r.value == wire.encode(submission)]
        assert len({(r.key, r.partition) for r in copies}) == 1

    async def _joins(self, member: str) -> None:
        """Publish a directory with one more member before it is valid, as must be, and wait until it is."""
        clock, ahead_s = self.exchange.clock, AHEAD_S
        directory = self.exchange.small_directory(2, add=member)
        while True:
            valid_from = clock.now_ms() + round(ahead_s * 1000 * FACTOR)
            try:
                await self.exchange.publish(msgspec.structs.replace(directory, valid_from=valid_from))
                break
            except EditRefusedError:  # the machine is busy, and simulated time runs on
                ahead_s *= 2
        await asyncio.sleep(max(0.0, (valid_from - clock.now_ms()) / 1000 / FACTOR) + 0.1)

    async def closes(self) -> None:
        """A case is closed, to become a stub while other things happen."""
        opened = await self.exchange.receipt("gb-iwf", await self.report(STUB))
        now = self.exchange.clock.now_ms()
        times = {"sent_at": now, "occurred_at": now}
        action = self.exchange.action(STUB, "nl-offlimits", "removed", case_id=opened.case_id, **times)
        done = await self.exchange.send(action)
        assert (await self.exchange.receipt("nl-offlimits", done)).outcome == "accepted"

    async def shrinks(self) -> None:
        """A closed case is erased, then becomes a stub, and a report that comes later finds its numbers."""
        facts = await self.facts("shrunk", of=STUB)
        assert [fact.fact for fact in facts if fact.by == "exchange"][-3:] == [
            "erased",
            "unconfirmed",
            "shrunk",
        ]
        await self.report(STUB)

    async def rebuilds(self) -> None:
        """An inbox that is sent again reaches a running client as copies, and it goes on with what is new."""
        await self.reads(await self.report("https://material.example.test/before"))
        before = len(self.got)
        rebuild = ("inbox", "rebuild", "nl-offlimits", "--since", "2020-01-01T00:00:00Z", "--json")
        code, made = await self.hx(*rebuild, "--to-topic", *SIGNED)
        assert (code, len(made) >= before) == (0, True)
        await self.reads(await self.report("https://material.example.test/after"))
        assert len(self.got) == before + 1
        assert self.inbox.duplicates >= len(made)

    async def reconciles(self) -> None:
        """What intake never saw is named, would be sent again, is sent again, and then nothing is missing."""
        await self.exchange.stop()
        event_id = await self.exchange.send(self.draft("https://material.example.test/missed"))
        code, lines = await self.hx("reconcile", *WINDOW, "--dry-run", "--json")
        missing = {(each["what"], each["kind"], each["id"]) for each in lines if "what" in each}
        assert (code, missing) == (1, {("missing", "admission", event_id)})
        assert [each["sent_again"] for each in lines if "sent_again" in each] == [False]
        code, lines = await self.hx("reconcile", *WINDOW, "--inject", *SIGNED, "--json")
        assert (code, [each["sent_again"] for each in lines if "sent_again" in each]) == (1, [True])
        await self.exchange.start()
        self.rules.judges = True
        await self.reads(event_id)
        code, lines = await self.hx("reconcile", *WINDOW, "--json")
        assert (code, lines[-1]["items"]) == (0, 0), lines

    async def verifies(self, tmp_path: Path) -> None:
        """A snapshot saved while members go on sending is a point to begin from, later and to the end."""
        saved = tmp_path / "snapshot"
        sending = asyncio.create_task(self._sends_on())
        code, lines = await self.hx("verify", "--save-snapshot", str(saved), "--json")
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        assert (code, lines[:-1]) == (0, [])
        await self.report("https://material.example.test/parked")
        code, lines = await self.hx("verify", "--snapshot", str(saved), "--json")
        assert (code, lines[:-1]) == (0, [])

    async def _sends_on(self) -> None:
        number = 0
        while True:
            number += 1
            await self.exchange.send(self.draft(f"https://flow.example.test/{number % 20}"))

    async def unparks_after_retention(self) -> None:
        """An order for a case of which retention deleted everything ends well and at once, and says so."""
        url = "https://material.example.test/deleted"
        self.rules.broken = {"de-eco"}
        await self.exchange.send(self.draft(url, "de-eco"))
        (parked,) = await self.facts("parked", of=url)
        self.rules.broken = set()
        admin: Any = KafkaAdminClient(**self.exchange.client)
        place = TopicPartition(self.topics.cases_admitted, parked.source_partition)
        await asyncio.to_thread(admin.delete_records, {place: parked.source_offset + 1})
        admin.close()
        code, (outcome,) = await self.hx("cases", "unpark", parked.case_id, *SIGNED, "--json")
        assert (code, outcome["fact"]["fact"]) == (0, "unparked")
        facts = await self.facts("given_up", of=url)
        assert [fact.rule for fact in facts if fact.fact == "given_up"] == ["deleted_by_retention"]
        assert partition_of(parked.url_key, self.exchange.settings.partitions) == parked.source_partition


def rules_of(letters: list[Any]) -> dict[str, str]:
    """Return a letter's id for each rule."""
    return {from_headers(r.headers).rule: f"{r.partition}-{r.offset}" for r in letters}


def is_again(letter: Any) -> bool:  # noqa: ANN401 - a Kafka record
    """Return whether a record failed for the second time."""
    return from_headers(letter.headers).attempts > 1


@pytest.fixture(scope="module")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """Run this page in the loop of worker processes."""
    return uvloop.EventLoopPolicy()


@pytest.fixture
def limits() -> CaseworkLimits:
    """Contents are kept for an hour after the closing, so that a case becomes a stub in this test."""
    return CaseworkLimits(erase_ms=HOUR_MS, confirm_ms=HOUR_MS)


@pytest.fixture
async def day(
    secured_exchange: Any,  # noqa: ANN401 - conftest
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> AsyncIterator[Day]:
    """Begin a day on simulated time: worker, client of the Dutch hotline, and `hx` with the same settings."""
    exchange = secured_exchange
    now = SystemClock().real_ms()
    clock = format_clock(CompressedClock(now, now, FACTOR))
    exchange.settings = msgspec.structs.replace(
        exchange.settings, clock=clock, shrink_after_days=1, session_timeout_s=30
    )
    exchange.clock = exchange.settings.make_clock()
    for name, value in exchange.settings.as_environment().items():
        monkeypatch.setenv(name, value)

    def run(words: tuple[str, ...]) -> tuple[int, Lines]:
        monkeypatch.setattr(sys, "argv", ["hx", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        assert isinstance(ended.value.code, int)
        return ended.value.code, [json.loads(line) for line in lines]

    async def hx(*words: str) -> tuple[int, Lines]:
        return await asyncio.to_thread(run, words)

    rules = Rules(monkeypatch)
    await exchange.start()
    settings = exchange.settings
    async with MemberClient.from_settings(settings, "nl-offlimits", positions=MemoryPositions()) as client:
        yield Day(exchange, rules, hx, client.inbox())


async def test_a_day_of_operators(day: Day, tmp_path: Path) -> None:
    """Parking, letters, stubs, rebuilding, reconciling, verifying, retention: nothing is lost or altered."""
    await day.closes()
    await day.parks_and_unparks()
    await day.replays_letters(tmp_path)
    await day.shrinks()
    await day.rebuilds()
    await day.reconciles()
    await day.verifies(tmp_path)
    await day.exchange.stop()
    settings = day.exchange.settings
    with TopicReader(access_of(settings, OPERATOR)) as reader:
        history = read_history(reader, day.topics, environment="test", clock=day.exchange.clock)
    assert examine(history).violations == ()
    await day.exchange.start()
    await day.unparks_after_retention()

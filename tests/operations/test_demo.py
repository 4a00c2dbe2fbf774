import io
import math
import tempfile
from pathlib import Path
from typing import Self

import msgspec
import pytest
from paper_exchange import PaperExchange
from prometheus_client import generate_latest
from rich.console import Console

from agents.metrics import CasekeeperMetrics
from agents.open_cases import OpenCases
from casework.errors import SetupError, TemporaryError
from operations import demo
from operations.accounting import Account, account
from operations.beside import SHOWN
from operations.books import read_books
from operations.demo import DemoOptions, run_demo
from operations.demo_summary import Outcome, as_summary
from operations.demo_view import Measured, Picture, ages_of, as_line, draw, late_of, quantile, read_metrics
from operations.demo_worker import DemoWorker, fetch
from operations.embedded_kafka import ArchivesMissingError, EmbeddedKafka, LocalAccess
from operations.invariants import Violation
from operations.losses import Loss
from operations.simulator.constants import DAY_MS
from operations.simulator.ledger import Ledger
from streams.settings import Settings

NOW = 1_650_000_000_000


@pytest.fixture(autouse=True)
def _temporary_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a failing demo leaves behind inside the test's own directory."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def some_account(**changes: object) -> Account:
    """Return an account in which nothing is lost."""
    numbers = [field for field in Account.__struct_fields__ if field not in {"lost", "conflicts", "beside"}]
    whole = Account(**dict.fromkeys(numbers, 3), beside=dict.fromkeys(SHOWN, 0), lost=(), conflicts=())  # type: ignore[arg-type]
    return msgspec.structs.replace(whole, **changes)


def some_outcome(**changes: object) -> Outcome:
    """Return the outcome of a demo that went well."""
    found = some_account(**changes)
    broken = [Violation("lost", f"{each.what} {each.id}", each.missing) for each in found.lost]
    broken += [Violation("conflict", f"{each.what} {each.id}", each.missing) for each in found.conflicts]
    return Outcome(
        found,
        violations=tuple(broken),
        is_drained=True,
        restarts=1,
        measured=Measured(0.02, 1.5),
        seconds=5,
        days=7,
    )


def test_quantiles_are_those_of_the_histogram() -> None:
    """A quantile is interpolated in its bucket; without observations there is none."""
    buckets = [(0.1, 10), (0.5, 90), (1.0, 100), (math.inf, 100)]
    assert quantile(0.5, buckets) == pytest.approx(0.3)
    assert quantile(0.99, buckets) == pytest.approx(0.95)
    assert quantile(0.05, buckets) == pytest.approx(0.05)
    assert quantile(1.0, [(0.1, 1), (math.inf, 2)]) == pytest.approx(0.1)
    assert quantile(0.5, []) is None
    assert quantile(0.5, [(0.1, 0), (math.inf, 0)]) is None


def test_metrics_of_a_casekeeper_are_understood() -> None:
    """The view reads the names that casekeeper exports: latency over all countries, and facts by kind."""
    metrics = CasekeeperMetrics(OpenCases())
    metrics.machine_latencies([("NL", 0.004), ("US", 0.004), ("US", 0.7), ("DE", 0.004)])
    metrics._facts.labels("removed").inc(2)
    text = generate_latest(metrics.registry).decode()
    for name, value in (("open_cases", 3), ("oldest_open_case_timestamp_seconds", 1_650_000_000)):
        text += f'hotline_exchange_{name}{{hotline="nl-x",state="assigned"}} {value}\n'
    found = read_metrics(text)
    assert found.open_cases == {"nl-x": 3}
    assert found.oldest_ms == {"nl-x": NOW}
    assert found.p50_s == pytest.approx(0.005 * 2 / 3)
    assert found.p99_s is not None
    assert 0.5 < found.p99_s <= 1.0
    assert found.facts["removed"] == 2


def test_open_cases_are_counted_by_age_and_late_ones_by_hotline() -> None:
    """Each open case is in one age group, and those older than a week are counted for their hotline."""
    ledger = Ledger()
    for number, (member, days) in enumerate([("a", 0.5), ("a", 8), ("b", 8), ("a", 40), ("b", 2), ("b", 5)]):
        ledger.took_on(str(number), member, int(NOW - days * DAY_MS))
    assert [count for _, count in ages_of(ledger, NOW)] == [1, 1, 1, 2, 1]
    assert late_of(ledger, NOW) == (("a", 2), ("b", 1))


def test_screen_and_line_show_the_same_numbers() -> None:
    """Flows, times, late hotlines, ages and the metrics address are shown, the main ones in the line too."""
    picture = Picture(
        now_ms=NOW, left_s=12, phase="playing", measured=Measured(0.02, 1.5, {}, {"nl-x": NOW - DAY_MS}, {}),
        submitted=7, answered=6, delivered=5, flows=(("GB", "NL", 4),), ages=(("under 1 day", 3),),
        late=(("nl-x", 2),), restarts=0, metrics=("http://127.0.0.1:1/metrics",),
    )  # fmt: skip
    console = Console(width=150, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115 - closed by the end
    console.print(draw(picture))
    screen = console.export_text()
    console.file.close()
    for shown in ("GB", "NL", "20 ms", "1.5 s", "under 1 day", "nl-x", "1.0 d", "http://127.0.0.1:1/metrics"):
        assert shown in screen
    line = as_line(picture)
    for shown in ("submitted 7", "answered 6", "delivered 5", "p50 20 ms", "p99 1.5 s", "nl-x 2"):
        assert shown in line


def test_the_screen_shows_what_happens_beside_the_straight_way() -> None:
    """While it runs moves, pauses, orphans and the like are shown by name with their number."""
    measured = Measured(0.02, 1.5, {}, {}, {"moved": 41, "paused": 7, "orphaned": 23, "fed": 99})
    picture = Picture(
        now_ms=NOW, left_s=12, phase="playing", measured=measured, submitted=7, answered=6, delivered=5,
        flows=(), ages=(), late=(), restarts=0, metrics=(),
    )  # fmt: skip
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(draw(picture))
    screen = " ".join(console.export_text().split())
    for name, number in (("moved", 41), ("paused", 7), ("without a hotline", 23), ("feed items", 99)):
        assert f"{name} {number}" in screen


def test_the_summary_counts_from_the_facts_what_happened_beside_the_straight_way() -> None:
    """A claim is told by its queue, a repeated escalation by its attempt, a hold only as a pause."""
    paper = PaperExchange()
    orphan, held = "https://beside.example.test/orphan", "https://beside.example.test/held"
    paper.report(orphan, country="HK")
    paper.act(orphan, "us-ncmec", "claim")
    paper.report(held)
    for _ in range(2):
        paper.act(held, "nl-police", "hold")
    paper.act(held, "nl-police", "release")
    paper.report(held, "de-eco")
    found = account(read_books(paper.history().log, paper.topics)).beside
    assert {kind: count for kind, count in found.items() if count} == {
        "linked": 1, "orphaned": 1, "orphan claimed": 1, "paused": 1,
    }  # fmt: skip
    shown = " ".join(as_summary(some_outcome(beside=found)).split())
    assert max(map(len, SHOWN.values())) < len("took effect twice: ")
    for line in ("orphans claimed: 1", "offers claimed: 0", "paused: 1", "erased: 0", "feed items: 0"):
        assert line in shown


def test_the_summary_names_what_was_refused_by_chance() -> None:
    """What nobody meant to be refused is told by action and rule, and lost stays the last line."""
    outcome = msgspec.structs.replace(some_outcome(), surprises=(("claim", "not_a_party", 2),))
    shown = as_summary(outcome).splitlines()
    assert "  refused by chance: claim, not_a_party: 2" in shown
    assert shown[-1] == "lost: 0"


def test_the_summary_names_what_was_lost() -> None:
    """Without a loss the last line says lost: 0; otherwise each loss is named by its id."""
    assert as_summary(some_outcome()).splitlines()[-1] == "lost: 0"
    lost = as_summary(some_outcome(lost=(Loss("report", "id-1", "no delivery to nl-x"),)))
    assert "lost: 1\n  lost report id-1: no delivery to nl-x" in lost
    altered = msgspec.structs.replace(
        some_outcome(), violations=(Violation("state_differs", "case-1", "differs in outcome"),)
    )
    assert "decided otherwise: 1" in as_summary(altered)
    assert as_summary(altered).endswith("lost: 0\n  state_differs case-1: differs in outcome")
    late = msgspec.structs.replace(some_outcome(), is_drained=False)
    assert "not every submission was answered in time" in as_summary(late)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (some_outcome(), 0),
        (some_outcome(lost=(Loss("report", "id-1", "x"),)), 1),
        (some_outcome(conflicts=(Loss("fact", "id-1", "x"),)), 1),
        (msgspec.structs.replace(some_outcome(), is_drained=False), 1),
        (msgspec.structs.replace(some_outcome(), violations=(Violation("fact_gap", "id-1", "x"),)), 1),
    ],
)
def test_the_exit_code_says_whether_something_was_lost(
    outcome: Outcome, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A loss, an effect that took place twice and an unanswered submission all end with exit code 1."""

    class Played:
        def __init__(self, *_: object) -> None: ...

        async def play(self) -> Outcome:
            return outcome

    class Broker:
        local_access = LocalAccess("127.0.0.1:1")

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(demo, "Demo", Played)
    monkeypatch.setattr(EmbeddedKafka, "start", lambda *_, **__: Broker())
    assert run_demo(DemoOptions(as_json=True)) == code
    assert msgspec.json.decode(capsys.readouterr().out)["account"]["submitted"] == 3


def test_missing_archives_reach_the_caller_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Kafka cannot be had the demo ends with the one sentence that says what to do."""

    def start(*_: object, **__: object) -> None:
        raise ArchivesMissingError("get a network, then repeat")

    monkeypatch.setattr(EmbeddedKafka, "start", start)
    with pytest.raises(ArchivesMissingError, match="then repeat"):
        run_demo(DemoOptions())


def test_an_interrupted_demo_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever ends the demo before anything was compared finds no data of it afterwards."""

    def start(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(EmbeddedKafka, "start", start)
    with pytest.raises(KeyboardInterrupt):
        run_demo(DemoOptions())
    assert not list(tmp_path.glob("hotline-exchange-demo-*"))
    assert "ended before the ids were compared" in capsys.readouterr().out


class _Ended:
    pid = 0

    def __init__(self, code: int) -> None:
        self.returncode = code

    def poll(self) -> int:
        return self.returncode


def test_a_worker_that_ended_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash or a fail-stop is followed by a new start; settings that cannot work are told instead."""
    (tmp_path / "log").write_text("first\nthe directory is missing\n")
    worker = DemoWorker(Settings(), tmp_path / "log")
    starts = []
    monkeypatch.setattr(worker, "start", lambda: starts.append(1))
    assert not worker.revive()
    for code in (-9, 70, 0):
        worker._process = _Ended(code)  # type: ignore[assignment] - what revive asks
        assert worker.revive()
    assert len(starts) == 3
    worker._process = _Ended(78)  # type: ignore[assignment] - what revive asks
    with pytest.raises(SetupError, match="the directory is missing"):
        worker.revive()


def test_a_worker_that_keeps_ending_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few starts that did not get ready the demo ends with the worker's last words."""
    (tmp_path / "log").write_text("no module\n")
    worker = DemoWorker(Settings(), tmp_path / "log")

    def start() -> None:
        worker.restarts += 1
        worker._process = _Ended(1)  # type: ignore[assignment] - what revive asks

    monkeypatch.setattr(worker, "start", start)
    monkeypatch.setattr(worker, "is_ready", lambda: False)
    worker.start()
    with pytest.raises(TemporaryError, match="no module"):
        worker.wait_until_ready(sleep=lambda _: None)


def test_a_worker_that_is_stopped_is_waited_for_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the worker starts ends the wait for it at once, and nothing starts it again."""
    worker = DemoWorker(Settings(), tmp_path / "log")
    monkeypatch.setattr(worker, "is_ready", lambda: False)
    worker.stop()
    worker._process = _Ended(-15)  # type: ignore[assignment] - what revive asks
    assert not worker.revive()
    with pytest.raises(TemporaryError, match="stopped before it got ready"):
        worker.wait_until_ready(sleep=lambda _: None)


def test_an_address_that_does_not_answer_is_none() -> None:
    """A worker that is away gives no metrics and no error."""
    assert fetch("http://127.0.0.1:9/metrics") is None


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_the_demo_loses_nothing_although_its_worker_is_killed(capsys: pytest.CaptureFixture[str]) -> None:
    """On a real Kafka, with the worker killed midway, every submission is answered and nothing is lost."""
    options = DemoOptions(seconds=10, reports_per_second=5, days=7, kill_worker=True, as_json=True)
    code = run_demo(options)
    captured = capsys.readouterr()
    outcome = msgspec.json.decode(captured.out)
    assert code == 0, captured.out
    assert outcome["restarts"] == 1
    assert outcome["account"]["reports"] > 10
    assert outcome["account"]["acknowledged"] > 0
    assert outcome["violations"] == []

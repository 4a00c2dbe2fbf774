"""Measure `growth`: cost of a report and memory of a case, with ten thousand and with a million open cases.

The reports that are measured are second reports of open cases by another member, drawn at random, so each of
them reads and writes the state of one. Both workers run at once and take turns on the same broker, a few
seconds each: what disturbs one disturbs the other, which cannot be said of two runs minutes apart. `cold` is
a worker just started whose files are out of the memory of the operating system. Cost is CPU of the worker,
all threads, for one report, after it has read all states.
"""

import itertools
import os
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks import append_times, topics
from benchmarks.exchange import Exchange
from benchmarks.ground import Ground, middle, ratio
from benchmarks.open_cases import with_open_cases
from benchmarks.processes import Contestant
from benchmarks.submissions import HOSTING_COUNTRIES, ORIGIN
from benchmarks.verdicts import Outcome, Row, Target
from operations.reading import TopicReader
from streams.kafka_access import plaintext

NAME: Final = "growth"
_FEW: Final = 10_000
_MANY: Final = 1_000_000
_TURNS: Final = 5
_TURN: Final = 1 / _TURNS
"""Share of the few cases that a turn reports: all turns together report none of them twice."""
_PATIENCE_S: Final = 240.0
_MICRO: Final = 1e6
_BLOCK: Final = 512
_FLAT: Final = Target(1.15, 1.05, at_most=True)
_BYTES: Final = Target(None, 300, at_most=True)


class _Side:
    """An exchange with its open cases, and the worker that has read them.

    Args:
        ground: Where all this runs.
        exchange: Its cases are those of the first numbers of its splicer.
        worker: Ready; has read them all.
        cases: How many there are.
        turn: Which of the members reports them.
    """

    def __init__(self, ground: Ground, exchange: Exchange, worker: Contestant, cases: int, turn: int) -> None:
        self._ground, self._exchange, self._worker = ground, exchange, worker
        self._second = exchange.splicer(origin=_origin(exchange, turn))
        self._numbers = iter(random.sample(range(cases), min(cases, ground.count(_FEW))))
        self.rss_bytes, self.disk_bytes = worker.rss_bytes(), _disk_bytes(exchange.settings.data_dir)

    def drain(self) -> dict[str, float]:
        """Let the worker take its turn; answers CPU in microseconds a report, and reports a second."""
        count = round(self._ground.count(_FEW) * _TURN)
        chosen = [next(self._numbers) for _ in range(count)]
        with TopicReader(plaintext(self._ground.bootstrap)) as reader:
            before = reader.count(*self._exchange.inboxes)
        used, began = self._worker.cpu_seconds(), time.monotonic()
        placed = self._second.placed_reports(chosen)
        topics.fill(self._ground.bootstrap, self._exchange.topics.reports_submitted, placed)
        # A receipt to the sender and a delivery to the responsible hotline each.
        wanted = before + 2 * count
        append_times.wait_for_count(
            self._ground.bootstrap, self._exchange.inboxes, wanted, _PATIENCE_S, self._worker.check
        )
        cpu, seconds = self._worker.cpu_seconds() - used, time.monotonic() - began
        return {"cpu_us": cpu * _MICRO / count, "drained": count / seconds}

    def evict(self) -> None:
        """Take the files of the store out of the memory of the operating system."""
        _evict(self._exchange.settings.data_dir)


def measure(ground: Ground) -> Outcome:
    """Drain second reports of few and of many open cases in turns."""
    outcome = Outcome(NAME)
    few, many = ground.count(_FEW), ground.count(_MANY)
    turns = itertools.count()
    with with_open_cases(ground, many) as large:
        for _ in range(ground.rounds):
            for name in ("many", "cold"):
                # Fresh ones each time: every report makes the state it meets a little larger.
                with (
                    with_open_cases(ground, few) as small,
                    _side(ground, small, few, next(turns)) as few_side,
                    _side(ground, large, many, next(turns)) as many_side,
                ):
                    if name == "cold":
                        many_side.evict()
                    _take_turns(outcome, name, few_side, many_side)
    outcome.rows = _rows(outcome.rounds, few, many)
    return outcome


def _take_turns(outcome: Outcome, name: str, few: _Side, many: _Side) -> None:
    found: dict[str, list[dict[str, float]]] = {name: [], _beside(name): []}
    for turn in range(_TURNS):
        for of, side in sorted({name: many, _beside(name): few}.items(), reverse=bool(turn % 2)):
            found[of].append(side.drain())
    for of, side in ((name, many), (_beside(name), few)):
        of_round = {field: statistics.mean(turn[field] for turn in found[of]) for field in found[of][0]}
        sizes = {"rss": float(side.rss_bytes), "disk": float(side.disk_bytes)}
        outcome.rounds.setdefault(of, []).append(of_round | sizes)


def _beside(name: str) -> str:
    return f"few beside {name}"


@contextmanager
def _side(ground: Ground, exchange: Exchange, cases: int, turn: int) -> Iterator[_Side]:
    with exchange.worker() as worker:
        exchange.wait_ready(worker, _PATIENCE_S)
        exchange.wait_counted(worker, cases, _PATIENCE_S)
        worker.wait_until_quiet(_PATIENCE_S)
        yield _Side(ground, exchange, worker, cases, turn)


def _rows(rounds: dict[str, list[dict[str, float]]], few: int, many: int) -> list[Row]:
    rows = []
    for name, words in (("many", ""), ("cold", ", cold store")):
        base = rounds[_beside(name)]
        detail = (
            f"CPU {middle(rounds[name], 'cpu_us'):.0f} to {middle(base, 'cpu_us'):.0f} us; "
            f"drained {middle(rounds[name], 'drained'):,.0f} to {middle(base, 'drained'):,.0f}/s"
        )
        value = ratio(rounds[name], base, "cpu_us")
        rows.append(Row(NAME, f"cost with {many:,} open cases to {few:,}{words}", value, "x", _FLAT, detail))
    for field, words, target in (("rss", "memory", _BYTES), ("disk", "local store", None)):
        most, least = middle(rounds["many"], field), middle(rounds[_beside("many")], field)
        detail = f"worker {most / (1 << 20):,.0f} MiB with {many:,}"
        each = (most - least) / (many - few)
        rows.append(Row(NAME, f"{words} of an open case", each, "bytes", target, detail))
    return rows


def _origin(exchange: Exchange, turn: int) -> str:
    """A hotline that has reported none of these cases before this turn, and is responsible for none."""
    others = [
        member.id
        for member in exchange.directory.members
        if member.active
        and member.kind == "hotline"
        and member.id != ORIGIN
        and not {*member.countries} & {*HOSTING_COUNTRIES}
    ]
    return others[turn % len(others)]


def _disk_bytes(folder: Path) -> int:
    return sum(file.stat().st_blocks * _BLOCK for file in _files(folder))


def _evict(folder: Path) -> None:
    """Drop files from the memory of the operating system, so that the next look at them reads the disk."""
    os.sync()
    for file in _files(folder):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]

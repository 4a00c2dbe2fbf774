"""Measure `growth`: cost of a report and memory of a case, with ten thousand and with a million open cases.

The reports that are measured are second reports of open cases by another member, drawn at random, so each of
them reads and writes the state of one. `cold` is a worker just started whose files are out of the memory of
the operating system. Cost is CPU of the worker, all threads, for one report.
"""

import itertools
import os
import random
from pathlib import Path
from typing import Final

from benchmarks import append_times, topics
from benchmarks.exchange import Exchange
from benchmarks.ground import Ground, middle, ratio
from benchmarks.open_cases import with_open_cases
from benchmarks.submissions import HOSTING_COUNTRIES, ORIGIN
from benchmarks.verdicts import Outcome, Row, Target
from operations.reading import TopicReader
from streams.kafka_access import plaintext

NAME: Final = "growth"
_FEW: Final = 10_000
_MANY: Final = 1_000_000
_REPORTS: Final = 10_000
_PATIENCE_S: Final = 240.0
_MICRO: Final = 1e6
_BLOCK: Final = 512
_FLAT: Final = Target(1.15, 1.05, at_most=True)
_turns: Final = itertools.count()
_BYTES: Final = Target(None, 300, at_most=True)


def measure(ground: Ground) -> Outcome:
    """Drain second reports of few and of many open cases in turns."""
    outcome = Outcome(NAME)
    few, many = ground.count(_FEW), ground.count(_MANY)
    with with_open_cases(ground, many) as large:
        for _ in range(ground.rounds):
            # Fresh ones each time: every report makes the state it meets a little larger.
            with with_open_cases(ground, few) as small:
                outcome.rounds.setdefault("few", []).append(_one(ground, small, few))
            outcome.rounds.setdefault("many", []).append(_one(ground, large, many))
            outcome.rounds.setdefault("cold", []).append(_one(ground, large, many, cold=True))
    outcome.rows = _rows(outcome.rounds, few, many)
    return outcome


def _rows(rounds: dict[str, list[dict[str, float]]], few: int, many: int) -> list[Row]:
    base = rounds["few"]
    rows = []
    for name, words in (("many", ""), ("cold", ", cold store")):
        detail = (
            f"CPU {middle(rounds[name], 'cpu_us'):.0f} to {middle(base, 'cpu_us'):.0f} us; "
            f"drained {middle(rounds[name], 'drained'):,.0f} to {middle(base, 'drained'):,.0f}/s"
        )
        value = ratio(rounds[name], base, "cpu_us")
        rows.append(Row(NAME, f"cost with {many:,} open cases to {few:,}{words}", value, "x", _FLAT, detail))
    for field, words, target in (("rss", "memory", _BYTES), ("disk", "local store", None)):
        each = (middle(rounds["many"], field) - middle(base, field)) / (many - few)
        detail = f"worker {middle(rounds['many'], field) / (1 << 20):,.0f} MiB with {many:,}"
        rows.append(Row(NAME, f"{words} of an open case", each, "bytes", target, detail))
    return rows


def _one(ground: Ground, exchange: Exchange, cases: int, *, cold: bool = False) -> dict[str, float]:
    count = min(ground.count(_REPORTS), cases)
    chosen = random.sample(range(cases), count)
    second = exchange.splicer(origin=_next_origin(exchange))
    with exchange.worker() as worker:
        exchange.wait_ready(worker, _PATIENCE_S)
        worker.wait_until_quiet(_PATIENCE_S)
        rss, disk = worker.rss_bytes(), _disk_bytes(exchange.settings.data_dir)
        if cold:
            _evict(exchange.settings.data_dir)
        with TopicReader(plaintext(ground.bootstrap)) as reader:
            before = reader.count(*exchange.inboxes)
        used = worker.cpu_seconds()
        placed = second.placed_reports(chosen)
        topics.fill(ground.bootstrap, exchange.topics.reports_submitted, placed)
        # A receipt to the sender and a delivery to the responsible hotline each.
        wanted = before + 2 * count
        append_times.wait_for_count(ground.bootstrap, exchange.inboxes, wanted, _PATIENCE_S, worker.check)
        cpu = worker.cpu_seconds() - used
    submitted = append_times.read(ground.bootstrap, [exchange.topics.reports_submitted])
    began = sorted(record.at for record in submitted)[-count]
    ended = max(record.at for record in append_times.read(ground.bootstrap, exchange.inboxes))
    return {
        "cpu_us": cpu * _MICRO / count,
        "rss": float(rss),
        "disk": float(disk),
        "drained": count * 1000 / max(1, ended - began),
    }


def _next_origin(exchange: Exchange) -> str:
    """A hotline that has reported none of these cases yet, and is responsible for none."""
    members = exchange.directory.members
    others = [
        m.id
        for m in members
        if m.active and m.kind == "hotline" and m.id != ORIGIN and not {*m.countries} & {*HOSTING_COUNTRIES}
    ]
    return others[next(_turns) % len(others)]


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

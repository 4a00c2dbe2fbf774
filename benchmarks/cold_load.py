"""Measure `cold_load`: how fast the states of a million cases are loaded from their topic into empty stores.

Each load is that of a worker's `PartitionState` in a process of its own (`benchmarks/state_load.py`): into
the local copies that a worker keeps, into memory, and from the copies of the load before (warm).
"""

import json
import shutil
from pathlib import Path
from typing import Final

from benchmarks import topics
from benchmarks.exchange import Exchange
from benchmarks.ground import Ground, fresh, middle
from benchmarks.processes import Contestant
from benchmarks.verdicts import Outcome, Row, Target

NAME: Final = "cold_load"
_CASES: Final = 1_000_000
_PATIENCE_S: Final = 120.0
_TARGET: Final = Target(200_000, 300_000)


def measure(ground: Ground) -> Outcome:
    """Load in turns into each kind of store."""
    outcome = Outcome(NAME)
    count = ground.count(_CASES)
    with Exchange(ground) as exchange:
        topic = exchange.topics.cases_status
        topics.fill(ground.bootstrap, topic, exchange.splicer().placed_states(range(count)))
        for _ in range(ground.rounds):
            copies = ground.home / fresh("copies")
            for name, directory in (("cold", copies), ("warm", copies), ("memory", None)):
                outcome.rounds.setdefault(name, []).append(_load(ground, topic, directory, count))
            shutil.rmtree(copies)
    for name, words, target in (
        ("cold", f"{count:,} states into local copies, cold", _TARGET),
        ("memory", "the same into memory", None),
    ):
        found = outcome.rounds[name]
        detail = (
            f"{middle(found, 'seconds'):.1f} s, first partition after {middle(found, 'first'):.1f} s, "
            f"CPU of a record {middle(found, 'cpu_us'):.1f} us, "
            f"longest pause of the loop {middle(found, 'longest_pause') * 1000:.0f} ms"
        )
        outcome.rows.append(Row(NAME, words, middle(found, "rate"), "records/s", target, detail))
    warm = outcome.rounds["warm"]
    outcome.rows.append(Row(NAME, "warm start from the copies", middle(warm, "seconds"), "s"))
    return outcome


def _load(ground: Ground, topic: str, directory: Path | None, count: int) -> dict[str, float]:
    where = () if directory is None else ("--directory", directory)
    arguments = ("--bootstrap", ground.bootstrap, "--load", topic, *where)
    with Contestant.module("benchmarks.state_load", *arguments) as load:
        load.wait(_PATIENCE_S)
        found: dict[str, float] = json.loads(load.last_words().splitlines()[-1])
    found["rate"] = count / found["seconds"]
    found["cpu_us"] = found["cpu"] * 1e6 / count
    return found

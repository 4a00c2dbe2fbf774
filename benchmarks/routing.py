"""Measure `routing`: the same routing of the same records by this transport and by its peers, in turns.

The records lie in the source topic before a contestant starts. `drained` is records a second from the first
append to the last, `steady` the same over the last part. What comes out is compared with what
should, byte for byte.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from benchmarks import append_times, topics
from benchmarks.ground import Ground, fresh, middle, ratio
from benchmarks.peers import environment, yardstick
from benchmarks.processes import Contestant, ContestantError
from benchmarks.verdicts import Outcome, Row, Target
from operations.embedded_kafka import EmbeddedKafkaError

NAME: Final = "routing"
_RECORDS: Final = 200_000
_FEW: Final = 20_000
_WARM_TIMES: Final = 5
_WARM_SHARE: Final = 0.2
_STEADY_SHARE: Final = 0.7
_PATIENCE_S: Final = 120.0
_MICRO: Final = 1e6
_Start = Callable[[Ground, str, str], Contestant]


class _Kind(msgspec.Struct, frozen=True):
    """A contestant: how it is started, how many times the records it gets, of all or of the few."""

    start: _Start
    times: int = 1
    few: bool = False
    last_share: float = _STEADY_SHARE


def _module(name: str, *codec: str) -> _Start:
    def start(ground: Ground, source: str, prefix: str) -> Contestant:
        return Contestant.module(
            f"benchmarks.peers.{name}", ground.bootstrap, fresh("group"), *codec, source, prefix
        )

    return start


def _quix(ground: Ground, source: str, prefix: str) -> Contestant:
    python = str(environment.quix_python())
    return Contestant(
        [python, "-m", "benchmarks.peers.quix_streams", ground.bootstrap, fresh("group"), source, prefix]
    )


def _streams(ground: Ground, source: str, prefix: str) -> Contestant:
    group = fresh("group")
    return Contestant(
        environment.streams_command(ground.bootstrap, group, source, prefix, ground.home / group)
    )


CONTESTANTS: Final = {
    "ours": _Kind(_module("our_transport", "prefix")),
    "aiokafka": _Kind(_module("plain_aiokafka", "full")),
    "aiokafka-prefix": _Kind(_module("plain_aiokafka", "prefix")),
    "faust": _Kind(_module("stock_faust"), few=True),
    "quix": _Kind(_quix),
    "streams": _Kind(_streams),
    "streams-warm": _Kind(_streams, times=_WARM_TIMES, last_share=_WARM_SHARE),
    "ours-full": _Kind(_module("our_transport", "full")),
}

# Contestant, what the ratio is made of, the demand, in words.
_ROWS: Final = (
    ("faust", "drained", Target(20), "stock Faust"),
    ("aiokafka", "drained", Target(1.5), "plain aiokafka loop"),
    ("quix", "drained", Target(2.3), "Quix Streams"),
    ("streams", "drained", Target(1.0, 1.5), "Kafka Streams, 1 thread, drain"),
    ("streams-warm", "steady", Target(None, 1.0), "Kafka Streams, 1 thread, JIT warm"),
    ("aiokafka-prefix", "drained", None, "aiokafka loop with the prefix codec"),
    ("ours-full", "drained", None, "ours with the full codec"),
)


def measure(ground: Ground) -> Outcome:
    """Run all contestants in turns and compare ours with each."""
    outcome = Outcome(NAME)
    records = yardstick.records(ground.count(_RECORDS))
    chosen = ground.chosen(CONTESTANTS)
    for number in range(ground.rounds):
        # Nobody is always the first after a pause.
        first = number % max(1, len(chosen))
        _one_round(ground, records, chosen[first:] + chosen[:first], outcome)
    ours = outcome.rounds.get("ours", [])
    for name, field, target, words in _ROWS:
        theirs = outcome.rounds.get(name, [])
        if ours and len(theirs) == len(ours):
            detail = (
                f"{middle(ours, field):,.0f}/s to {middle(theirs, field):,.0f}/s; CPU of a record "
                f"{middle(ours, 'cpu_us'):.1f} to {middle(theirs, 'cpu_us'):.1f} us"
            )
            outcome.rows.append(Row(NAME, words, ratio(ours, theirs, field), "x", target, detail))
    return outcome


def drain(ground: Ground, name: str, records: list[tuple[bytes, bytes]]) -> dict[str, float]:
    """Let one contestant drain records that lie in a topic of its own.

    Raises:
        ContestantError: It did not do its work.
        PeerMissingError, EmbeddedKafkaError: It could not be installed.
    """
    with _preloaded(ground, records, CONTESTANTS[name].times) as source:
        return _one(ground, CONTESTANTS[name], source, records)


def _one_round(
    ground: Ground, records: list[tuple[bytes, bytes]], chosen: list[str], outcome: Outcome
) -> None:
    for times, few in sorted({(CONTESTANTS[name].times, CONTESTANTS[name].few) for name in chosen}):
        members = [n for n in chosen if (CONTESTANTS[n].times, CONTESTANTS[n].few) == (times, few)]
        given = records[: ground.count(_FEW)] if few else records
        with _preloaded(ground, given, times) as source:
            for name in members:
                try:
                    entry = _one(ground, CONTESTANTS[name], source, given)
                except (ContestantError, environment.PeerMissingError, EmbeddedKafkaError) as error:
                    outcome.problems.append(f"{name}: {error}")
                else:
                    outcome.rounds.setdefault(name, []).append(entry)


@contextmanager
def _preloaded(ground: Ground, records: list[tuple[bytes, bytes]], times: int) -> Iterator[str]:
    source = fresh("routing.in")
    with topics.made(ground.bootstrap, [source], topics.PARTITIONS):
        placed = ((n % topics.PARTITIONS, key, value) for n, (key, value) in enumerate(records * times))
        topics.fill(ground.bootstrap, source, placed)
        yield source


def _one(ground: Ground, kind: _Kind, source: str, records: list[tuple[bytes, bytes]]) -> dict[str, float]:
    prefix = f"{fresh('routing.out')}."
    names = list(yardstick.destinations(prefix).values())
    with topics.made(ground.bootstrap, names):
        with kind.start(ground, source, prefix) as contestant:
            wanted = len(records) * kind.times
            cpu_s = append_times.cpu_of_records(ground.bootstrap, names, wanted, _PATIENCE_S, contestant)
            rss, began = contestant.rss_bytes(), contestant.started_at
        found = append_times.read(ground.bootstrap, names)
    compare(records, kind.times, prefix, found)
    times = [record.at for record in found]
    return {
        "drained": append_times.rate(times),
        "steady": append_times.rate(times, last_share=kind.last_share),
        "cpu_us": cpu_s * _MICRO,
        "start_s": min(times) / 1000 - began,
        "rss_mb": rss / (1 << 20),
        "repeated": float(len(found) - len(records) * kind.times),
    }


def compare(
    records: list[tuple[bytes, bytes]], times: int, prefix: str, found: list[append_times.Appended]
) -> None:
    """Check that exactly the right bytes came to exactly the right topics.

    Raises:
        ContestantError: They did not.
    """
    places = yardstick.destinations(prefix)
    wanted = Counter(dict.fromkeys(((k, *yardstick.route_prefix(v, places)) for k, v in records), times))
    got = Counter((record.key or b"", record.topic, record.value or b"") for record in found)
    if missing := (wanted - got).total():
        raise ContestantError(f"{missing} of {wanted.total()} records are missing or not as they should be")
    if foreign := got.keys() - wanted.keys():
        raise ContestantError(f"{len(foreign)} records came out that should not")

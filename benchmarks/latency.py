"""Measure `latency`: submission to inbox at 500 reports a second, beside two hops of a plain aiokafka loop.

Both ways are two hops in one process: intake and casekeeper in the worker; two loops, each with a consumer
and a producer of its own, in the other. The sender is the same program. Times are the broker's, read after
the contestant has ended; the first five seconds do not count.
"""

from typing import Final

from benchmarks import append_times, spool, topics
from benchmarks.append_times import Latency
from benchmarks.exchange import Exchange
from benchmarks.ground import Ground, fresh, middle, ratio
from benchmarks.peers import yardstick
from benchmarks.processes import Contestant
from benchmarks.verdicts import Outcome, Row, Target

NAME: Final = "latency"
_RATE: Final = 500
_SECONDS: Final = 60
_WARM_UP_S: Final = 5
_PATIENCE_S: Final = 60.0
_MIB: Final = 1 << 20
_P50: Final = Target(3.0, 1.5, at_most=True)
_P99: Final = Target(2.0, 1.5, at_most=True)


def measure(ground: Ground) -> Outcome:
    """Send at a steady rate to both in turns."""
    outcome = Outcome(NAME)
    for _ in range(ground.rounds):
        outcome.rounds.setdefault("exchange", []).append(_exchange(ground))
        outcome.rounds.setdefault("aiokafka", []).append(_loops(ground))
    ours, loops = outcome.rounds["exchange"], outcome.rounds["aiokafka"]
    for field, target in (("p50", _P50), ("p99", _P99)):
        detail = (
            f"{middle(ours, field):.1f} ms to {middle(loops, field):.1f} ms; CPU of a core "
            f"{middle(ours, 'cpu'):.0%} to {middle(loops, 'cpu'):.0%}"
        )
        words = f"two hops of a plain aiokafka loop, {field} at {_RATE}/s"
        outcome.rows.append(Row(NAME, words, ratio(ours, loops, field), "x", target, detail))
    return outcome


def _exchange(ground: Ground) -> dict[str, float]:
    with Exchange(ground) as exchange, exchange.worker() as worker:
        reports = list(exchange.splicer().placed_reports(range(_count(ground))))
        exchange.wait_ready(worker, _PATIENCE_S)
        source = exchange.topics.reports_submitted
        # A receipt and an assignment each.
        used = _send(ground, source, reports, worker)
        append_times.wait_for_count(
            ground.bootstrap, exchange.inboxes, 2 * len(reports), _PATIENCE_S, worker.check
        )
        worker.stop()
        return used | _quantiles(ground, source, reports, exchange.assigned_at())


def _loops(ground: Ground) -> dict[str, float]:
    source, middle_topic, prefix = fresh("latency.in"), fresh("latency.between"), f"{fresh('latency.out')}."
    names = list(yardstick.destinations(prefix).values())
    records = [
        (number % topics.PARTITIONS, key, value)
        for number, (key, value) in enumerate(yardstick.records(_count(ground)))
    ]
    loops = (ground.bootstrap, fresh("group"), "full", source, middle_topic, prefix)
    with (
        topics.made(ground.bootstrap, [source, middle_topic], topics.PARTITIONS),
        topics.made(ground.bootstrap, names),
        Contestant.module("benchmarks.peers.plain_aiokafka", *loops) as contestant,
    ):
        used = _send(ground, source, records, contestant)
        append_times.wait_for_count(ground.bootstrap, names, len(records), _PATIENCE_S, contestant.check)
        contestant.stop()
        after = {record.key or b"": record.at for record in append_times.read(ground.bootstrap, names)}
        return used | _quantiles(ground, source, records, after)


def _count(ground: Ground) -> int:
    return _RATE * (_WARM_UP_S + max(1, round(_SECONDS * ground.scale)))


def _send(
    ground: Ground, source: str, records: list[tuple[int, bytes, bytes]], contestant: Contestant
) -> dict[str, float]:
    path = spool.write(ground.home / fresh("spool"), records)
    used = contestant.cpu_seconds()
    with Contestant.module("benchmarks.sender", ground.bootstrap, source, path, _RATE) as sender:
        sender.wait(len(records) / _RATE + _PATIENCE_S)
    path.unlink()
    cpu = (contestant.cpu_seconds() - used) * _RATE / len(records)
    return {"cpu": cpu, "rss_mb": contestant.rss_bytes() / _MIB}


def _quantiles(
    ground: Ground, source: str, records: list[tuple[int, bytes, bytes]], after: dict[bytes, int]
) -> dict[str, float]:
    sent = {record.key or b"": record.at for record in append_times.read(ground.bootstrap, [source])}
    counted = [key for _, key, _ in records[_RATE * _WARM_UP_S :]]
    found = Latency.of(append_times.waits({key: sent[key] for key in counted}, after))
    return {"p50": found.p50, "p99": found.p99, "most": found.most}

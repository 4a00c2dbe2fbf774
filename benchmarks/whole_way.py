"""Measure `whole_way`: reports from submission to inbox in one process, beside one hop of an aiokafka loop.

The exchange checks and admits a report, decides its case and writes receipt, assignment, fact, content and
state: three hops over Kafka. The loop is that of the routing yardstick with the full codec: one hop, one
decode, one encode. Both find their records in the topics when they start.
"""

from typing import Final

from benchmarks import append_times, routing, topics
from benchmarks.exchange import Exchange
from benchmarks.ground import Ground, middle, ratio
from benchmarks.peers import yardstick
from benchmarks.verdicts import Outcome, Row, Target

NAME: Final = "whole_way"
_REPORTS: Final = 60_000
_RECORDS: Final = 200_000
_PATIENCE_S: Final = 180.0
_MICRO: Final = 1e6
_TARGET: Final = Target(0.25, 0.5)


def measure(ground: Ground) -> Outcome:
    """Drain reports and records in turns."""
    outcome = Outcome(NAME)
    records = yardstick.records(ground.count(_RECORDS))
    for _ in range(ground.rounds):
        outcome.rounds.setdefault("exchange", []).append(_exchange(ground))
        outcome.rounds.setdefault("aiokafka", []).append(routing.drain(ground, "aiokafka", records))
    ours, loop = outcome.rounds["exchange"], outcome.rounds["aiokafka"]
    detail = (
        f"{middle(ours, 'drained'):,.0f}/s to {middle(loop, 'drained'):,.0f}/s; CPU of a record "
        f"{middle(ours, 'cpu_us'):.0f} to {middle(loop, 'cpu_us'):.1f} us"
    )
    value = ratio(ours, loop, "drained")
    outcome.rows.append(Row(NAME, "one hop of a plain aiokafka loop", value, "x", _TARGET, detail))
    return outcome


def _exchange(ground: Ground) -> dict[str, float]:
    count = ground.count(_REPORTS)
    with Exchange(ground) as exchange:
        reports = exchange.splicer().placed_reports(range(count))
        topics.fill(ground.bootstrap, exchange.topics.reports_submitted, reports)
        with exchange.worker() as worker:
            # A receipt and an assignment each.
            cpu_s = append_times.cpu_of_records(
                ground.bootstrap, exchange.inboxes, 2 * count, _PATIENCE_S, worker
            )
            rss = worker.rss_bytes()
        assigned = exchange.assigned_at()
        admitted = [r.at for r in append_times.read(ground.bootstrap, [exchange.topics.cases_admitted])]
    # From the first append of the first hop to the last of the last; the work on the first came before.
    began = min(admitted)
    later = sum(at > began for at in admitted)
    return {
        "drained": later * 1000 / max(1, max(assigned.values()) - began),
        "cpu_us": 2 * cpu_s * _MICRO,
        "missing": float(count - len(assigned)),
        "rss_mb": rss / (1 << 20),
    }

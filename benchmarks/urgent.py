"""Measure `urgent`: how long an urgent report takes to reach the police while a backlog drains.

Half a million reports lie in the normal topic when the worker starts; once deliveries flow, urgent reports
come at a steady rate, and the time from their append to that of their escalation counts. The backlog must
outlast them.
"""

import time
from pathlib import Path
from typing import Final

from benchmarks import append_times, spool, topics
from benchmarks.append_times import Latency
from benchmarks.exchange import Exchange, assignments
from benchmarks.ground import Ground, fresh, middle
from benchmarks.processes import Contestant, ContestantError
from benchmarks.verdicts import Outcome, Row, Target
from casework.messages import Escalation
from operations.reading import TopicReader
from schemas.codec import name_of
from streams import wire
from streams.kafka_access import plaintext

NAME: Final = "urgent"
_BACKLOG: Final = 500_000
_RATE: Final = 20
_SECONDS: Final = 30
_SETTLE_S: Final = 3.0
_PATIENCE_S: Final = 60.0
_P99: Final = Target(1000, 100, at_most=True)


def measure(ground: Ground) -> Outcome:
    """Fill, start, and send urgent reports into the drain."""
    outcome = Outcome(NAME)
    kept = ground.home / fresh("backlog")
    for _ in range(ground.rounds):
        outcome.rounds.setdefault("exchange", []).append(_one(ground, kept, outcome))
    kept.unlink()
    rounds = outcome.rounds["exchange"]
    detail = (
        f"p50 {middle(rounds, 'p50'):.0f} ms, longest {middle(rounds, 'most'):.0f} ms; "
        f"{middle(rounds, 'left'):.0%} of the backlog were left"
    )
    words = f"escalation while {ground.count(_BACKLOG):,} reports drain, p99"
    outcome.rows.append(Row(NAME, words, middle(rounds, "p99"), "ms", _P99, detail))
    if all(entry["delivered"] for entry in rounds):
        detail = f"p50 {middle(rounds, 'inbox_p50'):.0f} ms"
        outcome.rows.append(
            Row(NAME, "the same to the urgent inbox, p99", middle(rounds, "inbox_p99"), "ms", None, detail)
        )
    return outcome


def _one(ground: Ground, kept: Path, outcome: Outcome) -> dict[str, float]:
    count = ground.count(_BACKLOG)
    with Exchange(ground) as exchange:
        if not kept.exists():
            spool.write(kept, exchange.splicer().placed_reports(range(count)))
        topics.fill(ground.bootstrap, exchange.topics.reports_submitted, spool.read(kept))
        urgent = exchange.splicer(urgency=("abuse_in_progress",), salt=b"urgent")
        sent = list(urgent.placed_reports(range(_RATE * max(1, round(_SECONDS * min(1, ground.scale))))))
        path = spool.write(ground.home / fresh("spool"), sent)
        with exchange.worker() as worker:
            append_times.wait_for_count(ground.bootstrap, exchange.inboxes, 1, _PATIENCE_S, worker.check)
            time.sleep(_SETTLE_S)
            source = exchange.topics.reports_urgent
            with Contestant.module("benchmarks.sender", ground.bootstrap, source, path, _RATE) as sender:
                sender.wait(len(sent) / _RATE + _PATIENCE_S)
            left = 1 - _handled(exchange) / count
            if left <= 0:
                outcome.problems.append(
                    "the backlog ended before the last urgent report: take a larger scale"
                )
            escalations = _escalation_topics(exchange)
            append_times.wait_for_count(ground.bootstrap, escalations, len(sent), _PATIENCE_S, worker.check)
            time.sleep(_SETTLE_S)
            worker.kill()
        path.unlink()
        return {"left": max(left, 0.0)} | _waits(exchange, [key for _, key, _ in sent])


def _handled(exchange: Exchange) -> float:
    """How many reports were answered; a receipt and an assignment each."""
    with TopicReader(plaintext(exchange.bootstrap)) as reader:
        return reader.count(*exchange.inboxes) / 2


def _escalation_topics(exchange: Exchange) -> list[str]:
    return [exchange.topics.escalations(code) for code in exchange.directory.liaison_codes()]


def _waits(exchange: Exchange, keys: list[bytes]) -> dict[str, float]:
    bootstrap = exchange.bootstrap
    before: dict[bytes, int] = {}
    for record in append_times.read(bootstrap, [exchange.topics.reports_urgent]):
        before[record.key or b""] = record.at
    after: dict[bytes, int] = {}
    for record in append_times.read(bootstrap, _escalation_topics(exchange)):
        if record.value is not None and name_of(record.value) == "Escalation":
            url_key = wire.decode_as(Escalation, record.value).url_key
            after[url_key] = min(record.at, after.get(url_key, record.at))
    escalated = Latency.of(append_times.waits({key: before[key] for key in keys}, after))
    found = {"p50": escalated.p50, "p99": escalated.p99, "most": escalated.most, "delivered": 0.0}
    urgent = [name for name in exchange.inboxes if name.endswith(".urgent")]
    assigned = assignments(append_times.read(bootstrap, urgent))
    try:
        delivered = Latency.of(append_times.waits({key: before[key] for key in keys}, assigned))
    except ContestantError:
        return found
    return found | {"delivered": 1.0, "inbox_p50": delivered.p50, "inbox_p99": delivered.p99}

"""Measure `flood`: how long reports of one country wait while those of another drain.

The backlog lies in the slot of one country when the worker starts; once deliveries flow, reports of another
country come at a steady rate. They pass the backlog at the door, because intake takes slots in turn, and wait
behind what it has admitted: at most `max_admitted_backlog` records (10,000), whatever the backlog.
"""

from pathlib import Path
from typing import Final

from benchmarks import append_times, spool, topics
from benchmarks.append_times import Latency
from benchmarks.exchange import Exchange
from benchmarks.ground import Ground, fresh, middle
from benchmarks.processes import Contestant
from benchmarks.submissions import HOSTING_COUNTRIES
from benchmarks.verdicts import Outcome, Row
from operations.reading import TopicReader
from streams.kafka_access import plaintext

NAME: Final = "flood"
_BACKLOG: Final = 200_000
_RATE: Final = 20
_SECONDS: Final = 15
_FLOODED: Final = HOSTING_COUNTRIES.index("NL")
_OTHER: Final = HOSTING_COUNTRIES.index("FR")
_PATIENCE_S: Final = 60.0
_MIB: Final = 1 << 20


def measure(ground: Ground) -> Outcome:
    """Fill one country's slot, start, and send reports of another into the drain."""
    outcome = Outcome(NAME)
    kept = ground.home / fresh("flood")
    for _ in range(ground.rounds):
        outcome.rounds.setdefault("exchange", []).append(_one(ground, kept, outcome))
    kept.unlink()
    rounds = outcome.rounds["exchange"]
    count = ground.count(_BACKLOG)
    detail = (
        f"p50 {middle(rounds, 'p50'):,.0f} ms, longest {middle(rounds, 'most'):,.0f} ms; "
        f"{middle(rounds, 'left'):.0%} of the flood were left"
    )
    words = f"another country's reports while {count:,} of one country drain, p99"
    outcome.rows.append(Row(NAME, words, middle(rounds, "p99"), "ms", None, detail))
    words = f"memory of the worker beside {count:,} waiting reports"
    outcome.rows.append(Row(NAME, words, middle(rounds, "rss_mb"), "MiB"))
    return outcome


def _one(ground: Ground, kept: Path, outcome: Outcome) -> dict[str, float]:
    count = ground.count(_BACKLOG)
    with Exchange(ground) as exchange:
        if not kept.exists():
            spool.write(kept, exchange.splicer().placed_reports(_of_country(_FLOODED, count)))
        source = exchange.topics.reports_submitted
        topics.fill(ground.bootstrap, source, spool.read(kept))
        others = _of_country(_OTHER, _RATE * max(1, round(_SECONDS * min(1, ground.scale))))
        sent = list(exchange.splicer(salt=b"others").placed_reports(others))
        path = spool.write(ground.home / fresh("spool"), sent)
        with exchange.worker() as worker:
            append_times.wait_for_count(ground.bootstrap, exchange.inboxes, 1, _PATIENCE_S, worker.check)
            with Contestant.module("benchmarks.sender", ground.bootstrap, source, path, _RATE) as sender:
                sender.wait(len(sent) / _RATE + _PATIENCE_S)
            with TopicReader(plaintext(ground.bootstrap)) as reader:
                # A receipt and an assignment each.
                left = 1 - reader.count(*exchange.inboxes) / 2 / count
            if left <= 0:
                outcome.problems.append("the flood ended before the last report: take a larger scale")
            rss = worker.rss_bytes() / _MIB
            french = [exchange.topics.inbox(member) for member in _hotlines_of(exchange, "FR")]
            append_times.wait_for_count(ground.bootstrap, french, len(sent), _PATIENCE_S, worker.check)
            worker.kill()
        path.unlink()
        keys = {key for _, key, _ in sent}
        before = {r.key: r.at for r in append_times.read(ground.bootstrap, [source]) if r.key in keys}
        waited = Latency.of(append_times.waits(before, exchange.assigned_at()))
    return {
        "p50": waited.p50, "p99": waited.p99, "most": waited.most, "left": max(left, 0.0), "rss_mb": rss,
    }  # fmt: skip


def _of_country(place: int, count: int) -> range:
    """Numbers of reports hosted in one country."""
    return range(place, place + count * len(HOSTING_COUNTRIES), len(HOSTING_COUNTRIES))


def _hotlines_of(exchange: Exchange, country: str) -> list[str]:
    members = exchange.directory.members
    return [m.id for m in members if m.active and m.kind == "hotline" and country in m.countries]

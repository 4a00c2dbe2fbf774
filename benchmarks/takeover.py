"""Measure `takeover`: from SIGKILL of the only worker to the first delivery, with a million open cases.

Reports come all the time. What counts is the first assignment of a report that was submitted after the kill,
by the broker's time; the worker is started again at once. As a new member of its group it has to wait until
the dead one's session is over; with a stable name (`instance_id`) it need not, which is told beside it.
"""

import time
from typing import Final

from benchmarks import append_times, spool
from benchmarks.exchange import Exchange
from benchmarks.ground import Ground, fresh, middle
from benchmarks.open_cases import with_open_cases
from benchmarks.processes import Contestant, ContestantError
from benchmarks.verdicts import Outcome, Row, Target
from operations.reading import TopicReader
from streams.kafka_access import plaintext

NAME: Final = "takeover"
_CASES: Final = 1_000_000
_RATE: Final = 20
_SECONDS: Final = 90
_FLOWING_S: Final = 3.0
_ENOUGH: Final = 100
_PATIENCE_S: Final = 240.0
_SESSION_S: Final = 6.0
_TARGET: Final = Target(_SESSION_S + 10, _SESSION_S + 3, at_most=True)
_KINDS: Final = {"new member": {}, "same name": {"HX_INSTANCE_ID": "bench"}}


def measure(ground: Ground) -> Outcome:
    """Kill and restart, as often as there are rounds, on the same cases."""
    outcome = Outcome(NAME)
    count = ground.count(_CASES)
    with with_open_cases(ground, count) as exchange:
        for number in range(ground.rounds):
            for kind, environment in _KINDS.items():
                entry = _one(ground, exchange, environment, salt=f"{kind} {number}".encode())
                outcome.rounds.setdefault(kind, []).append(entry)
    new, same = outcome.rounds["new member"], outcome.rounds["same name"]
    words = f"first delivery after SIGKILL with {count:,} open cases"
    detail = f"start to all states loaded {middle(new, 'load_s'):.1f} s before the kill"
    outcome.rows.append(Row(NAME, words, middle(new, "seconds"), "s", _TARGET, detail))
    outcome.rows.append(Row(NAME, "the same, as a static member", middle(same, "seconds"), "s"))
    return outcome


def _one(ground: Ground, exchange: Exchange, environment: dict[str, str], salt: bytes) -> dict[str, float]:
    reports = exchange.splicer(salt=salt).placed_reports(range(_RATE * _SECONDS))
    path = spool.write(ground.home / fresh("spool"), reports)
    source = exchange.topics.reports_submitted
    with exchange.worker(environment) as first:
        exchange.wait_ready(first, _PATIENCE_S)
        load = time.time() - first.started_at
        first.wait_until_quiet(_PATIENCE_S)
        with Contestant.module("benchmarks.sender", ground.bootstrap, source, path, _RATE):
            time.sleep(_FLOWING_S)
            with TopicReader(plaintext(ground.bootstrap)) as reader:
                before = reader.count(*exchange.inboxes)
            killed_at = first.kill()
            with exchange.worker(environment) as second:
                append_times.wait_for_count(
                    ground.bootstrap, exchange.inboxes, before + _ENOUGH, _PATIENCE_S, second.check
                )
    path.unlink()
    return {"load_s": load, "seconds": _first_after(exchange, round(killed_at * 1000)) - killed_at}


def _first_after(exchange: Exchange, killed_at_ms: int) -> float:
    sent = append_times.read(exchange.bootstrap, [exchange.topics.reports_submitted])
    late = {record.key for record in sent if record.at > killed_at_ms}
    arrived = [at for key, at in exchange.assigned_at().items() if key in late and at > killed_at_ms]
    if not arrived:
        raise ContestantError("no report that was submitted after the kill was delivered")
    return min(arrived) / 1000

"""Measure `protection`: what signatures and sealed content cost, and the whole way with everything on.

The CPU time of intake and casekeeper is taken without Kafka: they handle batches whose sends are confirmed at
once (`benchmarks/stages.py`). The yardstick is the bare verification of the same signatures on one core with
libsodium, the fastest library kept: no exchange that checks signatures can be faster. The whole way is that
of `whole_way`, on a broker with TLS, users and rights, and on one without.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from nacl import bindings

from benchmarks import append_times, topics
from benchmarks.exchange import Exchange, assignments
from benchmarks.ground import Ground, middle, ratio
from benchmarks.protected_exchange import ProtectedExchange
from benchmarks.stages import Way, admitted_records, in_batches, records_of
from benchmarks.submissions import ORIGIN, prepared_reports
from benchmarks.verdicts import Outcome, Row, Target
from casework.content_readers import readers_of, sealing_key
from casework.directory import Directory
from casework.dsse import signed_statement
from casework.messages import Submission
from casework.public_keys import from_text
from connectors.preparing import Prepared
from connectors.sealing import seal
from operations.directory.equipping import equip
from operations.setting_up import read_directory
from streams import wire
from streams.clock import SystemClock
from streams.settings import Settings
from streams.slots import slot_of

NAME: Final = "protection"
_REPORTS: Final = 6000
_SEALED: Final = 500
_WHOLE: Final = 12_000
_PATIENCE_S: Final = 180.0
_HEAP_MB: Final = 1024
_BATCH: Final = 500
_TARGET: Final = Target(0.5, 0.8)
_CONTENT: Final = bytes(400)


def measure(ground: Ground) -> Outcome:
    """Take the CPU time of each in turns."""
    outcome = Outcome(NAME)
    now = SystemClock().now_ms()
    settings = Settings(kafka_security="none")
    bare = read_directory(settings, now)
    equipped = equip(bare, at=0)
    count = ground.count(_REPORTS)
    plain = list(prepared_reports(count, settings, bare, now))
    sealed = list(prepared_reports(count, settings, equipped.directory, now, equipped.rings[ORIGIN]))
    # As a worker does when it is ready: what lives as long as the process is no garbage to look for.
    gc.collect()
    gc.freeze()
    for _ in range(ground.rounds):
        for name, work in (
            ("verify", lambda: _verify(sealed, equipped.directory)),
            ("off", lambda: _handle(plain, bare)),
            ("on", lambda: _handle(sealed, equipped.directory)),
            ("seal", lambda: _seal(equipped.directory, ground.count(_SEALED))),
        ):
            outcome.rounds.setdefault(name, []).append(work())  # type: ignore[no-untyped-call] # lambdas
    verify, on, off = (outcome.rounds[name] for name in ("verify", "on", "off"))
    detail = (
        f"CPU of a report {middle(on, 'intake_us'):.1f} us with signature and sealed content, "
        f"{middle(off, 'intake_us'):.1f} us without; bare verification {middle(verify, 'verify_us'):.1f} us"
    )
    share = ratio(verify, on, "verify_us", "intake_us")
    outcome.rows.append(
        Row(NAME, "intake, as a share of bare verification on one core", share, "x", _TARGET, detail)
    )
    keeping = ratio(on, off, "casekeeper_us")
    detail = f"{middle(on, 'casekeeper_us'):.0f} us to {middle(off, 'casekeeper_us'):.0f} us"
    outcome.rows.append(Row(NAME, "casekeeper, CPU with protection to without", keeping, "x", None, detail))
    outcome.rows.append(_whole_way(ground, outcome))
    outcome.rows.append(
        Row(NAME, "sealing one report for its readers", middle(outcome.rounds["seal"], "seal_us"), "us")
    )
    return outcome


def _verify(reports: Sequence[Prepared], directory: Directory) -> dict[str, float]:
    keys = directory.keys_by_id
    signed = []
    for report in reports:
        submission = wire.decode_as(Submission, report.value)
        message = signed_statement("report", submission.statement)
        _, key = keys[submission.key_id or ""]
        signed.append(((submission.signature or b"") + message, from_text(key.public)))

    def verify() -> None:
        for message, key in signed:
            bindings.crypto_sign_open(message, key)

    return {"verify_us": _cpu_us(verify, len(signed))}


def _handle(reports: Sequence[Prepared], directory: Directory) -> dict[str, float]:
    way = Way(directory, directory.environment)
    batches = in_batches(records_of(reports, directory), _BATCH)
    found = {"intake_us": _cpu_us(lambda: _run(way.intake.handle, batches), len(reports))}
    admitted = in_batches(admitted_records(way.took()), _BATCH)
    found["casekeeper_us"] = _cpu_us(lambda: _run(way.casekeeper.handle, admitted), len(reports))
    return found


def _run(handle: Callable[..., Any], batches: Sequence[Any]) -> None:
    async def run() -> None:
        for batch in batches:
            await handle((batch,))

    asyncio.run(run())


def _seal(directory: Directory, count: int) -> dict[str, float]:
    now = SystemClock().real_ms()
    readers = [sealing_key(directory, member, now) for member in readers_of(directory, "NL", ORIGIN)]

    def work() -> None:
        for number in range(count):
            seal(_CONTENT, readers, str(number).encode())

    return {"seal_us": _cpu_us(work, count), "readers": float(len(readers))}


def _cpu_us(work: Callable[[], None], records: int) -> float:
    began = time.process_time_ns()
    work()
    return (time.process_time_ns() - began) / 1000 / records


def _whole_way(ground: Ground, outcome: Outcome) -> Row:
    """Drain the same number of reports with everything on and with everything off, in turns."""
    count = ground.count(_WHOLE)
    for number in range(ground.rounds):
        with Exchange(ground) as bare:
            reports = prepared_reports(count, bare.settings, bare.directory, bare.now)
            outcome.rounds.setdefault("way_off", []).append(_drain(bare, reports, bare.directory))
        with ProtectedExchange(ground.home / f"protected-{number}", _HEAP_MB) as whole:
            equipment = whole.equipment
            ring = equipment.rings[ORIGIN]
            reports = prepared_reports(count, whole.settings, equipment.directory, whole.now, ring)
            outcome.rounds.setdefault("way_on", []).append(_drain(whole, reports, equipment.directory))
    on, off = outcome.rounds["way_on"], outcome.rounds["way_off"]
    detail = (
        f"{middle(on, 'drained'):,.0f}/s with TLS, rights, signatures and sealed content, "
        f"{middle(off, 'drained'):,.0f}/s without; CPU of a report {middle(on, 'cpu_us'):.0f} us "
        f"to {middle(off, 'cpu_us'):.0f} us"
    )
    return Row(
        NAME, "the whole way, everything on to everything off", ratio(on, off, "drained"), "x", None, detail
    )


def _drain(
    exchange: Exchange | ProtectedExchange, reports: Iterable[Prepared], directory: Directory
) -> dict[str, float]:
    placed = [
        (
            slot_of(one.hosting_country, one.url_key, directory.slots, directory.rest_slots),
            one.url_key,
            one.value,
        )
        for one in reports
    ]
    topics.fill(exchange.way_in, exchange.topics.reports_submitted, placed)
    with exchange.start_worker() as worker:
        # A receipt and an assignment each.
        wanted = 2 * len(placed)
        cpu_s = append_times.cpu_of_records(exchange.way_in, exchange.inboxes, wanted, _PATIENCE_S, worker)
    admitted = [r.at for r in append_times.read(exchange.way_in, [exchange.topics.cases_admitted])]
    assigned = assignments(append_times.read(exchange.way_in, exchange.inboxes))
    began = min(admitted)
    later = sum(at > began for at in admitted)
    return {
        "drained": later * 1000 / max(1, max(assigned.values()) - began),
        "cpu_us": 2 * cpu_s * 1e6,
        "missing": float(len(placed) - len(assigned)),
    }

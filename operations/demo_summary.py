"""How a demo ended, and that in words for people: what came of the reports, and whether anything was lost."""

from typing import Final

import msgspec

from operations.accounting import Account
from operations.beside import SHOWN
from operations.canary import Hit
from operations.demo_view import Measured
from operations.invariants import Violation

_SHOWN_LOSSES: Final = 20


class Outcome(msgspec.Struct, frozen=True):
    """How the demo ended.

    Attributes:
        account: What the comparison of ids found.
        violations: What is lost, altered or out of order, as the chaos suite would report it.
        is_drained: Whether every submission was answered in time.
        restarts: How often the worker was started again.
        measured: What the workers measured at the end.
        seconds: Real seconds of play.
        days: Simulated days.
        leaks: Where marks of sealed content or the network key can be read in what the operator holds.
        searched_bytes: How much was searched for them.
        surprises: Action, rule and number of what was refused although nobody meant it to be: two members
            did something at once, or one had not heard yet.
    """

    account: Account
    violations: tuple[Violation, ...]
    is_drained: bool
    restarts: int
    measured: Measured
    seconds: float
    days: float
    leaks: tuple[Hit, ...] = ()
    searched_bytes: int = 0
    surprises: tuple[tuple[str, str, int], ...] = ()


def as_summary(outcome: Outcome) -> str:
    """Answer the summary for people."""
    found = outcome.account
    p50, p99 = (
        "-" if value is None else f"{value * 1000:.0f} ms"
        for value in (outcome.measured.p50_s, outcome.measured.p99_s)
    )
    kinds = [f"{found.reports:,} reports", f"{found.actions:,} actions"]
    if (others := found.submitted - found.reports - found.actions) > 0:
        kinds.append(f"{others:,} unreadable")
    rows = [
        ("submitted", f"{found.submitted:,} ({', '.join(kinds)})"),
        ("delivered", f"{found.delivered:,} (reports: p50 {p50}, p99 {p99})"),
        ("escalated", f"{found.escalated:,}"),
        ("acknowledged", f"{found.acknowledged:,} cases"),
        ("police informed", f"{found.police_informed:,} cases"),
        ("provider informed", f"{found.provider_informed:,} cases"),
        ("removed", f"{found.removed:,} cases"),
        *((SHOWN[kind], f"{count:,}") for kind, count in found.beside.items()),
        ("duplicates", f"{found.duplicates:,}"),
        ("refused", f"{found.refused:,}"),
        ("dead-lettered", f"{found.dead_lettered:,}"),
        ("undeliverable", f"{found.undeliverable:,}"),
        ("worker restarts", f"{outcome.restarts}"),
        ("took effect twice", f"{len(found.conflicts)}"),
        ("decided otherwise", f"{len(outcome.violations) - len(found.lost) - len(found.conflicts)}"),
        ("leaked", f"{len(outcome.leaks)} in {outcome.searched_bytes / 1e6:,.0f} MB searched"),
        ("lost", f"{len(found.lost)}"),
    ]
    lines = [f"{name + ':':<19}{value}" for name, value in rows]
    lines[-1:] = [
        *(f"  refused by chance: {action}, {rule}: {count}" for action, rule, count in outcome.surprises),
        "(some were wrong or repeated on purpose: refused, dead-lettered, duplicates)",
        f"{'lost:':<6}{len(found.lost)}",
    ]
    lines += [f"  leaked {hit.mark}, {hit.form}: {hit.place}" for hit in outcome.leaks[:_SHOWN_LOSSES]]
    lines += [f"  {each.rule} {each.id}: {each.text}" for each in outcome.violations[:_SHOWN_LOSSES]]
    if not outcome.is_drained:
        lines.append("not every submission was answered in time")
    return "\n".join(lines)

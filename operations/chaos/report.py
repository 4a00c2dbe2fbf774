"""What a run found: one value for machines, one page for people."""

from collections.abc import Iterable
from typing import Final

import msgspec

from operations.chaos.crew import LATE_STATES
from operations.chaos.injector import Happened
from operations.chaos.watch import Recovery
from operations.invariants import Violation

_SHOWN: Final = 40


class Phase(msgspec.Struct, frozen=True):
    """One part of a run, on brokers of its own.

    Attributes:
        brokers: How many.
        seconds: How long faults were injected.
        faults: How many of each kind.
        happened: Each of those that came from outside, with time and target.
        exits: How often workers ended with which code; signals are negative.
        defences: How often workers said that they held their ground, by how.
        records: Records by kind of topic.
        duplicates: Records that lie there more than once under their own id, by kind.
        compacted_away: Records of cases.status that compaction removed.
        recoveries: How long members waited, by kind of fault.
        drained_s: Seconds until the last submission was answered, after the last fault; None if never.
        left: Records that no worker had committed at the end, by topic and partition; should be none.
        violations: Broken promises.
        other_version: The version that ran beside the present one.
    """

    brokers: int
    seconds: float
    faults: dict[str, int]
    happened: tuple[Happened, ...]
    exits: dict[str, int]
    defences: dict[str, int]
    records: dict[str, int]
    duplicates: dict[str, int]
    compacted_away: int
    recoveries: dict[str, Recovery]
    drained_s: float | None
    left: dict[str, int]
    violations: tuple[Violation, ...]
    other_version: str


class Report(msgspec.Struct, frozen=True):
    """A whole run.

    Attributes:
        seed: Equal seeds inject equal steps.
        wanted: How many faults were asked for.
        phases: Its parts.
        revision: Of the code under test.
    """

    seed: int
    wanted: int
    phases: tuple[Phase, ...]
    revision: str

    @property
    def faults(self) -> int:
        """How many faults happened."""
        return sum(sum(phase.faults.values()) for phase in self.phases)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """All broken promises."""
        return tuple(each for phase in self.phases for each in phase.violations)

    @property
    def is_whole(self) -> bool:
        """Whether every promise was kept and everything was answered."""
        return not self.violations and all(
            phase.drained_s is not None and not phase.left for phase in self.phases
        )


def as_markdown(report: Report) -> str:
    """Answer the report for people."""
    lines = [
        f"# Chaos run, seed {report.seed}",
        "",
        f"{report.faults} faults on revision {report.revision}; {len(report.violations)} violations.",
    ]
    for phase in report.phases:
        lines += _phase(phase)
    return "\n".join(lines) + "\n"


def as_rows(report: Report) -> list[str]:
    """Answer one row per part for the table of runs in docs/reliability.md."""
    return [
        f"| {report.seed} | {report.revision} | {phase.brokers} | {_by_kind(phase)} "
        f"| {sum(phase.records.values()):,} | {sum(phase.duplicates.values()):,} "
        f"| {phase.defences.get(LATE_STATES, 0)} | {_wait(phase)} | {_drained(phase)} "
        f"| {len(phase.violations)} |"
        for phase in report.phases
    ]


def _by_kind(phase: Phase) -> str:
    kinds = {kind: times for kind, times in phase.faults.items() if times}
    points = sum(kinds.pop(kind) for kind in list(kinds) if kind.startswith("point: "))
    told = [f"{kind} {times}" for kind, times in kinds.items()]
    return f"{sum(phase.faults.values())}: " + ", ".join([*told, f"named points {points}"])


def _drained(phase: Phase) -> str:
    return "NOT ALL ANSWERED" if phase.drained_s is None else f"{phase.drained_s:.1f} s"


def _wait(phase: Phase) -> str:
    medians = sorted(each.median_s for each in phase.recoveries.values())
    if not medians:
        return "-"
    return f"{medians[len(medians) // 2]} s, {max(each.longest_s for each in phase.recoveries.values())} s"


def _phase(phase: Phase) -> Iterable[str]:
    name = "one broker" if phase.brokers == 1 else f"{phase.brokers} brokers"
    yield from ("", f"## On {name}", "")
    yield from _table(
        ("what", "value"),
        [
            ("faults", sum(phase.faults.values())),
            ("seconds with faults", f"{phase.seconds:.0f}"),
            ("last answer after the last fault", _drained(phase)),
            (
                "left undone",
                ", ".join(f"{place}: {count}" for place, count in phase.left.items()) or "nothing",
            ),
            ("other version", phase.other_version),
            ("removed by compaction", f"{phase.compacted_away:,}"),
            (
                "exits of workers",
                ", ".join(f"{code}: {times}" for code, times in sorted(phase.exits.items())),
            ),
            ("violations", len(phase.violations)),
        ],
    )
    yield from _table(("workers held their ground", "number"), sorted(phase.defences.items()))
    yield from _table(("records", "number"), sorted(phase.records.items()))
    yield from _table(("duplicates before de-duplication", "number"), sorted(phase.duplicates.items()))
    yield from _table(
        ("fault", "number", "members waited: median", "longest"),
        [(kind, times, *_waited(phase.recoveries.get(kind))) for kind, times in sorted(phase.faults.items())],
    )
    if phase.violations:
        yield from ("", "Violations:", "")
        for each in phase.violations[:_SHOWN]:
            yield f"- {each.rule}: {each.id}: {each.text}"


def _waited(recovery: Recovery | None) -> tuple[str, str]:
    return ("-", "-") if recovery is None else (f"{recovery.median_s} s", f"{recovery.longest_s} s")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Iterable[str]:
    yield ""
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(map(str, row)) + " |"

from msgspec.structs import replace

from operations.chaos.crew import LATE_STATES
from operations.chaos.report import Phase, Report, as_markdown, as_rows
from operations.chaos.watch import Recovery
from operations.invariants import Violation

PHASE = Phase(
    brokers=3,
    seconds=12.0,
    faults={"zombie": 2, "point: kill at publisher.send": 3, "point: delay at state.load": 0},
    happened=(),
    exits={"70": 2},
    defences={LATE_STATES: 4},
    records={"fact": 1200, "delivery": 34},
    duplicates={"fact": 5},
    compacted_away=6,
    recoveries={"zombie": Recovery(2, 8.5, 9.5)},
    drained_s=1.25,
    left={},
    violations=(),
    other_version="older",
)


def test_a_run_is_one_row_for_each_part() -> None:
    """What the table of runs needs is there: faults by kind, records, repeats, waits, violations."""
    assert as_rows(Report(7, 5, (PHASE,), "abc")) == [
        "| 7 | abc | 3 | 5: zombie 2, named points 3 | 1,234 | 5 | 4 | 8.5 s, 9.5 s | 1.2 s | 0 |"
    ]


def test_what_is_broken_or_left_undone_is_told_and_makes_the_run_fail() -> None:
    """Neither a violation nor an answer that never came can be overlooked."""
    whole = Report(7, 5, (PHASE,), "abc")
    assert whole.is_whole
    broken = Report(7, 5, (replace(PHASE, violations=(Violation("lost", "x", "gone"),)),), "abc")
    late = Report(7, 5, (replace(PHASE, drained_s=None),), "abc")
    left = Report(7, 5, (replace(PHASE, left={"a/0": 1}),), "abc")
    assert [each.is_whole for each in (broken, late, left)] == [False, False, False]
    assert "lost: x: gone" in as_markdown(broken)
    assert "NOT ALL ANSWERED" in as_markdown(late)
    assert "a/0: 1" in as_markdown(left)

from pathlib import Path

import pytest

from operations.chaos.report import Report, as_markdown
from operations.chaos.run import Options, run

pytestmark = pytest.mark.kafka

ON_ONE = (
    "points",
    "worker killed",
    "worker ended",
    "zombie between effects and state",
    "compaction and cold load",
    "store corrupted",
    "partitions taken in the middle of a batch",
    "clock jumps far",
    "message too large",
    "older version beside newer",
    "broker killed",
)
ON_THREE = ("broker killed", "leaders moved", "points", "join and leave", "zombie")


def _run(options: Options) -> Report:
    report, _ = run(options)
    text = as_markdown(report)
    assert report.violations == (), text
    assert report.is_whole, text
    return report


@pytest.mark.timeout(170)
def test_a_fixed_seed_on_one_broker_breaks_nothing(tmp_path: Path) -> None:
    """Crashes, zombies, compaction, damaged stores, jumping clocks, another version: every promise holds."""
    report = _run(
        Options(seed=41, faults=20, seconds=30.0, share_on_three=0.0, kinds=ON_ONE, home=tmp_path / "run")
    )
    assert report.faults >= 10
    assert report.phases[0].records["fact"] > 0


@pytest.mark.timeout(170)
def test_a_fixed_seed_on_three_brokers_breaks_nothing(tmp_path: Path) -> None:
    """With a node killed and leaders moved under load, everything confirmed is still there, once."""
    report = _run(
        Options(seed=42, faults=12, seconds=20.0, share_on_three=1.0, kinds=ON_THREE, home=tmp_path / "run")
    )
    assert report.phases[0].faults["broker killed"] >= 1
    assert report.phases[0].faults["leaders moved"] >= 1

from pathlib import Path

import pytest

from operations.chaos.kinds import ZOMBIE_THEN_COLD
from operations.chaos.report import Report, as_markdown
from operations.chaos.run import Options, run

pytestmark = pytest.mark.kafka

# The seeds are chosen by what their decks begin with, so that a slow machine breaks that, too.
ON_ONE = (
    ZOMBIE_THEN_COLD,
    "points",
    "store corrupted",
    "broker killed",
    "worker killed",
    "worker ended",
    "partitions taken in the middle of a batch",
    "clock jumps far",
    "message too large",
    "older version beside newer",
)
ON_THREE = ("broker killed", "leaders moved", "points", "join and leave", "zombie")


def _run(options: Options) -> Report:
    report, _ = run(options)
    text = as_markdown(report)
    assert report.violations == (), text
    assert report.is_whole, text
    return report


@pytest.mark.timeout(600)
def test_a_fixed_seed_on_one_broker_breaks_nothing(tmp_path: Path) -> None:
    """Crashes, zombies, compaction, damaged stores, jumping clocks, another version: every promise holds."""
    report = _run(
        Options(seed=2106, faults=14, seconds=20.0, share_on_three=0.0, kinds=ON_ONE, home=tmp_path / "run")
    )
    assert report.phases[0].faults["broker killed"] >= 1
    assert report.phases[0].records["fact"] > 0


@pytest.mark.timeout(600)
def test_a_fixed_seed_on_three_brokers_breaks_nothing(tmp_path: Path) -> None:
    """With a node killed and leaders moved under load, everything confirmed is still there, once."""
    report = _run(
        Options(seed=22, faults=8, seconds=12.0, share_on_three=1.0, kinds=ON_THREE, home=tmp_path / "run")
    )
    assert report.phases[0].faults["broker killed"] >= 1
    assert report.phases[0].faults["leaders moved"] >= 1

"""The comparison of two checkouts measures both, step by step."""

import pytest

from benchmarks.before_and_after import ALL, compare, table
from benchmarks.processes import ROOT
from benchmarks.steps import AGENTS, STEPS

pytestmark = pytest.mark.slow


def test_a_checkout_beside_itself_has_a_time_for_every_step() -> None:
    """Every step of a case is measured in both checkouts, for intake and casekeeper, and has its row."""
    (pair,) = compare(ROOT, ROOT, rounds=1, cases=12)
    for spent in pair:
        assert tuple(spent) == STEPS
        assert all(spent[step][agent] > 0 for step in STEPS for agent in AGENTS)
    rows = [line.split(" | ")[0].strip("| ") for line in table([pair])][2:]
    assert rows == [*STEPS, ALL]

"""What is computed from the broker's append times."""

import pytest

from benchmarks.append_times import Latency, rate, waits
from benchmarks.processes import ContestantError


def test_a_rate_leaves_out_the_first_append() -> None:
    """The work on the first append was done before the clock ran; a share looks at the last records only."""
    times = [0] * 500 + [1000] * 100 + [2000] * 100
    assert rate(times) == 100
    assert rate([0] * 100 + [1000] * 50 + [1100] * 50, last_share=0.5) == 500


def test_a_sample_that_says_nothing_is_an_error() -> None:
    """One append has no rate, one record no quantiles, and a record that never arrived no latency."""
    with pytest.raises(ContestantError, match="in one append"):
        rate([5, 5, 5])
    with pytest.raises(ContestantError, match="too few"):
        Latency.of([1.0])
    with pytest.raises(ContestantError, match="1 of 2 records never arrived"):
        waits({b"a": 1, b"b": 2}, {b"a": 5})


def test_quantiles_are_those_of_the_waits() -> None:
    """Half of the records waited at most p50, all but one in a hundred at most p99."""
    found = Latency.of(waits({b"%d" % n: 0 for n in range(101)}, {b"%d" % n: n for n in range(101)}))
    assert (found.p50, found.p99, found.most) == (50, 99, 100)

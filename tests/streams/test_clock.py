import pytest

from streams.clock import (
    Clock,
    ClockFormatError,
    CompressedClock,
    ManualClock,
    SystemClock,
    format_clock,
    parse_clock,
)

MONDAY_MS = 1_641_168_000_000  # 2022-01-03T00:00:00Z


class _FrozenCompressedClock(CompressedClock, frozen=True):
    def real_ms(self) -> int:
        return self.real_origin_ms + 7_000


def test_simulated_time_passes_by_the_factor_from_the_origin() -> None:
    """Seven real seconds at factor 600 are seventy simulated minutes."""
    clock = _FrozenCompressedClock(MONDAY_MS, 1_700_000_000_000, 600)
    assert clock.now_ms() == MONDAY_MS + 70 * 60_000


def test_an_empty_clock_is_the_machine_and_shows_one_time() -> None:
    """Without HX_CLOCK both times are the machine's."""
    clock = parse_clock("")
    assert isinstance(clock, SystemClock)
    before = clock.real_ms()
    assert before <= clock.now_ms() <= clock.real_ms()


@pytest.mark.parametrize(
    "text", ["", "2022-01-03T00:00:00Z@1700000000000x600", "2022-01-03T00:00:00.250Z@1700000000000x0.5"]
)
def test_format_and_parse_are_inverse(text: str) -> None:
    """A clock that is written for another process is read there as the same clock."""
    clock = parse_clock(text)
    assert format_clock(clock) == text
    if isinstance(clock, CompressedClock):
        assert parse_clock(format_clock(clock)) == clock
        assert clock.sim_origin_ms - clock.sim_origin_ms % 1000 == MONDAY_MS


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("600", "expected ORIGIN@REAL_MSxFACTOR"),
        ("monday@1700000000000x600", "no ISO 8601 time"),
        ("2022-01-03T00:00:00@1700000000000x600", "time zone"),
        ("2022-01-03T00:00:00Z@1700000000000x0", "above 0"),
        ("2022-01-03T00:00:00Z@-5x600", "expected ORIGIN"),
    ],
)
def test_a_malformed_clock_is_refused_with_its_rule(text: str, rule: str) -> None:
    """What is no clock is named together with the rule it breaks."""
    with pytest.raises(ClockFormatError, match=rule) as caught:
        parse_clock(text)
    assert repr(text) in str(caught.value)


def test_a_manual_clock_stands_until_moved() -> None:
    """Both times of a manual clock move only by advance, and together."""
    clock = ManualClock(1_000, real_ms=5_000)
    assert (clock.now_ms(), clock.real_ms()) == (1_000, 5_000)
    clock.advance(250)
    assert (clock.now_ms(), clock.real_ms()) == (1_250, 5_250)


@pytest.mark.parametrize(
    "clock",
    [SystemClock(), _FrozenCompressedClock(MONDAY_MS, 1_700_000_000_000, 600), ManualClock(1_000, 5_000)],
)
def test_the_time_of_a_real_moment_is_the_same_whenever_it_is_asked(clock: Clock) -> None:
    """A stamp made again after a crash, minutes later, is the first one; at this moment both times agree."""
    moment = 1_700_000_003_000
    first = clock.at(moment)
    if isinstance(clock, ManualClock):
        clock.advance(60_000)
    assert clock.at(moment) == first
    assert abs(clock.at(clock.real_ms()) - clock.now_ms()) <= 1_000


def test_a_simulated_moment_runs_by_the_factor_too() -> None:
    """Three real seconds after the origin are thirty simulated minutes after it."""
    clock = CompressedClock(MONDAY_MS, 1_700_000_000_000, 600)
    assert clock.at(1_700_000_003_000) == MONDAY_MS + 30 * 60_000

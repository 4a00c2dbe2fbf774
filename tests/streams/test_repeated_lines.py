"""A log that can be read while a broker is away."""

from __future__ import annotations

import logging

import pytest

from streams.repeated_lines import RepeatedLines, quiet_repeated_lines


def line(text: str, *args: object, level: int = logging.ERROR) -> logging.LogRecord:
    """Make a log record."""
    return logging.LogRecord("aiokafka", level, __file__, 1, text, args, None)


def test_one_line_of_a_kind_per_interval_and_the_number_of_the_others() -> None:
    """Equal lines are kept back and counted; other lines and plain information pass."""
    now = 0.0
    lines = RepeatedLines(5.0, clock=lambda: now)
    assert lines.filter(line("no connection to %s", "a"))
    assert not lines.filter(line("no connection to %s", "b"))
    assert not lines.filter(line("no connection to %s", "c"))
    assert lines.filter(line("something else"))
    assert all(lines.filter(line("hello", level=logging.INFO)) for _ in range(3))
    now = 6.0
    again = line("no connection to %s", "d")
    assert lines.filter(again)
    assert again.getMessage() == "no connection to d [and 2 more like it in 6 s]"


def test_memory_is_bounded() -> None:
    """A library that puts numbers into its texts does not fill the memory."""
    lines = RepeatedLines(5.0, clock=lambda: 0.0)
    assert all(lines.filter(line(f"text {number}")) for number in range(2500))
    assert len(lines._passed) <= 1000


def test_the_noisy_loggers_get_one_filter(caplog: pytest.LogCaptureFixture) -> None:
    """Asked for twice, a repeated line of aiokafka is written once and not more."""
    quiet_repeated_lines()
    quiet_repeated_lines()
    for _ in range(3):
        logging.getLogger("aiokafka.conn").error("a line only this test writes")
    assert [record.message for record in caplog.records].count("a line only this test writes") == 1

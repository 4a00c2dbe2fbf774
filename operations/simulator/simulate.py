"""A simulated year as a file of JSON lines and a verdict: what `hx simulate` does."""

import gzip
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from casework.directory import Directory
from operations.simulator.reports import SimulatedReport
from operations.simulator.samples import Line
from operations.simulator.statistics import Statistics
from operations.simulator.year import SimulatedYear

STANDARD_OUTPUT: Final = "-"
_BUFFER_LINES: Final = 500
# Past this, gzip spends far more time than it saves bytes on lines this alike.
_COMPRESSION: Final = 3


def simulate(
    year: int, seed: int, directory: Directory, out: str | None = None, *, scale: float = 1.0
) -> list[Line]:
    """Make the reports of a year, write them in order of time, and compare them with the published figures.

    Args:
        year: One of `constants.YEARS`.
        seed: Equal seeds write equal bytes.
        directory: Its active hotlines report and are responsible.
        out: File of one report a line, compressed where its name ends in `.gz`; `-` is standard output, None
            writes nothing.
        scale: Share of the year's reports to make, above 0.

    Returns:
        Every figure with its verdict (`Line.passes`); `samples.as_text` prints them.

    Raises:
        BadInputError: The year has no figures or the scale makes no report; nothing was written.
        SetupError: The directory has no active hotline.
        OSError: The file cannot be written.
    """
    reports = SimulatedYear(year, seed, directory, scale=scale)
    statistics = Statistics(year, len(reports), reports.population)
    counted = statistics.watch(reports)
    if out is None:
        for _ in counted:
            pass
    else:
        with _opened(out) as write:
            for chunk in _chunks(counted):
                write(chunk)
    return statistics.lines()


def _chunks(reports: Iterable[SimulatedReport]) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    lines: list[bytes] = []
    for report in reports:
        lines.append(encode(report))
        if len(lines) == _BUFFER_LINES:
            yield b"\n".join(lines) + b"\n"
            lines.clear()
    if lines:
        yield b"\n".join(lines) + b"\n"


@contextmanager
def _opened(out: str) -> Iterator[Callable[[bytes], object]]:
    if out == STANDARD_OUTPUT:
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    with Path(out).open("wb") as file:
        if not out.endswith(".gz"):
            yield file.write
            return
        # No name and no time in the header: the same seed writes the same bytes.
        with gzip.GzipFile(
            filename="", fileobj=file, mode="wb", mtime=0, compresslevel=_COMPRESSION
        ) as packed:
            yield packed.write

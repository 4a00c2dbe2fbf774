"""What is rare in a year, line by line: bursts of one sender, moves, holds, onion services.

Nobody has published how often content moves or police ask for a hold; those lines hold what is assumed to the
range that the research found, and say so.
"""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Final

from casework.countries import TOR
from operations.simulator import constants
from operations.simulator.arrivals import Burst, bursts_of
from operations.simulator.constants import HOUR_MS
from operations.simulator.population import Population
from operations.simulator.reports import SimulatedReport
from operations.simulator.samples import CLUSTER, STANDARD_ERRORS, Line, Share, compare

_ASSUMED: Final = "assumed: domain 4.6"
_DAYS: Final = 365
_HOURS_A_DAY: Final = 24
_TENTH_PERCENT: Final = 0.0005
_QUARTER_DIGIT: Final = 50_000


class Rarities:
    """Counts what is rare in a year as its reports pass by.

    Args:
        year: The year.
        start_ms: When it begins; milliseconds since epoch UTC.
        scale: Share of the year's reports that pass.
        population: Who reports.
    """

    def __init__(self, year: int, start_ms: int, scale: float, population: Population) -> None:
        self._year = year
        self._start_ms = start_ms
        self._scale = scale
        self._senders = {burst: population.hotline_of(burst.country) for burst in bursts_of(year)}
        self._in_burst: Counter[Burst] = Counter()
        self._usual: Counter[str] = Counter()
        self._in_quarter = 0
        self._total = 0
        self._tor = 0
        self._illegal = 0
        self._moved = 0
        self._held = 0

    def add(self, report: SimulatedReport) -> None:
        """Count one report."""
        self._total += 1
        self._tor += report.hosting_country == TOR
        self._add_sender(report)
        if report.is_duplicate or report.fate.police_informed_at is None:
            return
        kinds = {turn.kind for turn in report.turns}
        self._illegal += 1
        self._moved += "moved" in kinds
        self._held += "held" in kinds

    def _add_sender(self, report: SimulatedReport) -> None:
        hour = (report.occurred_at - self._start_ms) // HOUR_MS
        for burst, sender in self._senders.items():
            if sender != report.sender:
                continue
            if burst.first_hour <= hour < burst.last_hour:
                self._in_quarter += self._is_quarter(burst)
                self._in_burst[burst] += report.in_burst
        if not report.in_burst:
            self._usual[report.sender] += 1

    def _is_quarter(self, burst: Burst) -> bool:
        country, day, _ = constants.BURST_IN_QUARTER.get(self._year, ("", 0, 0))
        return (burst.country, burst.first_hour) == (country, day * _HOURS_A_DAY)

    def lines(self) -> Iterator[Line]:
        """Yield every figure with its verdict."""
        low, high = constants.MOVED_SHARE_RANGE
        yield compare(
            "moved elsewhere", Share(self._moved, self._illegal), (low + high) / 2, _ASSUMED, (high - low) / 2
        )
        held, limit = Share(self._held, self._illegal), constants.HOLD_SHARE_LIMIT
        slack = STANDARD_ERRORS * held.standard_error
        yield Line("held by police", held.value, limit, slack, "share", "at_most", _ASSUMED)
        tor = Share(self._tor, self._total, CLUSTER)
        carried = "IWF 2024" if self._year == constants.YEARS[-1] else "IWF 2024, carried over"
        yield compare("onion services", tor, constants.TOR_SHARE, carried, _TENTH_PERCENT)
        yield from self._burst_lines()

    def _burst_lines(self) -> Iterator[Line]:
        times = constants.BURST_TIMES.get(self._year)
        for burst, sender in self._senders.items():
            usual, extra = self._usual[sender or ""], self._in_burst[burst]
            if times is not None and usual:
                days = (burst.last_hour - burst.first_hour) / _HOURS_A_DAY
                found = extra / days / (usual / _DAYS)
                likely = times * usual / _DAYS * days
                chance = STANDARD_ERRORS * times * math.sqrt(CLUSTER / likely + CLUSTER / usual)
                name = f"burst of {sender}, {days:.0f} days"
                yield Line(name, found, times, 1.0 + chance, "times", "within", _ASSUMED)
        if self._year in constants.BURST_IN_QUARTER:
            country, _, sent = constants.BURST_IN_QUARTER[self._year]
            chance = STANDARD_ERRORS * math.sqrt(CLUSTER * max(self._in_quarter, 1))
            tolerance = _QUARTER_DIGIT * self._scale + chance
            name = f"sent from {country} in one quarter"
            sent_here = sent * self._scale
            yield Line(name, self._in_quarter, sent_here, tolerance, "reports", "within", "EC, BIK Q4 2024")

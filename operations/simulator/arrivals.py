"""When complaints arrive and how many reports each has: exactly the year's number of reports, one at a time.

Arrivals are a non-homogeneous Poisson process given its number of points, whose times are order statistics
and can be drawn one after the other: the k-th smallest of n uniform numbers follows from the one before.
Items per complaint are geometric given their sum, which makes every split of the reports into complaints
equally likely, so walking over the gaps between reports and opening a complaint with probability
(complaints left / gaps left) is exact. Nothing is rounded, cut off or kept in memory.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Final

import msgspec

from operations.simulator import constants
from operations.simulator.constants import HOUR_MS
from operations.simulator.draws import Draws

_HOURS_A_DAY: Final = 24


class Burst(msgspec.Struct, frozen=True):
    """A time in which one country's hotline sends far more than usual.

    Attributes:
        country: Country of the hotline.
        first_hour: Its first hour, counted from the start of the year.
        last_hour: The first hour after it.
        share: Reports it adds, as a share of the year's.
    """

    country: str
    first_hour: int
    last_hour: int
    share: float


class Arrival(msgspec.Struct, frozen=True):
    """One complaint as it reaches the exchange.

    Attributes:
        at: Milliseconds since the start of the year.
        reports: Number of its reports, at least one.
        burst: The burst it belongs to, or None.
    """

    at: int
    reports: int
    burst: Burst | None


def bursts_of(year: int) -> tuple[Burst, ...]:
    """Answer the bursts of a year, in order of time and without overlap."""
    return tuple(
        Burst(country, day * _HOURS_A_DAY, (day + days) * _HOURS_A_DAY, share)
        for country, day, days, share in constants.BURSTS[year]
    )


def hourly_weights(year: int) -> list[float]:
    """Answer the usual arrivals of each hour of a year, as shares that sum to 1 without the bursts."""
    first = dt.date(year, 1, 1)
    days = (dt.date(year + 1, 1, 1) - first).days
    weights = [
        float(constants.WEEKDAY_WEIGHTS[(first.weekday() + day) % 7] * hour)
        for day in range(days)
        for hour in constants.HOUR_WEIGHTS
    ]
    total = sum(weights)
    return [weight / total for weight in weights]


def arrivals(year: int, reports: int, draws: Draws) -> Iterator[Arrival]:
    """Yield the complaints of a year in order of time; their reports sum to exactly `reports`."""
    bursts = bursts_of(year)
    times = _times(year, bursts, _complaints(reports), draws)
    for size in _sizes(reports, _complaints(reports), draws):
        at, burst = next(times)
        yield Arrival(at, size, burst)


def _complaints(reports: int) -> int:
    return max(1, round(reports / constants.REPORTS_PER_COMPLAINT)) if reports else 0


def _sizes(reports: int, complaints: int, draws: Draws) -> Iterator[int]:
    size, boundaries = 1, complaints - 1
    for gaps in range(reports - 1, 0, -1):
        if draws.uniform() * gaps < boundaries:
            boundaries -= 1
            yield size
            size = 1
        else:
            size += 1
    if reports:
        yield size


def _times(
    year: int, bursts: tuple[Burst, ...], number: int, draws: Draws
) -> Iterator[tuple[int, Burst | None]]:
    usual = hourly_weights(year)
    usual_share = 1.0 - sum(burst.share for burst in bursts)
    running = {
        hour: burst for burst in bursts for hour in range(burst.first_hour, min(burst.last_hour, len(usual)))
    }
    hours = {burst: min(burst.last_hour, len(usual)) - burst.first_hour for burst in bursts}
    hour, reached, position = 0, 0.0, 0.0
    base, extra = _rate(usual, usual_share, running, hours, 0)
    for left in range(number, 0, -1):
        position = 1.0 - (1.0 - position) * (1.0 - draws.uniform()) ** (1.0 / left)
        while position >= reached + base + extra and hour < len(usual) - 1:
            reached += base + extra
            hour += 1
            base, extra = _rate(usual, usual_share, running, hours, hour)
        within = min((position - reached) / (base + extra), 1.0 - 1e-9)
        is_extra = extra > 0.0 and draws.uniform() * (base + extra) < extra
        yield int((hour + within) * HOUR_MS), running[hour] if is_extra else None


def _rate(
    usual: list[float],
    usual_share: float,
    running: dict[int, Burst],
    hours: dict[Burst, int],
    hour: int,
) -> tuple[float, float]:
    burst = running.get(hour)
    return usual[hour] * usual_share, 0.0 if burst is None else burst.share / hours[burst]

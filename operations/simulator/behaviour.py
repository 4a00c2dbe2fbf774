"""What becomes of a report: the outcome and the times of every step, as published.

The time from the public's report to removal is log-normal. Where a year has both a mean and a share removed
the same day, both are met exactly: with z = -quantile(share), mean = exp(mu + sigma^2 / 2) and mu = z *
sigma, sigma is the positive root of sigma^2 / 2 + z * sigma - ln(mean). Countries with figures of their own
are taken out of the sums first, so that the network as a whole keeps the published ones.
"""

import math
from statistics import NormalDist
from typing import Final, Literal

import msgspec

from operations.simulator import constants
from operations.simulator.constants import DAY_MS, MINUTE_MS
from operations.simulator.draws import Draws

Outcome = Literal["removed", "unavailable", "not_illegal", "stays"]

_NORMAL: Final = NormalDist()
_HOUR_DAYS: Final = 1 / 24
_FINAL_REASONS: Final = {
    "unavailable": (
        "content_removed_before_assessment",
        "content_not_found",
        "error_404_not_found_or_site_down",
        "password_protected",
    ),
    "not_illegal": (
        "adult_pornography",
        "nudism_or_not_sexualized",
        "does_not_meet_threshold_for_illegality",
        "age_unclear_or_not_assessable",
    ),
}


class Fate(msgspec.Struct, frozen=True, omit_defaults=True):
    """What becomes of a report; times in milliseconds since epoch UTC.

    Attributes:
        outcome: How it ends; `stays` never ends.
        acknowledged_at: Its receiving system stored it.
        assessed_at: An analyst judged it.
        police_informed_at: Police were told; None where nothing illegal was found.
        provider_informed_at: The host was told; None likewise.
        closed_at: The content is gone or judged; None when it stays.
        reason_code: Reason of an outcome that needs one.
    """

    outcome: Outcome
    acknowledged_at: int
    assessed_at: int
    police_informed_at: int | None = None
    provider_informed_at: int | None = None
    closed_at: int | None = None
    reason_code: str | None = None


class RemovalTime(msgspec.Struct, frozen=True):
    """A log-normal time to removal in days, cut at a limit.

    Attributes:
        mu: Mean of the logarithm.
        sigma: Its deviation.
        limit: Longest time; draws above it take it.
    """

    mu: float
    sigma: float
    limit: float = math.inf

    @classmethod
    def of_mean(cls, days: float) -> "RemovalTime":
        """The one with this mean and the spread of `constants.REMOVAL_SIGMA`."""
        return cls(math.log(days) - constants.REMOVAL_SIGMA**2 / 2, constants.REMOVAL_SIGMA)

    @property
    def mean(self) -> float:
        """Mean in days."""
        cut = (math.log(self.limit) - self.mu) / self.sigma if self.limit < math.inf else math.inf
        below = math.exp(self.mu + self.sigma**2 / 2) * _NORMAL.cdf(cut - self.sigma)
        return below + (self.limit * (1.0 - _NORMAL.cdf(cut)) if self.limit < math.inf else 0.0)

    def share_within(self, days: float) -> float:
        """Share that takes less than `days`."""
        return 1.0 if days >= self.limit else _NORMAL.cdf((math.log(days) - self.mu) / self.sigma)

    def draw(self, draws: Draws) -> float:
        """Draw one time in days."""
        return min(draws.log_normal(self.mu, self.sigma), self.limit)


def removal_times(year: int, hosting: dict[str, float]) -> tuple[dict[str, RemovalTime], RemovalTime]:
    """Answer the countries with removal times of their own, and that of the rest of the network.

    Args:
        year: One of `constants.YEARS`.
        hosting: Share of each country that has a hotline.
    """
    own = {
        "DE": RemovalTime.of_mean(constants.GERMANY_MEAN_DAYS[year]),
        "GB": RemovalTime(
            math.log(_HOUR_DAYS)
            - constants.REMOVAL_SIGMA * _NORMAL.inv_cdf(constants.BRITAIN_WITHIN_HOUR_SHARE),
            constants.REMOVAL_SIGMA,
            constants.BRITAIN_LIMIT_DAYS,
        ),
    }
    total = sum(hosting.values())
    taken = {country: hosting.get(country, 0.0) / total for country in own}
    left = 1.0 - sum(taken.values())
    mean = (
        constants.REMOVAL_MEAN_DAYS[year] - sum(share * own[country].mean for country, share in taken.items())
    ) / left
    same_day = constants.SAME_DAY_REMOVAL_SHARE.get(year)
    if same_day is None:
        return own, RemovalTime.of_mean(mean)
    quick = sum(share * own[country].share_within(1.0) for country, share in taken.items())
    z = -_NORMAL.inv_cdf((same_day - quick) / left)
    sigma = -z + math.sqrt(z * z + 2.0 * math.log(mean))
    return own, RemovalTime(z * sigma, sigma)


class Behaviour:
    """Draws the fate of reports.

    Args:
        year: One of `constants.YEARS`.
        hosting: Share of each country that has a hotline; what is hosted elsewhere is outside the network.
        draws: Its own stream of random numbers.
    """

    def __init__(self, year: int, hosting: dict[str, float], draws: Draws) -> None:
        self._inside = frozenset(hosting)
        self._own, self._rest = removal_times(year, hosting)
        self._outside = RemovalTime.of_mean(constants.REMOVAL_OUTSIDE_MEAN_DAYS)
        self._illegal_share = constants.ILLEGAL_SHARE[year]
        self._draws = draws

    def is_illegal(self) -> bool:
        """Draw whether a report is judged illegal."""
        return self._draws.happens(self._illegal_share)

    def fate(self, sent_at: int, hosting_country: str, *, is_illegal: bool) -> tuple[int, Fate]:
        """Draw what becomes of a report sent at `sent_at` (milliseconds since epoch UTC).

        Returns:
            When the public had reported it, to the minute, and its fate.
        """
        draws = self._draws
        time = (
            self._own.get(hosting_country, self._rest) if hosting_country in self._inside else self._outside
        )
        span = time.draw(draws) * DAY_MS
        handling = min(
            draws.exponential(constants.HANDLING_MEAN_MS), constants.HANDLING_LIMIT_FRACTION * span
        )
        received_at = int(sent_at - handling) // MINUTE_MS * MINUTE_MS
        acknowledged_at = sent_at + int(
            min(draws.exponential(constants.ACKNOWLEDGE_MEAN_MS), constants.HANDLING_LIMIT_FRACTION * span)
        )
        fraction = draws.uniform() * 2.0 * constants.POLICE_MEAN_FRACTION
        told_at = max(acknowledged_at, received_at + int(fraction * span))
        assessed_at = acknowledged_at + int(draws.uniform() * (told_at - acknowledged_at))
        if not is_illegal:
            return received_at, self._harmless(acknowledged_at, assessed_at, told_at)
        ends_at = max(told_at, received_at + int(span))
        stays = not draws.happens(constants.REMOVED_EVENTUALLY_SHARE)
        return received_at, Fate(
            outcome="stays" if stays else "removed",
            acknowledged_at=acknowledged_at,
            assessed_at=assessed_at,
            police_informed_at=told_at,
            provider_informed_at=self._notice(told_at, ends_at, hosting_country),
            closed_at=None if stays else ends_at,
        )

    def _notice(self, told_at: int, ends_at: int, hosting_country: str) -> int:
        draws = self._draws
        notice = told_at + int(draws.uniform() * min(constants.NOTICE_BATCH_MS, ends_at - told_at))
        if hosting_country == "NL" and draws.happens(constants.DUTCH_NOTICE_WITHIN_DAY_SHARE):
            return max(notice, ends_at - int(draws.uniform() * DAY_MS))
        return notice

    def _harmless(self, acknowledged_at: int, assessed_at: int, closed_at: int) -> Fate:
        draws = self._draws
        unreachable = draws.happens(constants.UNREACHABLE_SHARE / (1.0 - self._illegal_share))
        outcome: Outcome = "unavailable" if unreachable else "not_illegal"
        reasons = _FINAL_REASONS[outcome]
        return Fate(
            outcome=outcome,
            acknowledged_at=acknowledged_at,
            assessed_at=assessed_at,
            closed_at=closed_at,
            reason_code=reasons[int(draws.uniform() * len(reasons))],
        )

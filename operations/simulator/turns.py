"""What comes between the steps of a report: the content moves, police ask for a hold, somebody was wrong.

Nothing of it is published but the ranges in `constants`, so the shares are assumptions. They are drawn from a
stream of their own: with them or without, the year's reports and steps are the same.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from casework.countries import TOR, UNKNOWN_HOST
from operations.simulator import constants
from operations.simulator.behaviour import Fate
from operations.simulator.constants import DAY_MS, HOUR_MS
from operations.simulator.draws import Draws, Weighted

Kind = Literal[
    "host_confirmed",
    "moved",
    "held",
    "declined",
    "transferred",
    "doubted",
    "observed",
    "noted",
    "corrected",
    "withdrawn",
    "reappeared",
]

_STAYS_MS: Final = 30 * DAY_MS
_SOON_MS: Final = HOUR_MS
_WRONG_COUNTRY: Final = "wrong_country"
_DECLINES: Final = ("not_in_remit", "capacity", "legally_unable_to_view", "not_reachable", _WRONG_COUNTRY)


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happens to a report beside its steps.

    Attributes:
        kind: What happens.
        at: When; milliseconds since epoch UTC.
        country: Country the content is in, of a move, a traced host, a doubt or a report gone astray.
        until: When a hold is released; None where it is left to expire.
        reason_code: Why, where the action needs a reason.
    """

    kind: Kind
    at: int
    country: str | None = None
    until: int | None = None
    reason_code: str | None = None


class Turns:
    """Draws the turns of reports.

    Args:
        hosting: Countries where content may move to, with their weights.
        draws: Its own stream of random numbers.
        at_least: Share of reports to which each kind happens where it is thought to be rarer.
    """

    def __init__(self, hosting: Weighted[str], draws: Draws, *, at_least: float = 0.0) -> None:
        self._hosting = hosting
        self._draws = draws
        self._at_least = at_least

    def of(self, fate: Fate, hosting_country: str, *, is_provisional: bool) -> tuple[Turn, ...]:
        """Draw what happens to a report beside its steps, in order of time."""
        turns = [*self._of_the_hotline(fate, hosting_country), *self._of_the_origin(fate, hosting_country)]
        if fate.police_informed_at is not None:
            turns += self._of_the_host(fate, hosting_country, is_provisional=is_provisional)
        return tuple(sorted(turns, key=lambda turn: turn.at))

    def _of_the_host(self, fate: Fate, country: str, *, is_provisional: bool) -> Iterator[Turn]:
        draws = self._draws
        first, last = _span(fate)
        if is_provisional:
            elsewhere = draws.happens(constants.CDN_ELSEWHERE_SHARE)
            country = self._another(country) if elsewhere else country
            yield Turn("host_confirmed", fate.acknowledged_at + _SOON_MS, country)
        if self._happens(constants.HOLD_SHARE):
            told = fate.police_informed_at or first
            is_released = draws.happens(constants.HOLD_RELEASED_SHARE)
            days = constants.HOLD_SHORTEST_DAYS + draws.exponential(constants.HOLD_MEAN_DAYS)
            until = told + int(days * DAY_MS)
            yield Turn("held", told, until=until if is_released else None)
        share, at = constants.MOVED_SHARE, first
        while self._happens(share):
            at += max(1, int(draws.uniform() * (last - at)))
            country = self._another(country)
            yield Turn("moved", at, country)
            share = constants.MOVED_AGAIN_SHARE

    def _of_the_hotline(self, fate: Fate, country: str) -> Iterator[Turn]:
        draws = self._draws
        first, last = _span(fate)
        if self._happens(constants.DECLINED_SHARE):
            reason = _DECLINES[int(draws.uniform() * len(_DECLINES))]
            elsewhere = self._another(country) if reason == _WRONG_COUNTRY else None
            yield Turn("declined", fate.acknowledged_at, elsewhere, reason_code=reason)
        if self._happens(constants.TRANSFERRED_SHARE):
            yield Turn("transferred", fate.acknowledged_at, reason_code="capacity")
        if self._happens(constants.OBSERVED_SHARE):
            yield Turn("observed", first + int(draws.uniform() * (last - first)))
        if self._happens(constants.NOTED_SHARE):
            yield Turn("noted", fate.assessed_at)
        if self._happens(constants.CORRECTED_SHARE):
            yield Turn("corrected", fate.assessed_at + _SOON_MS, reason_code="second_opinion")

    def _of_the_origin(self, fate: Fate, country: str) -> Iterator[Turn]:
        draws = self._draws
        if self._happens(constants.DOUBTED_SHARE):
            yield Turn("doubted", fate.acknowledged_at + _SOON_MS, self._another(country))
        if self._happens(constants.WITHDRAWN_SHARE):
            yield Turn("withdrawn", fate.assessed_at, reason_code="wrong_entry")
        if fate.outcome == "removed" and self._happens(constants.REAPPEARED_SHARE):
            yield Turn("reappeared", _span(fate)[1] + int(draws.exponential(3 * DAY_MS)))

    def _happens(self, share: float) -> bool:
        return self._draws.happens(max(share, self._at_least))

    def _another(self, country: str) -> str:
        found = country
        while found in {country, TOR, UNKNOWN_HOST}:
            found = self._hosting.draw(self._draws.uniform())
        return found


def _span(fate: Fate) -> tuple[int, int]:
    first = fate.provider_informed_at or fate.assessed_at
    return first, first + _STAYS_MS if fate.closed_at is None else fate.closed_at

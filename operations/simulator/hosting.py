"""Where content is hosted: the weights of the countries in one year.

Shares swing by tens of points between years (domain 4.4), so each year has its own weights; how those that
nobody published are derived stands with the figures in `constants`.
"""

from typing import Final

from casework.countries import UNKNOWN_HOST
from operations.simulator import constants

_TABLE_YEAR: Final = 2024
_GAP_YEAR: Final = 2023


def hosting_weights(year: int) -> dict[str, float]:
    """Answer the share of each hosting country and pseudo-country in one year; they sum to 1.

    Raises:
        KeyError: The year has no figures; see `constants.YEARS`.
    """
    if year not in constants.REPORTS:
        raise KeyError(year)
    known = 1.0 - constants.UNKNOWN_HOST_SHARE
    weights = {country: share * known for country, share in _traced(year).items()}
    return {**weights, UNKNOWN_HOST: constants.UNKNOWN_HOST_SHARE}


def published_hosting(year: int) -> dict[str, float]:
    """Answer the shares of a year that somebody published, in `constants.HOSTING_FIXED` or by the IWF."""
    if year == _TABLE_YEAR:
        return {
            country: urls / constants.HOSTING_IWF_2024_TOTAL
            for country, urls in constants.HOSTING_IWF_2024.items()
        }
    return dict(constants.HOSTING_FIXED.get(year, {}))


def _traced(year: int) -> dict[str, float]:
    table = _table_2024()
    if year == _GAP_YEAR:
        before = _traced(_GAP_YEAR - 1)
        return {country: (before[country] + table[country]) / 2 for country in table}
    fixed = constants.HOSTING_FIXED.get(year, {})
    free = sum(share for country, share in table.items() if country not in fixed)
    return {
        country: fixed.get(country, share * (1.0 - sum(fixed.values())) / free)
        for country, share in table.items()
    }


def _table_2024() -> dict[str, float]:
    named = {
        country: urls / constants.HOSTING_IWF_2024_TOTAL
        for country, urls in constants.HOSTING_IWF_2024.items()
    }
    rest = (1.0 - sum(named.values())) / len(constants.HOSTING_REST)
    return {**named, **dict.fromkeys(constants.HOSTING_REST, rest)}

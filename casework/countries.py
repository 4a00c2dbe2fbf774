"""Which two letters name a country, or a host that is in none.

Reports are partitioned, routed and counted by this code, so one country has one code: aliases are resolved at
the door and everything else is refused.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from casework.country_names import COUNTRY_NAMES
from casework.errors import RuleViolation, UnknownCountryError

# User-assigned in ISO 3166-1 (XA..XZ, ZZ), so that no future country can take them. `T1`, in use for Tor
# elsewhere, is no pair of letters and is read as an alias.
TOR: Final = "XT"
UNKNOWN_HOST: Final = "ZZ"
PSEUDO_COUNTRIES: Final[Mapping[str, str]] = MappingProxyType(
    {TOR: "Tor onion service", UNKNOWN_HOST: "unknown host"}
)
COUNTRY_ALIASES: Final[Mapping[str, str]] = MappingProxyType({"UK": "GB", "EL": "GR", "T1": TOR})
ALL_COUNTRIES: Final[Mapping[str, str]] = MappingProxyType({**COUNTRY_NAMES, **PSEUDO_COUNTRIES})


def canonical_country(value: str) -> str | None:
    """Answer the code that the exchange uses for `value`, aliases resolved, or None when it is no country."""
    code = COUNTRY_ALIASES.get(value, value)
    return code if code in ALL_COUNTRIES else None


def unknown_country(field: str) -> RuleViolation:
    """Answer the violation of a field that holds no country."""
    expected = f"two capital letters of ISO 3166-1, or {TOR} for Tor, {UNKNOWN_HOST} for an unknown host"
    return RuleViolation(field, "unknown_country", f"must be {expected}")


def check_country(field: str, value: str) -> RuleViolation | None:
    """Answer the violation that `value` in `field` is, or None for a country, alias or pseudo-country."""
    return unknown_country(field) if canonical_country(value) is None else None


def country(field: str, value: str) -> str:
    """Answer the canonical code of `value`: aliases resolved, pseudo-countries allowed.

    Raises:
        UnknownCountryError: `value` is no country; it is refused, never guessed.
    """
    code = canonical_country(value)
    if code is None:
        raise UnknownCountryError(unknown_country(field))
    return code

"""Who plays which action of the table, and which are not played and why; a test holds it to the table."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PLAYED_BY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(("assessed", "police_informed", "provider_informed"), ("hotline",)),
        **dict.fromkeys(("removed", "unavailable", "not_illegal"), ("hotline",)),
        **dict.fromkeys(("moved", "hosting_confirmed", "decline", "transfer"), ("hotline",)),
        **dict.fromkeys(("claim", "hand_back", "corrected"), ("hotline",)),
        **dict.fromkeys(("withdraw", "reappeared", "observed"), ("hotline",)),
        "acknowledged": ("hotline", "law_enforcement"),
        "hold": ("hotline", "law_enforcement"),
        "release": ("law_enforcement",),
        "preserve": ("law_enforcement",),
        "confirmed": ("hotline", "law_enforcement"),
        "note": ("hotline", "secretariat"),
        "erase": ("secretariat",),
    }
)
"""Action to the kinds of members that take it in a simulation."""
NOT_PLAYED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rewrap": "a member's client answers requests by itself; nobody changes keys while the play lasts",
        "key_mismatch": "all members play with one client, which makes no wrong url key",
    }
)
"""Action to the reason why nobody takes it."""

"""The states of a case, in the order of its way: the words of which the table of transitions is made."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

NONE: Final = "none"
AWAITED: Final = "awaited"
ORPHANED: Final = "orphaned"
OFFERED: Final = "offered"
AWAITING_REWRAP: Final = "awaiting_rewrap"
ASSIGNED: Final = "assigned"
ACKNOWLEDGED: Final = "acknowledged"
ASSESSED: Final = "assessed"
POLICE_INFORMED: Final = "police_informed"
PROVIDER_INFORMED: Final = "provider_informed"
CLOSED: Final = "closed"
STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        AWAITED: "only actions have come, their report has not",
        ORPHANED: "no hotline is responsible; the case waits at a desk, or police alone were told",
        OFFERED: "several hotlines may claim it, none has yet",
        AWAITING_REWRAP: "a hotline is responsible and can open no content of the case yet",
        ASSIGNED: "a hotline is responsible",
        ACKNOWLEDGED: "its system has stored the report and gave its reference",
        ASSESSED: "its analyst has judged it",
        POLICE_INFORMED: "police have been told",
        PROVIDER_INFORMED: "a provider has been told",
        CLOSED: "a final action ended the round; outcome says which",
    }
)
_RANK: Final = {state: rank for rank, state in enumerate(STATES)}
ASSIGNED_STATES: Final = (
    AWAITING_REWRAP,
    ASSIGNED,
    ACKNOWLEDGED,
    ASSESSED,
    POLICE_INFORMED,
    PROVIDER_INFORMED,
)
OPEN_STATES: Final = (ORPHANED, OFFERED, *ASSIGNED_STATES)
UNKNOWN_STATES: Final = (NONE, AWAITED)


def furthest(state: str, step: str) -> str:
    """Answer the further of two states on the way to closing."""
    return step if _RANK[step] > _RANK[state] else state

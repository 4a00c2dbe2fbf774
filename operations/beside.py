"""What happened beside the straight way from a report to its removal, counted from facts.

Holds are shown to nobody but those who know of them (`casework.secrecy`), so here they are pauses.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from casework.messages import Fact
from casework.secrecy import PAUSED, RESUMED, changes_pause
from casework.states import ORPHANED
from casework.transitions import PLACES

_ORPHAN: Final = "orphan claimed"
_OFFER: Final = "offer claimed"
_REPEATED: Final = "escalated again"
SHOWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "linked": "further reports",
        "moved": "moved",
        "host_disputed": "hosts disputed",
        "orphaned": "without a hotline",
        _ORPHAN: "orphans claimed",
        "offered": "offers",
        _OFFER: "offers claimed",
        "handed_back": "claims given back",
        "declined": "declined",
        "transferred": "transferred",
        PAUSED: "paused",
        "overdue": "steps overdue",
        "corrected": "corrected",
        "disagreement": "disagreements",
        "withdrawn": "withdrawn",
        "reopened": "reopened",
        "escalation_acknowledged": "police answered",
        _REPEATED: "escalated again",
        "fed": "feed items",
        "confirmed": "confirmations",
        "erased": "erased",
    }
)
"""Kind of a fact, or what `counted` calls a part of its kind, to the name by which people are told of it."""
IN_METRICS: Final[Mapping[str, str]] = MappingProxyType(
    {
        kind: name
        for kind, name in {"claimed": "claimed", **SHOWN}.items()
        if kind not in {_ORPHAN, _OFFER, _REPEATED}
    }
)
"""What can be shown while it happens: metrics count by kind alone."""


def counted(facts: Iterable[Fact]) -> dict[str, int]:
    """Answer how often each thing of `SHOWN` happened; a fact that lies there twice counts once."""
    found: Counter[str] = Counter()
    at_desk: dict[str, bool] = {}
    unique = {(fact.case_id, fact.number): fact for fact in facts}
    for (case_id, _), fact in sorted(unique.items()):
        if fact.fact in PLACES:
            at_desk[case_id] = fact.fact == ORPHANED
        found[_kind(fact, is_orphan=at_desk.get(case_id, False))] += 1
    return {kind: found[kind] for kind in SHOWN}


def _kind(fact: Fact, *, is_orphan: bool) -> str:
    if changes_pause(fact):
        return PAUSED if fact.fact == "held" else RESUMED
    if fact.fact == "claimed":
        return _ORPHAN if is_orphan else _OFFER
    if fact.fact == "escalated" and (fact.attempt or 1) > 1:
        return _REPEATED
    return fact.fact

"""Actions that fit the state of a case, for a made-up story in which everything happens that may."""

import random
from collections.abc import Iterator
from typing import Any, Final

from casework.messages import Case, Hold
from casework.parties import was_fed
from casework.states import ASSIGNED_STATES, CLOSED, OFFERED, OPEN_STATES, ORPHANED

Apt = tuple[str, str, dict[str, Any]]
"""Sender, action, and what the action says beside."""
HOUR: Final = 3_600_000
_POLICE: Final = {"NL": "nl-police", "GB": "gb-police"}
_NEIGHBOURS: Final = {"de-one": "de-two", "de-two": "de-far", "de-far": "de-one", "gb-one": "gb-two"}
"""Hotlines and another one of their country."""


def apt_action(case: Case, dice: random.Random, now: int) -> Apt:
    """Answer an action that a member with reason to act on a case might send.

    Args:
        case: The case.
        dice: Chooses among what fits.
        now: The time of the story.
    """
    return dice.choice(
        [*_of_any_state(case, dice, now), *_of_open(case, dice, now), *_of_responsible(case, dice, now)]
    )


def _of_any_state(case: Case, dice: random.Random, now: int) -> Iterator[Apt]:
    police = _POLICE.get(case.hosting_country, "interpol")
    yield from ((asked.members[-1], "confirmed", {"fact_number": asked.fact_number}) for asked in case.asked)
    yield police, "preserve", {"preserve_until": now + dice.choice((0, 50 * HOUR, 50 * HOUR))}
    yield "office", "erase", {"reason_code": "data_protection"}
    yield from [(police, "acknowledged", {"report_event_id": None})] * (9 if case.open_escalations else 1)
    if was_fed(case, "europol"):
        yield "europol", "acknowledged", {"fact_number": case.number}
    if case.stated:
        wrong = dice.choice(case.stated)
        yield (
            wrong.by,
            "corrected",
            {
                "fact_number": wrong.number,
                "reason_code": "wrong_entry",
                "corrected_action": dice.choice((None, wrong.fact)),
                "second_analyst": "b.2",
            },
        )
    if case.preservations:
        yield from [(case.preservations[0].by, "preserve", {"preserve_until": now})] * 6
    if case.origins:
        yield case.origins[0].member, "withdraw", {"report_event_id": None, "reason_code": "wrong_item"}
        yield case.origins[0].member, "note", {"priority": "high"}
        if case.state == CLOSED:
            yield case.origins[0].member, "reappeared", {"observed_at": now}


def _of_open(case: Case, dice: random.Random, now: int) -> Iterator[Apt]:
    if case.state not in OPEN_STATES:
        return
    police = _POLICE.get(case.hosting_country, "interpol")
    yield from _of_hold(case.hold, police, dice.choice((5 * HOUR, 80 * HOUR)) + now)
    yield "europol", "hold", {"hold_until": now + 40 * HOUR}
    yield "europol", "hold", {"hold_until": now + 5 * HOUR}
    for request in case.hold_requests:
        yield police, "hold", {"fact_number": request.fact_number}
        yield police, "release", {"fact_number": request.fact_number}
    if case.state == OFFERED:
        yield from [(case.pool[0], "claim", {})] * 6
    if case.state == ORPHANED:
        yield from [("ie-one", "claim", {})] * 3


def _of_hold(hold: Hold | None, police: str, until: int) -> Iterator[Apt]:
    yield police, "hold", {"hold_until": until}
    if hold is not None:
        yield from [(police, "release", {})] * 9


def _of_responsible(case: Case, dice: random.Random, now: int) -> Iterator[Apt]:
    hotline = case.assigned_hotline
    if case.state not in ASSIGNED_STATES or hotline is None:
        return
    for action in ("acknowledged", "assessed", "police_informed", "provider_informed", "provider_informed"):
        yield hotline, action, {"recipient_role": "host"}
    if case.lease is not None:
        yield from [(hotline, "hand_back", {})] * 12
    elsewhere = dice.choice(("DE", "NL", "GB", "US"))
    yield hotline, "decline", {"reason_code": "wrong_country", "new_hosting_country": elsewhere}
    for _ in range(3):
        yield (
            hotline,
            "moved",
            {"new_hosting_country": elsewhere, "hosting_method": "rdap", "observed_at": now},
        )
    if hotline in _NEIGHBOURS:
        yield from [(hotline, "transfer", {"to_member": _NEIGHBOURS[hotline], "reason_code": "capacity"})] * 3
    ends = ["removed"]
    if case.classification == "baseline" and case.classified_by != hotline:
        ends = ["not_illegal"] * 3
    for end in ends:
        yield hotline, end, {"reason_code": "virtual_material"}

"""What a responsible hotline does with a case: the steps of its fate, and the turns between."""

from typing import Any, Final

import msgspec

from casework.directory import CountryRule
from operations.simulator.constants import MINUTE_MS
from operations.simulator.players import Action
from operations.simulator.reports import SimulatedReport
from operations.simulator.turns import Turn
from operations.simulator.world import Held

OF_THE_RESPONSIBLE: Final = frozenset(
    {"host_confirmed", "moved", "declined", "transferred", "observed", "noted", "corrected"}
)
LEAVING: Final = frozenset({"decline", "transfer", "hand_back", "moved", "hosting_confirmed", "withdraw"})
"""Actions after which somebody else may be responsible: the hotline waits for the answer."""
_OBSERVATIONS: Final = ("online", "online", "online", "offline", "geo_blocked")


class Work(msgspec.Struct, gc=False):
    """A case in work.

    Attributes:
        held: The case.
        report: The report it was handed over with.
        quiet_until: Until when police ask to wait with the notice; milliseconds since epoch UTC.
        police_at: When police were told in this leg; None: not yet.
        waits_for: Event id of an own action after which somebody else may be responsible.
        assessing: Event id of the own assessment.
        is_careless: Whether nobody looks what police ask for before the host is told.
    """

    held: Held
    report: SimulatedReport
    quiet_until: int = 0
    police_at: int | None = None
    waits_for: str = ""
    assessing: str = ""
    is_careless: bool = False

    def is_of(self, held: Held) -> bool:
        """Answer whether the leg is still the one that the hotline works on."""
        return (held.round, held.leg) == (self.held.round, self.held.leg)


def steps_of(report: SimulatedReport) -> tuple[Action, ...]:
    """Answer what a responsible hotline does with a report: action, time and fields, in order."""
    fate = report.fate
    steps: list[Action] = [("acknowledged", fate.acknowledged_at, {"reference": f"host/{report.reference}"})]
    if fate.outcome != "unavailable":
        steps.append(("assessed", fate.assessed_at, {"classification": judged(report)}))
    if fate.police_informed_at is not None:
        steps.append(("police_informed", fate.police_informed_at, {}))
    if fate.provider_informed_at is not None:
        steps.append(("provider_informed", fate.provider_informed_at, {"recipient_role": "host"}))
    if fate.closed_at is not None:
        fields = {} if fate.reason_code is None else {"reason_code": fate.reason_code}
        steps.append((fate.outcome, fate.closed_at, fields))
    return tuple(steps)


def judged(report: SimulatedReport) -> str:
    """Answer how a report is judged by whoever is responsible."""
    return "not_illegal" if report.fate.outcome == "not_illegal" else report.classification


def hurried(steps: tuple[Action, ...], assessed_at: int) -> tuple[Action, ...]:
    """Answer the steps with an assessment, or an end without one, not later than a time."""
    before = {"acknowledged", "assessed", "unavailable"}
    return tuple((code, min(at, assessed_at) if code in before else at, fields) for code, at, fields in steps)


def notice_not_before(work: Work, rule: CountryRule) -> int:
    """Answer before when a careful hotline tells no provider, by the order of notices of its country."""
    after_police = 0
    if rule.notice_rule == "police_first" and work.police_at is not None:
        after_police = work.police_at + rule.police_wait_ms + MINUTE_MS
    return max(work.quiet_until, after_police)


def turn_action(work: Work, turn: Turn, at: int, country: str) -> tuple[str, dict[str, Any]] | None:
    """Answer the action of a turn and its fields; None where it means nothing in this leg.

    Args:
        work: The case.
        turn: The turn.
        at: When it is taken.
        country: Country of the hotline.
    """
    match turn.kind:
        case "moved" | "host_confirmed":
            return _whereabouts(work, turn, at)
        case "declined":
            elsewhere = None if turn.country == work.held.hosting_country else turn.country
            return "decline", {"reason_code": turn.reason_code, "new_hosting_country": elsewhere}
        case "observed":
            seen = _OBSERVATIONS[turn.at % len(_OBSERVATIONS)]
            return "observed", {"observation": seen, "observed_at": at, "observed_from": country}
        case "noted":
            return "note", {"note": "seen on other pages of this host too", "note_language": "en"}
    return None


def correction_of(work: Work, turn: Turn, number: int) -> dict[str, Any]:
    """Answer the fields of a correction of the own assessment: two persons, another age group."""
    return {
        "fact_number": number,
        "reason_code": turn.reason_code,
        "classification": judged(work.report),
        "age_category": "pubescent",
        "analyst": "a-1",
        "second_analyst": "a-2",
    }


def _whereabouts(work: Work, turn: Turn, at: int) -> tuple[str, dict[str, Any]] | None:
    is_elsewhere = turn.country != work.held.hosting_country
    where = {"new_hosting_country": turn.country, "hosting_method": "trace", "observed_at": at}
    if turn.kind == "moved":
        return ("moved", where) if is_elsewhere else None
    return "hosting_confirmed", where if is_elsewhere else {}

"""A newer word on the hosting country: the responsible hotline answers it, or the case goes there by itself.

Whoever looked later may know better, and may as well have met another edge of a delivery network. So the
hotline that is responsible is asked first. Only silence lets the exchange decide by the newest word.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from casework.causes import Draft
from casework.directory import Directory
from casework.errors import BugError
from casework.legs import Changes
from casework.matters.relocation import relocate
from casework.messages import ActionDetails, Case, Fact, HostDoubt
from casework.notices import Notice, update_to
from casework.placing import ReportOf
from casework.states import ASSIGNED_STATES
from casework.timers import Due, Timers

ANSWER_HOST: Final = "answer_host"
"""Step of the timer of a doubt that the responsible hotline has not answered."""
DISPUTED: Final = "host_disputed"
UNANSWERED: Final = "host_unanswered"


def disputes(case: Case, directory: Directory, hosting_country: str | None, observed_at: int | None) -> bool:
    """Answer whether a word on the hosting country is a new doubt about the one of the case.

    Args:
        case: The case.
        directory: The version of the record.
        hosting_country: Country that is named; canonical.
        observed_at: When the host was observed, clamped; None: nobody says, so nothing is newer.
    """
    if hosting_country is None or observed_at is None or case.state not in ASSIGNED_STATES:
        return False
    if hosting_country == case.hosting_country or directory.pseudo_country(hosting_country) is not None:
        return False
    doubt = case.doubt
    if doubt is None:
        return observed_at > case.leg_started_at
    return hosting_country != doubt.hosting_country and observed_at > doubt.observed_at


def hosted_in(details: Mapping[str, Any]) -> str | None:
    """Answer the hosting country that an action names, as `details_of` gives it; canonical."""
    said: ActionDetails | None = details["details"]
    return None if said is None else said.new_hosting_country


def doubt_host(
    case: Case,
    draft: Draft,
    hosting_country: str | None,
    observed_at: int | None,
    report: ReportOf | None = None,
) -> None:
    """Write that the sender disputes the hosting country, where its word is newer than what is known.

    Args:
        case: The case before the record.
        draft: Where the fact is written.
        hosting_country: Country that is named; canonical.
        observed_at: When the host was observed, clamped.
        report: The report that says so; None for an action.
    """
    cause = draft.cause
    if not disputes(case, cause.directory, hosting_country, observed_at):
        return
    limit = cause.directory.casework.answer_host_ms
    draft.by_rule(
        DISPUTED,
        hosting_country=hosting_country,
        observed_at=observed_at,
        members=(cause.sender,),
        until=cause.now + limit if case.doubt is None else case.doubt.due_at,
        origin=None if report is None else report.origin,
        report_event_id=None if report is None else report.event_id,
    )


def _fire(case: Case, due: Due, draft: Draft) -> None:
    doubt = case.doubt
    if doubt is None:
        raise BugError("a doubt about the host is due in a case without one")
    draft.by_rule(
        UNANSWERED,
        due_at=due.at,
        occurred_at=due.at,
        step=ANSWER_HOST,
        members=(doubt.by,),
        fact_ref=doubt.fact_number,
    )
    relocate(case, draft, doubt.hosting_country, reason_code=UNANSWERED)


def _due(case: Case) -> Iterator[Due]:
    if case.doubt is not None:
        yield Due(case.doubt.due_at, ANSWER_HOST)


def _disputed(_: Case, fact: Fact) -> Changes:
    if fact.hosting_country is None or fact.observed_at is None or fact.until is None:
        raise BugError("a doubt about the host names country, time and until when it may be answered")
    return {
        "doubt": HostDoubt(
            hosting_country=fact.hosting_country,
            by=fact.members[0],
            report_event_id=fact.report_event_id,
            observed_at=fact.observed_at,
            due_at=fact.until,
            fact_number=fact.number,
        )
    }


def _ended(_: Case, __: Fact) -> Changes:
    return {"doubt": None}


def _told(after: Case, _: Fact) -> Iterable[Notice]:
    """Yield who is to answer."""
    if after.assigned_hotline is not None:
        yield update_to(after, after.assigned_hotline)


TIMER_RULES: Final = MappingProxyType({ANSWER_HOST: _fire})
DUE: Final = Timers(("doubt",), _due)
EVOLVE: Final[Mapping[str, Callable[[Case, Fact], Changes]]] = MappingProxyType(
    {DISPUTED: _disputed, UNANSWERED: _ended}
)
NOTICES: Final[Mapping[str, Callable[[Case, Fact], Iterable[Notice]]]] = MappingProxyType({DISPUTED: _told})

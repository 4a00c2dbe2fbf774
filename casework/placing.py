"""Where a case goes: the facts that begin a leg, and the escalations that go with it."""

from collections.abc import Iterable
from typing import Final

import msgspec

from casework.causes import Draft
from casework.directory import Deadlines as CountryDeadlines
from casework.directory import Directory
from casework.errors import BugError
from casework.messages import Case, Deadlines, ReportStatement
from casework.preservations import is_erased
from casework.routing import Route, Traits

_UNASSESSED: Final = "unassessed"


class ReportOf(msgspec.Struct, frozen=True):
    """The report a fact is about: its origin and its event id."""

    origin: str
    event_id: str


def traits_of(about: ReportStatement | Case) -> Traits:
    """Answer what a report or a case is about, as routing looks at it."""
    return Traits(
        about.content_topic, about.site_type, about.content_type, about.classification or _UNASSESSED
    )


def begin_leg(  # noqa: PLR0913 - what a leg begins with
    draft: Draft,
    way: Route,
    leg: int,
    report: ReportOf,
    *,
    reason_code: str | None = None,
    hosting_status: str | None = None,
    until: int | None = None,
    others: Iterable[str] = (),
    had: Iterable[str] = (),
) -> None:
    """Write the fact that begins a leg: assigned to a hotline, offered to several, or orphaned at a desk.

    An offer, and what waits at a desk, carries until when it may lie unclaimed.

    Args:
        draft: Where the fact is written.
        way: The route decided on.
        leg: Number of the leg.
        report: The report the leg begins with.
        reason_code: Why a leg follows another; the route's own reason stands for an orphaned one.
        hosting_status: Whether its host is provisional or confirmed; None: as before.
        until: When a claim ends by which the hotline has the case; None: it has it for good.
        others: Those whose further reports and words go along with the report it begins with.
        had: Those of them whose reports do not: they are there, or kept no more.
    """
    directory = draft.cause.directory
    unclaimed_at = draft.cause.now + directory.casework.unclaimed_ms
    where = {
        "leg": leg,
        "hosting_country": way.hosting_country,
        "assigned_country": way.assigned_country,
        "origin": report.origin,
        "report_event_id": report.event_id,
        "hosting_status": hosting_status,
    }
    if way.pool:
        draft.by_rule("offered", members=way.pool, until=unclaimed_at, reason_code=reason_code, **where)
    elif way.assigned_hotline is None:
        waits_until = None if way.desk is None else unclaimed_at
        left_out = tuple(had)
        draft.by_rule(
            "orphaned",
            recipient=way.desk,
            until=waits_until,
            reason_code=way.reason,
            members=left_out,
            **where,
        )
    else:
        is_clockless = directory.pseudo_country(way.hosting_country) is not None
        limits = None if is_clockless else limits_of(directory, way.assigned_country, way.assigned_hotline)
        draft.by_rule(
            "assigned",
            assigned_hotline=way.assigned_hotline,
            deadlines=limits,
            until=until,
            reason_code=reason_code,
            members=tuple(dict.fromkeys((*had, *withheld(directory, way.assigned_hotline, others)))),
            **where,
        )


def withheld(directory: Directory, hotline: str | None, origins: Iterable[str]) -> tuple[str, ...]:
    """Answer those of some origins whose reports a hotline may not be given; the fact names them.

    Who gets which delivery must follow from the facts alone, whatever the directory says by then.
    """
    member = None if hotline is None else directory.members_by_id.get(hotline)
    if member is None or not directory.has_transfer_rules:
        return ()
    return tuple(origin for origin in origins if not directory.may_receive(member, origin))


def begin_round(case: Case | None, draft: Draft, way: Route, report: ReportOf) -> None:
    """Write the first leg of a round, with the reports of earlier rounds that are new to who gets it.

    The hotline that closed the round before has them; and what was erased nobody can be handed.

    Args:
        case: The case before the record; None: it begins.
        draft: Where the fact is written.
        way: The route decided on.
        report: The report the round begins with.
    """
    if case is None:
        begin_leg(draft, way, 1, report)
        return
    others = [one.member for one in case.origins if one.member != report.origin]
    has_closed_it = way.assigned_hotline is not None and way.assigned_hotline == case.assigned_hotline
    begin_leg(draft, way, 1, report, others=others, had=others if has_closed_it or is_erased(case) else ())


def givers(case: Case, hosting_country: str, said_by: str | None = None) -> tuple[str, ...]:
    """Answer those whose reports and words a hotline of a country gets with a case: origins, and who said it.

    Args:
        case: The case before the record.
        hosting_country: Country it goes to, or is in.
        said_by: Who says so now, empty where that encloses nothing; None: who said so before, if anybody.
    """
    if said_by is None and case.move is not None and case.move.hosting_country == hosting_country:
        said_by = case.move.by
    members = (*(origin.member for origin in case.origins), said_by)
    return tuple(dict.fromkeys(member for member in members if member))


def limits_of(directory: Directory, country: str, hotline: str) -> Deadlines | None:
    """Answer the complete limits of a hotline in a country as a case keeps them, or None where no clock runs.

    Its own stand over the country's, those over the network's.
    """
    found: Deadlines | None = directory.known.get(("limits", country, hotline))
    if found is None and directory.pseudo_country(country) is None:
        own = directory.member(hotline).deadlines.over(directory.country(country).deadlines)
        found = _complete(own, directory.deadlines)
        directory.known["limits", country, hotline] = found
    return found


def _complete(own: CountryDeadlines, default: CountryDeadlines) -> Deadlines:
    limits = msgspec.structs.asdict(own.over(default))
    if None in limits.values():
        raise BugError("the directory's default deadlines are not complete")
    return Deadlines(**limits)


def escalate(draft: Draft, reason: str, way: Route, report: ReportOf) -> None:
    """Write one fact for each liaison that an escalation goes to; it is repeated unless one acknowledges."""
    for code in way.liaisons:
        draft.by_rule(
            "escalated",
            reason_code=reason,
            recipient=code,
            origin=report.origin,
            report_event_id=report.event_id,
            hosting_country=way.hosting_country,
            attempt=1,
            due_at=draft.cause.now + draft.cause.directory.casework.escalation_ms,
        )

"""A leg that follows another: where the case goes, and who is asked or told because of it."""

from typing import Final

from casework.causes import Cause, Draft
from casework.directory import Directory
from casework.messages import Case
from casework.parties import answerable
from casework.placing import ReportOf, begin_leg, begin_round, escalate, givers, traits_of
from casework.rewrap_rules import ask_if_unreadable
from casework.routing import Route, route
from casework.states import ORPHANED

MEMBER_LEFT: Final = "member_left"
"""Reason of a leg that begins because the hotline of the one before is suspended or has left."""
MEMBER_JOINED: Final = "member_joined"
"""Reason of a leg that begins because the country of an orphaned case has a hotline now."""


def reason_to_reassign(case: Case, directory: Directory) -> str | None:
    """Answer why a directory version sends a case elsewhere, or None where it leaves it as it is.

    An open case may be with a hotline, or offered to one, that is active no more. One that nobody has may be
    hosted in a country whose hotline has become active, or is back; who has claimed it keeps it.
    """
    if not all(directory.is_active(hotline) for hotline in answerable(case)):
        return MEMBER_LEFT
    if case.state != ORPHANED or not case.origins:
        return None
    way = _route_of(case, directory, case.hosting_country, case.declined)
    return None if way.escalates else MEMBER_JOINED


def way_of(
    case: Case,
    cause: Cause,
    hosting_country: str | None = None,
    *,
    declined: tuple[str, ...] | None = None,
    offers: bool = True,
) -> tuple[Route, ReportOf]:
    """Answer where a case goes by the directory of the record, and with which report.

    Args:
        case: The case.
        cause: Why it is to go somewhere.
        hosting_country: Country the content is hosted in from now on; None: where the case says.
        declined: Who may not get it; None: those who gave it back in this round.
        offers: Whether a country with the rule `claim` is asked who wants it; else its weights decide.
    """
    host = case.hosting_country if hosting_country is None else hosting_country
    out = case.declined if declined is None else declined
    first = case.origins[0]
    way = _route_of(case, cause.directory, host, out, offers=offers)
    return way, ReportOf(first.member, first.last_event_id)


def _route_of(
    case: Case, directory: Directory, host: str, declined: tuple[str, ...], *, offers: bool = True
) -> Route:
    return route(
        directory,
        host,
        case.url_key,
        origin=case.origins[0].member,
        traits=traits_of(case),
        declined=declined,
        offers=offers,
    )


def to_hotline(
    case: Case, cause: Cause, hotline: str, *, assigned_country: str | None = None
) -> tuple[Route, ReportOf]:
    """Answer the way to a hotline that a member chose, as `way_of` answers that of a rule.

    Args:
        case: The case.
        cause: Why it goes there.
        hotline: The hotline.
        assigned_country: Country whose rules apply to the leg; None: the hotline's own, its first one.
    """
    first = case.origins[0]
    own = cause.directory.member(hotline).countries
    country = assigned_country or (own[0] if own else case.hosting_country)
    way = Route(case.hosting_country, country, hotline, None, (), "responsible")
    return way, ReportOf(first.member, first.last_event_id)


def hand_on(  # noqa: PLR0913 - what a leg begins with
    case: Case,
    draft: Draft,
    going: tuple[Route, ReportOf],
    *,
    reason_code: str,
    hosting_status: str | None = None,
    until: int | None = None,
    said_by: str | None = None,
) -> None:
    """Write the next leg of a case: who gets it, what must be re-wrapped for them, and which police are told.

    The liaisons of the route are told once in a round, and again only where another country's are added.

    Args:
        case: The case before the record.
        draft: Where the facts are written.
        going: Where the case goes and with which report, as `way_of` answers.
        reason_code: Why a leg follows.
        hosting_status: Whether the host of the new leg is provisional or confirmed; None: as before.
        until: When a claim ends by which the hotline gets the case; None: it gets it for good.
        said_by: Who says that the case goes there, empty where that encloses nothing; None: nobody does now.
    """
    way, report = going
    begin_leg(
        draft,
        way,
        case.leg + 1,
        report,
        reason_code=reason_code,
        hosting_status=hosting_status,
        until=until,
        others=givers(case, way.hosting_country, said_by),
    )
    ask_if_unreadable(draft, way, report, case.readers, case)
    if way.escalates and not (way.reason in case.escalated and set(way.liaisons) <= set(case.liaisons)):
        escalate(draft, way.reason, way, report)


def place_again(case: Case, draft: Draft, hosting_country: str | None = None) -> None:
    """Write a new round of a closed case with a report that it has, where nobody sends one.

    Args:
        case: The case before the record; it has an origin.
        draft: Where the facts are written.
        hosting_country: Country the content is hosted in now; None: where the case says.
    """
    way, report = way_of(case, draft.cause, hosting_country, declined=())
    draft.by_rule(
        "reopened",
        round=case.round + 1,
        leg=1,
        hosting_country=way.hosting_country,
        assigned_country=way.assigned_country,
        assigned_hotline=way.assigned_hotline,
        origin=report.origin,
        report_event_id=report.event_id,
        content_topic=case.content_topic,
        site_type=case.site_type,
        content_type=case.content_type,
        hosting_status=case.hosting_status,
        readers=case.readers,
    )
    begin_round(case, draft, way, report)
    ask_if_unreadable(draft, way, report, case.readers, case)
    if way.escalates:
        escalate(draft, way.reason, way, report)

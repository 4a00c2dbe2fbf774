"""What a report means for a case: it opens, reopens or joins one, and is never suppressed."""

from casework.answers import ACCEPTED, Answer
from casework.causes import Cause, Draft
from casework.claimed_times import clamped
from casework.countries import canonical_country
from casework.matters.hold_course import end_hold
from casework.matters.host_doubts import disputes, doubt_host
from casework.matters.relocation import MOVED
from casework.messages import Case, ReportStatement
from casework.placing import ReportOf, begin_leg, begin_round, escalate, givers, traits_of, withheld
from casework.preservations import is_erased
from casework.rewrap_rules import ask_if_unreadable, note_if_readable
from casework.routing import Route, route
from casework.sealed_content import join_marks
from casework.states import CLOSED, NONE, OPEN_STATES, ORPHANED
from casework.stubs import is_stub
from casework.transition_rows import (
    CONFIRMED_ELSEWHERE,
    DISPUTED,
    HOTLINE,
    NEEDS_NEW_ROUND,
    NEW_LEG,
    NO_HOTLINE,
    OWN,
    POOL,
)
from casework.transitions import PLACES, transition


def decide_report(case: Case | None, report: ReportStatement, cause: Cause, draft: Draft) -> Answer:
    """Write the facts of a report into `draft` and answer its sender."""
    state = NONE if case is None else case.state
    way = route(
        cause.directory,
        report.hosting_country,
        cause.url_key,
        origin=cause.sender,
        traits=traits_of(report),
        declined=case.declined if case is not None and state != CLOSED else (),
    )
    this = ReportOf(cause.sender, report.event_id)
    row = transition("report", state, _when(case, report, way, cause))
    assert row is not None  # noqa: S101 - a test walks through all states and conditions
    begins = not (PLACES | {NEW_LEG}).isdisjoint(row.facts)
    stands = way if begins or case is None else None
    for fact in row.facts:
        if fact in {"opened", "reopened"}:
            draft.by_sender(
                fact, round=1 if case is None else case.round + 1, leg=1, **_report(report, cause, way)
            )
        elif fact == "linked":
            assert case is not None  # noqa: S101 - the table links to a case only
            responsible = case.assigned_hotline if stands is None else stands.assigned_hotline
            details = {
                "assigned_hotline": responsible,
                "erase_at": _erase_at(case, cause),
                "members": withheld(cause.directory, responsible, (cause.sender,)),
            }
            draft.by_sender(fact, **{**_report(report, cause, way), **details})
        elif fact == "acknowledged":
            draft.by_rule(fact, by=cause.sender, reference=report.reference, report_event_id=report.event_id)
        elif fact == "host_disputed":
            assert case is not None  # noqa: S101 - likewise
            doubt_host(case, draft, way.hosting_country, _host_seen_at(report, cause), this)
        else:
            _begin(case, report, draft, way, facts=row.facts)
    if begins:
        known = (
            cause.readers
            if case is None or row.facts[0] != "linked"
            else join_marks(case.readers, cause.readers)
        )
        ask_if_unreadable(draft, way, this, known, case)
    elif case is not None and not draft.facts[0].members:
        note_if_readable(case, draft, cause.readers)
    _escalate(case, report, draft, way, begins=begins)
    return ACCEPTED


def _begin(
    case: Case | None, report: ReportStatement, draft: Draft, way: Route, *, facts: tuple[str, ...]
) -> None:
    """Write the leg that a report begins: the first of a round, or one of a case that goes elsewhere."""
    this = ReportOf(draft.cause.sender, report.event_id)
    if case is None or facts[0] != "linked":
        begin_round(case, draft, way, this)
        return
    if way.hosting_country != case.hosting_country:
        end_hold(case, draft, MOVED, way.hosting_country)
    others = givers(case, way.hosting_country)
    begin_leg(draft, way, case.leg + 1, this, hosting_status=report.hosting_status, others=others)
    if NEW_LEG in facts and way.assigned_hotline == this.origin:
        draft.by_rule(
            "acknowledged", by=this.origin, reference=report.reference, report_event_id=this.event_id
        )


def _when(case: Case | None, report: ReportStatement, way: Route, cause: Cause) -> str:
    if way.assigned_hotline is None:
        by_route = POOL if way.pool else NO_HOTLINE
    else:
        by_route = OWN if way.assigned_hotline == cause.sender else HOTLINE
    if case is None or case.round == 0 or case.state == ORPHANED:
        return CONFIRMED_ELSEWHERE if _is_confirmed_elsewhere(case, report, way, cause) else by_route
    if case.state in OPEN_STATES:
        if _is_confirmed_elsewhere(case, report, way, cause):
            return CONFIRMED_ELSEWHERE
        seen_at = _host_seen_at(report, cause)
        return DISPUTED if disputes(case, cause.directory, way.hosting_country, seen_at) else ""
    if case.state == CLOSED and (is_stub(case) or _needs_a_new_round(case, report, cause)):
        return f"{NEEDS_NEW_ROUND}; {by_route}"
    return ""


def _is_confirmed_elsewhere(case: Case | None, report: ReportStatement, way: Route, cause: Cause) -> bool:
    """Answer whether a report knows the host in another country, where the case only has an edge of it."""
    return (
        case is not None
        and case.hosting_status == "provisional"
        and report.hosting_status == "confirmed"
        and way.hosting_country != case.hosting_country
        and cause.directory.pseudo_country(way.hosting_country) is None
    )


def _host_seen_at(report: ReportStatement, cause: Cause) -> int | None:
    """Answer when the host was observed; when the content was, if nothing else is said."""
    seen_at = report.observed_at if report.hosting_observed_at is None else report.hosting_observed_at
    return None if seen_at is None else clamped(seen_at, cause.now)


def _needs_a_new_round(case: Case, report: ReportStatement, cause: Cause) -> bool:
    """Answer whether what closed the case does not answer the report, or nobody is there to look at it."""
    if case.assigned_hotline is not None and not cause.directory.is_active(case.assigned_hotline):
        return True
    if case.closed_at is None or report.observed_at is None:
        return False
    return clamped(report.observed_at, cause.now) > case.closed_at


def _erase_at(case: Case, cause: Cause) -> int | None:
    """Answer when the content of a late report is to be erased, where all others of the case were already."""
    return cause.now + cause.directory.casework.erase_ms if is_erased(case) else None


def _escalate(case: Case | None, report: ReportStatement, draft: Draft, way: Route, *, begins: bool) -> None:
    this = ReportOf(draft.cause.sender, report.event_id)
    for reason in dict.fromkeys(report.urgency):
        escalate(draft, reason, way, this)
    joins_nobody = case is not None and case.state == ORPHANED and case.desk is None
    if way.escalates and (begins or joins_nobody):
        escalate(draft, way.reason, way, this)


def _report(report: ReportStatement, cause: Cause, way: Route) -> dict[str, object]:
    judged = report.classification not in {None, "unassessed"}
    return {
        "hosting_country": way.hosting_country,
        "assigned_country": way.assigned_country,
        "assigned_hotline": way.assigned_hotline,
        "origin": cause.sender,
        "report_event_id": report.event_id,
        "reference": report.reference,
        "observed_at": None if report.observed_at is None else clamped(report.observed_at, cause.now),
        "received_at": clamped(report.received_at, cause.now),
        "classification": report.classification if judged else None,
        "law_country": canonical_country(report.law_country) if judged and report.law_country else None,
        "content_topic": report.content_topic,
        "hosting_status": report.hosting_status,
        "site_type": report.site_type,
        "content_type": report.content_type,
        "content_digest": cause.content_digest,
        "readers": cause.readers,
    }

"""What a report means for a case: it opens, reopens or joins one, and is never suppressed."""

from casework.answers import ACCEPTED, Answer
from casework.causes import Cause, Draft
from casework.claimed_times import clamped
from casework.countries import canonical_country
from casework.messages import Case, ReportStatement
from casework.placing import ReportOf, begin_leg, escalate
from casework.rewrap_rules import ask_if_unreadable, note_if_readable
from casework.routing import Route, route
from casework.sealed_content import join_marks
from casework.stubs import is_stub
from casework.transitions import CLOSED, HOTLINE, NEEDS_NEW_ROUND, NO_HOTLINE, NONE, ORPHANED, OWN, transition


def decide_report(case: Case | None, report: ReportStatement, cause: Cause, draft: Draft) -> Answer:
    """Write the facts of a report into `draft` and answer its sender."""
    state = NONE if case is None else case.state
    way = route(
        cause.directory,
        report.hosting_country,
        cause.url_key,
        origin=cause.sender,
        content_topic=report.content_topic,
    )
    row = transition("report", state, _when(case, report, way, cause))
    assert row is not None  # noqa: S101 - a test walks through all states and conditions
    begins = "assigned" in row.facts or "orphaned" in row.facts
    stands = way if begins or case is None else None
    for fact in row.facts:
        if fact in {"opened", "reopened"}:
            draft.by_sender(
                fact, round=1 if case is None else case.round + 1, leg=1, **_report(report, cause, way)
            )
        elif fact == "linked":
            assert case is not None  # noqa: S101 - the table links to a case only
            responsible = case.assigned_hotline if stands is None else stands.assigned_hotline
            draft.by_sender(fact, **{**_report(report, cause, way), "assigned_hotline": responsible})
        elif fact == "acknowledged":
            draft.by_rule(fact, by=cause.sender, reference=report.reference, report_event_id=report.event_id)
        else:
            leg = case.leg + 1 if case is not None and case.state == ORPHANED else 1
            begin_leg(draft, way, leg, ReportOf(cause.sender, report.event_id))
    if begins:
        known = (
            cause.readers
            if case is None or row.facts[0] != "linked"
            else join_marks(case.readers, cause.readers)
        )
        if way.assigned_hotline is not None or way.desk is not None:
            ask_if_unreadable(draft, way.assigned_hotline, known, origin=cause.sender, report=report.event_id)
    elif case is not None:
        note_if_readable(case, draft, cause.readers)
    _escalate(case, report, draft, way, opens=row.facts[0] != "linked")
    return ACCEPTED


def _when(case: Case | None, report: ReportStatement, way: Route, cause: Cause) -> str:
    if way.assigned_hotline is None:
        by_route = NO_HOTLINE
    else:
        by_route = OWN if way.assigned_hotline == cause.sender else HOTLINE
    if case is None or case.round == 0 or case.state == ORPHANED:
        return by_route
    if case.state == CLOSED and (is_stub(case) or _needs_a_new_round(case, report, cause)):
        return f"{NEEDS_NEW_ROUND}; {by_route}"
    return ""


def _needs_a_new_round(case: Case, report: ReportStatement, cause: Cause) -> bool:
    """Answer whether what closed the case does not answer the report, or nobody is there to look at it."""
    if case.assigned_hotline is not None and not cause.directory.is_active(case.assigned_hotline):
        return True
    if case.closed_at is None or report.observed_at is None:
        return False
    return clamped(report.observed_at, cause.now) > case.closed_at


def _escalate(case: Case | None, report: ReportStatement, draft: Draft, way: Route, *, opens: bool) -> None:
    this = ReportOf(draft.cause.sender, report.event_id)
    for reason in dict.fromkeys(report.urgency):
        escalate(draft, reason, way, this)
    joins_nobody = case is not None and case.state == ORPHANED and case.desk is None
    if way.escalates and (opens or joins_nobody):
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
        "content_digest": cause.content_digest,
        "readers": cause.readers,
    }

"""An origin takes back its report: the case goes on with the reports of others, and ends without any.

Whoever was handed the report is told and asked to confirm: those responsible now or earlier, and police and
authorities that were told of the case. Other origins never had it.

A report is named by its event id, as long as the case knows it (`known_reports`). What is stored of it is
erased with the contents of its case, and not before: police may have asked that they are kept.
"""

from collections.abc import Mapping
from typing import Any, Final

from casework.action_details import Action
from casework.answers import ACCEPTED, Answer, not_applicable, refused
from casework.causes import Draft
from casework.known_reports import may_leave, without
from casework.legs import Changes
from casework.matters.confirmations import CORRECTION, asking, with_asked
from casework.matters.corrections import told_of
from casework.messages import Case, Fact, Origin
from casework.notices import UPDATE, Notice
from casework.parties import origin_of, told_officials
from casework.statements import assessment_of, without_reports_of
from casework.states import CLOSED

WITHDRAWN: Final = "withdrawn"

_NOT_YOURS: Final = refused("not_your_report", "sender", "only an origin takes back its own report")
_OTHER_REPORT: Final = not_applicable(
    "other_report",
    "report_event_id",
    "Not among your reports that the case still knows, the oldest and the newest 15; leave it out for all.",
)


def _withdraw(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    cause = draft.cause
    origin = origin_of(case, cause.sender)
    if origin is None:
        return _NOT_YOURS
    if action.report_event_id is not None and not may_leave(origin, action.report_event_id):
        return _OTHER_REPORT
    handed = (case.assigned_hotline, *case.former, *told_officials(case, cause.directory))
    draft.by_sender(
        WITHDRAWN,
        **details,
        action=action.action,
        origin=cause.sender,
        report_event_id=action.report_event_id,
        **asking(handed, cause),
    )
    if case.state != CLOSED and not _left(case, cause.sender, action.report_event_id):
        draft.by_rule("closed", outcome=WITHDRAWN)
    return ACCEPTED


def _left(case: Case, member: str | None, report_event_id: str | None) -> tuple[Origin, ...]:
    """Answer the origins without one report of a member, or without all of them where none is named."""
    if report_event_id is None:
        return tuple(origin for origin in case.origins if origin.member != member)
    return without(case.origins, member, report_event_id)


def _withdrawn(case: Case, fact: Fact) -> Changes:
    left = _left(case, fact.origin, fact.report_event_id)
    changes: Changes = {"origins": left, "asked": with_asked(case, fact, CORRECTION)}
    if all(origin.member != fact.origin for origin in left):
        stated = without_reports_of(case.stated, fact.origin)
        changes |= {"stated": stated, **assessment_of(stated, case.round)}
    return changes


def _told(after: Case, fact: Fact) -> tuple[Notice, ...]:
    entitled = {*fact.members, after.assigned_hotline, after.desk, *after.former}
    told = (notice.recipient for notice in told_of(after, fact))
    return tuple(Notice(one, UPDATE, fact.report_event_id) for one in told if one in entitled)


ACTION_RULES: Final = {"withdraw": _withdraw}
EVOLVE: Final = {WITHDRAWN: _withdrawn}
NOTICES: Final = {WITHDRAWN: _told}

"""Content that those responsible cannot open: others who can are asked to re-wrap it within a time.

It happens when a key was changed, when a report is about another country than its case, when a case is handed
on or claimed. The exchange holds no key: all it sees is which keys a content was wrapped for.
"""

from typing import Final

import msgspec

from casework.answers import ACCEPTED, Answer, not_applicable, refused
from casework.causes import Cause, Draft
from casework.claimed_times import HOUR_MS
from casework.content_readers import mandated, opening_keys
from casework.directory import Directory
from casework.messages import ActionStatement, Case
from casework.parties import is_party, names_case, origin_of
from casework.placing import ReportOf, withheld
from casework.routing import Route
from casework.sealed_content import join_marks, opens
from casework.states import ORPHANED
from casework.transitions import transition

REWRAP_MS: Final = 4 * HOUR_MS
"""How long holders may take. An assumption: connectors answer by themselves within seconds, so four hours
are a night's outage; after them the police liaison, for whom every content is sealed too, is told."""


_UNKNOWN_CASE: Final = refused("unknown_case", "case_id", "no report of this url_key is here")


def ask_if_unreadable(
    draft: Draft, way: Route, report: ReportOf, readers: bytes | None, case: Case | None
) -> None:
    """Write that a re-wrap is asked for, where those who are responsible from now on can open nothing.

    Who is only offered the case, and police who have it alone, need no content yet: nobody is asked for them.

    Args:
        draft: Where the fact is written.
        way: Where the case goes: to a hotline, or to the mandated hotlines at a desk.
        report: The report that is to be re-wrapped.
        readers: Marks of the keys that open at least one content of the case.
        case: The case before the record. Hotlines of its earlier legs are asked, too.
    """
    cause = draft.cause
    hotline, origin = way.assigned_hotline, report.origin
    if (hotline is None and way.desk is None) or hotline == origin:
        return
    if opens(readers, _keys(cause.directory, hotline, cause.submitted_at)):
        return
    asked = _whom_to_ask(cause.directory, hotline, report, case)
    draft.by_rule(
        "rewrap_asked",
        due_at=cause.now + REWRAP_MS,
        origin=asked.report.origin,
        report_event_id=asked.report.event_id,
        members=asked.left_out,
    )


class _Asked(msgspec.Struct, frozen=True):
    """A report that is to be re-wrapped, and those of its holders who are not asked."""

    report: ReportOf
    left_out: tuple[str, ...]


def _whom_to_ask(directory: Directory, hotline: str | None, report: ReportOf, case: Case | None) -> _Asked:
    """Answer the report that a leg begins with, or the first of another origin, that somebody can re-wrap.

    Who is suspended or has left sends nothing, and who may not have a report is not shown it. Any one report
    that those responsible can open lets them begin. Where nobody is left at all, the first stands, for the
    time when somebody is back.
    """
    reports = [report]
    earlier: tuple[str | None, ...] = ()
    if case is not None:
        earlier = (*case.former, case.assigned_hotline)
        others = [one for one in case.origins if one.member not in {report.origin, hotline}]
        reports += [
            ReportOf(one.member, one.last_event_id)
            for one in others
            if not withheld(directory, hotline, (one.member,))
        ]
    found = [_asked_for(directory, one, earlier) for one in reports]
    nobody = {None, hotline}
    able = (one for one in found if {one.report.origin, *earlier} - {*one.left_out, *nobody})
    return next(able, found[0])


def _asked_for(directory: Directory, report: ReportOf, earlier: tuple[str | None, ...]) -> _Asked:
    left_out = [
        one
        for one in dict.fromkeys((report.origin, *earlier))
        if one is not None and (not directory.is_active(one) or withheld(directory, one, (report.origin,)))
    ]
    return _Asked(report, tuple(left_out))


def note_if_readable(case: Case, draft: Draft, readers: bytes | None) -> None:
    """Write that those responsible can open a content of the case now, where that was waited for."""
    cause = draft.cause
    if case.rewrap_due_at is None:
        return
    # Who sent it has it.
    if cause.sender == case.assigned_hotline or opens(
        readers, _keys(cause.directory, case.assigned_hotline, cause.submitted_at)
    ):
        draft.by_rule("readable")


def decide_rewrap(case: Case | None, action: ActionStatement, cause: Cause, draft: Draft) -> Answer:
    """Write the facts of a re-wrap into `draft` and answer its sender."""
    if case is None or case.round == 0:
        if case is not None and case.waiting:  # else it only began with a parked record
            draft.by_sender("refused", action=action.action, rule=_UNKNOWN_CASE.rule)
        return _UNKNOWN_CASE
    answer = _refusal(case, action, cause)
    if answer is not None:
        kind = "refused" if answer.outcome == "refused" else "not_applicable"
        draft.by_sender(kind, action=action.action, rule=answer.rule)
        return answer
    origin = next(one for one in case.origins if one.last_event_id == action.report_event_id)
    barred = withheld(cause.directory, case.assigned_hotline, (origin.member,))
    draft.by_sender(
        "rewrapped",
        action=action.action,
        origin=origin.member,
        report_event_id=origin.last_event_id,
        content_digest=cause.content_digest,
        readers=cause.readers,
        members=barred,
    )
    if not barred:
        note_if_readable(case, draft, join_marks(case.readers, cause.readers))
    return ACCEPTED


def _refusal(  # noqa: PLR0911 - one way out for each rule
    case: Case, action: ActionStatement, cause: Cause
) -> Answer | None:
    if not is_party(case, cause.sender, cause.directory):
        return refused("not_a_party", "sender", "not a party of this case")
    if action.case_id is None or not names_case(case, cause.sender, action):
        return refused("wrong_case", "case_id", "the case id of this url_key")
    if transition(action.action, case.state) is None:
        return not_applicable("case_closed", "case_id", "The case is closed: nobody needs its content.")
    origin = next((one for one in case.origins if one.last_event_id == action.report_event_id), None)
    if origin is None:
        return not_applicable(
            "other_report",
            "report_event_id",
            "A later report of its origin is handed on instead.",
        )
    if cause.readers is None:
        return refused("clear_content", "content_protection", "a re-wrap carries sealed content")
    if cause.content_digest != origin.content_digest:
        return refused(
            "content_swapped", "content_digest", "that of the report: only recipients may be added"
        )
    if not _holds(case, cause, origin.member):
        return refused("not_a_holder", "sender", "another origin, who was never handed this report")
    # Marks are of the whole case and of keys that others claim to have wrapped for: only of what its own
    # origin says is it known to be about this report, so that one is never told that it is done.
    if cause.sender != origin.member and join_marks(case.readers, cause.readers) == case.readers:
        return not_applicable("already_done", "content", "These recipients can open it already.")
    return None


def _holds(case: Case, cause: Cause, reporter: str) -> bool:
    """Answer whether the sender may hold a report: not one who is a party by a report of its own alone.

    Nobody but its readers can see whether a key was really wrapped, so whoever finds the same address could
    name the responsible hotline as a reader and let the others believe that it can open the report.
    """
    if cause.sender in {reporter, case.assigned_hotline, *case.former}:
        return True
    if origin_of(case, cause.sender) is None:
        return True
    member = cause.directory.members_by_id.get(cause.sender)
    return member is not None and case.state == ORPHANED and "orphans" in member.mandates


def _keys(directory: Directory, hotline: str | None, at: int) -> tuple[str, ...]:
    members = (hotline,) if hotline is not None else tuple(member.id for member in mandated(directory))
    return opening_keys(directory, members, at)

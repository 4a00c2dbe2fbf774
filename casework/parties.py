"""Who is what to a case: responsible, origin, former or police; everybody else is a stranger."""

from casework.directory import Directory
from casework.ids import id_bytes
from casework.messages import ActionStatement, Case, Origin, Waiting
from casework.transitions import ORPHANED


def origin_of(case: Case, member: str) -> Origin | None:
    """Answer what the case keeps of an origin, or None when the member has reported nothing."""
    return next((origin for origin in case.origins if origin.member == member), None)


def place(case: Case) -> str | None:
    """Answer who must act or take over: the responsible hotline, the desk, or nobody (police alone)."""
    return case.assigned_hotline if case.assigned_hotline is not None else case.desk


def is_party(case: Case, member_id: str, directory: Directory) -> bool:
    """Answer whether a member is entitled to speak about a case.

    Entitled are its origins, the hotlines responsible now or earlier, police of the hosting country or with
    an escalation of the case, mandated hotlines while it is orphaned, those whose confirmation is waited for,
    and the secretariat, which may send nothing but notes, confirmations and erasures (`action_checks`).
    """
    if member_id == case.assigned_hotline or member_id in case.former or origin_of(case, member_id):
        return True
    if any(member_id in asked.members for asked in case.asked):
        return True
    member = directory.members_by_id.get(member_id)
    if member is None:
        return False
    if member.kind == "law_enforcement":
        return case.hosting_country in member.countries or member.liaison in case.liaisons
    if member.kind == "secretariat":
        return True
    return case.state == ORPHANED and "orphans" in member.mandates


def secretariat_of(directory: Directory) -> str | None:
    """Answer the member that is told what nobody else sets right: the first active secretariat."""
    return next((member.id for member in directory.active_members("secretariat")), None)


def names_case(case: Case, sender: str, action: ActionStatement | Waiting) -> bool:
    """Answer whether the ids an action gives fit the case.

    Of an origin with more than two reports only the first and the last id are kept for ever, so an id of one
    between them is believed.
    """
    if action.case_id is not None:
        return action.case_id == case.case_id
    origin = origin_of(case, sender)
    if origin is None or action.report_event_id is None:
        return False
    if action.report_event_id in {origin.first_event_id, origin.last_event_id} or origin.count > 2:  # noqa: PLR2004 - first and last
        return True
    return any(seen.event_id == id_bytes(action.report_event_id) for seen in case.seen)

"""Who is what to a case: responsible, origin, former or police; everybody else is a stranger."""

from typing import Final

from casework.directory import Directory, Member, MemberKind
from casework.feed_names import feed_of
from casework.ids import id_bytes
from casework.known_reports import known_reports, knows_all
from casework.messages import ActionStatement, Case, Origin, Waiting
from casework.routing import liaisons_of
from casework.secrecy import police_of
from casework.states import ACKNOWLEDGED, ASSIGNED_STATES, OFFERED, ORPHANED
from casework.stubs import last_number

_OF_POLICE: Final = frozenset({"hold", "release", "preserve", "acknowledged", "confirmed"})
"""What police may send that are a party by a hold or by keeping the case only."""


def origin_of(case: Case, member: str) -> Origin | None:
    """Answer what the case keeps of an origin, or None when the member has reported nothing."""
    return next((origin for origin in case.origins if origin.member == member), None)


def is_a(directory: Directory, member_id: str, kind: MemberKind) -> bool:
    """Answer whether a member is of a kind; who is not listed is of none."""
    member = directory.members_by_id.get(member_id)
    return member is not None and member.kind == kind


def place(case: Case) -> str | None:
    """Answer who must act or take over: the responsible hotline, the desk, or nobody (police alone)."""
    return case.assigned_hotline if case.assigned_hotline is not None else case.desk


def answerable(case: Case) -> tuple[str, ...]:
    """Answer the hotlines an open case is with: the responsible one, or those it is offered to."""
    if case.state == OFFERED:
        return case.pool
    is_assigned = case.assigned_hotline is not None and case.state in ASSIGNED_STATES
    return (str(case.assigned_hotline),) if is_assigned else ()


def is_party(case: Case, member_id: str, directory: Directory) -> bool:
    """Answer whether a member is entitled to speak about a case.

    Entitled are its origins, the hotlines responsible now or earlier and those it is offered to, police of
    the hosting country or with an escalation or a feed item of the case, who asked for a hold or for whom one
    was set or asked for, police who keep it from erasure, an authority that was told of it, mandated hotlines
    while it is orphaned, those whose confirmation is waited for, and the secretariat, which may send nothing
    but notes, confirmations and erasures (`action_checks`).
    """
    return (
        _is_told(case, member_id, directory)
        or _is_of_hold(case, member_id, directory)
        or _keeps(case, member_id)
    )


def may_say(case: Case, member_id: str, action: str, directory: Directory) -> bool:
    """Answer whether a member is a party that may send an action of a code at all.

    Police that only asked for a hold, speak for one or keep the case say nothing of the content itself: they
    were told nothing of it, and could take a case by an observation of theirs.
    """
    if action in _OF_POLICE:
        return is_party(case, member_id, directory)
    return _is_told(case, member_id, directory)


def _is_told(case: Case, member_id: str, directory: Directory) -> bool:
    """Answer whether a member is a party by more than a hold or by keeping the case."""
    if member_id == case.assigned_hotline or member_id in case.former or origin_of(case, member_id):
        return True
    if member_id in case.pool or any(member_id in asked.members for asked in case.asked):
        return True
    member = directory.members_by_id.get(member_id)
    if member is None:
        return False
    if member.kind == "secretariat":
        return True
    return _is_official(case, member) or (case.state == ORPHANED and "orphans" in member.mandates)


def _keeps(case: Case, member_id: str) -> bool:
    """Answer whether a member keeps the case from erasure, which it may end wherever the host is now."""
    return member_id in case.references or any(one.by == member_id for one in case.preservations)


def _is_official(case: Case, member: Member) -> bool:
    if member.kind == "authority":
        return last_number(case, member.id) > 0
    return is_concerned(case, member) or (member.kind == "law_enforcement" and was_fed(case, member.id))


def is_concerned(case: Case, member: Member) -> bool:
    """Answer whether police have a case by their country or an escalation; asking for a hold gives none."""
    is_police = member.kind == "law_enforcement"
    return is_police and (case.hosting_country in member.countries or member.liaison in case.liaisons)


def told_officials(case: Case, directory: Directory) -> tuple[str, ...]:
    """Answer the active police and authorities among the parties that were told anything of a case, by id."""
    return tuple(
        member.id
        for member in directory.members
        if member.active
        and _is_official(case, member)
        and (member.liaison in case.liaisons or was_fed(case, member.id) or last_number(case, member.id) > 0)
    )


def could_claim(case: Case, member_id: str, directory: Directory) -> bool:
    """Answer whether a case that a hotline has now was offered to a member before it was claimed."""
    member = directory.members_by_id.get(member_id)
    if member is None or member.kind != "hotline":
        return False
    if case.lease is None:
        was_at_desk = case.assigned_country != case.hosting_country
    else:
        was_at_desk = case.lease.queue != OFFERED
    if was_at_desk:
        return "orphans" in member.mandates
    if directory.pseudo_country(case.hosting_country) is not None:
        return False
    rule = directory.country(case.hosting_country)
    return rule.routing == "claim" and any(share.member == member_id for share in rule.hotlines)


def secretariat_of(directory: Directory) -> str | None:
    """Answer the member that is told what nobody else sets right: the first active secretariat."""
    return next((member.id for member in directory.active_members("secretariat")), None)


def was_fed(case: Case, liaison: str) -> bool:
    """Answer whether a liaison's feed has had an item of a case."""
    return last_number(case, feed_of(liaison)) > 0


def has_report(case: Case, event_id: str) -> bool:
    """Answer whether a report is one of a case, as far as the case keeps its reports."""
    kept = {event_id for origin in case.origins for event_id in known_reports(origin)}
    kept.update(escalation.report_event_id for escalation in case.open_escalations)
    return event_id in kept or any(seen.event_id == id_bytes(event_id) for seen in case.seen)


def hosting_liaison(directory: Directory, country: str) -> str | None:
    """Answer the member that speaks for the police of a hosting country; else INTERPOL or Europol."""
    serving = [one for one in directory.active_members("law_enforcement") if country in one.countries]
    if serving:
        return min(serving, key=lambda one: (one.liaison != country.lower(), one.id)).id
    codes = liaisons_of(directory, country, None)
    member = directory.liaison(codes[0]) if codes else None
    return None if member is None else member.id


def is_hosting_liaison(directory: Directory, member_id: str, country: str) -> bool:
    """Answer whether a member may speak for the police of a hosting country."""
    member = directory.members_by_id.get(member_id)
    if member is None or not member.active or member.kind != "law_enforcement":
        return False
    return country in member.countries or hosting_liaison(directory, country) == member_id


def stand_in(case: Case, directory: Directory) -> str | None:
    """Answer who has the say in a hold in place of its liaison, which is suspended or has left; else None."""
    hold, country = case.hold, case.hosting_country
    if hold is None or is_hosting_liaison(directory, hold.liaison, country):
        return None
    return hosting_liaison(directory, country)


def is_left_to_hotline(case: Case, directory: Directory) -> bool:
    """Answer whether the responsible hotline may end the hold in force.

    What police have set is theirs to end, as long as its liaison or other police of the country are there.
    """
    hold, country = case.hold, case.hosting_country
    if hold is None or hold.by != hold.liaison:
        return hold is not None
    if is_hosting_liaison(directory, hold.liaison, country):
        return False
    return not any(country in one.countries for one in directory.active_members("law_enforcement"))


def asks_for_hold(
    case: Case, member_id: str, action: ActionStatement | Waiting, directory: Directory
) -> bool:
    """Answer whether police ask for a hold of a case that they name: they need no escalation for that."""
    is_police = is_a(directory, member_id, "law_enforcement") and directory.is_active(member_id)
    return is_police and action.action == "hold" and action.case_id == case.case_id


def _is_of_hold(case: Case, member_id: str, directory: Directory) -> bool:
    """Answer whether a member has a say in a hold or a request for one: who asks, and who is to answer.

    That is the liaison they name, and whoever speaks for the country's police by now: it may have left.
    """
    if case.hold is None and not case.hold_requests:
        return False
    is_asked = any(member_id in {one.by, one.liaison} for one in case.hold_requests)
    is_named = is_asked or member_id in police_of(case.hold)
    return is_named or is_hosting_liaison(directory, member_id, case.hosting_country)


def names_case(case: Case, sender: str, action: ActionStatement | Waiting) -> bool:
    """Answer whether the ids an action gives fit the case.

    Of an origin with more reports than the case knows an id that it does not know is believed. An
    acknowledgement may name anybody's report: police know an escalation by it.
    """
    if action.case_id is not None:
        return action.case_id == case.case_id
    origin = origin_of(case, sender)
    if action.report_event_id is None:
        return False
    if action.action == ACKNOWLEDGED and has_report(case, action.report_event_id):
        return True
    if origin is None:
        return False
    if action.report_event_id in known_reports(origin) or not knows_all(origin):
        return True
    return any(seen.event_id == id_bytes(action.report_event_id) for seen in case.seen)

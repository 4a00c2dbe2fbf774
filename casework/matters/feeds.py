"""Feeds: what a police liaison subscribed to beyond escalations, as the directory says (`Member.feed`).

Nothing is asked when an item is made: the facts of a decision say whether the case came to a country of the
liaison, was judged, or ended. One decision makes one item for each subscriber.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from casework.action_details import Action
from casework.answers import ACCEPTED, Answer, not_applicable
from casework.causes import Draft
from casework.directory import Directory, Member
from casework.feed_names import feed_of
from casework.legs import Changes, no_change
from casework.messages import Case, Fact
from casework.notices import FEED_ITEM, Notice, to_nobody
from casework.placing import ReportOf
from casework.statements import ASSESSING
from casework.states import ACKNOWLEDGED, ASSIGNED_STATES
from casework.transitions import EFFECTLESS

CONFIRMED: Final = frozenset({"baseline", "national"})
"""Assessments that the feed of all confirmed cases is about: what INTERPOL pulls from ICCAM today."""
_BEGINS_A_LEG: Final = frozenset({"opened", "reopened", "assigned", "orphaned", "offered"})
_ENDS: Final = "closed"
_JUDGES: Final = frozenset({"opened", "reopened", "assessed", "corrected"})


def feed(case: Case | None, draft: Draft) -> None:
    """Write the items that the facts of a decision mean for those who subscribed."""
    directory = draft.cause.directory
    if not directory.subscribers:
        return
    facts = [fact for fact in draft.facts if not EFFECTLESS.intersection(fact.breaches)]
    for liaison in directory.subscribers:
        told = _told(case, facts, liaison)
        if told is None:
            continue
        report = _report_for(case, facts, liaison, directory)
        if report is not None:
            draft.by_rule(
                "fed",
                recipient=liaison.id,
                origin=report.origin,
                report_event_id=report.event_id,
                fact_ref=told.number,
                outcome=told.outcome,
            )


def would_feed(directory: Directory, host: str, classification: str | None) -> bool:
    """Answer whether a report that opens a case could make an item for anybody."""
    return any(
        host in one.countries if one.feed == "all_hosted" else classification in CONFIRMED
        for one in directory.subscribers
    )


def _told(case: Case | None, facts: Iterable[Fact], liaison: Member) -> Fact | None:
    """Answer the fact that a liaison is told by an item: the last of the decision that it subscribed to."""
    if liaison.feed == "all_hosted":
        subscribed = (fact for fact in facts if _is_hosted(fact, liaison))
    else:
        was_confirmed = case is not None and case.classification in CONFIRMED
        subscribed = (fact for fact in facts if _is_confirmed(fact, was_confirmed=was_confirmed))
    return max(subscribed, key=lambda fact: fact.number, default=None)


def _is_hosted(fact: Fact, liaison: Member) -> bool:
    return (fact.fact in _BEGINS_A_LEG or fact.fact == _ENDS) and fact.hosting_country in liaison.countries


def _is_confirmed(fact: Fact, *, was_confirmed: bool) -> bool:
    """Answer whether a fact confirms a case, or takes back what was told as confirmed."""
    if fact.fact not in _JUDGES or fact.classification is None:
        return False
    if fact.fact == "corrected" and fact.action not in ASSESSING:
        return False
    return fact.classification in CONFIRMED or (fact.fact == "corrected" and was_confirmed)


def _report_for(
    case: Case | None, facts: Iterable[Fact], liaison: Member, directory: Directory
) -> ReportOf | None:
    """Answer the report to hand over: the one decided on, else the last of the first origin whose may be."""
    of_facts = (
        ReportOf(fact.origin, fact.report_event_id)
        for fact in facts
        if fact.origin is not None and fact.report_event_id is not None
    )
    of_case = (ReportOf(one.member, one.last_event_id) for one in (() if case is None else case.origins))
    return next((one for one in (*of_facts, *of_case) if directory.may_receive(liaison, one.origin)), None)


def acknowledge(case: Case, _: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    """Write that a liaison has its items of a case; as the directory says it counts as police informed."""
    sender = draft.cause.sender
    if feed_acknowledged(sender) in case.done:
        return not_applicable("already_done", "action", "acknowledged was taken in this leg already.")
    said = details["details"]
    draft.by_sender("feed_acknowledged", **details, fact_ref=None if said is None else said.fact_number)
    informs = draft.cause.directory.member(sender).feed_informs_police
    if informs and case.state in ASSIGNED_STATES and case.police_informed_at is None:
        draft.by_rule("police_informed", recipient=sender)
    return ACCEPTED


def feed_acknowledged(liaison: str) -> str:
    """Answer how a case notes that a liaison has acknowledged its feed in this leg."""
    return f"{ACKNOWLEDGED}:{liaison}"


def _acknowledged(case: Case, fact: Fact) -> Changes:
    return {"done": (*case.done, feed_acknowledged(fact.by))}


def _of_item(_: Case, fact: Fact) -> Iterator[Notice]:
    if fact.recipient is not None:
        yield Notice(feed_of(fact.recipient), FEED_ITEM, fact.report_event_id, fact.origin)


EVOLVE: Final[Mapping[str, Callable[[Case, Fact], Changes]]] = MappingProxyType(
    {"fed": no_change, "feed_acknowledged": _acknowledged}
)
NOTICES: Final[Mapping[str, Callable[[Case, Fact], Iterable[Notice]]]] = MappingProxyType(
    {"fed": _of_item, "feed_acknowledged": to_nobody}
)

"""What travels with the news of an action: its signed statement, and its content to those who may see it.

Notes are for everybody who is told. What touches an investigation, such as the reason of a hold or a police
reference, is for those who work on it: the responsible hotline and the liaisons concerned.
"""

from typing import Final

from casework.events import ActionEvent, Event
from casework.messages import Case, Fact, Submission
from casework.secrecy import HOLD_FACTS, police_of
from casework.statements import REPORT_FACTS

CONFIDENTIAL: Final = frozenset(
    {
        "held",
        "hold_asked",
        "hold_refused",
        "released",
        "preserved",
        "preservation_ended",
        "escalation_acknowledged",
        "feed_acknowledged",
    }
)
"""Facts whose content is about an investigation, whatever else it says."""


def is_confidential(fact: Fact) -> bool:
    """Answer whether the content of an action is for the responsible hotline and liaisons only."""
    return fact.fact in CONFIDENTIAL or (fact.details is not None and fact.details.has_police_reference)


def may_see(before: Case | None, after: Case, fact: Fact, recipient: str) -> bool:
    """Answer whether somebody who is told of an action may have its content."""
    if not is_confidential(fact):
        return True
    named = fact.members if fact.fact in HOLD_FACTS else ()
    concerned = {after.assigned_hotline, fact.recipient, *named}
    for case in (before, after):
        if case is not None:
            requests = [(one.by, one.liaison) for one in case.hold_requests]
            concerned.update(police_of(case.hold), *requests)
    return recipient in concerned


def action_of(fact: Fact, event: Event, *, with_content: bool) -> tuple[Submission | None, str | None]:
    """Answer the action that a fact states, and the event id under which its content is stored, if not here.

    A report's statement is told to no origin.

    Args:
        fact: The fact.
        event: The record the decision was made on.
        with_content: Whether the recipient may have the content.
    """
    if fact.statement is None or fact.fact in REPORT_FACTS:
        return None, None
    statement = Submission(statement=fact.statement, signature=fact.signature, key_id=fact.key_id)
    if not with_content:
        return statement, None
    if isinstance(event, ActionEvent) and event.admitted.event_id == fact.input_id:
        content = event.submission.content
        return Submission(
            statement=fact.statement, signature=fact.signature, key_id=fact.key_id, content=content
        ), None
    return statement, fact.input_id

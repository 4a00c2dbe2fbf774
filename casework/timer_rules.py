"""What passing time means for a case: a missed deadline, a report that never came, a hotline that left."""

import msgspec

from casework.answers import Answer, refused
from casework.causes import Cause, Draft, waiting_cause
from casework.due import REASSIGN, REWRAP, WAITING, Due
from casework.events import WakeUp
from casework.matters import TIMER_RULES
from casework.matters.feeds import feed
from casework.matters.hold_course import settle
from casework.messages import Case, Fact, Waiting
from casework.next_legs import hand_on, reason_to_reassign, way_of
from casework.placing import escalate
from casework.stubs import SHRINK, may_shrink

UNKNOWN_CASE = refused("unknown_case", "case_id", "no report of this url_key came within an hour")
UNREADABLE = "unreadable"


class Fired(msgspec.Struct, frozen=True):
    """What a due timer did.

    Attributes:
        facts: The facts, stamped with the timer's own due time.
        answer: The refusal of an action that waited in vain, else None.
        cause: Whom and what the answer is to.
    """

    facts: tuple[Fact, ...]
    answer: Answer | None
    cause: Cause


def fire(case: Case, due: Due, trigger: Cause) -> Fired:
    """Answer what a due timer means; its time is its own due time, never before the case's last."""
    at = max(case.last_now, due.at)
    cause = msgspec.structs.replace(trigger, now=at, occurred_at=due.at)
    if due.step == WAITING:
        waiting = _waiting(case, due.event_id)
        cause = msgspec.structs.replace(waiting_cause(waiting, trigger), now=at)
        draft = Draft(case, cause)
        draft.by_sender("refused", action=waiting.action, rule=UNKNOWN_CASE.rule, due_at=due.at)
        return Fired(tuple(draft.facts), UNKNOWN_CASE, cause)
    draft = Draft(case, cause)
    rule = TIMER_RULES.get(due.step)
    if rule is not None:
        rule(case, due, draft)
        settle(case, draft)
        feed(case, draft)
        return Fired(tuple(draft.facts), None, cause)
    draft.by_rule("overdue", step=due.step, due_at=due.at, occurred_at=due.at)
    if due.step == REWRAP:
        way, report = way_of(case, cause)
        escalate(draft, UNREADABLE, way, report)
    return Fired(tuple(draft.facts), None, cause)


def decide_wake_up(case: Case, event: WakeUp, cause: Cause, draft: Draft) -> None:
    """Write what a wake-up means beyond the timers that were due anyway.

    `shrink` makes a closed case a stub, if nothing has happened to it since the wake-up was sent.
    `reassign` means something only where the directory version of the record sends the case elsewhere
    (`reason_to_reassign`). A directory older than the case's last decision is not believed.
    """
    if event.admitted.step == SHRINK and event.admitted.source_offset == case.source_offset:
        if may_shrink(case):
            draft.by_rule("shrunk")
        return
    directory = cause.directory
    if event.admitted.step != REASSIGN or directory.version < case.directory_version:
        return
    reason = reason_to_reassign(case, directory)
    if reason is not None:
        hand_on(case, draft, way_of(case, cause), reason_code=reason)


def _waiting(case: Case, event_id: str) -> Waiting:
    return next(waiting for waiting in case.waiting if waiting.event_id == event_id)

"""decide: what a submission or a timer's record means for a case, as facts and an answer.

The rules of each kind of event have a module of their own: report_rules, action_rules, rewrap_rules,
timer_rules.
"""

import msgspec

from casework.action_rules import decide_action
from casework.answers import DUPLICATE, Answer, id_reused
from casework.causes import Cause, Draft, cause_of
from casework.copies import recognise
from casework.directory import Directory
from casework.events import Event, ReportEvent, Source, Unpark, WakeUp
from casework.matters.feeds import feed
from casework.matters.hold_course import settle
from casework.messages import Case, Fact, Waiting
from casework.protection import REWRAP
from casework.report_rules import decide_report
from casework.rewrap_rules import decide_rewrap
from casework.timer_rules import decide_wake_up


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What was decided.

    Attributes:
        facts: The facts, numbered on from those of the case.
        answer: The answer to the sender; None while an action waits, for a repeated record and for a timer.
    """

    facts: tuple[Fact, ...] = ()
    answer: Answer | None = None


def decide(case: Case | None, event: Event, now: int, directory: Directory, source: Source) -> Decision:
    """Answer what an event means for a case whose due timers have been applied.

    Args:
        case: The case, or None where the url key has none.
        event: What happened.
        now: The later of the case's last time and the admission; milliseconds since the epoch, UTC.
        directory: Version stamped on the record.
        source: Where the record stands.
    """
    return judge(case, event, cause_of(event, now, directory, source))


def judge(case: Case | None, event: Event, cause: Cause) -> Decision:
    """Answer the same as `decide`, for a caller that has made the cause already."""
    draft = Draft(case, cause)
    if isinstance(event, Unpark):
        return Decision()
    if isinstance(event, WakeUp):
        if case is not None:
            decide_wake_up(case, event, cause, draft)
            settle(case, draft)
            feed(case, draft)
        return Decision(tuple(draft.facts))
    copy = recognise(case, cause)
    if copy == "repeat":
        return Decision()
    if copy == "duplicate":
        return Decision(answer=DUPLICATE)
    if copy == "reused":
        return Decision(answer=id_reused(cause.digest or b""))
    answer: Answer | None
    if isinstance(event, ReportEvent):
        answer = decide_report(case, event.statement, cause, draft)
    elif event.statement.action == REWRAP:
        answer = decide_rewrap(case, event.statement, cause, draft)
    else:
        answer = decide_action(case, event.statement, cause, draft)
    settle(case, draft)
    feed(case, draft)
    return Decision(tuple(draft.facts), answer)


def decide_waiting(case: Case, waiting: Waiting, cause: Cause) -> Decision:
    """Answer what an action that waited means, now that its report has come."""
    draft = Draft(case, cause)
    answer = decide_action(case, waiting, cause, draft)
    settle(case, draft)
    feed(case, draft)
    return Decision(tuple(draft.facts), answer)

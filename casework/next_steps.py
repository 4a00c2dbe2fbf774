"""Who has to do what by when in a case, or why nobody has to: what the desk and the secretariat look at.

Everything is read from the state, so that it can be told of millions of cases without their facts. A timer
that is known here under no name is told as one of the exchange: a rule that is added is never left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from casework.codes import URGENCIES
from casework.directory import EXCHANGE
from casework.due import REWRAP, due_times
from casework.matters.confirmations import TOLD
from casework.matters.hold_course import PAUSED_STEPS
from casework.matters.overdue import ANSWERED_BY
from casework.messages import Case, OpenEscalation
from casework.states import ASSIGNED_STATES, AWAITED, CLOSED, ORPHANED

OPERATORS: Final = "operators"
"""Stands for those who run the exchange, who are no member."""

WHAT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "acknowledge": "acknowledge the report",
        "inform_police": "inform police",
        "inform_provider": "inform the provider",
        "confirm_removal": "say how it ended: removed, unavailable or not illegal",
        "rewrap": "re-wrap the content for those responsible",
        "rewrap_impossible": "nobody active holds it: reinstate a holder, or have the report sent again",
        "claim": "claim the case",
        "use_claim": "take a step, or the claim ends",
        "answer_host": "say where it is hosted: hosting_confirmed or moved",
        "end_hold": "release or renew the hold",
        "answer_hold": "consent to the hold that was asked for, or refuse it",
        "acknowledge_escalation": "acknowledge the escalation",
        "confirm_correction": "confirm that the correction or withdrawal was carried out",
        "confirm_erasure": "confirm that the contents were erased",
        "close_reference": "end the preservation once the police reference is closed",
        "send_report": "send the report that an action waits for",
        "unpark": "let the parked case go on",
        "remind": "tell the secretariat if the step is still missing",
        "digest": "tell police in the digest of overdue providers",
        "erase": "erase the contents",
        "hold_warning": "warn that the hold ends",
    }
)
"""What is to be done, for people; the steps of a leg are named as their deadlines are, those of the exchange
as their timers."""

NO_STEP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "closed": "closed, and nothing is left to do",
        "kept_for_police": "closed; kept while a police reference is open",
        "parked": "parked: its records wait for the operators, and no timer runs meanwhile",
        "no_report": "no report has come",
        "no_clock": "no takedown clock runs for this host",
        "with_police": "no hotline may claim it; police were told",
        "at_desk": "no limit is left: it lies at the desk, and police were told",
    }
)
"""Why a case has nothing with a time."""

DEADLINES: Final = tuple(ANSWERED_BY)
_ASSIGNED: Final = frozenset(ASSIGNED_STATES)


class NextStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody has to do.

    Attributes:
        what: Code of `WHAT`, or the step of a timer of the exchange.
        who: Members, codes of liaisons (as in `Case.liaisons`), a desk, operators or the exchange.
        due_at: Until when; milliseconds since the epoch, UTC; None: no time, or a hold has stopped the clock.
        since: Since when it is to be done; milliseconds since the epoch, UTC.
        is_missed: Whether that time has passed and the exchange has said so.
        about: What tells steps of one kind apart: a country, a fact's number, a reason or an event id.
    """

    what: str
    who: tuple[str, ...]
    due_at: int | None
    since: int
    is_missed: bool = False
    about: str = ""


class Outlook(msgspec.Struct, frozen=True):
    """What is to be done in a case.

    Attributes:
        steps: Earliest first; those without a time last.
        reason: Code of `NO_STEP`: why no step has a time; None where one has.
    """

    steps: tuple[NextStep, ...]
    reason: str | None = None


def outlook(case: Case) -> Outlook:
    """Answer what is to be done in a case, or why nothing with a time is."""
    if case.parked is not None:
        step = NextStep(what="unpark", who=(OPERATORS,), due_at=None, since=case.parked.since)
        return Outlook((step,), "parked")
    steps = [step for part in _PARTS for step in part(case)]
    known = {step.due_at for step in steps}
    steps.extend(
        NextStep(what=due.step, who=(EXCHANGE,), due_at=due.at, since=case.last_now, about=due.event_id)
        for due in due_times(case)
        if due.at not in known
    )
    steps.sort(key=lambda step: (step.due_at is None, step.due_at or step.since, step.what, step.about))
    has_time = any(step.due_at is not None for step in steps)
    return Outlook(tuple(steps), None if has_time else reason_for_none(case))


def next_steps(case: Case) -> tuple[NextStep, ...]:
    """Answer what is to be done in a case, earliest first."""
    return outlook(case).steps


def reason_for_none(case: Case) -> str:
    """Answer why a case has no step with a time, as a code of `NO_STEP`."""
    if case.state == CLOSED:
        return "kept_for_police" if case.references else "closed"
    if case.state == AWAITED:
        return "no_report"
    if case.state == ORPHANED:
        return "with_police" if case.desk is None else "at_desk"
    return "no_clock"


def _waiting(case: Case) -> Iterator[NextStep]:
    for waiting in case.waiting:
        yield NextStep(
            what="send_report",
            who=(waiting.sender,),
            due_at=waiting.due_at,
            since=case.opened_at,
            about=waiting.report_event_id or waiting.action,
        )


def _of_the_leg(case: Case) -> Iterator[NextStep]:
    """Yield the deadlines of the responsible hotline: those ahead as timers, those missed by their own."""
    if case.assigned_hotline is None or case.state not in _ASSIGNED:
        return
    ahead = {due.step: due.at for due in due_times(case)}
    for step in DEADLINES:
        if case.deadlines is None or is_done(case, step):
            continue
        is_missed = step in case.overdue
        is_paused = case.hold is not None and step in PAUSED_STEPS and not is_missed
        if not (step in ahead or is_missed or is_paused):
            continue
        at = None if is_paused else ahead.get(step, missed_at(case, step))
        yield NextStep(
            what=step, who=(case.assigned_hotline,), due_at=at, since=case.leg_started_at, is_missed=is_missed
        )


def missed_at(case: Case, step: str) -> int:
    """Answer when a step of the leg was due, which a case with these deadlines has missed."""
    if case.deadlines is None:
        return case.leg_started_at
    limit: int = getattr(case.deadlines, f"{step}_ms")
    return case.leg_started_at + limit + (case.paused_ms if step in PAUSED_STEPS else 0)


def is_done(case: Case, step: str) -> bool:
    """Answer whether a step of the leg was taken."""
    return getattr(case, ANSWERED_BY[step]) is not None


def _rewrap(case: Case) -> Iterator[NextStep]:
    if case.rewrap_due_at is None:
        return
    holders = (origin.member for origin in case.origins)
    who = tuple(dict.fromkeys(m for m in (*holders, *case.former) if m != case.assigned_hotline))
    yield NextStep(
        what="rewrap",
        who=who,
        due_at=case.rewrap_due_at,
        since=case.leg_started_at,
        is_missed=REWRAP in case.overdue,
    )


def _claims(case: Case) -> Iterator[NextStep]:
    claimers = case.pool or (() if case.desk is None else (case.desk,))
    if case.state not in {CLOSED, AWAITED} and case.assigned_hotline is None and claimers:
        yield NextStep(
            what="claim",
            who=claimers,
            due_at=case.unclaimed_due_at,
            since=case.leg_started_at,
            is_missed=_has_passed(case, case.unclaimed_due_at),
            about=case.hosting_country,
        )
    if case.lease is not None and case.assigned_hotline is not None:
        yield NextStep(
            what="use_claim",
            who=(case.assigned_hotline,),
            due_at=case.lease.until,
            since=case.leg_started_at,
            about=case.lease.queue,
        )


def _host(case: Case) -> Iterator[NextStep]:
    if case.doubt is not None and case.assigned_hotline is not None:
        yield NextStep(
            what="answer_host",
            who=(case.assigned_hotline,),
            due_at=case.doubt.due_at,
            since=case.doubt.observed_at,
            about=case.doubt.hosting_country,
        )


def _holds(case: Case) -> Iterator[NextStep]:
    if case.hold is not None:
        yield NextStep(
            what="end_hold",
            who=(case.hold.liaison,),
            due_at=case.hold.until,
            since=case.hold.since,
            about=str(case.hold.fact_number),
        )
    for request in case.hold_requests:
        yield NextStep(
            what="answer_hold",
            who=(request.liaison,),
            due_at=request.until,
            since=request.asked_at,
            about=str(request.fact_number),
        )


def open_escalations(case: Case) -> tuple[OpenEscalation, ...]:
    """Answer the escalations that still need somebody: after the end of a case only the urgent ones do."""
    if case.state != CLOSED:
        return case.open_escalations
    return tuple(one for one in case.open_escalations if one.reason_code in URGENCIES)


def _escalations(case: Case) -> Iterator[NextStep]:
    for escalation in open_escalations(case):
        yield NextStep(
            what="acknowledge_escalation",
            who=(escalation.recipient,),
            due_at=escalation.due_at,
            since=case.opened_at,
            is_missed=escalation.attempt > 1,
            about=escalation.reason_code,
        )


def _confirmations(case: Case) -> Iterator[NextStep]:
    for asked in case.asked:
        yield NextStep(
            what=f"confirm_{asked.kind}",
            who=asked.members,
            due_at=None if asked.due_at == TOLD else asked.due_at,
            since=case.last_now,
            is_missed=asked.due_at == TOLD,
            about=str(asked.fact_number),
        )


def _references(case: Case) -> Iterator[NextStep]:
    if case.state == CLOSED and case.references:
        yield NextStep(
            what="close_reference", who=case.references, due_at=None, since=case.closed_at or case.last_now
        )


def _has_passed(case: Case, due_at: int | None) -> bool:
    """Answer whether a time has passed for the case: its timers are applied before anything later."""
    return due_at is not None and due_at <= case.last_now


_PARTS: Final[tuple[Callable[[Case], Iterable[NextStep]], ...]] = (
    _waiting,
    _of_the_leg,
    _rewrap,
    _claims,
    _host,
    _holds,
    _escalations,
    _confirmations,
    _references,
)

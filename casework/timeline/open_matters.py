"""Holds, escalations and confirmations of a case, each with how it was answered."""

from collections.abc import Iterable
from typing import Final

import msgspec

from casework.matters.confirmations import TOLD
from casework.messages import Case, Hold, HoldRequest
from casework.timeline.moments import Moment

ACKNOWLEDGED: Final = "escalation_acknowledged"


class AnsweredHold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold, or a request for one that waits for consent.

    Attributes:
        by: Who set it or asks for it.
        liaison: The hosting country's liaison.
        asked_by: Whose request it grants.
        since: When it was set or asked for.
        until: When it expires; of a request the expiry asked for.
        is_request: Whether it is only asked for.
        warned: How many warnings before the expiry were sent.
        ended_at: When it ended or was answered.
        ended_by: Kind of the fact that ended or answered it.
    """

    by: str
    liaison: str
    asked_by: str | None = None
    since: int
    until: int
    is_request: bool = False
    warned: int = 0
    ended_at: int | None = None
    ended_by: str | None = None


class Escalated(msgspec.Struct, frozen=True, kw_only=True):
    """An escalation.

    Attributes:
        recipient: Code of the liaison it went to.
        reason_code: Why.
        at: When.
        attempt: How often it had been sent then, from 1.
        report_event_id: Event id of its report.
        acknowledged_at: When police acknowledged it; None while nobody has.
        acknowledged_by: Who did.
    """

    recipient: str
    reason_code: str
    at: int
    attempt: int
    report_event_id: str | None
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """What one member was asked to confirm.

    Attributes:
        fact_number: Number of the correction or the erasure.
        kind: correction or erasure.
        member: Who was asked.
        asked_at: When.
        due_at: Until when.
        is_missed: Whether the secretariat was told that it had not confirmed in time.
        confirmed_at: When it confirmed; None while it has not.
        ended_by: Kind of the fact after which it was waited for no longer.
    """

    fact_number: int
    kind: str
    member: str
    asked_at: int
    due_at: int
    is_missed: bool = False
    confirmed_at: int | None = None
    ended_by: str | None = None


def holds_of(moments: Iterable[Moment]) -> tuple[AnsweredHold, ...]:
    """Answer holds and requests in the order they were set or asked for."""
    found: list[AnsweredHold] = []
    current: int | None = None
    requests: dict[int, int] = {}
    for moment in moments:
        case = moment.after
        if case is None:
            continue
        asked = {request.fact_number: request for request in case.hold_requests}
        for number in [number for number in requests if number not in asked]:
            place = requests.pop(number)
            found[place] = _ended(found[place], moment)
        if case.hold is None and current is not None:
            found[current] = _ended(found[current], moment)
            current = None
        elif case.hold is not None and current is None:
            current = len(found)
            found.append(_of_hold(case.hold))
        elif case.hold is not None and current is not None:
            found[current] = msgspec.structs.replace(
                found[current], until=case.hold.until, warned=max(found[current].warned, case.hold.warned)
            )
        for number, request in asked.items():
            if number not in requests:
                requests[number] = len(found)
                found.append(_of_request(request))
    return tuple(found)


def _of_hold(hold: Hold) -> AnsweredHold:
    return AnsweredHold(
        by=hold.by,
        liaison=hold.liaison,
        asked_by=hold.asked_by,
        since=hold.since,
        until=hold.until,
        warned=hold.warned,
    )


def _of_request(request: HoldRequest) -> AnsweredHold:
    return AnsweredHold(
        by=request.by,
        liaison=request.liaison,
        since=request.asked_at,
        until=request.until,
        is_request=True,
    )


def _ended(hold: AnsweredHold, moment: Moment) -> AnsweredHold:
    fact = moment.fact
    return msgspec.structs.replace(hold, ended_at=fact.admitted_at, ended_by=fact.fact)


def escalations_of(moments: Iterable[Moment]) -> tuple[Escalated, ...]:
    """Answer escalations in the order they were sent; an acknowledgement answers all before it."""
    found: list[Escalated] = []
    for moment in moments:
        fact = moment.fact
        if fact.fact == "escalated":
            found.append(
                Escalated(
                    recipient=fact.recipient or "",
                    reason_code=fact.reason_code or "",
                    at=fact.admitted_at,
                    attempt=fact.attempt or 1,
                    report_event_id=fact.report_event_id,
                )
            )
        elif fact.fact == ACKNOWLEDGED and not fact.breaches:
            found = [
                each
                if each.acknowledged_at is not None
                else msgspec.structs.replace(each, acknowledged_at=fact.admitted_at, acknowledged_by=fact.by)
                for each in found
            ]
    return tuple(found)


def confirmations_of(moments: Iterable[Moment]) -> tuple[Confirmation, ...]:
    """Answer what each member was asked to confirm, in the order it was asked."""
    found: dict[tuple[int, str, str], Confirmation] = {}
    for moment in moments:
        fact = moment.fact
        still = _asked(moment.after)
        for key, due_at in still.items():
            number, kind, member = key
            found.setdefault(
                key,
                Confirmation(
                    fact_number=number, kind=kind, member=member, asked_at=fact.admitted_at, due_at=due_at
                ),
            )
            if due_at == TOLD:
                found[key] = msgspec.structs.replace(found[key], is_missed=True)
        for key, known in found.items():
            if key in still or known.ended_by is not None:
                continue
            at = fact.admitted_at if fact.by == known.member else None
            found[key] = msgspec.structs.replace(known, confirmed_at=at, ended_by=fact.fact)
    return tuple(found.values())


def _asked(case: Case | None) -> dict[tuple[int, str, str], int]:
    if case is None:
        return {}
    return {
        (asked.fact_number, asked.kind, member): asked.due_at
        for asked in case.asked
        for member in asked.members
    }

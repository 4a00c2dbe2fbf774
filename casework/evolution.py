"""evolve: a case after one more fact. Folding all facts of a case gives its state, byte for byte.

Nothing is decided here: a fact carries all that its state needs, so that any version of this program can
rebuild the states of any earlier one.
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import msgspec

from casework.action_details import done_key, role_of
from casework.copies import with_seen
from casework.directory import EXCHANGE
from casework.errors import BugError
from casework.known_reports import with_report, without
from casework.legs import Changes, leg_changes, no_change, open_without
from casework.matters import EVOLVE
from casework.messages import Case, Fact, Lease, Origin, Waiting
from casework.notices import Notice
from casework.recipients import counted, recipients
from casework.sealed_content import join_marks
from casework.statements import with_stated
from casework.states import (
    ACKNOWLEDGED,
    ASSIGNED,
    AWAITED,
    AWAITING_REWRAP,
    CLOSED,
    OFFERED,
    ORPHANED,
    furthest,
)
from casework.stubs import shrunk
from casework.transitions import EFFECTLESS, FINAL_ACTIONS, PARKING

T = TypeVar("T")


def evolve(case: Case | None, fact: Fact) -> Case:
    """Answer the case after a fact; the errors of `evolved`."""
    return evolved(case, fact)[0]


def evolved(case: Case | None, fact: Fact) -> tuple[Case, tuple[Notice, ...]]:
    """Answer the case after a fact, and who learns of the fact.

    Raises:
        BugError: The fact is of another case, out of number, or of a kind this version does not know.
    """
    before = _begun(fact) if case is None else case
    if fact.case_id != before.case_id or fact.number != before.number + 1:
        raise BugError(f"fact number {fact.number} cannot follow number {before.number}")
    source_offset = max(before.source_offset, fact.source_offset)
    if fact.fact in PARKING:
        # Neither time nor directory: what waits is decided as if it had not waited.
        parked = before.parked if fact.fact == "given_up" else fact.parked
        after = msgspec.structs.replace(
            before, parked=parked, number=fact.number, source_offset=source_offset
        )
        return after, ()
    if fact.fact == "shrunk":
        return shrunk(before, fact), ()
    rule = _RULES.get(fact.fact)
    if rule is None:
        raise BugError(f"this version does not know the fact {fact.fact}")
    has_no_effect = fact.breaches and EFFECTLESS.intersection(fact.breaches)
    changes = {} if has_no_effect else rule(before, fact)
    changes.setdefault("stated", with_stated(before.stated, fact))
    if before.waiting:
        changes["waiting"] = _still_waiting(changes.get("waiting", before.waiting), fact)
    after = msgspec.structs.replace(
        before,
        **changes,
        number=fact.number,
        source_offset=source_offset,
        last_now=fact.admitted_at,
        seen=with_seen(before, fact),
        directory_version=fact.directory_version,
        rules_version=fact.rules_version,
    )
    notices = recipients(case, after, fact)
    if notices:
        after = msgspec.structs.replace(after, deliveries=counted(after, notices))
    return after, notices


def fold(facts: Iterable[Fact]) -> Case | None:
    """Answer the case that facts make, from the first one on; None without facts."""
    case = None
    for fact in facts:
        case = evolve(case, fact)
    return case


def _begun(fact: Fact) -> Case:
    return Case(
        url_key=fact.url_key,
        case_id=fact.case_id,
        source_offset=fact.source_offset,
        environment=fact.environment,
        number=0,
        state=AWAITED,
        round=0,
        leg=0,
        hosting_country="",
        received_at=fact.admitted_at,
        opened_at=fact.admitted_at,
        leg_started_at=fact.admitted_at,
        last_now=fact.admitted_at,
        directory_version=fact.directory_version,
        rules_version=fact.rules_version,
    )


def _opened(case: Case, fact: Fact) -> Changes:
    return {
        **leg_changes(case, fact),
        **_assessment(case, fact),
        "state": ORPHANED if fact.assigned_hotline is None else ASSIGNED,
        "round": fact.round,
        "hosting_status": fact.hosting_status,
        "moves": 0,
        "chain": (),
        "move": None,
        "assigned_hotline": fact.assigned_hotline,
        "desk": None,
        "received_at": case.received_at if fact.received_at is None else fact.received_at,
        "opened_at": fact.admitted_at,
        "assessed_at": None,
        "closed_at": None,
        "outcome": None,
        "erase_at": None,
        "last_observed_at": _later(case.last_observed_at, fact.observed_at),
        "content_topic": fact.content_topic,
        "site_type": fact.site_type,
        "content_type": fact.content_type,
        "declined": (),
        "escalated": (),
        "origins": _with_report(case, fact) if fact.by == fact.origin else case.origins,
        "readers": fact.readers,
    }


def _linked(case: Case, fact: Fact) -> Changes:
    agrees = fact.hosting_status == "confirmed" and fact.hosting_country == case.hosting_country
    return {
        "hosting_status": fact.hosting_status if agrees else case.hosting_status,
        "erase_at": fact.erase_at if case.erase_at is None else case.erase_at,
        "readers": join_marks(case.readers, fact.readers),
        "origins": _with_report(case, fact),
        "last_observed_at": _later(case.last_observed_at, fact.observed_at),
    }


def _assigned(case: Case, fact: Fact) -> Changes:
    return {
        **leg_changes(case, fact),
        "state": ASSIGNED,
        "assigned_hotline": fact.assigned_hotline,
        "desk": None,
        "deadlines": fact.deadlines,
        "lease": None if fact.until is None else Lease(until=fact.until, queue=case.desk or OFFERED),
    }


def _orphaned(case: Case, fact: Fact) -> Changes:
    return {
        **leg_changes(case, fact),
        "state": ORPHANED,
        "assigned_hotline": None,
        "desk": fact.recipient,
        "unclaimed_due_at": fact.until,
    }


def _offered(case: Case, fact: Fact) -> Changes:
    return {
        **leg_changes(case, fact),
        "state": OFFERED,
        "assigned_hotline": None,
        "desk": None,
        "pool": fact.members,
        "unclaimed_due_at": fact.until,
    }


def _split_off(case: Case, fact: Fact) -> Changes:
    return {"origins": without(case.origins, fact.origin, fact.report_event_id)}


def _rewrap_asked(case: Case, fact: Fact) -> Changes:
    state = AWAITING_REWRAP if case.state == ASSIGNED else case.state
    return {"state": state, "rewrap_due_at": fact.due_at}


def _rewrapped(case: Case, fact: Fact) -> Changes:
    return {"readers": join_marks(case.readers, fact.readers)}


def _readable(case: Case, fact: Fact) -> Changes:
    """Let the leg's clock start: until now its hotline could not begin."""
    changes = {"rewrap_due_at": None, "open_escalations": open_without(case, {"unreadable"})}
    if case.state != AWAITING_REWRAP:
        return changes
    return {**changes, "state": ASSIGNED, "leg_started_at": fact.admitted_at, "paused_ms": 0}


def _step(case: Case, fact: Fact) -> Changes:
    # Its system may acknowledge by itself; only a step of people makes a claim good.
    makes_good = fact.by == case.assigned_hotline and fact.fact != ACKNOWLEDGED
    return {
        "lease": None if makes_good else case.lease,
        "state": CLOSED if fact.fact in FINAL_ACTIONS else furthest(case.state, fact.fact),
        "acknowledged_at": fact.admitted_at if case.acknowledged_at is None else case.acknowledged_at,
        "reference": case.reference if fact.reference is None else fact.reference,
        "done": (*case.done, done_key(fact.fact, fact.recipient_role)),
    }


def _assessed(case: Case, fact: Fact) -> Changes:
    return {**_step(case, fact), **_assessment(case, fact), "assessed_at": fact.admitted_at}


def _police_informed(case: Case, fact: Fact) -> Changes:
    """Note that police know; a liaison that read its feed took no step for the hotline."""
    if fact.by == EXCHANGE:
        return {"done": (*case.done, fact.fact), "police_informed_at": fact.admitted_at}
    return {**_step(case, fact), "police_informed_at": fact.admitted_at}


def _provider_informed(case: Case, fact: Fact) -> Changes:
    to_host = role_of(fact.recipient_role) == "host" and case.provider_informed_at is None
    at = fact.admitted_at if to_host else case.provider_informed_at
    return {**_step(case, fact), "provider_informed_at": at}


def _final(case: Case, fact: Fact) -> Changes:
    return {**_step(case, fact), **_closed(case, fact)}


def _closed(_: Case, fact: Fact) -> Changes:
    return {
        "state": CLOSED,
        "outcome": fact.outcome,
        "closed_at": fact.admitted_at,
        "rewrap_due_at": None,
        "doubt": None,
        "pool": (),
        "unclaimed_due_at": None,
        "lease": None,
        "erase_at": fact.erase_at,
    }


def _awaited(case: Case, fact: Fact) -> Changes:
    waiting = Waiting(
        event_id=fact.input_id,
        sender=fact.by,
        due_at=_given(fact.due_at),
        submitted_at=fact.submitted_at,
        clock_skew=fact.clock_skew,
        action=_given(fact.action),
        case_id=fact.named_case_id,
        report_event_id=fact.report_event_id,
        round=fact.round or None,
        leg=fact.leg or None,
        occurred_at=fact.occurred_at,
        reference=fact.reference,
        reason_code=fact.reason_code,
        recipient_role=fact.recipient_role,
        is_online=fact.is_online,
        observed_at=fact.observed_at,
        classification=fact.classification,
        law_country=fact.law_country,
        input_digest=_given(fact.input_digest),
        input_position=_given(fact.input_position),
        statement=_given(fact.statement),
        signature=fact.signature,
        key_id=fact.key_id,
        details=fact.details,
    )
    return {"waiting": (*case.waiting, waiting)}


_RULES: Final[dict[str, Callable[[Case, Fact], Changes]]] = {
    "opened": _opened,
    "reopened": _opened,
    "linked": _linked,
    "assigned": _assigned,
    "orphaned": _orphaned,
    "offered": _offered,
    "acknowledged": _step,
    "assessed": _assessed,
    "police_informed": _police_informed,
    "provider_informed": _provider_informed,
    **dict.fromkeys(FINAL_ACTIONS, _final),
    "closed": _closed,
    "awaited": _awaited,
    "key_mismatch": _split_off,
    "rewrap_asked": _rewrap_asked,
    "rewrapped": _rewrapped,
    "readable": _readable,
    "refused": no_change,
    "not_applicable": no_change,
    **EVOLVE,
}


def _assessment(case: Case, fact: Fact) -> Changes:
    """Answer the assessment after a fact; a baseline one of another member stays."""
    if fact.classification is None:
        return {}
    if case.classification == "baseline" and case.classified_by != fact.by:
        return {}
    return {
        "classification": fact.classification,
        "classified_by": fact.by,
        "law_country": fact.law_country,
    }


def _with_report(case: Case, fact: Fact) -> tuple[Origin, ...]:
    return with_report(
        case.origins, fact.by, _given(fact.report_event_id), fact.admitted_at, fact.content_digest
    )


def _still_waiting(waiting: tuple[Waiting, ...], fact: Fact) -> tuple[Waiting, ...]:
    if fact.fact == "awaited":
        return waiting
    return tuple(other for other in waiting if other.event_id != fact.input_id)


def _later(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _given(value: T | None) -> T:
    if value is None:
        raise BugError("a fact lacks a field that its kind must carry")
    return value

"""effects: what is sent because of a fact: deliveries to members and escalations to police."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from casework import codes
from casework.enclosing import action_of, may_see
from casework.errors import BugError
from casework.events import Event, ReportEvent
from casework.feed_names import is_feed
from casework.ids import derived_id, derived_id_for_url
from casework.messages import Case, Delivery, Escalation, Fact, Submission
from casework.notices import ERASURE_REQUEST, HOLD_REQUEST, OFFER, UPDATE, Notice
from casework.postings import Inbox, Posting
from casework.recipients import recipients
from casework.secrecy import HOLD_FACTS, as_shown
from casework.stubs import last_number

_WITHOUT_REPORT: Final = frozenset({UPDATE, OFFER, ERASURE_REQUEST, HOLD_REQUEST})
"""Kinds of delivery that hand over no report."""
_REPORT_FACTS: Final = frozenset({"opened", "linked", "reopened"})


def effects(
    before: Case | None, after: Case, fact: Fact, event: Event, notices: Iterable[Notice] | None = None
) -> tuple[Posting, ...]:
    """Answer the messages that a fact causes.

    Args:
        before: The case before the fact.
        after: The case after it.
        fact: The fact.
        event: The record the decision was made on; its content is filled in where it is the report concerned.
        notices: Who learns of the fact, as `evolved` found it; None looks for them.
    """
    if fact.fact == "escalated":
        return tuple(_escalations(after, fact, event))
    if notices is None:
        notices = recipients(before, after, fact)
    numbers: dict[str, int] = {}
    desks = {after.desk, None if before is None else before.desk}
    postings = []
    for notice in notices:
        number = 1 + (numbers.get(notice.recipient) or last_number(before, notice.recipient))
        numbers[notice.recipient] = number
        inbox: Inbox = "desk" if notice.recipient in desks else "inbox"
        if is_feed(notice.recipient):
            inbox = "feed"
        postings.append(_shown(after, fact, _delivery(before, after, fact, event, notice, number, inbox)))
    return tuple(postings)


def _shown(after: Case, fact: Fact, posting: Posting) -> Posting:
    body = posting.body
    shown = as_shown(after, fact, body) if isinstance(body, Delivery) else body
    if shown is body:
        return posting
    content_of = None if fact.fact in HOLD_FACTS else posting.content_of
    return msgspec.structs.replace(posting, body=shown, content_of=content_of)


def _delivery(  # noqa: PLR0913, PLR0917 - what a delivery is made of
    before: Case | None,
    after: Case,
    fact: Fact,
    event: Event,
    notice: Notice,
    number: int,
    inbox: Inbox,
) -> Posting:
    hands_over = notice.kind not in _WITHOUT_REPORT
    is_news = notice.kind not in {UPDATE, ERASURE_REQUEST} and inbox != "feed"
    is_urgent = is_news and _is_urgent(after, event, notice.report_event_id)
    if hands_over:
        enclosed = _report(event, notice.report_event_id)
        stored = notice.report_event_id if enclosed is None else None
    else:
        is_entitled = may_see(before, after, fact, notice.recipient)
        enclosed, stored = action_of(fact, event, with_content=is_entitled)
    tells_report = hands_over or fact.fact not in _REPORT_FACTS
    return Posting(
        recipient=notice.recipient,
        inbox=inbox,
        is_urgent=is_urgent,
        body=Delivery(
            case_id=after.case_id,
            url_key=after.url_key,
            recipient=notice.recipient,
            number=number,
            kind=notice.kind,
            delivery_id=derived_id(fact.fact_id, f"delivery.{notice.kind}.{number}", notice.recipient),
            environment=after.environment,
            is_urgent=is_urgent,
            round=after.round,
            leg=after.leg,
            state=after.state,
            is_repeat=notice.kind != UPDATE and _is_repeat(after),
            fact=fact.fact,
            fact_number=fact.number,
            by=fact.by,
            occurred_at=fact.occurred_at,
            admitted_at=fact.admitted_at,
            submitted_at=fact.submitted_at,
            received_at=after.received_at if fact.received_at is None else fact.received_at,
            breaches=fact.breaches,
            hosting_country=after.hosting_country if fact.hosting_country is None else fact.hosting_country,
            assigned_country=after.assigned_country,
            assigned_hotline=after.assigned_hotline,
            origin=notice.origin,
            report_event_id=notice.report_event_id,
            outcome=fact.outcome,
            step=fact.step,
            due_at=fact.due_at,
            reason_code=fact.reason_code,
            recipient_role=fact.recipient_role,
            reference=fact.reference if tells_report else None,
            is_online=fact.is_online,
            observed_at=fact.observed_at,
            classification=after.classification if fact.classification is None else fact.classification,
            law_country=after.law_country if fact.classification is None else fact.law_country,
            statement=None if enclosed is None else enclosed.statement,
            signature=None if enclosed is None else enclosed.signature,
            key_id=None if enclosed is None else enclosed.key_id,
            content=None if enclosed is None else enclosed.content,
            credentials=None if enclosed is None else enclosed.credentials,
            details=fact.details,
            until=fact.until,
            fact_ref=fact.fact_ref,
            chain=after.chain,
            hosting_status=after.hosting_status if fact.hosting_status is None else fact.hosting_status,
            needs_confirmation=_is_asked(after, fact, notice.recipient),
            priority=after.priority,
        ),
        content_of=stored,
    )


def _is_asked(after: Case, fact: Fact, recipient: str) -> bool:
    return any(asked.fact_number == fact.number and recipient in asked.members for asked in after.asked)


def _is_repeat(after: Case) -> bool:
    """Answer whether the case has had a report before the one handed over."""
    origins = after.origins
    return after.round > 1 or len(origins) > 1 or (bool(origins) and origins[0].count > 1)


def _escalations(after: Case, fact: Fact, event: Event) -> Iterator[Posting]:
    """Yield the escalation that a fact records, unless intake sent it at admission (urgency codes)."""
    reason, code, report_event_id, origin = (
        fact.reason_code,
        fact.recipient,
        fact.report_event_id,
        fact.origin,
    )
    if reason is None or code is None or report_event_id is None or origin is None:
        raise BugError("an escalated fact names reason, recipient, report and origin")
    attempt = fact.attempt or 1
    is_urgent = reason in codes.URGENCIES.codes
    if is_urgent and attempt == 1:
        return
    enclosed = _report(event, report_event_id)
    yield Posting(
        recipient=code,
        inbox="escalations",
        is_urgent=False,
        body=Escalation(
            escalation_id=derived_id_for_url(
                report_event_id, _escalation_kind(fact, reason, attempt), code, after.url_key
            ),
            recipient=code,
            reason_code=reason,
            is_urgent=is_urgent,
            attempt=attempt,
            due_at=fact.due_at,
            environment=after.environment,
            event_id=report_event_id,
            case_id=after.case_id,
            url_key=after.url_key,
            hosting_country=after.hosting_country if fact.hosting_country is None else fact.hosting_country,
            origin=origin,
            assigned_hotline=after.assigned_hotline,
            admitted_at=fact.admitted_at,
            submitted_at=fact.submitted_at,
            statement=None if enclosed is None else enclosed.statement,
            signature=None if enclosed is None else enclosed.signature,
            key_id=None if enclosed is None else enclosed.key_id,
            content=None if enclosed is None else enclosed.content,
            credentials=None if enclosed is None else enclosed.credentials,
        ),
        content_of=report_event_id if enclosed is None else None,
    )


def _escalation_kind(fact: Fact, reason: str, attempt: int) -> str:
    """Answer the kind of an escalation of a case; a report may go unclaimed in several legs."""
    kind = escalation_kind(reason, attempt)
    return f"{kind}.{fact.round}.{fact.leg}" if reason == "unclaimed" else kind


def escalation_kind(reason: str, attempt: int) -> str:
    """Answer the kind in the id of an escalation: each attempt is a message of its own."""
    return f"escalation.{reason}" if attempt == 1 else f"escalation.{reason}.{attempt}"


def _report(event: Event, report_event_id: str | None) -> Submission | None:
    """Answer the report's submission where the record itself brings it."""
    if isinstance(event, ReportEvent) and event.admitted.event_id == report_event_id:
        return event.submission
    return None


def _is_urgent(after: Case, event: Event, report_event_id: str | None) -> bool:
    if isinstance(event, ReportEvent) and event.admitted.event_id == report_event_id:
        return bool(event.statement.urgency)
    return any(reason in codes.URGENCIES.codes for reason in after.escalated)

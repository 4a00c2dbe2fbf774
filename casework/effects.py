"""effects: what is sent because of a fact: deliveries to members and escalations to police."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, cast

import msgspec

from casework import codes
from casework.enclosing import action_of, may_see
from casework.errors import BugError
from casework.events import Event, ReportEvent
from casework.feed_names import is_feed
from casework.ids import derived_id, derived_id_for_url
from casework.messages import Case, Delivery, Escalation, Fact, Move, Submission
from casework.notices import ERASURE_REQUEST, HOLD_REQUEST, OFFER, UPDATE, Notice
from casework.postings import Inbox, Posting
from casework.recipients import recipients
from casework.secrecy import HOLD_FACTS, as_shown
from casework.statements import REPORT_FACTS
from casework.stubs import last_number

_WITHOUT_REPORT: Final = frozenset({UPDATE, OFFER, ERASURE_REQUEST, HOLD_REQUEST})
"""Kinds of delivery that hand over no report."""
_NOTHING_ENCLOSED: Final = (None, None, None, None)
# By position, as in first_reports: the names of so many fields cost more than all else.
_body = cast("Callable[..., Delivery]", Delivery)


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
        posting = _delivery(before, after, fact, event, notice, number, inbox)
        if notice.word is not None:
            posting = _telling(posting, notice.word)
        postings.append(_shown(after, fact, posting))
    return tuple(postings)


def _telling(posting: Posting, word: Move) -> Posting:
    """Answer a delivery that tells what a member said earlier; statement and content are those stored."""
    body = msgspec.structs.replace(posting.body, fact=word.action, by=word.by, fact_ref=word.fact_number)
    return msgspec.structs.replace(posting, body=body, content_of=word.event_id)


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
    tells_report = hands_over or fact.fact not in REPORT_FACTS
    # fmt: off
    body = _body(
        after.case_id, after.url_key, notice.recipient, number, notice.kind,
        derived_id(fact.fact_id, f"delivery.{notice.kind}.{number}", notice.recipient),
        after.environment, is_urgent, after.round, after.leg, after.state,
        notice.kind != UPDATE and _is_repeat(after),
        fact.fact, fact.number, fact.by, fact.occurred_at, fact.admitted_at, fact.submitted_at,
        after.received_at if fact.received_at is None else fact.received_at,
        fact.breaches,
        after.hosting_country if fact.hosting_country is None else fact.hosting_country,
        after.assigned_country, after.assigned_hotline, notice.origin, notice.report_event_id,
        fact.outcome, fact.step, fact.due_at, fact.reason_code, fact.recipient_role,
        fact.reference if tells_report else None,
        fact.is_online, fact.observed_at,
        after.classification if fact.classification is None else fact.classification,
        after.law_country if fact.classification is None else fact.law_country,
        *_NOTHING_ENCLOSED if enclosed is None else
        (enclosed.statement, enclosed.signature, enclosed.key_id, enclosed.content),
        fact.details, fact.until, fact.fact_ref, after.chain,
        after.hosting_status if fact.hosting_status is None else fact.hosting_status,
        bool(after.asked) and _is_asked(after, fact, notice.recipient),
        after.priority,
        None if enclosed is None else enclosed.credentials,
    )
    # fmt: on
    return Posting(notice.recipient, inbox, is_urgent, body, stored)


def _is_asked(after: Case, fact: Fact, recipient: str) -> bool:
    return any(asked.fact_number == fact.number and recipient in asked.members for asked in after.asked)


def _is_repeat(after: Case) -> bool:
    """Answer whether the case has had a report before the one handed over."""
    origins = after.origins
    return after.round > 1 or len(origins) > 1 or (bool(origins) and origins[0].count > 1)


def _escalations(after: Case, fact: Fact, event: Event) -> Iterator[Posting]:
    """Yield the escalation that a fact records, unless it was sent before.

    Intake has sent what is urgent; what waits again names the correction because of which it does.
    """
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
    if (is_urgent and attempt == 1) or fact.fact_ref is not None:
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
    """Answer the kind in the id of an escalation: the same report may be told again, in another leg too."""
    return f"escalation.{reason}.{fact.round}.{fact.leg}.{attempt}.{fact.admitted_at}"


def _report(event: Event, report_event_id: str | None) -> Submission | None:
    """Answer the report's submission where the record itself brings it."""
    if isinstance(event, ReportEvent) and event.admitted.event_id == report_event_id:
        return event.submission
    return None


def _is_urgent(after: Case, event: Event, report_event_id: str | None) -> bool:
    if isinstance(event, ReportEvent) and event.admitted.event_id == report_event_id:
        return bool(event.statement.urgency)
    return any(reason in codes.URGENCIES.codes for reason in after.escalated)

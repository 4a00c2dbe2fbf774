"""What intake does with one record: admit it, refuse it, or give it up. Pure; the agent only carries it out.

The order is that of a trust boundary: readable bytes, then a sender whom the directory knows and whom the
signature proves, then everything else. Only a proven sender is answered, because the answer goes to the inbox
of whoever the record names; what nobody proved becomes a dead letter that names the rule.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from agents.dead_letters import Failure
from casework.directory import Directory
from casework.dsse import signed_statement
from casework.errors import RuleViolation, UnknownCountryError
from casework.ids import SHOWN_ID, derived_id, derived_id_for_url
from casework.limits import URL_KEY_BYTES
from casework.messages import (
    ActionContent,
    ActionStatement,
    Admitted,
    Escalation,
    Receipt,
    ReportContent,
    ReportStatement,
    Submission,
)
from casework.placing import traits_of
from casework.routing import route
from casework.signatures import UNPROVEN, check_signature
from casework.submissions import (
    Admission,
    Statement,
    check_action,
    check_report,
    claims_ahead,
    police_contact,
)
from casework.submitted_contents import NO_ADDRESS
from casework.transitions import RULES_VERSION
from schemas.errors import UnreadableError
from streams import wire
from streams.topics import Topics
from streams.untyped import KafkaRecord

INVALID_COUNTRY: Final = "invalid"


class Admit(msgspec.Struct, frozen=True, gc=False):
    """The submission goes to casekeeper; urgent codes go to the police at once."""

    admitted: Admitted
    escalations: tuple[Escalation, ...] = ()


class Refuse(msgspec.Struct, frozen=True, gc=False):
    """The sender is told why; `rule` is that of the first violation."""

    receipt: Receipt
    kind: str
    country: str
    rule: str


class GiveUp(msgspec.Struct, frozen=True, gc=False):
    """Nobody can be answered: a dead letter."""

    failure: Failure


Verdict = Admit | Refuse | GiveUp


class Bench(msgspec.Struct, frozen=True):
    """What records that the broker appended together are judged by.

    Attributes:
        directory: Newest version valid at `now`.
        environment: Environment of the exchange.
        now: The exchange's time of the append; milliseconds since the epoch, UTC.
        topics: The topic table.
    """

    directory: Directory
    environment: str
    now: int
    topics: Topics


def judge(record: KafkaRecord, bench: Bench) -> Verdict:
    """Answer what is to be done with a record of a submission topic."""
    if record.value is None:
        return GiveUp(Failure("unreadable", "empty", "", "the record has no value"))
    try:
        submission = wire.decode_as(Submission, record.value)
    except UnreadableError as error:
        return GiveUp(Failure("unreadable", error.rule, "submission", str(error)))
    try:
        statement = wire.statement_of(submission)
    except UnreadableError as error:
        return _without_statement(_Readable(record, bench, submission), error)
    readable = _Readable(record, bench, submission)
    kind = "report" if isinstance(statement, ReportStatement) else "action"
    return _unproven(readable, kind, statement.sender) or _judge(readable, statement)


class _Readable(msgspec.Struct, frozen=True, gc=False):
    """A record whose envelope can be read."""

    record: KafkaRecord
    bench: Bench
    submission: Submission


def _without_statement(readable: _Readable, reason: UnreadableError) -> Verdict:
    """Answer what is done when the whole statement cannot be read: the routing fields may name the sender."""
    try:
        prefix = wire.prefix_of(readable.submission.statement)
    except UnreadableError as error:
        return GiveUp(Failure("unreadable", error.rule, "statement", str(error)))
    violation = RuleViolation("statement", reason.rule, str(reason))
    return _unproven(readable, prefix.kind, prefix.sender) or _refuse(readable, (violation,))


def _unproven(readable: _Readable, kind: str, sender: str) -> Verdict | None:
    """Answer what is done when the sender is not proven; None when it is.

    A key that has expired, or is not valid yet, still proves who holds it: that sender is told.
    """
    bench, submission = readable.bench, readable.submission
    if sender not in bench.directory.members_by_id:
        text = f"the sender is not in directory version {bench.directory.version}"
        return GiveUp(Failure("unattributable", "unknown_member", "sender", text))
    violation = check_signature(
        bench.directory,
        sender,
        message=signed_statement(kind, submission.statement),
        signature=submission.signature,
        key_id=submission.key_id,
        signed_at=readable.record.timestamp,
    )
    if violation is None:
        return None
    if violation.rule in UNPROVEN:
        return GiveUp(Failure("unattributable", violation.rule, violation.field, violation.message))
    return _refuse(readable, (violation,))


def _judge(readable: _Readable, statement: Statement) -> Verdict:
    record, bench, submission = readable.record, readable.bench, readable.submission
    try:
        content = _clear_content(statement, submission)
    except UnreadableError as error:
        return _refuse(readable, (RuleViolation("content", error.rule, str(error)),))
    admission = Admission(bench.directory, bench.environment, bench.now, record.timestamp, len(record.value))
    violations: tuple[RuleViolation, ...]
    is_report = isinstance(statement, ReportStatement)
    if is_report:
        violations = check_report(statement, content, submission, admission)  # type: ignore[arg-type]
    else:
        violations = check_action(statement, content, submission, admission)  # type: ignore[arg-type]
    if is_report == (record.topic == bench.topics.actions_submitted):
        kind = "report" if is_report else "action"
        violations += (RuleViolation("topic", "wrong_topic", f"{kind}s have topics of their own"),)
    if violations:
        needs_police = any(violation.rule == NO_ADDRESS for violation in violations)
        contact = (
            police_contact(statement, bench.directory)
            if needs_police and isinstance(statement, ReportStatement)
            else None
        )
        return _refuse(readable, violations, contact)
    return _admit(record, bench, submission, statement)


def _clear_content(statement: Statement, submission: Submission) -> ReportContent | ActionContent | None:
    if submission.content is None or statement.content_protection != "none":
        return None
    if isinstance(statement, ReportStatement):
        return wire.decode_as(ReportContent, submission.content)
    return wire.decode_as(ActionContent, submission.content)


def _admit(record: KafkaRecord, bench: Bench, submission: Submission, statement: Statement) -> Admit:
    country = bench.directory.country_code(statement.hosting_country)
    is_report = isinstance(statement, ReportStatement)
    admitted = Admitted(
        url_key=statement.url_key,
        kind="report" if is_report else "action",
        event_id=statement.event_id,
        environment=bench.environment,
        sender=statement.sender,
        hosting_country=country,
        admitted_at=bench.now,
        submitted_at=record.timestamp,
        directory_version=bench.directory.version,
        rules_version=RULES_VERSION,
        clock_skew=claims_ahead(statement, bench.now),
        is_misplaced=is_report and bench.directory.slot(country, statement.url_key) != record.partition,
        source_topic=record.topic,
        source_partition=record.partition,
        source_offset=record.offset,
        submission=record.value,
    )
    if isinstance(statement, ActionStatement) or not statement.urgency:
        return Admit(admitted)
    return Admit(admitted, _escalations(admitted, statement, submission, bench.directory))


def _escalations(
    admitted: Admitted, statement: ReportStatement, submission: Submission, directory: Directory
) -> tuple[Escalation, ...]:
    """Escalations of the urgency codes, sent before the case exists so that they wait for no queue."""
    way = route(
        directory,
        admitted.hosting_country,
        admitted.url_key,
        origin=admitted.sender,
        traits=traits_of(statement),
    )
    return tuple(
        Escalation(
            escalation_id=derived_id_for_url(
                admitted.event_id, f"escalation.{reason}", liaison, admitted.url_key
            ),
            recipient=liaison,
            reason_code=reason,
            is_urgent=True,
            environment=admitted.environment,
            event_id=admitted.event_id,
            url_key=admitted.url_key,
            hosting_country=admitted.hosting_country,
            origin=admitted.sender,
            assigned_hotline=way.assigned_hotline,
            admitted_at=admitted.admitted_at,
            submitted_at=admitted.submitted_at,
            statement=submission.statement,
            signature=submission.signature,
            key_id=submission.key_id,
            content=submission.content,
            credentials=submission.credentials,
            due_at=admitted.admitted_at + directory.casework.escalation_ms,
        )
        for reason in dict.fromkeys(statement.urgency)
        for liaison in way.liaisons
    )


def _refuse(readable: _Readable, violations: Sequence[RuleViolation], contact: str | None = None) -> Refuse:
    bench, submission = readable.bench, readable.submission
    prefix = wire.prefix_of(submission.statement)
    first = violations[0]
    more = f"; {len(violations) - 1} more" if len(violations) > 1 else ""
    try:
        country = bench.directory.country_code(prefix.hosting_country)
    except UnknownCountryError:
        country = INVALID_COUNTRY
    # The kind names the refused bytes: the same id may have been admitted with others, and that receipt
    # must not be taken for a copy of this one.
    digest = hashlib.sha256(submission.statement + (submission.content or b"")).hexdigest()[:16]
    receipt = Receipt(
        event_id=prefix.event_id[:SHOWN_ID],
        recipient=prefix.sender,
        outcome="refused",
        receipt_id=derived_id(prefix.event_id[:SHOWN_ID], f"receipt.refused.{digest}", prefix.sender),
        environment=bench.environment,
        rule=first.rule,
        field=first.field,
        message=f"{first}{more}",
        url_key=prefix.url_key if len(prefix.url_key) == URL_KEY_BYTES else None,
        hosting_country=None if country == INVALID_COUNTRY else country,
        police_contact=contact,
        admitted_at=bench.now,
        submitted_at=readable.record.timestamp,
        directory_version=bench.directory.version,
    )
    return Refuse(receipt, prefix.kind, country, first.rule)

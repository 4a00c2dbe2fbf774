"""What makes a submission acceptable, apart from the case it is about: the checks of the trust boundary.

Who spoke is proven before (`signatures`). Two questions are kept apart on purpose. Here: is this a
well-formed statement by somebody who may speak, with times and sizes that hold, in the right environment,
and with the content it speaks of? In `decisions`: what does it mean for the case? A fact that is merely
against the rules of the case is never refused here.

What is not checked, and why: that the url key belongs to the address. The network key stays with the
members, so intake cannot compute it even where the content is clear. The statement is never changed: an
alias of a country is accepted as sent, and the canonical code travels beside it in the Admitted record.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from casework import codes
from casework.action_checks import actors, check_action_fields
from casework.claimed_times import check_sent_at, check_time
from casework.code_list import CodeList
from casework.directory import Directory
from casework.errors import RuleViolation, UnknownCountryError
from casework.field_checks import OPAQUE_ID, UUID7, check_codes, check_country, one
from casework.limits import MAX_SUBMISSION_BYTES, URL_KEY_BYTES
from casework.messages import (
    ActionContent,
    ActionStatement,
    ReportContent,
    ReportStatement,
    Submission,
)
from casework.protection import check_protection
from casework.submitted_contents import check_action_content, check_report_content, missing_content
from casework.texts import check_texts

Statement = ReportStatement | ActionStatement


_REPORT_CODES: Final[tuple[tuple[str, CodeList], ...]] = (
    ("content_type", codes.CONTENT_TYPES),
    ("site_type", codes.SITE_TYPES),
    ("commerciality", codes.COMMERCIALITIES),
    ("content_topic", codes.CONTENT_TOPICS),
    ("hosting_status", codes.HOSTING_STATUSES),
    ("detection_method", codes.DETECTION_METHODS),
)
_SHARED_CODES: Final[tuple[tuple[str, CodeList], ...]] = (
    ("content_protection", codes.CONTENT_PROTECTIONS),
    ("classification", codes.CLASSIFICATIONS),
    ("age_category", codes.AGE_GROUPS),
    ("gender_category", codes.GENDERS),
)
_REPORT_TIMES: Final = ("occurred_at", "received_at", "observed_at", "hosting_observed_at", "assessed_at")
_ACTION_TIMES: Final = ("occurred_at", "observed_at", "assessed_at")


class Admission(msgspec.Struct, frozen=True, gc=False):
    """Under what circumstances a submission is judged.

    Attributes:
        directory: Newest version valid at `admitted_at`.
        environment: Environment of the exchange.
        admitted_at: The exchange's clock; milliseconds since the epoch, UTC.
        submitted_at: Log-append time of the record, real time; milliseconds since the epoch, UTC.
        size: Size of the record's value in bytes.
    """

    directory: Directory
    environment: str
    admitted_at: int
    submitted_at: int
    size: int


def check_report(
    statement: ReportStatement, content: ReportContent | None, submission: Submission, admission: Admission
) -> tuple[RuleViolation, ...]:
    """Answer every rule that a report breaks, the gravest first; none when it is admitted.

    Args:
        statement: The decoded statement.
        content: The decoded content, or None where there is none or it is sealed.
        submission: The envelope as it came.
        admission: The circumstances.
    """
    return _one_for_each_field(_report(statement, content, submission, admission))


def check_action(
    statement: ActionStatement, content: ActionContent | None, submission: Submission, admission: Admission
) -> tuple[RuleViolation, ...]:
    """Answer every rule that an action breaks, the gravest first; none when it is admitted.

    Args:
        statement: The decoded statement.
        content: The decoded content, or None where there is none or it is sealed.
        submission: The envelope as it came.
        admission: The circumstances.
    """
    return _one_for_each_field(_action(statement, content, submission, admission))


def claims_ahead(statement: Statement, admitted_at: int) -> bool:
    """Answer whether a claimed time lies ahead of the admission, within what is accepted (`clock_skew`)."""
    fields = _REPORT_TIMES if isinstance(statement, ReportStatement) else _ACTION_TIMES
    return any((getattr(statement, field) or 0) > admitted_at for field in fields)


def police_contact(statement: ReportStatement, directory: Directory) -> str:
    """Answer whom to call where the exchange is not the way: in the hosting country, else in the sender's."""
    try:
        real = directory.pseudo_country(statement.hosting_country) is None
        code = directory.country_code(statement.hosting_country)
    except UnknownCountryError:
        real, code = False, ""
    if not real:
        sender = directory.members_by_id.get(statement.sender)
        code = sender.countries[0] if sender is not None and sender.countries else code
    return directory.police_contact(code) if code else "the police where the child is"


def _report(
    statement: ReportStatement, content: ReportContent | None, submission: Submission, admission: Admission
) -> Iterator[RuleViolation]:
    yield from _sender(statement, admission, frozenset({"hotline"}), "not_a_hotline")
    yield from _statement(statement, submission, admission)
    yield from _key_versions(statement, admission.directory)
    yield from check_codes(statement, _REPORT_CODES)
    for field, known in (("payment_methods", codes.PAYMENT_METHODS), ("urgency", codes.URGENCIES)):
        for index, code in enumerate(getattr(statement, field)):
            yield from one(known.check(f"{field}[{index}]", code))
    yield from _times(statement, _REPORT_TIMES, admission.admitted_at)
    if not statement.reference:
        yield RuleViolation("reference", "required", "the report's reference in the sender's own system")
    if content is not None:
        yield from check_report_content(statement, content)
    elif submission.content is None:
        yield missing_content(statement)
    yield from _size(admission)


def _action(
    statement: ActionStatement, content: ActionContent | None, submission: Submission, admission: Admission
) -> Iterator[RuleViolation]:
    yield from _sender(statement, admission, actors(statement.action), "may_not_act")
    yield from _statement(statement, submission, admission)
    yield from check_action_fields(statement, admission.directory)
    yield from _times(statement, _ACTION_TIMES, admission.admitted_at)
    if content is not None:
        yield from check_action_content(content)
    yield from _size(admission)


def _sender(
    statement: Statement, admission: Admission, kinds: frozenset[str], rule: str
) -> Iterator[RuleViolation]:
    member = admission.directory.members_by_id.get(statement.sender)
    if member is None:
        yield RuleViolation("sender", "unknown_member", f"not in directory {admission.directory.version}")
        return
    if not member.active:
        yield RuleViolation("sender", "sender_not_active", f"the directory says {member.status}")
    if member.kind not in kinds:
        yield RuleViolation("sender", rule, f"only for {', '.join(sorted(kinds))}")


def _statement(statement: Statement, submission: Submission, admission: Admission) -> Iterator[RuleViolation]:
    if statement.environment != admission.environment:
        yield RuleViolation("environment", "wrong_environment", f"this exchange is {admission.environment}")
    if not UUID7.fullmatch(statement.event_id):
        yield RuleViolation("event_id", "not_a_uuidv7", "a UUIDv7 in lower-case text form")
    yield from check_protection(statement, submission, admission.directory)
    for field, key in (("url_key", statement.url_key), ("url_key_next", statement.url_key_next)):
        if key is not None and (len(key) != URL_KEY_BYTES or key[0] == 0):
            yield RuleViolation(field, "not_a_url_key", f"a version from 1 and a hash, {URL_KEY_BYTES} bytes")
    yield from check_texts(statement, "")
    yield from check_country("hosting_country", statement.hosting_country, admission.directory)
    if statement.law_country is not None:
        yield from check_country("law_country", statement.law_country, admission.directory)
    yield from check_codes(statement, _SHARED_CODES)
    if statement.analyst is not None and not OPAQUE_ID.fullmatch(statement.analyst):
        yield RuleViolation("analyst", "not_opaque", "letters, digits, dot, colon, hyphen, underscore")
    yield from one(check_sent_at(statement.sent_at, admission.submitted_at))


def _key_versions(statement: ReportStatement, directory: Directory) -> Iterator[RuleViolation]:
    """Yield the rule that a report under a network key of long ago breaks.

    Nobody could compute its url key again, so it could be filed under any. During a change of keys a report
    carries both; one that was under way at the end of the change is known by the newer of them.
    """
    keys = directory.network_keys
    if keys is None or not statement.url_key:
        return
    version, later = statement.url_key[0], (statement.url_key_next or b"\0")[0]
    is_carried = version in {keys.current, keys.next}
    is_ending = version + 1 == later == keys.current
    if not (is_carried or is_ending):
        yield RuleViolation("url_key", "unknown_network_key", f"of network key {keys.current} or the next")


def _times(statement: Statement, fields: tuple[str, ...], admitted_at: int) -> Iterator[RuleViolation]:
    for field in fields:
        claimed = getattr(statement, field)
        if claimed is not None:
            yield from one(check_time(field, claimed, admitted_at))


def _size(admission: Admission) -> Iterator[RuleViolation]:
    if admission.size > MAX_SUBMISSION_BYTES:
        yield RuleViolation("submission", "too_large", f"at most {MAX_SUBMISSION_BYTES // 1024} KiB")


def _one_for_each_field(violations: Iterator[RuleViolation]) -> tuple[RuleViolation, ...]:
    first: dict[str, RuleViolation] = {}
    for violation in violations:
        first.setdefault(violation.field, violation)
    return tuple(first.values())

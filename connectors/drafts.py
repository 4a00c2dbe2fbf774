"""From what a hotline's system knows to what it sends: ids, url key, digest and bytes are made here.

The rules that intake will apply are applied before sending, so that a mistake is an error with field and rule
in the program that made it, and not a receipt an hour later.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Callable
from typing import Any, Final, Literal, Self

import msgspec

from casework.errors import RuleViolation
from casework.messages import (
    ActionContent,
    ActionStatement,
    Delivery,
    Label,
    Message,
    ReportContent,
    ReportStatement,
    Submission,
)
from casework.submissions import Admission, check_action, check_report, police_contact
from casework.submitted_contents import NO_ADDRESS
from casework.url_keys import URL_KEY_BYTES, url_key
from casework.urls import canonical_url, check_url
from connectors.errors import DraftRefusedError
from schemas.errors import UnwritableError
from streams import wire
from streams.secret_sources import Secret

Time = dt.datetime | int
"""A moment: a datetime with time zone, or milliseconds since the epoch, UTC."""

_MINUTE_MS: Final = 60_000
# Stands in a statement that is refused anyway, because its address has no key.
_NO_KEY: Final = bytes([1]).ljust(URL_KEY_BYTES, b"\0")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_TIME_TEXT: Final = "a time with its zone, as 2026-01-12T08:31:00+01:00"
_NAMED_FIELD: Final = re.compile(r"Object (missing required|contains unknown) field `(\w+)`")
_NO_PLACE: Final = RuleViolation("url_key", "required", "the url key of the case, or its address in url")


class ReportDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One content item (one URL) as a hotline's system knows it.

    Fields have the name and meaning of those of `ReportStatement` and `ReportContent`. What is special here:

    Attributes:
        event_id: UUIDv7 of this submission; give your own to be able to repeat it after a crash, else one is
            made.
        received_at: When the public reported; seconds are cut off, they could point to a person.
        occurred_at: When the report was released to the exchange; now, if not given.
    """

    url: str
    hosting_country: str
    received_at: Time
    reference: str
    content_type: str
    event_id: str | None = None
    occurred_at: Time | None = None
    observed_at: Time | None = None
    complaint_id: str | None = None
    is_source_page: bool = False
    site_type: str = "not_determined"
    commerciality: str = "not_determined"
    payment_methods: tuple[str, ...] = ()
    content_topic: str | None = None
    hosting_status: str = "confirmed"
    hosting_method: str | None = None
    hosting_observed_at: Time | None = None
    hosting_is_cdn: bool = False
    detection_method: str | None = None
    urgency: tuple[str, ...] = ()
    previously_known: bool = False
    analyst: str | None = None
    classification: str | None = None
    assessed_at: Time | None = None
    law_country: str | None = None
    age_category: str | None = None
    gender_category: str | None = None
    is_virtual: bool | None = None
    is_user_generated: bool | None = None
    is_child_modelling: bool | None = None
    labels: tuple[Label, ...] = ()
    hosting_ip: str | None = None
    hosting_provider: str | None = None
    hosting_asn: int | None = None
    referrer: str | None = None
    username: str | None = None
    password: str | None = None
    website_name: str | None = None
    page_title: str | None = None
    note: str | None = None
    note_language: str | None = None
    source_page: str | None = None
    sibling_items: tuple[str, ...] = ()


class ActionDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happened to a case, or what is asked for, as a member's system knows it.

    Fields have the name and meaning of those of `ActionStatement` and `ActionContent`. `ActionDraft.about`
    fills what a delivery already says. The case is named by `case_id`, or by `report_event_id` of an own
    report, and its place by `url_key` or by `url`, which is used for the key only and is not sent.
    """

    action: str
    hosting_country: str
    case_id: str | None = None
    report_event_id: str | None = None
    url_key: bytes | None = None
    url: str | None = None
    event_id: str | None = None
    occurred_at: Time | None = None
    round: int | None = None
    leg: int | None = None
    reference: str | None = None
    reason_code: str | None = None
    recipient_role: str | None = None
    is_online: bool | None = None
    observed_at: Time | None = None
    new_hosting_country: str | None = None
    hosting_method: str | None = None
    hold_until: Time | None = None
    analyst: str | None = None
    classification: str | None = None
    assessed_at: Time | None = None
    law_country: str | None = None
    age_category: str | None = None
    gender_category: str | None = None
    is_virtual: bool | None = None
    is_user_generated: bool | None = None
    is_child_modelling: bool | None = None
    labels: tuple[Label, ...] = ()
    note: str | None = None
    note_language: str | None = None
    police_reference: str | None = None
    police_unit: str | None = None
    new_url: str | None = None

    @classmethod
    def about(cls, delivery: Delivery, action: str, **fields: Any) -> Self:  # noqa: ANN401 - the fields above
        """Draft an action on the case of a delivery, in its round and leg."""
        given = {
            "case_id": delivery.case_id,
            "url_key": delivery.url_key,
            "hosting_country": delivery.hosting_country,
            "round": delivery.round,
            "leg": delivery.leg,
        }
        return cls(action=action, **(given | fields))


class Sender(msgspec.Struct, frozen=True):
    """Who drafts and with what.

    Attributes:
        member: Member id of the sender.
        environment: Environment meant: demo, test or production.
        network_key: Secret of the url keys.
        new_id: Makes a UUIDv7 for a time in milliseconds since the epoch.
        key_version: Version of `network_key`.
        next_network_key: Secret of the next version, while a key rotation runs.
    """

    member: str
    environment: str
    network_key: Secret
    new_id: Callable[[int], str]
    key_version: int = 1
    next_network_key: Secret | None = None


class Prepared(msgspec.Struct, frozen=True):
    """A submission that passed the rules; sending the same one twice counts once.

    Attributes:
        kind: What the statement is.
        event_id: Event id; the receipt names it.
        url_key: Key of the record; decides its partition.
        hosting_country: Hosting country as sent.
        is_urgent: Whether it goes through the urgent topic.
        after: Event id of the own report whose receipt must come first, for an action that names one.
        value: The record's value.
        statement: The statement in `value`.
    """

    kind: Literal["report", "action"]
    event_id: str
    url_key: bytes
    hosting_country: str
    is_urgent: bool
    after: str | None
    value: bytes
    statement: ReportStatement | ActionStatement


def build_report(draft: ReportDraft, sender: Sender, admission: Admission) -> Prepared:
    """Make the submission of a report.

    Args:
        draft: The report.
        sender: Who sends it.
        admission: As intake would judge it now: directory, environment, times; its size is not used.

    Raises:
        DraftRefusedError: The draft breaks rules; all of them are named.
    """
    _check_types(draft)
    canonical = None if check_url(draft.url) else canonical_url(draft.url)
    content = ReportContent(**_shared(draft, ReportContent))
    sealed = _encode(content)
    values = _shared(draft, ReportStatement) | _common(draft, sender, admission, canonical, sealed)
    values["received_at"] -= values["received_at"] % _MINUTE_MS
    statement = ReportStatement(**values)
    submission = Submission(statement=_encode(statement), content=sealed)
    value = _encode(submission)
    violations = check_report(statement, content, submission, _sized(admission, value))
    if violations:
        no_address = any(violation.rule == NO_ADDRESS for violation in violations)
        contact = police_contact(statement, admission.directory) if no_address else None
        raise DraftRefusedError(violations, contact)
    return Prepared(
        kind="report",
        event_id=statement.event_id,
        url_key=statement.url_key,
        hosting_country=statement.hosting_country,
        is_urgent=bool(statement.urgency),
        after=None,
        value=value,
        statement=statement,
    )


def build_action(draft: ActionDraft, sender: Sender, admission: Admission) -> Prepared:
    """Make the submission of an action.

    Args:
        draft: The action.
        sender: Who sends it.
        admission: As intake would judge it now: directory, environment, times; its size is not used.

    Raises:
        DraftRefusedError: The draft breaks rules; all of them are named.
    """
    _check_types(draft)
    canonical = None
    if draft.url is not None:
        unusable = check_url(draft.url)
        if unusable is not None:
            raise DraftRefusedError([unusable])
        canonical = canonical_url(draft.url)
    elif draft.url_key is None:
        raise DraftRefusedError([_NO_PLACE])
    content = ActionContent(**_shared(draft, ActionContent))
    given = None if content == ActionContent() else content
    sealed = None if given is None else _encode(given)
    values = _shared(draft, ActionStatement) | _common(draft, sender, admission, canonical, sealed)
    if canonical is None:
        values |= {"url_key": draft.url_key, "url_key_next": None}
    statement = ActionStatement(**values)
    submission = Submission(statement=_encode(statement), content=sealed)
    value = _encode(submission)
    violations = check_action(statement, given, submission, _sized(admission, value))
    if violations:
        raise DraftRefusedError(violations)
    return Prepared(
        kind="action",
        event_id=statement.event_id,
        url_key=statement.url_key,
        hosting_country=statement.hosting_country,
        is_urgent=False,
        after=statement.report_event_id,
        value=value,
        statement=statement,
    )


def milliseconds(moment: Time) -> int:
    """Answer a moment in milliseconds since the epoch, UTC."""
    return moment if isinstance(moment, int) else (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def violation_of(error: msgspec.ValidationError) -> RuleViolation:
    """Answer which field of a draft has the wrong type, is missing or unknown; never with its value."""
    problem, _, path = str(error).partition(" - at `$")
    named = _NAMED_FIELD.match(problem)
    if named is not None:
        required = named[1] == "missing required"
        rule, text = ("required", "must be given") if required else ("unknown_field", "no such field")
        return RuleViolation(named[2], rule, text)
    field = path.strip(".`") or "draft"
    if problem.startswith("Invalid RFC3339"):
        return RuleViolation(field, "wrong_type", f"must be {_TIME_TEXT}, or milliseconds since 1970 UTC")
    return RuleViolation(field, "wrong_type", problem.replace("`", ""))


def _check_types(draft: ReportDraft | ActionDraft) -> None:
    """Refuse what a program without a type checker may pass, before it becomes an error in the encoder."""
    values = msgspec.structs.asdict(draft)
    try:
        msgspec.convert(values, type(draft), builtin_types=(bytes, dt.datetime))
    except msgspec.ValidationError as error:
        raise DraftRefusedError([violation_of(error)]) from None
    for field, value in values.items():
        if isinstance(value, dt.datetime) and value.tzinfo is None:
            raise DraftRefusedError([RuleViolation(field, "no_time_zone", f"must be {_TIME_TEXT}")])


def _shared(draft: ReportDraft | ActionDraft, message: type[Message]) -> dict[str, Any]:
    values = {}
    for field in draft.__struct_fields__:
        if field in message.__struct_fields__:
            value = getattr(draft, field)
            values[field] = milliseconds(value) if isinstance(value, dt.datetime) else value
    return values


def _common(
    draft: ReportDraft | ActionDraft,
    sender: Sender,
    admission: Admission,
    canonical: str | None,
    sealed: bytes | None,
) -> dict[str, Any]:
    key, key_next = _NO_KEY, None
    if canonical is not None:
        key = url_key(canonical, sender.network_key.reveal(), sender.key_version)
        if sender.next_network_key is not None:
            key_next = url_key(canonical, sender.next_network_key.reveal(), sender.key_version + 1)
    occurred_at = admission.admitted_at if draft.occurred_at is None else milliseconds(draft.occurred_at)
    return {
        "event_id": draft.event_id or sender.new_id(admission.admitted_at),
        "environment": sender.environment,
        "sender": sender.member,
        "url_key": key,
        "url_key_next": key_next,
        "sent_at": admission.submitted_at,
        "directory_version": admission.directory.version,
        "occurred_at": occurred_at,
        "content_digest": None if sealed is None else hashlib.sha256(sealed).digest(),
    }


def _encode(message: Message) -> bytes:
    try:
        return wire.encode(message)
    except (UnwritableError, UnicodeEncodeError, OverflowError):
        expected = "texts of whole characters and numbers of at most 64 bits"
        raise DraftRefusedError([RuleViolation("draft", "unwritable", f"must hold {expected}")]) from None


def _sized(admission: Admission, value: bytes) -> Admission:
    return msgspec.structs.replace(admission, size=len(value))

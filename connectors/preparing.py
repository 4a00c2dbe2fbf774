"""From a draft to the bytes that are sent: ids, url key, digest, seal and signature are made here.

The rules that intake will apply are applied before sending, so that a mistake is an error with field and rule
in the program that made it, and not a receipt an hour later. They are applied to the clear content: once it
is sealed, only its readers can.
"""

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from casework import sealed_content
from casework.content_readers import next_readers_of
from casework.directory import Directory
from casework.errors import RuleViolation, UnknownCountryError
from casework.messages import (
    ActionContent,
    ActionStatement,
    Message,
    ReportContent,
    ReportCredentials,
    ReportStatement,
    Submission,
)
from casework.sealed_content import binding
from casework.submissions import Admission, check_action, check_report, police_contact
from casework.submitted_contents import NO_ADDRESS
from casework.url_keys import URL_KEY_BYTES, url_key
from casework.urls import canonical_url, check_url
from connectors.drafts import ActionDraft, ReportDraft, check_types, milliseconds
from connectors.errors import DraftRefusedError
from connectors.protecting import CLEAR, SEALED, reader_keys, ring_for, sign, signer_of
from connectors.sealing import lock_apart, seal
from schemas.errors import UnwritableError
from streams import wire
from streams.key_rings import KeyRing
from streams.secret_sources import Secret

_MINUTE_MS: Final = 60_000
# Stands in a statement that is refused anyway, because its address has no key.
_NO_KEY: Final = bytes([1]).ljust(URL_KEY_BYTES, b"\0")
_NO_PLACE: Final = RuleViolation("url_key", "required", "the url key of the case, or its address in url")


class Sender(msgspec.Struct, frozen=True):
    """Who drafts and with what.

    Attributes:
        member: Member id of the sender.
        environment: Environment meant: demo, test or production.
        network_key: Secret of the url keys; None for the secretariat, which names cases by their url key.
        new_id: Makes a UUIDv7 for a time in milliseconds since the epoch.
        key_version: Version of `network_key`.
        next_network_key: Secret of the next version, while a key rotation runs.
        keys: The member's key ring; None sends unsigned and in the clear, where the directory allows it.
    """

    member: str
    environment: str
    network_key: Secret | None
    new_id: Callable[[int], str]
    key_version: int = 1
    next_network_key: Secret | None = None
    keys: KeyRing | None = None


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
        SealError: It cannot be signed or sealed with the ring at hand.
    """
    check_types(draft)
    canonical = None if check_url(draft.url) else canonical_url(draft.url)
    content = ReportContent(**_shared(draft, ReportContent))
    values = _shared(draft, ReportStatement) | _common(draft, sender, admission, canonical)
    values["received_at"] -= values["received_at"] % _MINUTE_MS
    travelling, credentials = _apart(content, values, sender)
    enclosed = _enclose(travelling, values, draft, sender, admission)
    if credentials is not None:
        values["credentials_digest"] = hashlib.sha256(credentials).digest()
    statement = ReportStatement(**(values | enclosed.fields))
    submission = _submission("report", statement, enclosed.content, sender, admission, credentials)
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
        SealError: It cannot be signed or sealed with the ring at hand.
    """
    check_types(draft)
    canonical = None
    if draft.url is not None:
        unusable = check_url(draft.url)
        if unusable is not None:
            raise DraftRefusedError([unusable])
        if sender.network_key is None:
            raise DraftRefusedError([_NO_PLACE])
        canonical = canonical_url(draft.url)
    elif draft.url_key is None:
        raise DraftRefusedError([_NO_PLACE])
    content = ActionContent(**_shared(draft, ActionContent))
    given = None if content == ActionContent() else content
    values = _shared(draft, ActionStatement) | _common(draft, sender, admission, canonical)
    values["has_police_reference"] = draft.has_police_reference or draft.police_reference is not None
    if canonical is None:
        values |= {"url_key": draft.url_key, "url_key_next": None}
    enclosed = _enclose(given, values, draft, sender, admission)
    return finish_action(
        ActionStatement(**(values | enclosed.fields)), enclosed.content, sender, admission, given
    )


def finish_action(
    statement: ActionStatement,
    content: bytes | None,
    sender: Sender,
    admission: Admission,
    clear: ActionContent | None = None,
) -> Prepared:
    """Sign and check the submission of an action whose statement is made.

    Args:
        statement: The statement, with the digest of `content`.
        content: The content as it travels.
        sender: Who sends it.
        admission: As intake would judge it now.
        clear: The content in the clear, for the rules; None where it is somebody else's.

    Raises:
        DraftRefusedError: It breaks rules; all of them are named.
        SealError: It cannot be signed with the ring at hand.
    """
    submission = _submission("action", statement, content, sender, admission)
    value = _encode(submission)
    violations = check_action(statement, clear, submission, _sized(admission, value))
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


def _apart(
    content: ReportContent, values: dict[str, Any], sender: Sender
) -> tuple[ReportContent, bytes | None]:
    """Answer a content with a key in place of its credentials, and these encrypted, where it has any."""
    credentials = ReportCredentials(username=content.username, password=content.password)
    if credentials == ReportCredentials():
        return content, None
    bound = binding(sender.environment, sender.member, values["event_id"], values["url_key"])
    key, locked = lock_apart(_encode(credentials), bound)
    travelling = msgspec.structs.replace(content, username=None, password=None, credentials_key=key)
    return travelling, locked


class _Enclosed(msgspec.Struct, frozen=True):
    """Content as it travels, and what the statement says of it."""

    content: bytes | None
    fields: dict[str, Any]


def _enclose(
    content: ReportContent | ActionContent | None,
    values: dict[str, Any],
    draft: ReportDraft | ActionDraft,
    sender: Sender,
    admission: Admission,
) -> _Enclosed:
    ring = ring_for(admission.directory, sender.keys)
    protection = CLEAR if ring is None else SEALED
    if content is None:
        return _Enclosed(None, {"content_digest": None, "content_protection": protection})
    clear = _encode(content)
    if ring is None:
        digest = hashlib.sha256(clear).digest()
        return _Enclosed(clear, {"content_digest": digest, "content_protection": protection})
    keys = reader_keys(
        admission.directory,
        ring,
        sender.member,
        countries=[values["hosting_country"]],
        extra=draft.readers,
        parties=_parties(draft, sender.member, admission.directory) if isinstance(draft, ActionDraft) else (),
        at=admission.submitted_at,
    )
    bound = binding(sender.environment, sender.member, values["event_id"], values["url_key"])
    sealed = seal(clear, keys, bound)
    return _Enclosed(
        sealed_content.to_bytes(sealed), {"content_digest": sealed.digest, "content_protection": protection}
    )


def _parties(draft: ActionDraft, sender: str, directory: Directory) -> tuple[str, ...]:
    """Answer the parties of a case, those of the country that it may go to by this action among them."""
    if draft.new_hosting_country is None:
        return draft.parties
    try:
        following = next_readers_of(directory, draft.new_hosting_country, sender)
    except UnknownCountryError:
        # The rules refuse the draft for it, with all else that is wrong.
        return draft.parties
    return (*draft.parties, *following)


def _submission(  # noqa: PLR0913, PLR0917 - what a submission is made of
    kind: Literal["report", "action"],
    statement: ReportStatement | ActionStatement,
    content: bytes | None,
    sender: Sender,
    admission: Admission,
    credentials: bytes | None = None,
) -> Submission:
    framed = _encode(statement)
    ring = ring_for(admission.directory, sender.keys)
    if ring is None:
        return Submission(statement=framed, content=content, credentials=credentials)
    signer = signer_of(admission.directory, ring, sender.member, admission.submitted_at)
    return Submission(
        statement=framed,
        content=content,
        signature=sign(signer, kind, framed),
        key_id=signer.key_id,
        credentials=credentials,
    )


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
) -> dict[str, Any]:
    key, key_next = _NO_KEY, None
    if canonical is not None and sender.network_key is not None:
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
    }


def _encode(message: Message) -> bytes:
    try:
        return wire.encode(message)
    except (UnwritableError, UnicodeEncodeError, OverflowError):
        expected = "texts of whole characters and numbers of at most 64 bits"
        raise DraftRefusedError([RuleViolation("draft", "unwritable", f"must hold {expected}")]) from None


def _sized(admission: Admission, value: bytes) -> Admission:
    return msgspec.structs.replace(admission, size=len(value))

"""Opens what a message encloses, and proves it first: who said it, that it is whole, and about which place.

The exchange vouches for its own messages only (`inbox_book`). That a member said something is proven by that
member's signature over its statement, and that content belongs to a statement by digest and binding.
"""

import hashlib
from collections.abc import Callable
from typing import Final

import msgspec

from casework import dsse
from casework.directory import EXCHANGE, Directory
from casework.errors import BadInputError, RuleViolation
from casework.messages import (
    ActionContent,
    ActionStatement,
    Delivery,
    Escalation,
    ReportContent,
    ReportCredentials,
    ReportStatement,
)
from casework.protection import SEALED, binding_of
from casework.sealed_content import parse
from casework.signatures import UNPROVEN, check_signature
from casework.transitions import ACTIONS, SAID_BY, TELLS_WHERE
from casework.url_keys import url_key
from casework.urls import canonical_url, check_url
from connectors.errors import UnprovenMessageError, UnreadableContentError, UrlKeyMismatchError
from connectors.network_secrets import NetworkKeyHolder
from connectors.sealing import open_sealed, unlock_apart
from schemas.errors import UnreadableError
from streams import wire
from streams.key_rings import KeyRing

Statement = ReportStatement | ActionStatement
Content = ReportContent | ActionContent

_NO_RING: Final = KeyRing()


class Opener:
    """Opens the contents of messages for one member.

    Args:
        ring: Its key ring; None opens clear content only.
        network_keys: The network's keys as it holds them; None leaves url keys unchecked, for somebody who
            has no part in them.
        directory: Answers the directory in use.
    """

    def __init__(
        self, ring: KeyRing | None, network_keys: NetworkKeyHolder | None, directory: Callable[[], Directory]
    ) -> None:
        self._ring = ring or _NO_RING
        self._network_keys = network_keys
        self._directory = directory

    def open(self, body: Delivery | Escalation) -> Content | None:
        """Answer the content of a message, or None where it carries none.

        Raises:
            UnprovenMessageError: The statement is not by the member it names, the content is not its, or a
                member is said to have acted and no statement of it is there.
            UnreadableContentError: It is sealed and no key of the ring opens it, or its bytes are no content.
            UrlKeyMismatchError: The address in it belongs to another url key than the statement's.
            SealError: The ring does not open the network key that the directory carries.
        """
        statement = statement_of(body)
        if statement is None:
            self._require_none(body)
            return None
        self.prove(statement, body)
        if body.content is None:
            return None
        content = _decoded(self._clear(statement, body.content), statement)
        if isinstance(content, ReportContent):
            self._check_url_key(statement, content)
            return _with_credentials(statement, content, body.credentials)
        return content

    def prove(self, statement: Statement, body: Delivery | Escalation) -> None:
        """Check that the member whom a statement names has signed it, and that it is the one spoken of.

        The key must count at the time that the signed statement itself names, and where the statement caused
        the message, at the broker's time too: whoever has a stolen key would name an earlier one. A key that
        has run out since still proves who held it.

        Raises:
            UnprovenMessageError: It has not.
        """
        violation = check_signature(
            self._directory(),
            statement.sender,
            message=dsse.signed_statement(_kind(statement), body.statement or b""),
            signature=body.signature,
            key_id=body.key_id,
            signed_at=_signed_at(statement, body),
        )
        if violation is not None and violation.rule in UNPROVEN:
            raise UnprovenMessageError(violation)
        if statement.environment != self._directory().environment or not _is_spoken_of(statement, body):
            text = "the statement that the message tells of, by whom it names, about the place of its case"
            raise UnprovenMessageError(RuleViolation("statement", "foreign_statement", text))

    def _require_none(self, body: Delivery | Escalation) -> None:
        """Check that a message without a statement puts no action into a member's mouth.

        A hotline acknowledges by its own report what it is responsible for itself; every other action has a
        statement of its own, and is told with it.
        """
        if (
            isinstance(body, Delivery)
            and body.by != EXCHANGE
            and (body.fact in ACTIONS or body.fact in SAID_BY)
            and body.fact != "acknowledged"
            and self._directory().protection == "required"
        ):
            text = "the statement of the member that is said to have acted"
            raise UnprovenMessageError(RuleViolation("statement", "statement_missing", text))

    def _clear(self, statement: Statement, content: bytes) -> bytes:
        if statement.content_protection != SEALED:
            if hashlib.sha256(content).digest() != statement.content_digest:
                raise _not_its_content()
            return content
        try:
            sealed = parse(content)
        except BadInputError as error:
            raise UnprovenMessageError(error.violations) from error
        if sealed.digest != statement.content_digest:
            raise _not_its_content()
        return open_sealed(sealed, self._ring, binding_of(statement))

    def _check_url_key(self, statement: Statement, content: ReportContent) -> None:
        if self._network_keys is None:
            return
        secrets = self._network_keys.under(self._directory())
        canonical = None if check_url(content.url) else canonical_url(content.url)
        for field, given in (("url_key", statement.url_key), ("url_key_next", statement.url_key_next)):
            if given is None:
                continue
            version = given[0]
            secret = secrets.of_version(version)
            if secret is None and version < secrets.version:
                # Of a key that is no longer carried: nobody can compute it any more.
                continue
            if secret is None or canonical is None or url_key(canonical, secret.reveal(), version) != given:
                text = f"the url key, version {version}, of the address in the content"
                raise UrlKeyMismatchError(RuleViolation(field, "url_key_mismatch", text))


def statement_of(body: Delivery | Escalation) -> Statement | None:
    """Answer the member's statement that a message carries, or None where it carries none.

    Raises:
        UnprovenMessageError: Its bytes are no statement.
    """
    if body.statement is None:
        return None
    try:
        statement = wire.decode(body.statement)
    except UnreadableError as error:
        raise UnprovenMessageError(RuleViolation("statement", error.rule, "a framed statement")) from error
    if not isinstance(statement, ReportStatement | ActionStatement):
        raise UnprovenMessageError(RuleViolation("statement", "unexpected_message", "a statement"))
    return statement


def _signed_at(statement: Statement, body: Delivery | Escalation) -> int:
    """Answer the time a key is judged at; of what is handed on later only its own is known."""
    is_cause = isinstance(body, Delivery) and (
        (isinstance(statement, ActionStatement) and not _is_handed_on(body))
        or body.fact == "linked"
        or (body.fact in {"assigned", "orphaned"} and body.leg == 1)
    )
    return max(statement.sent_at, body.submitted_at) if is_cause else statement.sent_at


def _is_handed_on(body: Delivery) -> bool:
    """Answer whether a delivery tells a word on the host that was said before: it names the fact of then."""
    return body.fact in TELLS_WHERE and body.fact_ref is not None


def _is_spoken_of(statement: Statement, body: Delivery | Escalation) -> bool:
    """Answer whether a message is about what a statement says, and not a true statement of something else."""
    if body.url_key not in {statement.url_key, statement.url_key_next}:
        return False
    if isinstance(statement, ReportStatement):
        named = body.event_id if isinstance(body, Escalation) else body.report_event_id
        return statement.event_id == named and body.origin in {None, statement.sender}
    return (
        isinstance(body, Delivery)
        and statement.sender == body.by
        and (statement.action == body.fact or statement.action in SAID_BY.get(body.fact, ()))
        and statement.case_id in {None, body.case_id}
    )


def _kind(statement: Statement) -> str:
    return "report" if isinstance(statement, ReportStatement) else "action"


def _decoded(clear: bytes, statement: Statement) -> Content:
    expected = ReportContent if isinstance(statement, ReportStatement) else ActionContent
    try:
        content = wire.decode(clear)
    except UnreadableError as error:
        raise UnreadableContentError(RuleViolation("content", error.rule, "a framed content")) from error
    if not isinstance(content, expected):
        text = f"the content of {'a report' if expected is ReportContent else 'an action'}"
        raise UnreadableContentError(RuleViolation("content", "unexpected_message", text))
    return content


def _with_credentials(statement: Statement, content: ReportContent, locked: bytes | None) -> ReportContent:
    """Answer a content with the credentials that travel apart; without them where they were erased."""
    key = content.credentials_key
    if key is None or locked is None or not isinstance(statement, ReportStatement):
        return msgspec.structs.replace(content, credentials_key=None)
    if hashlib.sha256(locked).digest() != statement.credentials_digest:
        text = "the credentials that the signed statement speaks of"
        raise UnprovenMessageError(RuleViolation("credentials", "digest_mismatch", text))
    try:
        found = wire.decode_as(ReportCredentials, unlock_apart(locked, key, binding_of(statement)))
    except UnreadableError as error:
        raise UnreadableContentError(
            RuleViolation("credentials", error.rule, "framed credentials")
        ) from error
    return msgspec.structs.replace(
        content, username=found.username, password=found.password, credentials_key=None
    )


def _not_its_content() -> UnprovenMessageError:
    return UnprovenMessageError(
        RuleViolation("content", "digest_mismatch", "the content that the signed statement speaks of")
    )

"""Whether the content of a submission is the one its signed statement speaks of, and sealed where it must be.

Content travels beside the statement, so somebody on the way could take it off, put another in its place, or
send it on in the clear; each has a rule of its own, because each is an attack that must be told by its name.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from casework.directory import Directory
from casework.errors import BadInputError, RuleViolation
from casework.limits import DIGEST_BYTES
from casework.messages import ActionStatement, ReportStatement, Submission
from casework.sealed_content import binding
from casework.sealed_glance import Glance, glance

SEALED: Final = "jwe"
REWRAP: Final = "rewrap"
"""Action whose content is that of an earlier report, with further recipients."""


def check_protection(
    statement: ReportStatement | ActionStatement, submission: Submission, directory: Directory
) -> Iterator[RuleViolation]:
    """Yield every rule that content and statement break together."""
    yield from _credentials(statement, submission)
    content = submission.content
    if content is None:
        if statement.content_digest is not None:
            yield RuleViolation(
                "content", "content_stripped", "the statement speaks of content that is not here"
            )
        return
    if statement.content_protection != SEALED:
        if directory.protection == "required":
            text = "the directory requires sealed content"
            yield RuleViolation("content_protection", "clear_content", text)
        if statement.content_digest != hashlib.sha256(content).digest():
            text = f"SHA-256 of the content, {DIGEST_BYTES} bytes"
            yield RuleViolation("content_digest", "digest_mismatch", text)
        return
    try:
        sealed = glance(content)
    except BadInputError as error:
        yield from error.violations
        return
    if statement.content_digest != sealed.digest:
        text = f"SHA-256 of the sealed content without its recipients, {DIGEST_BYTES} bytes"
        yield RuleViolation("content_digest", "digest_mismatch", text)
    if not _is_rewrap(statement) and not sealed.is_bound_to(binding_of(statement)):
        text = "environment, sender, event id and url key of the statement"
        yield RuleViolation("content.aad", "foreign_content", text)


def _credentials(
    statement: ReportStatement | ActionStatement, submission: Submission
) -> Iterator[RuleViolation]:
    """Yield the rule that encrypted credentials break; only readers of the content can open them."""
    said = statement.credentials_digest if isinstance(statement, ReportStatement) else None
    if submission.credentials is None:
        if said is not None:
            text = "the statement speaks of credentials that are not here"
            yield RuleViolation("credentials", "credentials_stripped", text)
    elif said != hashlib.sha256(submission.credentials).digest():
        text = f"SHA-256 of the credentials, {DIGEST_BYTES} bytes"
        yield RuleViolation("credentials_digest", "digest_mismatch", text)


def binding_of(statement: ReportStatement | ActionStatement) -> bytes:
    """Answer what the sealed content of a statement is bound to."""
    return binding(statement.environment, statement.sender, statement.event_id, statement.url_key)


def sealed_of(statement: ReportStatement | ActionStatement, submission: Submission) -> Glance | None:
    """Answer what is seen of the sealed content of an admitted submission; None: clear, or none.

    Raises:
        BadInputError: It is not in our form, so intake cannot have admitted it.
    """
    if submission.content is None or statement.content_protection != SEALED:
        return None
    return glance(submission.content)


def _is_rewrap(statement: ReportStatement | ActionStatement) -> bool:
    return isinstance(statement, ActionStatement) and statement.action == REWRAP

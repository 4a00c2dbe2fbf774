"""Whether contents are those that the signed statements speak of, and clear text what was sealed."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from casework.errors import BadInputError
from casework.messages import ReportContent, ReportStatement
from casework.protection import REWRAP, binding_of
from casework.sealed_content import SealedContent, parse
from connectors.errors import UnreadableContentError
from connectors.sealing import open_sealed, open_with_key
from operations.evidence.completeness import content_digest, is_sealed
from operations.evidence.derived import Evidence, content_of
from operations.evidence.errors import BundleRefusedError
from operations.evidence.statements import Said
from operations.evidence.verdicts import Findings
from streams.key_rings import KeyRing


class _Shown(NamedTuple):
    """A content as it was sent, what it is said to be, and the key that would prove it."""

    content: bytes
    clear: bytes
    key: bytes | None


def check_contents(
    evidence: Evidence, keys: Mapping[str, bytes], ring: KeyRing | None, findings: Findings
) -> None:
    """Check each content against its statement, and each clear content against what was sealed.

    Args:
        evidence: What the bundle holds.
        keys: Content keys that the maker disclosed, by event id.
        ring: Keys of whoever checks, or None.
        findings: Where verdicts go.
    """
    owners = {said.event_id: said for said in evidence.said if not _is_rewrap(said)}
    for event_id, content in evidence.contents.items():
        part = f"content {event_id}"
        said = owners.get(event_id)
        if said is None:
            findings.failed(part, "unexpected", "a content that a statement of the bundle speaks of")
            continue
        if not _belongs(part, content, said, findings):
            continue
        if event_id not in evidence.opened:
            continue
        shown = _Shown(content, evidence.opened[event_id], keys.get(event_id))
        _check_clear(shown, said, ring, findings)
    for event_id in sorted(evidence.opened.keys() - evidence.contents.keys()):
        findings.failed(f"clear content {event_id}", "unexpected", "clear text of a content of the bundle")
    for event_id in sorted(keys.keys() - evidence.opened.keys()):
        findings.failed(f"content key {event_id}", "unexpected", "a key of a content that was opened")


def _belongs(part: str, content: bytes, said: Said, findings: Findings) -> bool:
    statement = said.statement
    if content_digest(content) != statement.content_digest:
        findings.failed(part, "digest_mismatch", "the content that the signed statement speaks of")
        return False
    if statement.content_protection != "jwe":
        findings.ok(part, "belongs", f"the clear content that {statement.sender} speaks of, by its digest")
        return True
    try:
        bound = parse(content).is_bound_to(binding_of(statement))
    except BadInputError as error:
        findings.failed(part, error.violations[0].rule, error.violations[0].message)
        return False
    if not findings.require(bound, part, "foreign_content", "sealed for this sender, event and url key"):
        return False
    findings.ok(
        part, "belongs", f"the sealed content that {statement.sender} speaks of, by digest and binding"
    )
    return True


def _check_clear(shown: _Shown, said: Said, ring: KeyRing | None, findings: Findings) -> None:
    clear, key = shown.clear, shown.key
    part = f"clear content {said.event_id}"
    expected_report = isinstance(said.statement, ReportStatement)
    try:
        is_report = isinstance(content_of(said.event_id, clear), ReportContent)
    except BundleRefusedError as error:
        findings.failed(part, error.rule, error.expected)
        return
    if not findings.require(is_report == expected_report, part, "unexpected_message", "the statement's kind"):
        return
    if not is_sealed(shown.content):
        if findings.require(clear == shown.content, part, "altered", "the content as it was sent"):
            findings.ok(part, "as_sent", "it was sent in the clear")
        return
    sealed = parse(shown.content)
    if key is not None:
        _compare(
            part, clear, lambda: open_with_key(sealed, key), "by the content key in the bundle", findings
        )
    own = None if ring is None else _opened(sealed, ring)
    if own is not None:
        _compare(part, clear, lambda: own, "by your own key", findings)
    elif key is None:
        text = (
            "the maker's word: no content key is here (--disclose-content-key), and no key of yours opens it"
        )
        findings.unproven(part, "not_disclosed", text)


def _opened(sealed: SealedContent, ring: KeyRing) -> bytes | None:
    try:
        return open_sealed(sealed, ring)
    except UnreadableContentError:
        return None


def _compare(part: str, clear: bytes, opening: Callable[[], bytes], how: str, findings: Findings) -> None:
    try:
        opened = opening()
    except UnreadableContentError as error:
        findings.failed(part, error.violations[0].rule, error.violations[0].message)
        return
    if findings.require(opened == clear, part, "altered", "exactly what was sealed"):
        findings.ok(part, "opened", f"exactly what was sealed, {how}")


def _is_rewrap(said: Said) -> bool:
    return not isinstance(said.statement, ReportStatement) and said.statement.action == REWRAP

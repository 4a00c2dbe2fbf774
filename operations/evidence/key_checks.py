"""Signatures in a bundle: the secretariat's on directories, those of members, exchange and maker."""

from typing import Final

from casework.claimed_times import check_sent_at
from casework.directory import EXCHANGE
from casework.directory_keys import Signers
from casework.directory_signing import check_signatures, signed_by
from casework.dsse import EVIDENCE, pae, signed_statement
from casework.exchange_signatures import signed_message
from casework.signatures import UNPROVEN, check_signature
from operations.evidence.derived import Evidence
from operations.evidence.directories import Versions
from operations.evidence.parts import MANIFEST, SIGNATURE, Kept, Manifest, ManifestSignature, moment
from operations.evidence.statements import Answer, Said
from operations.evidence.verdicts import Findings

_INBOX: Final = "inbox."
_ESCALATIONS: Final = "escalations."
_FEED: Final = "feed."


def check_directories(versions: Versions, anchor: Signers | None, findings: Findings) -> None:
    """Check the chain of directories from the anchor on; without one from the first directory on."""
    if not versions.parsed:
        findings.unproven("directories", "no_directory", "no directory is here: no key belongs to anybody")
        return
    trusted = anchor
    for version, directory in versions.parsed.items():
        part = f"directory {version}"
        document = versions.documents[version]
        violations = check_signatures(document, directory, trusted)
        for violation in violations:
            findings.failed(part, violation.rule, violation.message)
        if violations:
            continue
        if directory.signers is None:
            findings.unproven(part, "unsigned_directory", "nobody signs the directories of this exchange")
            continue
        names = ", ".join(signed_by(document, trusted or directory.signers))
        findings.ok(
            part, "signed_directory", f"signed by {names}; in force from {moment(directory.valid_from)}"
        )
        trusted = directory.signers
    if anchor is None:
        text = "checked only against itself: give --anchor with the signers that the network has published"
        findings.unproven("directories", "no_anchor", text)
    else:
        findings.ok(
            "directories", "anchored", f"the chain begins with {anchor.threshold} of the anchor's keys"
        )


def check_statements(evidence: Evidence, findings: Findings) -> None:
    """Check each signed statement with the key that counted when the broker took it."""
    by_id: dict[str, bytes] = {}
    for said in evidence.said:
        part = f"statement {said.event_id}"
        if by_id.setdefault(said.event_id, said.framed) != said.framed:
            findings.failed(part, "id_reused", "two statements have this event id")
        _check_statement(part, said, evidence.versions, findings)


def _check_statement(part: str, said: Said, versions: Versions, findings: Findings) -> None:
    sender, at = said.statement.sender, moment(said.signed_at)
    directory = versions.in_force(said)
    if directory is None:
        findings.unproven(part, "no_directory", "the directory that counted then is not here")
        return
    findings.require(
        directory.environment == said.statement.environment, part, "wrong_environment", "of another exchange"
    )
    outside = check_sent_at(said.statement.sent_at, said.signed_at)
    if outside is not None:
        findings.failed(part, outside.rule, outside.message)
    findings.require(
        directory.valid_from <= said.admitted_at,
        part,
        "directory_not_in_force",
        f"directory {directory.version} was not valid yet when the exchange took the statement",
    )
    violation = check_signature(
        directory,
        sender,
        message=signed_statement(said.kind, said.framed),
        signature=said.signature,
        key_id=said.key_id,
        signed_at=said.signed_at,
    )
    if violation is not None and said.submitted_at is None and violation.rule not in UNPROVEN:
        text = f"{sender} held the key, which did not count at {at}; when the broker took it is not said here"
        findings.unproven(part, violation.rule, text)
        return
    if violation is not None:
        findings.failed(part, violation.rule, violation.message)
        return
    if said.signature is None:
        text = f"{sender} sent it unsigned, which directory {directory.version} allows"
        findings.unproven(part, "unsigned", text)
        return
    revoked = versions.revocation(said.key_id or "")
    if revoked is not None and revoked.revoked_at is not None and revoked.revoked_at <= said.signed_at:
        text = (
            f"a later directory says that the key was not to be believed from {moment(revoked.revoked_at)} on"
        )
        findings.failed(part, "key_revoked", text)
        return
    whose = "which the statement names" if said.submitted_at is None else "when the broker took it"
    text = f"signed by {sender}, key {said.key_id}, which counted at {at} ({whose})"
    findings.ok(part, "signed", f"{text} by directory {directory.version}")


def check_messages(manifest: Manifest, evidence: Evidence, findings: Findings) -> None:
    """Check that the exchange itself sent each message, to whom it names, about this case."""
    for record, answer in zip(evidence.messages, evidence.answers, strict=True):
        part = f"message {record.place}"
        findings.require(
            _addressee(record) == answer.recipient.lower(), part, "wrong_topic", "its recipient's topic"
        )
        findings.require(
            answer.case_id in {None, manifest.case_id}
            and (answer.url_key is None or answer.url_key.hex() == manifest.url_key)
            and answer.environment == manifest.environment,
            part,
            "foreign_message",
            "a message about this case",
        )
        _check_message(part, record, answer, evidence.versions, findings)


def _check_message(part: str, record: Kept, answer: Answer, versions: Versions, findings: Findings) -> None:
    directory = versions.at(answer.admitted_at)
    if directory is None:
        findings.unproven(part, "no_directory", "the directory that counted then is not here")
        return
    if not directory.exchange_keys and record.signature is None:
        text = f"directory {directory.version} lists no key of the exchange"
        findings.unproven(part, "unsigned", text)
        return
    violation = check_signature(
        directory,
        EXCHANGE,
        message=signed_message(record.topic, record.value),
        signature=record.signature or b"",
        key_id=record.key_id or "",
        signed_at=record.appended_at,
    )
    if violation is not None:
        rule = "signature_missing" if record.signature is None else violation.rule
        findings.failed(part, rule, violation.message)
        return
    findings.ok(part, "signed", f"signed by the exchange, key {record.key_id}")


def check_maker(
    manifest: Manifest,
    framed: bytes,
    signature: ManifestSignature | None,
    versions: Versions,
    findings: Findings,
) -> None:
    """Check who made the bundle; order, times and facts rest on this signature where no other covers them."""
    if signature is None:
        text = "its maker did not sign it: facts, their order and what is missing rest on nobody's signature"
        findings.unproven(MANIFEST, "unsigned_bundle", text)
        return
    directory = versions.newest
    if not findings.require(
        signature.payload_type == EVIDENCE, SIGNATURE, "wrong_type", f"payloadType {EVIDENCE}"
    ):
        return
    if directory is None:
        findings.unproven(MANIFEST, "no_directory", "no directory is here that lists the maker's key")
        return
    violation = check_signature(
        directory,
        manifest.made_by,
        message=pae(EVIDENCE, framed),
        signature=signature.sig,
        key_id=signature.keyid,
        signed_at=manifest.made_at,
    )
    if violation is not None:
        findings.failed(SIGNATURE, violation.rule, violation.message)
        return
    when = f"{manifest.made_at_text} by its own clock"
    text = f"made and signed by {manifest.made_by}, key {signature.keyid}, at {when}"
    findings.ok(MANIFEST, "signed", text)


def _addressee(record: Kept) -> str:
    for head in (_INBOX, _ESCALATIONS, _FEED):
        if record.topic.startswith(head):
            return record.topic.removeprefix(head).removesuffix(".urgent")
    return ""

"""Checks a bundle: pure, from its bytes and what the checker brings, without Kafka, network or settings.

Everything in it is taken for hostile. Sizes are bounded by the file's own, each part has one accepted form,
and whatever is wrong becomes a line that names it.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from casework.directory import Directory
from casework.directory_keys import Signers
from casework.errors import BadInputError, RuleViolation
from casework.messages import DirectoryDocument
from operations.evidence.completeness import gaps
from operations.evidence.container import unpack
from operations.evidence.content_checks import check_contents
from operations.evidence.derived import Evidence, derive
from operations.evidence.directories import MAX_VERSIONS, Versions, from_part
from operations.evidence.errors import BundleRefusedError
from operations.evidence.fact_checks import check_facts
from operations.evidence.key_checks import (
    check_directories,
    check_maker,
    check_messages,
    check_statements,
)
from operations.evidence.parts import (
    CLEAR_SUFFIX,
    CONTENT_KEYS,
    CONTENTS,
    DIRECTORIES,
    EVENT_ID,
    FACTS,
    FORMAT,
    MANIFEST,
    MESSAGES,
    OPENED,
    SEALED_SUFFIX,
    SIGNATURE,
    Manifest,
    ManifestSignature,
    from_json,
    moment,
    records_from,
)
from operations.evidence.statements import answers_in, facts_in, said_in
from operations.evidence.verdicts import Check, Findings
from streams.key_rings import KeyRing

_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_SOURCES: Final = ("exchange", "inbox")


def check(bundle: bytes, anchor: Signers | None = None, ring: KeyRing | None = None) -> tuple[Check, ...]:
    """Answer a verdict on everything in a bundle.

    Args:
        bundle: The file.
        anchor: Signers of directories whom the checker trusts; None checks the chain against itself only.
        ring: Keys of the checker, by which sealed contents are opened and compared; None opens none.
    """
    findings = Findings()
    try:
        parts = unpack(bundle)
        findings.ok("bundle", "whole", f"{len(parts)} parts in the one accepted form")
        manifest = _manifest(parts, findings)
        evidence = _read(manifest, parts)
        check_directories(evidence.versions, anchor, findings)
        signature = parts.get(SIGNATURE)
        signed = None if signature is None else from_json(SIGNATURE, signature, ManifestSignature)
        check_maker(manifest, parts[MANIFEST], signed, evidence.versions, findings)
        check_facts(manifest, records_from(FACTS, parts[FACTS]), evidence, findings)
        check_statements(evidence, findings)
        check_messages(manifest, evidence, findings)
        keys = from_json(CONTENT_KEYS, parts[CONTENT_KEYS], dict[str, bytes]) if CONTENT_KEYS in parts else {}
        check_contents(evidence, keys, ring, findings)
        _check_missing(evidence, findings)
        _check_derived(evidence, parts, findings)
    except BadInputError as error:
        for violation in error.violations:
            _refused(violation, findings)
    return tuple(findings.checks)


def _refused(violation: RuleViolation, findings: Findings) -> None:
    findings.failed(violation.field, violation.rule, violation.message)
    findings.failed("bundle", "not_checked", "what comes after this could not be looked at")


def _manifest(parts: Mapping[str, bytes], findings: Findings) -> Manifest:
    if MANIFEST not in parts:
        raise BundleRefusedError("missing", "a bundle has a manifest", MANIFEST)
    manifest = from_json(MANIFEST, parts[MANIFEST], Manifest)
    if manifest.format != FORMAT:
        raise BundleRefusedError("unknown_format", f"format {FORMAT} is known to this version", MANIFEST)
    if manifest.source not in _SOURCES:
        raise BundleRefusedError("unknown_source", "exchange or inbox", MANIFEST)
    before = len(findings.failures)
    said = moment(manifest.made_at)
    findings.require(
        manifest.made_at_text == said, MANIFEST, "disagrees", "both times of making are the same"
    )
    listed, there = manifest.parts.keys(), parts.keys() - {MANIFEST, SIGNATURE}
    for name in sorted(listed - there):
        findings.failed(name, "missing", "a part that the manifest lists")
    for name in sorted(there - listed):
        findings.failed(name, "unexpected", "only parts that the manifest lists")
    for name in sorted(listed & there):
        part, entry = parts[name], manifest.parts[name]
        same = (hashlib.sha256(part).hexdigest(), len(part)) == (entry.sha256, entry.size)
        findings.require(same, name, "digest_mismatch", "the part that the manifest lists")
    if len(findings.failures) == before:
        findings.ok(MANIFEST, "digests", f"SHA-256 of all {len(listed)} parts")
    return manifest


def _read(manifest: Manifest, parts: Mapping[str, bytes]) -> Evidence:
    for name in (FACTS, MESSAGES):
        if name not in parts:
            raise BundleRefusedError("missing", "a part that every bundle has", name)
    facts = facts_in(records_from(FACTS, parts[FACTS]))
    messages = records_from(MESSAGES, parts[MESSAGES])
    answers = answers_in(messages)
    return Evidence(
        source=manifest.source,
        facts=facts,
        messages=messages,
        answers=answers,
        said=said_in(facts, messages, answers),
        versions=_versions(parts),
        contents=_named(parts, CONTENTS, (SEALED_SUFFIX, CLEAR_SUFFIX)),
        opened=_named(parts, OPENED, (CLEAR_SUFFIX,)),
        missing=manifest.missing,
    )


def _versions(parts: Mapping[str, bytes]) -> Versions:
    documents: dict[int, DirectoryDocument] = {}
    parsed: dict[int, Directory] = {}
    names = [name for name in parts if name.startswith(DIRECTORIES)]
    if len(names) > MAX_VERSIONS:
        raise BundleRefusedError("too_many_parts", f"at most {MAX_VERSIONS}", DIRECTORIES)
    numbers = {name: name.removeprefix(DIRECTORIES).removesuffix(".json") for name in names}
    for name, number in numbers.items():
        if not _VERSION.fullmatch(number):
            raise BundleRefusedError("bad_name", "directories/<version>.json", name)
    for name in sorted(names, key=lambda name: int(numbers[name])):
        document, directory = from_part(name, parts[name])
        if str(directory.version) != numbers[name]:
            raise BundleRefusedError("disagrees", "the version in its name", name)
        documents[directory.version], parsed[directory.version] = document, directory
    return Versions(documents, parsed)


def _named(parts: Mapping[str, bytes], folder: str, suffixes: tuple[str, ...]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, part in parts.items():
        if not name.startswith(folder):
            continue
        for suffix in suffixes:
            event_id = name.removeprefix(folder).removesuffix(suffix)
            if name.endswith(suffix) and EVENT_ID.fullmatch(event_id):
                if event_id in found:
                    raise BundleRefusedError("repeated_name", "one content of an event", name)
                found[event_id] = part
                break
    return found


def _check_missing(evidence: Evidence, findings: Findings) -> None:
    """Hold what is missing against what the manifest names; a gap without a name is a fault."""
    there = set(gaps(evidence))
    named = {one.what: one.reason for one in evidence.missing}
    findings.require(
        evidence.missing == tuple(sorted(set(evidence.missing))) and len(named) == len(evidence.missing),
        MANIFEST,
        "not_canonical",
        "what is missing, sorted, each once",
    )
    for what in sorted(there - named.keys()):
        findings.failed(what, "missing", "it is not here, and the manifest does not say why")
    for what in sorted(named.keys() - there):
        findings.failed(what, "disagrees", "the manifest calls it missing, and nothing shows that")
    for what in sorted(named.keys() & there):
        findings.unproven(what, "missing", f"not here: {named[what]}")


def _check_derived(evidence: Evidence, parts: Mapping[str, bytes], findings: Findings) -> None:
    """Make the parts for readers again and compare; then nothing may be left over."""
    made = derive(evidence)
    for name, part in made.items():
        if name not in parts:
            findings.failed(name, "missing", "a part that every bundle has")
        elif findings.require(parts[name] == part, name, "altered", "exactly what follows from the evidence"):
            findings.ok(name, "derived", "says what the evidence says, no more and no less")
    used = {MANIFEST, SIGNATURE, FACTS, MESSAGES, CONTENT_KEYS, *made}
    used.update(f"{OPENED}{event_id}{CLEAR_SUFFIX}" for event_id in evidence.opened)
    used.update(
        f"{CONTENTS}{event_id}{suffix}"
        for event_id in evidence.contents
        for suffix in (SEALED_SUFFIX, CLEAR_SUFFIX)
    )
    used.update(f"{DIRECTORIES}{version}.json" for version in evidence.versions.parsed)
    for name in sorted(parts.keys() - used):
        findings.failed(name, "unexpected", "a part that bundles do not have")

"""Makes a bundle of what is known of a case: equal material, maker and time give equal bytes."""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from casework.dsse import EVIDENCE, pae
from casework.sealed_content import parse
from connectors.errors import UnreadableContentError
from connectors.sealing import content_key_of, open_sealed
from operations.evidence.completeness import gaps, is_sealed
from operations.evidence.container import pack
from operations.evidence.derived import Evidence, derive
from operations.evidence.directories import to_part
from operations.evidence.errors import NoEvidenceError
from operations.evidence.material import Material
from operations.evidence.parts import (
    CLEAR_SUFFIX,
    CONTENT_KEYS,
    CONTENTS,
    DIRECTORIES,
    FACTS,
    FORMAT,
    MANIFEST,
    MESSAGES,
    OPENED,
    SEALED_SUFFIX,
    SIGNATURE,
    Manifest,
    ManifestSignature,
    Missing,
    PartEntry,
    moment,
    to_json,
)
from operations.evidence.statements import Said, answers_in, facts_in, said_in
from streams.key_rings import KeyRing, Signer

_UNSAID: Final = "it is not where this bundle was made from"
_REASONS: Final[Mapping[str, str]] = {
    "facts": "the topic of facts does not hold them any more",
    "deliveries": "the inbox does not hold them any more",
    "signature": "the member sent it unsigned",
    "directory": "the directory topic does not hold it any more",
    "statement": "the inbox holds only the receipt of it; its sender has it",
    "clear": "no key of the maker opens it",
}


class Maker(msgspec.Struct, frozen=True):
    """Who makes a bundle, when and with what.

    Attributes:
        name: Member id, `exchange`, or a name that no key stands for.
        made_at: Real time; milliseconds since the epoch, UTC.
        software_version: Version of this program.
        ring: The maker's keys; None opens and signs nothing.
        signs: Whether the manifest is signed: by a key of the ring that the directory lists for `name`.
        discloses_content_keys: Whether the keys of opened contents go into the bundle.
    """

    name: str
    made_at: int
    software_version: str
    ring: KeyRing | None = None
    signs: bool = False
    discloses_content_keys: bool = False


def owner_of(material: Material, ring: KeyRing, at: int) -> str | None:
    """Answer for whom a ring may sign at a moment by the newest directory, or None.

    Args:
        material: What the bundle is made of.
        ring: The keys.
        at: Real time; milliseconds since the epoch, UTC.
    """
    newest = material.versions.newest
    if newest is None:
        return None
    for key_id, (owner, key) in sorted(newest.keys_by_id.items()):
        if key.use == "sign" and ring.key(key_id) is not None and key.is_valid_at(at):
            return owner
    return None


def build(material: Material, maker: Maker) -> bytes:
    """Answer the bundle of a case.

    Raises:
        BundleRefusedError: A record cannot be read, or there is more than a bundle may hold.
        NoEvidenceError: Nothing was found about the case.
        KeyRingError: The maker is to sign and has no key that counts.
    """
    if not material.facts and not material.messages:
        raise NoEvidenceError("there is no evidence of this case here")
    facts, answers = facts_in(material.facts), answers_in(material.messages)
    said = said_in(facts, material.messages, answers)
    ring = maker.ring or KeyRing()
    contents = {
        event_id: _best(found, ring)
        for event_id, found in material.contents.items()
        if any(one.event_id == event_id and one.statement.content_digest is not None for one in said)
    }
    opened = {
        event_id: clear
        for event_id, content in contents.items()
        if (clear := _clear(content, ring)) is not None
    }
    versions = material.versions.needed(said, (fact.directory_version for fact in facts))
    evidence = Evidence(
        source=material.source,
        facts=facts,
        messages=material.messages,
        answers=answers,
        said=said,
        versions=versions,
        contents=contents,
        opened=opened,
        missing=(),
    )
    missing = tuple(Missing(what, _reason(what, material, said)) for what in gaps(evidence))
    evidence = msgspec.structs.replace(evidence, missing=missing)
    parts = derive(evidence)
    parts[FACTS], parts[MESSAGES] = to_json(material.facts), to_json(material.messages)
    for event_id, content in contents.items():
        parts[f"{CONTENTS}{event_id}{SEALED_SUFFIX if is_sealed(content) else CLEAR_SUFFIX}"] = content
    parts.update({f"{OPENED}{event_id}{CLEAR_SUFFIX}": clear for event_id, clear in opened.items()})
    parts.update({f"{DIRECTORIES}{number}.json": to_part(one) for number, one in versions.documents.items()})
    if maker.discloses_content_keys:
        sealed = {
            event_id: contents[event_id] for event_id in sorted(opened) if is_sealed(contents[event_id])
        }
        keys = {event_id: content_key_of(parse(one), ring).reveal() for event_id, one in sealed.items()}
        parts[CONTENT_KEYS] = to_json(keys)
    return pack(_with_head(parts, material, missing, maker))


def _with_head(
    parts: dict[str, bytes], material: Material, missing: tuple[Missing, ...], maker: Maker
) -> dict[str, bytes]:
    manifest = to_json(
        Manifest(
            format=FORMAT,
            case_id=material.case_id,
            url_key=material.url_key.hex(),
            environment=material.environment,
            source=material.source,
            made_at=maker.made_at,
            made_at_text=moment(maker.made_at),
            made_by=maker.name,
            software_version=maker.software_version,
            missing=missing,
            parts={
                name: PartEntry(hashlib.sha256(part).hexdigest(), len(part))
                for name, part in sorted(parts.items())
            },
        )
    )
    head = {MANIFEST: manifest}
    newest = material.versions.newest
    if maker.signs and maker.ring is not None and newest is not None:
        signer: Signer = maker.ring.signer(newest, maker.name, maker.made_at)
        signature = signer.sign(pae(EVIDENCE, manifest))
        head[SIGNATURE] = to_json(ManifestSignature(EVIDENCE, signer.key_id, signature))
    return parts | head


def _best(found: tuple[bytes, ...], ring: KeyRing) -> bytes:
    """Answer the content that the ring opens, of those that differ in their recipients; else the last."""
    return next((content for content in reversed(found) if _clear(content, ring) is not None), found[-1])


def _clear(content: bytes, ring: KeyRing) -> bytes | None:
    if not is_sealed(content):
        return content
    try:
        return open_sealed(parse(content), ring)
    except UnreadableContentError:
        return None


def _reason(what: str, material: Material, said: tuple[Said, ...]) -> str:
    kind, _, event_id = what.partition(" ")
    if kind != "content":
        return _REASONS[kind]
    known = material.reasons.get(event_id)
    if known is not None:
        return known
    if any(one.event_id == event_id and one.kind == "action" for one in said):
        return "the exchange keeps no content of actions; its sender has it"
    return _UNSAID

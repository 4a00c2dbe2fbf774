"""The parts of a bundle that are for readers, made from its evidence and from nothing else.

Whoever writes a bundle and whoever checks it call the same function, so a reader's part that says anything
else than the evidence is found.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from casework.directory import EXCHANGE, Directory
from casework.messages import ActionContent, Delivery, Fact, Receipt, ReportContent
from casework.public_keys import PublicKey
from operations.evidence import words
from operations.evidence.directories import Versions
from operations.evidence.errors import BundleRefusedError
from operations.evidence.parts import OPENED, Kept, Missing, moment, readable, to_json
from operations.evidence.statements import Answer, Said, shown
from schemas.errors import UnreadableError
from streams import wire

READ_ME: Final = "read-me.txt"
STATEMENTS: Final = "statements.json"
KEYS: Final = "keys.json"
TIMELINE: Final = "timeline.json"
TIMELINE_TEXT: Final = "timeline.md"
_READ_ME: Final = """\
Evidence of one case of Hotline Exchange. It holds no image, video or thumbnail.
It may hold addresses of child sexual abuse material (folder opened): keep it as such.

timeline.md           what happened, for people; timeline.json is the same for programs
statements.json       what members said, with their signatures
keys.json             whose keys these are, and from when to when they counted
facts.json            what the exchange recorded, numbered without a gap (bundles of an exchange)
messages.json         what the exchange sent to a member or to police, with its signatures
contents/             the contents as they were sent, sealed
opened/               contents that the maker of this bundle could open
content-keys.json     keys of these contents, only where the maker chose to disclose them
directories/          who was a member with which keys, signed by the secretariat
manifest.json         SHA-256 of every part, and what is missing and why
manifest.signature.json   signature of the maker over the manifest

Check it without the exchange: hx evidence verify FILE --anchor ANCHOR
What this proves and what it does not: docs/evidence.md of the software.
"""


class Evidence(msgspec.Struct, frozen=True):
    """The evidence of a bundle, read.

    Attributes:
        source: `exchange` or `inbox`.
        facts: Facts in the order of the file.
        messages: Records of the exchange's messages.
        answers: The messages in them.
        said: The signed statements.
        versions: Directories.
        contents: Contents as they were sent, by event id.
        opened: Clear contents, framed, by event id.
        missing: What belongs to the case and is not here.
    """

    source: str
    facts: tuple[Fact, ...]
    messages: tuple[Kept, ...]
    answers: tuple[Answer, ...]
    said: tuple[Said, ...]
    versions: Versions
    contents: Mapping[str, bytes]
    opened: Mapping[str, bytes]
    missing: tuple[Missing, ...]


def derive(evidence: Evidence) -> dict[str, bytes]:
    """Answer the parts for readers by name.

    Raises:
        BundleRefusedError: An opened content is none.
    """
    entries = _entries(evidence)
    parts = {
        READ_ME: _READ_ME.encode(),
        STATEMENTS: to_json([shown(said) for said in evidence.said]),
        KEYS: to_json(_keys(evidence)),
        TIMELINE: to_json(entries),
        TIMELINE_TEXT: _text(entries, evidence).encode(),
    }
    for event_id, clear in evidence.opened.items():
        content = content_of(event_id, clear)
        parts[f"{OPENED}{event_id}.json"] = to_json({"event_id": event_id, "content": readable(content)})
    return parts


def content_of(event_id: str, clear: bytes) -> ReportContent | ActionContent:
    """Read a clear content.

    Raises:
        BundleRefusedError: It is none.
    """
    try:
        content = wire.decode(clear)
    except UnreadableError as error:
        raise BundleRefusedError(error.rule, "a framed content", f"opened {event_id}") from error
    if not isinstance(content, ReportContent | ActionContent):
        raise BundleRefusedError("unexpected_message", "a framed content", f"opened {event_id}")
    return content


def _entries(evidence: Evidence) -> list[dict[str, Any]]:
    signed = {where: said for said in evidence.said for where in said.found if said.signature is not None}
    entries = [_of_fact(fact, signed.get(f"fact {fact.number}")) for fact in evidence.facts]
    told: set[str] = set()
    for record, answer in zip(evidence.messages, evidence.answers, strict=True):
        entry = _of_answer(record, answer, signed.get(record.place))
        if entry["id"] not in told:
            told.add(entry["id"])
            entries.append(entry)
    return sorted(entries, key=lambda entry: (entry["decided_at"], entry.get("number", 0), entry["id"]))


def _of_fact(fact: Fact, said: Said | None) -> dict[str, Any]:
    return {
        "id": fact.fact_id,
        "number": fact.number,
        "text": words.of_fact(fact),
        "by": fact.by,
        **_when(fact.occurred_at, fact.admitted_at, fact.submitted_at, stated=fact.by != EXCHANGE),
        "round": fact.round,
        "leg": fact.leg,
        "breaches": [words.of_breach(each) for each in fact.breaches],
        "reference": fact.reference,
        "proof": _proof(said, "a fact that the exchange recorded"),
    }


def _of_answer(record: Kept, answer: Answer, said: Said | None) -> dict[str, Any]:
    proof = "the exchange's word" + ("" if record.signature is None else f", signed by key {record.key_id}")
    if isinstance(answer, Delivery):
        return {
            "id": answer.delivery_id,
            "delivery": answer.number,
            "text": words.of_delivery(answer),
            "by": answer.by,
            **_when(
                answer.occurred_at, answer.admitted_at, answer.submitted_at, stated=answer.by != EXCHANGE
            ),
            "round": answer.round,
            "leg": answer.leg,
            "breaches": [words.of_breach(each) for each in answer.breaches],
            "reference": answer.reference,
            "proof": _proof(said, proof),
        }
    times = _when(answer.admitted_at, answer.admitted_at, answer.submitted_at, stated=False)
    shared = {"by": EXCHANGE, **times, "proof": _proof(said, proof)}
    if isinstance(answer, Receipt):
        breaches = [words.of_breach(each) for each in answer.breaches]
        return {"id": answer.receipt_id, "text": words.of_receipt(answer), "breaches": breaches, **shared}
    return {"id": answer.escalation_id, "text": words.of_escalation(answer), "breaches": [], **shared}


def _when(occurred_at: int, decided_at: int, submitted_at: int, *, stated: bool) -> dict[str, Any]:
    times: dict[str, Any] = {"decided_at": decided_at, "decided": moment(decided_at)}
    if stated:
        times |= {"claimed_at": occurred_at, "claimed": moment(occurred_at)}
        times |= {"submitted_at": submitted_at, "submitted": moment(submitted_at)}
    return times


def _proof(said: Said | None, otherwise: str) -> str:
    if said is None:
        return otherwise
    return f"statement {said.event_id} of {said.statement.sender}, signed by key {said.key_id}"


def _keys(evidence: Evidence) -> list[dict[str, Any]]:
    """Answer each key that signed something, as each directory of the bundle lists it."""
    used = {said.key_id for said in evidence.said} | {record.key_id for record in evidence.messages}
    found: list[dict[str, Any]] = []
    for version, directory in evidence.versions.parsed.items():
        for key_id, (owner, key) in sorted(directory.keys_by_id.items()):
            if key_id in used:
                found.append({"directory_version": version, "owner": owner, **_key(key)})
        found.extend(_signers(version, directory))
    return found


def _signers(version: int, directory: Directory) -> Iterable[dict[str, Any]]:
    signers = directory.signers
    if signers is None:
        return
    for name, key in sorted(signers.keys.items()):
        yield {
            "directory_version": version,
            "owner": f"secretariat: {name}",
            "threshold": signers.threshold,
            **_key(key),
        }


def _key(key: PublicKey) -> dict[str, Any]:
    times = {"valid_from": key.valid_from, "valid_until": key.valid_until, "revoked_at": key.revoked_at}
    return {
        "key_id": key.id,
        "algorithm": "Ed25519" if key.use == "sign" else "X25519",
        "public": key.public,
        **{name: None if at is None else moment(at) for name, at in times.items()},
    }


def _text(entries: Iterable[Mapping[str, Any]], evidence: Evidence) -> str:
    whole = (
        "all facts of the case" if evidence.source == "exchange" else "what one member or liaison was sent"
    )
    lines = [
        "# Timeline",
        "",
        f"Made from {whole}. All times are UTC. *Decided* is when the exchange took it up, by its own clock;",
        "*claimed* is when it happened, as the member says; *received* is when the broker stored it.",
        "",
    ]
    for entry in entries:
        number = entry.get("number") or entry.get("delivery")
        head = "" if number is None else f"{number}. " if "number" in entry else f"(delivery {number}) "
        lines.append(f"- **{head}{entry['decided']}** {words.plain(entry['text'])}")
        if "claimed" in entry:
            lines.append(f"  - claimed {entry['claimed']}, received {entry['submitted']}")
        lines.extend(f"  - **breach: {words.plain(each)}**" for each in entry["breaches"])
        if entry.get("reference"):
            lines.append(f"  - reference of the member: {words.plain(entry['reference'])}")
        lines.append(f"  - rests on: {words.plain(entry['proof'])}")
    lines += ["", "# What is missing here", ""]
    lines += [f"- {words.plain(one.what)}: {words.plain(one.reason)}" for one in evidence.missing] or [
        "- nothing"
    ]
    return "\n".join(lines) + "\n"

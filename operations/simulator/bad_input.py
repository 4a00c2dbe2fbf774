"""What is sent wrong on purpose: each kind of bad input that the exchange must answer or set aside.

A good submission is prepared by the client and then spoiled, past the client's own checks, as a faulty system
would send it: one that signs and seals properly what it has wrong, or one that cannot even do that.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from casework import dsse
from casework.directory import Directory
from casework.messages import ActionStatement, ReportContent, ReportStatement, Submission
from casework.protection import binding_of
from casework.sealed_content import parse, to_bytes
from connectors.preparing import Prepared
from connectors.sealing import open_sealed, seal
from operations.simulator.constants import DAY_MS
from streams import wire
from streams.key_rings import KeyRing, PrivateKey, Signer

Statement = ReportStatement | ActionStatement

_NOBODY: Final = "xx-nobody"
_NOWHERE: Final = "QQ"
_UNKNOWN_SCHEMA: Final = b"\0" + (999_999).to_bytes(4, "big") + b"?"


class FaultySystem(msgspec.Struct, frozen=True):
    """A member's system that makes mistakes.

    Attributes:
        ring: The member's key ring; None where nothing is signed or sealed.
        directory: The directory in use.
    """

    ring: KeyRing | None
    directory: Directory

    def send(self, good: Prepared, statement: Statement, content: bytes | None) -> Prepared:
        """Answer a submission of this statement and content, signed by the key that signed the good one."""
        submission = wire.decode_as(Submission, good.value)
        framed = wire.encode(statement)
        key = None if self.ring is None else self.ring.key(submission.key_id or "")
        signature = None if key is None else Signer(key).sign(dsse.signed_statement(good.kind, framed))
        changed = msgspec.structs.replace(submission, statement=framed, content=content, signature=signature)
        return msgspec.structs.replace(good, value=wire.encode(changed), statement=statement)

    def altered(self, good: Prepared, **fields: Any) -> Prepared:  # noqa: ANN401 - fields of several types
        """Answer a submission with other fields in its statement, whatever the rules say."""
        submission = wire.decode_as(Submission, good.value)
        statement: Statement = msgspec.structs.replace(good.statement, **fields)
        return self.send(good, statement, submission.content)

    def with_content(self, good: Prepared, **fields: Any) -> Prepared:  # noqa: ANN401 - see above
        """Answer a report with other fields in its content, sealed for the same readers."""
        there = wire.decode_as(Submission, good.value).content or b""
        sealed = None if self.ring is None else parse(there)
        clear = there if sealed is None or self.ring is None else open_sealed(sealed, self.ring)
        content = msgspec.structs.replace(wire.decode_as(ReportContent, clear), **fields)
        framed = wire.encode(content)
        digest = hashlib.sha256(framed).digest()
        if sealed is not None:
            readers = [self.directory.keys_by_id[key_id][1] for key_id in sealed.key_ids]
            again = seal(framed, readers, binding_of(good.statement))
            framed, digest = to_bytes(again), again.digest
        return self.send(good, msgspec.structs.replace(good.statement, content_digest=digest), framed)


class Fault(msgspec.Struct, frozen=True):
    """One way of being wrong.

    Attributes:
        name: What is wrong.
        expected: A refusal that the sender reads, or a dead letter.
        spoil: Makes the wrong submission from a good one.
    """

    name: str
    expected: Literal["refused", "dead_letter"]
    spoil: Callable[[Prepared, FaultySystem], Prepared]


def _bytes(value: bytes) -> Callable[[Prepared, FaultySystem], Prepared]:
    return lambda good, _: msgspec.structs.replace(good, value=value)


def _cut(good: Prepared, _: FaultySystem) -> Prepared:
    return msgspec.structs.replace(good, value=good.value[: len(good.value) // 2])


def _fields(**changes: Any) -> Callable[[Prepared, FaultySystem], Prepared]:  # noqa: ANN401 - fields of several types
    return lambda good, system: system.altered(good, **changes)


def _content(**changes: Any) -> Callable[[Prepared, FaultySystem], Prepared]:  # noqa: ANN401 - fields of several types
    return lambda good, system: system.with_content(good, **changes)


def _ahead(good: Prepared, system: FaultySystem) -> Prepared:
    return system.altered(good, occurred_at=good.statement.occurred_at + 30 * DAY_MS)


def _envelope(**changes: Any) -> Callable[[Prepared, FaultySystem], Prepared]:  # noqa: ANN401 - fields of several types
    def spoil(good: Prepared, _: FaultySystem) -> Prepared:
        submission = msgspec.structs.replace(wire.decode_as(Submission, good.value), **changes)
        return msgspec.structs.replace(good, value=wire.encode(submission))

    return spoil


def _by_a_stranger(good: Prepared, system: FaultySystem) -> Prepared:
    submission = wire.decode_as(Submission, good.value)
    stranger = Signer(PrivateKey.new("sign"))
    signature = stranger.sign(dsse.signed_statement(good.kind, submission.statement))
    return _envelope(signature=signature, key_id=stranger.key_id)(good, system)


def _in_the_clear(good: Prepared, system: FaultySystem) -> Prepared:
    framed = wire.encode(ReportContent(url="https://clear.example/"))
    digest = hashlib.sha256(framed).digest()
    statement = msgspec.structs.replace(good.statement, content_protection="none", content_digest=digest)
    return system.send(good, statement, framed)


def _of_another(good: Prepared, system: FaultySystem) -> Prepared:
    sealed = parse(wire.decode_as(Submission, good.value).content or b"")
    readers = [system.directory.keys_by_id[key_id][1] for key_id in sealed.key_ids]
    elsewhere = msgspec.structs.replace(good.statement, event_id=good.statement.event_id[::-1])
    again = seal(wire.encode(ReportContent(url="https://other.example/")), readers, binding_of(elsewhere))
    statement = msgspec.structs.replace(good.statement, content_digest=again.digest)
    return system.send(good, statement, to_bytes(again))


REPORT_FAULTS: Final[tuple[Fault, ...]] = (
    Fault("bytes that are no Avro", "dead_letter", _bytes(b"not a submission")),
    Fault("unknown schema id", "dead_letter", _bytes(_UNKNOWN_SCHEMA)),
    Fault("cut off in the middle", "dead_letter", _cut),
    Fault("sender not in the directory", "dead_letter", _fields(sender=_NOBODY)),
    Fault("unknown site type", "refused", _fields(site_type="palace")),
    Fault("wrong environment", "refused", _fields(environment="production")),
    Fault("no such country", "refused", _fields(hosting_country=_NOWHERE)),
    Fault("a month ahead", "refused", _ahead),
    Fault("empty reference", "refused", _fields(reference="")),
    Fault("over-long reference", "refused", _fields(reference="r" * 5_000)),
    Fault("digest of something else", "refused", _fields(content_digest=b"\0" * 32)),
    Fault("control character in the address", "refused", _content(url="https://bad.example/\x07")),
    Fault("no address", "refused", _content(url="chat with a stranger")),
    Fault("long note", "refused", _content(note="n" * 100_000)),
)
PROTECTION_FAULTS: Final[tuple[Fault, ...]] = (
    Fault("unsigned", "dead_letter", _envelope(signature=None, key_id=None)),
    Fault("signature of something else", "dead_letter", _envelope(signature=bytes(64))),
    Fault("signed by a stranger", "dead_letter", _by_a_stranger),
    Fault("content stripped", "refused", _envelope(content=None)),
    Fault("content cut off", "refused", _envelope(content=b"{")),
    Fault("content in the clear", "refused", _in_the_clear),
    Fault("content of another submission", "refused", _of_another),
)
"""For a directory that requires protection."""
SEALED_AWAY: Final = frozenset({"control character in the address", "no address", "long note"})
"""Faults of a report that intake cannot see once the content is sealed: its readers do."""
ACTION_FAULTS: Final[tuple[Fault, ...]] = (
    Fault("unknown action", "refused", _fields(action="vanished")),
    Fault("request that the table does not list", "refused", _fields(action="claim")),
    Fault("final action without its reason", "refused", _fields(action="unavailable", reason_code=None)),
    Fault("somebody else's case id", "refused", _fields(case_id="00000000-0000-4000-8000-000000000000")),
)

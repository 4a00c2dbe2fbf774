"""What is sent wrong on purpose: each kind of bad input that the exchange must answer or set aside.

A good submission is prepared by the client and then spoiled, past the client's own checks, as a faulty system
would send it.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from casework.messages import ActionStatement, ReportContent, ReportStatement, Submission
from connectors.drafts import Prepared
from operations.simulator.constants import DAY_MS
from streams import wire

_NOBODY: Final = "xx-nobody"
_NOWHERE: Final = "QQ"
_UNKNOWN_SCHEMA: Final = b"\0" + (999_999).to_bytes(4, "big") + b"?"


class Fault(msgspec.Struct, frozen=True):
    """One way of being wrong.

    Attributes:
        name: What is wrong.
        expected: A refusal that the sender reads, or a dead letter.
        spoil: Makes the wrong submission from a good one.
    """

    name: str
    expected: Literal["refused", "dead_letter"]
    spoil: Callable[[Prepared], Prepared]


def _bytes(value: bytes) -> Callable[[Prepared], Prepared]:
    return lambda good: msgspec.structs.replace(good, value=value)


def _cut(good: Prepared) -> Prepared:
    return msgspec.structs.replace(good, value=good.value[: len(good.value) // 2])


def _fields(**changes: Any) -> Callable[[Prepared], Prepared]:  # noqa: ANN401 - fields of several types
    return lambda good: altered(good, **changes)


def _content(**changes: Any) -> Callable[[Prepared], Prepared]:  # noqa: ANN401 - fields of several types
    def spoil(good: Prepared) -> Prepared:
        submission = wire.decode_as(Submission, good.value)
        content = wire.decode_as(ReportContent, submission.content or b"")
        framed = wire.encode(msgspec.structs.replace(content, **changes))
        return altered(good, content=framed, content_digest=hashlib.sha256(framed).digest())

    return spoil


def _ahead(good: Prepared) -> Prepared:
    return altered(good, occurred_at=good.statement.occurred_at + 30 * DAY_MS)


def altered(good: Prepared, *, content: bytes | None = None, **fields: Any) -> Prepared:  # noqa: ANN401 - see above
    """Answer a submission with other fields in its statement, whatever the rules say."""
    submission = wire.decode_as(Submission, good.value)
    statement: ReportStatement | ActionStatement = msgspec.structs.replace(good.statement, **fields)
    changed = msgspec.structs.replace(
        submission,
        statement=wire.encode(statement),
        content=submission.content if content is None else content,
    )
    return msgspec.structs.replace(good, value=wire.encode(changed), statement=statement)


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
ACTION_FAULTS: Final[tuple[Fault, ...]] = (
    Fault("unknown action", "refused", _fields(action="vanished")),
    Fault("request that the table does not list", "refused", _fields(action="claim")),
    Fault("final action without its reason", "refused", _fields(action="unavailable", reason_code=None)),
    Fault("somebody else's case id", "refused", _fields(case_id="00000000-0000-4000-8000-000000000000")),
)

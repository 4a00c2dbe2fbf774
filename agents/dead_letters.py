"""Dead letters: records that cannot go their way, kept whole with what explains and replays them.

Key, value and headers stay byte-identical; the provenance follows them as headers `hx-<field>` of
DeadLetterHeaders, beginning with the last `hx-topic`, so that nothing a record brings along can be taken for
it. A replay puts one header `hx-attempts` behind the record's own; a record that fails again counts on from
there. The message never repeats a value.
"""

import zlib
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final, Literal

import msgspec

from casework.messages import DeadLetterHeaders
from streams.publishing import Outgoing
from streams.untyped import KafkaRecord

HEADER_PREFIX: Final = "hx-"
ATTEMPTS: Final = "hx-attempts"
_FIRST: Final = "hx-topic"
_MOST_ATTEMPTS: Final = 1_000_000
NO_OFFSET: Final = -1
"""Offset of a record that was never stored."""
SOFTWARE_VERSION: Final = version("hotline-exchange")

Header = tuple[str, bytes | None]
"""Kafka allows a header without a value, and several of one name."""

ErrorClass = Literal["unreadable", "unattributable", "bug", "undeliverable"]


class Failure(msgspec.Struct, frozen=True):
    """Why a record was given up.

    Attributes:
        error_class: What kind of failure it is.
        rule: Stable code of the rule that was broken.
        field: Field that broke it, or empty.
        message: One sentence without any value.
    """

    error_class: ErrorClass
    rule: str
    field: str
    message: str


class DeadLetterBox:
    """Makes the records for the dead-letter topic of one worker.

    Args:
        topic: Name of the dead-letter topic.
        group: Consumer group of the worker.
    """

    def __init__(self, topic: str, group: str) -> None:
        self.topic = topic
        self._group = group

    def given_up(self, record: KafkaRecord, failure: Failure, *, partitions: int, failed_at: int) -> Outgoing:
        """Answer the dead letter of a consumed record.

        Args:
            record: The record as it was read.
            failure: Why it was given up.
            partitions: Number of partitions of the dead-letter topic.
            failed_at: Real time, milliseconds since the epoch, UTC.
        """
        position = (record.partition, record.offset, record.timestamp)
        letter = Outgoing(self.topic, 0, record.key, record.value, tuple(record.headers or ()))
        return self._letter(letter, record.topic, position, failure, partitions, failed_at)

    def undeliverable(self, record: Outgoing, reason: str, *, partitions: int, failed_at: int) -> Outgoing:
        """Answer the dead letter of a record that could not be sent; its provenance is its destination."""
        failure = Failure("undeliverable", reason, "", f"the destination does not take it: {reason}")
        position = (record.partition, NO_OFFSET, failed_at)
        return self._letter(record, record.topic, position, failure, partitions, failed_at)

    def _letter(  # noqa: PLR0913, PLR0917 - the parts of one record
        self,
        letter: Outgoing,
        topic: str,
        position: tuple[int, int, int],
        failure: Failure,
        partitions: int,
        failed_at: int,
    ) -> Outgoing:
        partition, offset, timestamp = position
        provenance = DeadLetterHeaders(
            topic=topic,
            partition=partition,
            offset=offset,
            timestamp=timestamp,
            error_class=failure.error_class,
            rule=failure.rule,
            field=failure.field,
            message=failure.message,
            software_version=SOFTWARE_VERSION,
            group=self._group,
            attempts=1 + attempts_before(letter.headers),
            failed_at=failed_at,
        )
        place = zlib.crc32(topic.encode()) % partitions
        headers = (*letter.headers, *to_headers(provenance))
        return Outgoing(self.topic, place, letter.key, letter.value, headers)


def to_headers(provenance: DeadLetterHeaders) -> tuple[tuple[str, bytes], ...]:
    """Write provenance as record headers."""
    return tuple(
        (HEADER_PREFIX + name, str(value).encode())
        for name, value in msgspec.structs.asdict(provenance).items()
    )


def from_headers(headers: Sequence[Header]) -> DeadLetterHeaders:
    """Read provenance back.

    Raises:
        msgspec.ValidationError: These are no headers of a dead letter.
    """
    try:
        values = {
            name.removeprefix(HEADER_PREFIX): (value or b"").decode()
            for name, value in headers[_own(headers) :]
        }
    except UnicodeDecodeError as error:
        raise msgspec.ValidationError("a header of the provenance is no text") from error
    return msgspec.convert(values, DeadLetterHeaders, strict=False)


def original_headers(headers: Sequence[Header]) -> tuple[Header, ...]:
    """Answer the headers the record had before it became a dead letter and before it was replayed."""
    kept = tuple(headers[: _own(headers)])
    return kept[:-1] if attempts_before(kept) else kept


def replayed_headers(headers: Sequence[Header]) -> tuple[Header, ...]:
    """Answer the headers with which a dead letter is replayed: its own, then how often it was tried.

    Raises:
        msgspec.ValidationError: These are no headers of a dead letter.
    """
    attempts = from_headers(headers).attempts
    return (*original_headers(headers), (ATTEMPTS, str(attempts).encode()))


def attempts_before(headers: Sequence[Header]) -> int:
    """Answer how often a replayed record was tried before; 0 for one that was not replayed."""
    name, value = headers[-1] if headers else ("", b"")
    if name != ATTEMPTS or value is None or not value.isdigit() or len(value) > len(str(_MOST_ATTEMPTS)):
        return 0
    return min(int(value), _MOST_ATTEMPTS)


def _own(headers: Sequence[Header]) -> int:
    """Answer where the provenance begins."""
    places = [place for place, (name, _) in enumerate(headers) if name == _FIRST]
    if not places:
        raise msgspec.ValidationError("the record has no provenance")
    return places[-1]

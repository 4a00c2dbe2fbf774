"""Whether a record is the exchange's own word: signed over this topic and value, by a key that counted then.

A record that is not proven is never shown to a program. It is not lost silently either: readers count it,
keep its place and say so in the log.
"""

from typing import Any, NamedTuple

from casework.directory import Directory
from casework.errors import RuleViolation
from casework.exchange_signatures import KEY_ID_HEADER, SIGNATURE_HEADER, check_message


class Record(NamedTuple):
    """A record as read from a topic; timestamp in milliseconds since the epoch, UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Refused(NamedTuple):
    """A record that is not proven to be the exchange's, where it lies, and the rule it breaks."""

    topic: str
    partition: int
    offset: int
    rule: str


def check_record(directory: Directory, prefix: str, record: Record) -> RuleViolation | None:
    """Answer why a record is not proven to be the exchange's, or None when it is; see `check_message`."""
    if not directory.exchange_keys:
        return None
    signed = [(name, value) for name, value in record.headers if name in {SIGNATURE_HEADER, KEY_ID_HEADER}]
    headers = dict(signed)
    if len(headers) != len(signed):
        return RuleViolation("headers", "repeated_header", "one signature and one key id")
    topic = record.topic.removeprefix(prefix)
    return check_message(directory, topic, record.value or b"", headers, record.timestamp)


def record_of(record: Any) -> Record:  # noqa: ANN401 - a record of aiokafka or kafka-python
    """Answer a record of a Kafka library as the book takes it."""
    return Record(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.value,
        tuple((name, value or b"") for name, value in record.headers),
    )

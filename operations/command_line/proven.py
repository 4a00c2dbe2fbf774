"""Whether what lies in a topic of members is proven to be the exchange's, for commands that look."""

from casework.directory import Directory
from casework.errors import RuleViolation
from connectors import provenance
from operations.reading import Record


def not_proven(record: Record, directory: Directory, prefix: str) -> RuleViolation | None:
    """Answer why a record is not proven to be the exchange's, or None when it is.

    Args:
        record: A record of an inbox, of escalations or of a feed.
        directory: The version in use, which lists the exchange's keys.
        prefix: Prefix of all topics.
    """
    signed = provenance.Record(
        record.topic, record.partition, record.offset, record.timestamp, record.value, record.headers
    )
    return provenance.check_record(directory, prefix, signed)

"""What a member's reader writes beside its committed offset, so that the exchange sees when it last read.

Kafka keeps the time of a commit to itself; the metadata of the commit carries it instead.
"""

import re
from typing import Final

_FORM: Final = re.compile(r"read_at=(\d{1,15})")


def write_mark(read_at_ms: int) -> str:
    """Answer the metadata of a commit; real time in milliseconds since the epoch, UTC."""
    return f"read_at={read_at_ms}"


def read_mark(metadata: str) -> int | None:
    """Answer when the reader last read, milliseconds since the epoch, UTC; None for other metadata."""
    match = _FORM.fullmatch(metadata)
    return None if match is None else int(match[1])


def reader_group(prefix: str, member: str) -> str:
    """Answer the consumer group in which a member reports how far it has read."""
    return f"{prefix}member.{member}"

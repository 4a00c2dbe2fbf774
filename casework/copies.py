"""Which submissions a case has taken before.

A case keeps the newest ids only. Beyond them the rules themselves hold a copy harmless: an action counts
once in a leg, and a report that is linked again changes counters.
"""

import functools
import hashlib
from typing import Final, Literal

from casework.causes import Cause
from casework.ids import id_bytes
from casework.messages import Case, Fact, Seen

SEEN_OF_SENDER: Final = 32
SEEN_OF_CASE: Final = 512
"""Bounds the state: 512 entries are 17 KiB of the 64 KiB a case may take."""

Copy = Literal["new", "repeat", "duplicate", "reused"]


def recognise(case: Case | None, cause: Cause) -> Copy:
    """Answer what a submission is to a case.

    `repeat` is the very record again (intake repeated its own work), `duplicate` the same statement sent
    again, `reused` another statement under an id in use.
    """
    if case is None or cause.digest is None or cause.position is None:
        return "new"
    event_id = id_bytes(cause.input_id)
    for seen in reversed(case.seen):
        if seen.event_id == event_id:
            if seen.digest != cause.digest[:8]:
                return "reused"
            return "repeat" if seen.position == _short(cause.position, 4) else "duplicate"
    return "new"


def with_seen(case: Case, fact: Fact) -> tuple[Seen, ...]:
    """Answer the submissions a case has taken, after a fact."""
    if fact.input_digest is None or fact.input_position is None:
        return case.seen
    new = seen_of(fact.input_id, fact.input_digest, fact.input_position, fact.by)
    kept = case.seen
    if kept:
        if any(seen.event_id == new.event_id for seen in reversed(kept)):
            return kept
        own = [seen for seen in kept if seen.sender == new.sender]
        if len(own) >= SEEN_OF_SENDER:
            kept = tuple(seen for seen in kept if seen is not own[0])
        elif len(kept) >= SEEN_OF_CASE:
            kept = kept[1:]
    return (*kept, new)


def seen_of(event_id: str, digest: bytes, position: str, sender: str) -> Seen:
    """Answer what is kept of a submission.

    Args:
        event_id: Its event id.
        digest: SHA-256 of its statement.
        position: Where it stood, as topic/partition/offset.
        sender: Member id of its sender.
    """
    return Seen(
        event_id=id_bytes(event_id),
        digest=digest[:8],
        position=_short(position, 4),
        sender=_sender(sender),
    )


@functools.lru_cache(maxsize=1024)
def _sender(member: str) -> bytes:
    return _short(member, 2)


def _short(text: str, length: int) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:length]

"""Contents as they are kept: as they came, and the re-wraps that followed, each by the number of its fact.

Contents are confirmed before the states that go with them. After a crash a record may so find a content that
later records have changed already, and it must be told again byte for byte: what a record hands on is the
content as it was at its own facts.
"""

from typing import Final

import msgspec

from casework.kept import Rewrap
from casework.messages import CaseContent, KeptRewrap, Submission
from casework.sealed_content import parse, to_bytes, with_recipients
from schemas.errors import UnreadableError
from streams import wire

SIDE_BY_SIDE_BYTES: Final = 1 << 20
"""Re-wraps that lie beside a content: with it they must stay below the 2 MiB that its topic takes."""


def content_key(url_key: bytes, report_event_id: str) -> bytes:
    """Answer the key of a stored content: two reports that share an event id by mistake stay apart."""
    return url_key + report_event_id.encode()


def version_of(key: bytes, framed: bytes) -> int | None:
    """Answer how new a stored content is: its source offset; None for what is no content of this key."""
    try:
        stored = wire.decode_as(CaseContent, framed)
    except UnreadableError:
        return None
    is_own = content_key(stored.url_key, stored.report_event_id) == key
    return stored.source_offset if is_own and stored.source_offset >= 0 else None


def with_rewrap(stored: CaseContent, rewrap: Rewrap, offset: int, decided: int = 0) -> CaseContent:
    """Answer a stored content with a re-wrap; one that is there already stays once.

    Args:
        stored: What is kept.
        rewrap: What was accepted.
        offset: Offset of the record that brings it.
        decided: Number of the last fact that no worker will decide again. What came up to it is joined for
            good, so that only the re-wraps of one batch lie side by side, and of these the newest that fit:
            a record that its topic refuses would stop the partition for good.

    Raises:
        BadInputError: One of the two is no sealed content.
        UnreadableError: What is stored is no submission.
    """
    parse(rewrap.content)
    one = KeptRewrap(number=rewrap.number, by_origin=rewrap.by_origin, content=rewrap.content)
    numbered = {each.number: each for each in (*stored.rewraps, one)}
    rewraps = tuple(numbered[number] for number in sorted(numbered))
    whole = msgspec.structs.replace(stored, rewraps=rewraps)
    parse(wire.decode_as(Submission, stored.submission).content or b"")
    decided = max(decided, _beyond(rewraps))
    return msgspec.structs.replace(
        whole,
        submission=wire.encode(submission_at(whole, decided)),
        rewraps=tuple(each for each in rewraps if each.number > decided),
        source_offset=max(stored.source_offset, offset),
    )


def _beyond(rewraps: tuple[KeptRewrap, ...]) -> int:
    """Answer the number of the newest re-wrap that finds no room beside its content; 0: all do."""
    taken = 0
    for each in reversed(rewraps):
        taken += len(each.content)
        if taken > SIDE_BY_SIDE_BYTES:
            return each.number
    return 0


def submission_at(stored: CaseContent, number: int | None = None) -> Submission:
    """Answer a kept submission with the recipients of its re-wraps.

    Nobody takes away or replaces what is there but the report's own origin, whose recipients come first.

    Args:
        stored: What is kept.
        number: Number of the fact up to which re-wraps count; None: all.

    Raises:
        BadInputError: A content is no sealed one.
        UnreadableError: What is stored is no submission.
    """
    submission = wire.decode_as(Submission, stored.submission)
    rewraps = [each for each in stored.rewraps if number is None or each.number <= number]
    if not rewraps:
        return submission
    sealed = parse(submission.content or b"")
    for each in rewraps:
        first, second = sealed, parse(each.content)
        if each.by_origin:
            first, second = second, first
        sealed = with_recipients(first, second.recipients)
    return msgspec.structs.replace(submission, content=to_bytes(sealed))


def without_credentials(stored: CaseContent, offset: int) -> CaseContent:
    """Answer a stored content without its credentials; the very same where it has none.

    Args:
        stored: What is kept.
        offset: Offset of the record that erases them.

    Raises:
        UnreadableError: What is stored is no submission.
    """
    submission = wire.decode_as(Submission, stored.submission)
    if submission.credentials is None:
        return stored
    return msgspec.structs.replace(
        stored,
        submission=wire.encode(msgspec.structs.replace(submission, credentials=None)),
        source_offset=max(stored.source_offset, offset),
    )

"""A notice: one delivery to be made. `recipients` says who gets one of which fact, `effects` writes them."""

from collections.abc import Iterator
from typing import Final

import msgspec

from casework.messages import Case, Fact, Move
from casework.parties import place

ASSIGNMENT: Final = "assignment"
LINKED_REPORT: Final = "linked_report"
UPDATE: Final = "update"
REWRAP_REQUEST: Final = "rewrap_request"
REWRAPPED_REPORT: Final = "rewrapped_report"
OFFER: Final = "offer"
HOLD_REQUEST: Final = "hold_request"
ERASURE_REQUEST: Final = "erasure_request"
FEED_ITEM: Final = "feed_item"
DIGEST_ITEM: Final = "digest_item"


class Notice(msgspec.Struct, frozen=True, gc=False):
    """One delivery to be made.

    Attributes:
        recipient: Member id, name of a desk, or of a liaison's feed.
        kind: assignment, linked_report, rewrap_request, rewrapped_report, offer, hold_request,
            erasure_request, feed_item, digest_item or update.
        report_event_id: The report that is handed over or has left; else the recipient's own in an update.
        origin: Origin of that report.
        word: What an update tells in place of the fact that causes it: the word that took the case to the
            recipient.
    """

    recipient: str
    kind: str
    report_event_id: str | None = None
    origin: str | None = None
    word: Move | None = None


def with_place(after: Case) -> Iterator[str]:
    """Yield those who must know most of what happens: where the case is now, then its origins."""
    there = place(after)
    if there is not None:
        yield there
    for origin in after.origins:
        yield origin.member


def to_nobody(_: Case, __: Fact) -> tuple[Notice, ...]:
    """Answer the notices of a fact that nobody is told of: none."""
    return ()


def to_recipient(after: Case, fact: Fact) -> tuple[Notice, ...]:
    """Answer the notice of a fact to the member that it names as its recipient, if it names one."""
    return () if fact.recipient is None else (update_to(after, fact.recipient),)


def update_to(after: Case, member: str) -> Notice:
    """Answer the notice of a fact to a member; it names the member's own latest report, if there is one."""
    for origin in after.origins:
        if origin.member == member:
            return Notice(member, UPDATE, origin.last_event_id, member)
    return Notice(member, UPDATE)

"""What casekeeper is to write and send because of one record."""

import msgspec

from casework.messages import Case, CaseContent, Fact
from casework.postings import Posting


class Rewrap(msgspec.Struct, frozen=True, gc=False):
    """A content that comes with further recipients; what is stored keeps its own and gets those it lacks.

    Attributes:
        report_event_id: The report it belongs to.
        content: The sealed content as it came, of the digest that the report's has.
        by_origin: Whether the report's own origin sends it: then its recipients stand before those stored, in
            place of what others have wrapped for the same keys.
        number: Number of the fact that records it.
    """

    report_event_id: str
    content: bytes
    by_origin: bool
    number: int


class Kept(msgspec.Struct, frozen=True, gc=False):
    """What is to be written and sent because of one record, in this order: facts, postings, contents, case.

    Attributes:
        case: The case afterwards; the very object that came in when nothing changed; None: a tombstone.
        facts: New facts, numbered without a gap.
        postings: Messages to send.
        contents: Submissions of reports and actions to store, so that they can be handed on later.
        erases_contents: Whether all contents of the case that were stored before are to be erased; what is in
            `contents` comes after that.
        erases_credentials: Whether the credentials of all contents of the case, those in `contents` too, are
            to be erased.
        rewrap: A stored content that gets further recipients.
        dropped: Event ids of actions that waited and were not taken: their contents are erased.
    """

    case: Case | None
    facts: tuple[Fact, ...] = ()
    postings: tuple[Posting, ...] = ()
    contents: tuple[CaseContent, ...] = ()
    erases_contents: bool = False
    rewrap: Rewrap | None = None
    dropped: tuple[str, ...] = ()
    erases_credentials: bool = False

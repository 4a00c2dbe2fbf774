"""What casekeeper is to send: one message, to one recipient, into one of its inboxes."""

from typing import Literal

import msgspec

from casework.messages import Delivery, Escalation, Receipt

Inbox = Literal["inbox", "escalations", "desk", "feed"]


class Posting(msgspec.Struct, frozen=True, gc=False):
    """A message to be sent.

    Attributes:
        recipient: Member id, code of an escalation topic, name of a desk, or of a liaison's feed.
        inbox: Kind of topic: a member's inbox, a liaison's escalations, a desk's queue, or a liaison's feed.
        is_urgent: Whether it goes into the urgent inbox.
        body: The message.
        content_of: Event id of the report or action whose stored submission, where there is one, fills
            statement, signature, key_id and content; None when the body is complete.
    """

    recipient: str
    inbox: Inbox
    is_urgent: bool
    body: Delivery | Receipt | Escalation
    content_of: str | None = None

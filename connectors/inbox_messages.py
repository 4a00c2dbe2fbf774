"""What a reader hands to the member's program: one message, and how to say that it is processed."""

from collections.abc import Callable

import msgspec

from casework.messages import Delivery, Escalation, Receipt
from connectors.errors import MisuseError
from connectors.opening import Content, Opener


class Unreadable(msgspec.Struct, frozen=True):
    """A record that is no message for this member: shown, because it may be of a newer version.

    Attributes:
        rule: Why, such as `unknown_schema_id` or `wrong_environment`.
        value: The record's value, untouched; empty for a record without value.
    """

    rule: str
    value: bytes


Body = Delivery | Receipt | Escalation | Unreadable


class InboxMessage:
    """One message of an inbox.

    Attributes:
        body: What it says.
        topic: Topic it came from.
        partition: Its partition.
        offset: Its offset.
        timestamp: Its log-append time, real time; milliseconds since the epoch, UTC.
    """

    __slots__ = ("_done", "_opener", "body", "offset", "partition", "timestamp", "topic")

    def __init__(
        self,
        body: Body,
        place: tuple[str, int, int],
        timestamp: int,
        done: Callable[["InboxMessage"], None],
        opener: Opener,
    ) -> None:
        self.body = body
        self._opener = opener
        self.topic, self.partition, self.offset = place
        self.timestamp = timestamp
        self._done: Callable[[InboxMessage], None] | None = done

    def open(self) -> Content | None:
        """Answer what a delivery or escalation encloses, proven and opened; None where it encloses nothing.

        Nothing is kept: a program that does not ask never holds an address in memory.

        Raises:
            UnprovenMessageError: No signature proves who said it, or the content is not what was signed.
            UnreadableContentError: No key of the member's ring opens it.
            UrlKeyMismatchError: The report was filed under another address than it names.
            SealError: The ring does not open the network key that the directory carries.
        """
        if not isinstance(self.body, Delivery | Escalation):
            return None
        return self._opener.open(self.body)

    async def done(self) -> None:
        """Say that the message is processed and stored: it will not come again after a restart.

        Raises:
            MisuseError: It was said before.
            PositionsError: The position cannot be saved; the message will come again.
        """
        if self._done is None:
            raise MisuseError(f"{self!r} was done before")
        self._done(self)
        self._done = None

    def __repr__(self) -> str:
        return f"<{type(self.body).__name__} {self.topic}/{self.partition}/{self.offset}>"

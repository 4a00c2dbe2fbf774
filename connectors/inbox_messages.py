"""What a reader hands to the member's program: one message, and how to say that it is processed."""

from collections.abc import Callable

import msgspec

from casework.messages import (
    ActionContent,
    ActionStatement,
    Delivery,
    Escalation,
    Receipt,
    ReportContent,
    ReportStatement,
)
from connectors.errors import MisuseError
from schemas.errors import UnexpectedMessageError
from streams import wire


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

    __slots__ = ("_done", "body", "offset", "partition", "timestamp", "topic")

    def __init__(
        self, body: Body, place: tuple[str, int, int], timestamp: int, done: Callable[["InboxMessage"], None]
    ) -> None:
        self.body = body
        self.topic, self.partition, self.offset = place
        self.timestamp = timestamp
        self._done: Callable[[InboxMessage], None] | None = done

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


def statement_of(body: Delivery | Escalation) -> ReportStatement | ActionStatement | None:
    """Answer the member's statement that a message carries, or None where it carries none.

    Raises:
        UnreadableError: Its bytes are no statement.
    """
    if body.statement is None:
        return None
    statement = wire.decode(body.statement)
    if not isinstance(statement, ReportStatement | ActionStatement):
        raise UnexpectedMessageError(type(statement).__name__, "ReportStatement", "ActionStatement")
    return statement


def content_of(body: Delivery | Escalation) -> ReportContent | ActionContent | None:
    """Answer the clear content that a message carries, or None where it carries none.

    Raises:
        MisuseError: The content is sealed; it must be opened with the member's key.
        UnreadableError: Its bytes are no content.
    """
    statement = statement_of(body)
    if body.content is None or statement is None:
        return None
    if statement.content_protection != "none":
        raise MisuseError("the content is sealed: open it with the member's key")
    content = wire.decode(body.content)
    if not isinstance(content, ReportContent | ActionContent):
        raise UnexpectedMessageError(type(content).__name__, "ReportContent", "ActionContent")
    return content

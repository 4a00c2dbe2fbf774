"""The base of all messages, apart from them so that each module can import it."""

import msgspec


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message: immutable and compared by value."""

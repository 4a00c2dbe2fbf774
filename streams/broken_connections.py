"""Broken connections that aiokafka notices under uvloop, too.

Under uvloop a write to a connection that the broker has just closed raises a RuntimeError; asyncio's own loop
only warns. aiokafka expects nothing but OSError there: the task that asks for metadata ends without a word,
and whoever waits for its next answer (looking for the group's coordinator, committing) waits for ever. Two
of eight workers stood still like that after their broker had been killed.
"""

from __future__ import annotations

import functools
from typing import Any

from aiokafka import errors
from aiokafka.conn import AIOKafkaConnection, CloseReason

_send = AIOKafkaConnection.send


@functools.wraps(_send)
def _send_or_break(connection: Any, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - untyped library
    try:
        return _send(connection, *args, **kwargs)
    except RuntimeError as error:
        writer = connection._writer  # noqa: SLF001 - see faust_hooks
        if writer is None or not writer.transport.is_closing():
            raise
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise errors.KafkaConnectionError(f"connection closed by the broker: {error}") from error


def notice_broken_connections() -> None:
    """Let every aiokafka client of this process take such a write for what it is; again changes nothing."""
    AIOKafkaConnection.send = _send_or_break

"""Closing connections over TLS without waiting for the broker's farewell.

A broker answers a TLS farewell only once it has answered the requests of that connection, and a consumer
always has a fetch waiting there. asyncio and uvloop then wait 30 s for it, so every stop of a consumer took
that long. Nothing is lost by not waiting: whoever closes has had the answers it needs, and frames have a
length.
"""

from __future__ import annotations

import functools
from typing import Any

from aiokafka.conn import AIOKafkaConnection

_close = AIOKafkaConnection.close


@functools.wraps(_close)
def _close_at_once(connection: Any, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - untyped library
    writer = connection._writer  # noqa: SLF001 - see faust_hooks
    closed = _close(connection, *args, **kwargs)
    if writer is not None and connection._security_protocol.endswith("SSL"):  # noqa: SLF001 - likewise
        writer.transport.abort()
    return closed


def close_tls_at_once() -> None:
    """Let every aiokafka client of this process close so; again changes nothing."""
    AIOKafkaConnection.close = _close_at_once

"""A connection that the broker has closed is an error that aiokafka knows, under uvloop as under asyncio."""

from __future__ import annotations

import asyncio

import pytest
import uvloop
from aiokafka import errors
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.metadata import MetadataRequest

from streams import broken_connections
from streams.broken_connections import notice_broken_connections


async def write_after_the_close() -> None:
    """Send a request over a connection that has just been lost, before its reader has noticed."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    connection = AIOKafkaConnection("127.0.0.1", server.sockets[0].getsockname()[1])
    connection._reader, connection._writer = await asyncio.open_connection(connection.host, connection.port)
    connection._read_task = connection._create_reader_task()
    connection._versions = {MetadataRequest.API_KEY: (0, 5)}
    connection._writer.transport.abort()
    await asyncio.sleep(0)
    try:
        await connection.send(MetadataRequest([]))
    except errors.KafkaConnectionError:
        assert not connection.connected()
        raise
    finally:
        server.close()
        await asyncio.sleep(0.1)


def test_a_write_to_a_closed_connection_is_a_connection_error() -> None:
    """Without it the task that asks for metadata dies of a RuntimeError, and the worker stands still."""
    notice_broken_connections()
    notice_broken_connections()
    with pytest.raises(errors.KafkaConnectionError, match="closed by the broker"):
        uvloop.run(write_after_the_close())


def test_uvloop_still_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """When aiokafka or uvloop cure this themselves, our part can go."""
    monkeypatch.setattr(AIOKafkaConnection, "send", broken_connections._send)
    with pytest.raises(RuntimeError, match="the handler is closed"):
        uvloop.run(write_after_the_close())

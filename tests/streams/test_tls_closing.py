"""A connection over TLS is closed at once, whether or not the broker says farewell."""

import asyncio
import ssl
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection

from operations.embedded_kafka.certificates import Authority
from streams import tls_closing
from streams.kafka_access import KafkaAccess

LONG_S = 20


class Connection(AIOKafkaConnection):
    """One that asks nothing of the server it connects to."""

    async def _do_version_lookup(self) -> None:
        return


async def close_before_a_silent_server(home: Path) -> bool:
    """Close a connection to a server that never reads; answer whether it is closed while that is silent."""
    now = datetime.now(UTC)
    authority = Authority.make(now)
    (home / "ca.pem").write_bytes(authority.certificate_pem())
    (home / "server.pem").write_bytes(authority.issue("server", now))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home / "server.pem")
    accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()
        accepted.set_result(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    access = KafkaAccess("", "certificate", home / "ca.pem", certificate=home / "server.pem")
    connection = Connection("127.0.0.1", port, security_protocol="SSL", ssl_context=access.context)
    await connection.connect()
    writer = await accepted
    try:
        done, _ = await asyncio.wait([connection.close()], timeout=LONG_S)
        return bool(done)
    finally:
        writer.transport.abort()
        server.close()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_close_does_not_wait_for_the_farewell_of_the_broker(run: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """Neither under asyncio nor under uvloop: both wait 30 s for it by themselves."""
    closing: Coroutine[Any, Any, bool] = close_before_a_silent_server(tmp_path)
    assert run(closing)


def test_the_loops_still_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """When they do not any more, our part can go."""
    monkeypatch.setattr(AIOKafkaConnection, "close", tls_closing._close)
    monkeypatch.setattr("streams.kafka_access.close_tls_at_once", lambda: None)
    monkeypatch.setattr(f"{__name__}.LONG_S", 0.2)
    assert not uvloop.run(close_before_a_silent_server(tmp_path))

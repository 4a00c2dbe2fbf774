"""Whoever is not let in reads why, quickly and in one sentence: what libraries hide in logs, or wait out."""

import asyncio
import dataclasses
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvloop

from connectors.client import MemberClient
from connectors.errors import AccessDeniedError
from connectors.membership import Membership
from connectors.positions import MemoryPositions
from connectors.sync_client import SyncClient
from operations.embedded_kafka import EmbeddedKafka
from operations.embedded_kafka.certificates import Authority
from operations.passwords import Passwords
from operations.reading import TopicReader
from streams import access_control, provision
from streams.clock import SystemClock
from streams.kafka_access import KafkaAccess, plaintext
from streams.probing import probe
from streams.refusals import BrokersRefuseError, check_access, refusal
from streams.secret_sources import Secret
from streams.settings import DEMO_NETWORK_KEY
from streams.transport_errors import ConfigurationError
from streams.worker import WorkerOptions

WRONG = Secret(b"not the password of anybody")
USER = "xx-refused"


@pytest.fixture
def access(secured_kafka: EmbeddedKafka) -> KafkaAccess:
    """Return the access of a user that the broker knows, whoever took the passwords of other tests away."""
    local = secured_kafka.local_access
    assert local.trust is not None
    with provision.connect(secured_kafka.access) as admin:
        access_control.set_passwords(admin, {USER: Passwords(local.trust.passwords).of(USER)})
    return secured_kafka.local_access.of(USER)


def foreign_ca(tmp_path: Path) -> Path:
    """Return the file of an authority that has signed nothing here."""
    (tmp_path / "foreign.pem").write_bytes(Authority.make(datetime.now(UTC)).certificate_pem())
    return tmp_path / "foreign.pem"


def spoiled(access: KafkaAccess, how: str, tmp_path: Path) -> tuple[KafkaAccess, str]:
    """Return an access that is wrong in one way, and what is told of it."""
    match how:
        case "wrong password":
            return dataclasses.replace(access, password=WRONG), f"refuses the user {USER}, or its password"
        case "unknown user":
            return dataclasses.replace(access, user="nobody"), "refuses the user nobody, or its password"
        case "unknown authority":
            return dataclasses.replace(
                access, ca=foreign_ca(tmp_path)
            ), "not from an authority in HX_KAFKA_CA"
        case _:
            raise AssertionError(how)


WAYS = ("wrong password", "unknown user", "unknown authority")


@pytest.mark.kafka
@pytest.mark.parametrize("how", WAYS)
def test_every_client_says_why_it_was_refused(access: KafkaAccess, how: str, tmp_path: Path) -> None:
    """Worker, both member clients, admin and reader: the same sentence, and never the password."""
    wrong, told = spoiled(access, how, tmp_path)
    member = Membership(
        member=USER, environment="test", network_key=DEMO_NETWORK_KEY, kafka=wrong.client_settings()
    )

    async def worker() -> None:
        await probe(WorkerOptions(wrong), "group", ["topic"])

    async def client() -> None:
        async with MemberClient(member, clock=SystemClock(), positions=MemoryPositions()):
            pass

    def sync_client() -> None:
        with SyncClient(member, clock=SystemClock()):
            pass

    def admin() -> None:
        with provision.connect(wrong):
            pass

    for error, call in (
        (ConfigurationError, lambda: uvloop.run(worker())),
        (AccessDeniedError, lambda: uvloop.run(client())),
        (AccessDeniedError, sync_client),
        (BrokersRefuseError, admin),
        (BrokersRefuseError, lambda: TopicReader(wrong)),
    ):
        with pytest.raises(error, match=told) as caught:
            call()
        assert WRONG.reveal().decode() not in str(caught.value)


@pytest.mark.kafka
async def test_who_is_let_in_has_no_refusal(access: KafkaAccess, secured_kafka: EmbeddedKafka) -> None:
    """Neither with a password nor with a certificate."""
    assert await refusal(access.client_settings()) is None
    assert await refusal(secured_kafka.access.client_settings()) is None


@pytest.mark.kafka
async def test_without_tls_or_with_a_foreign_certificate_the_broker_breaks_off(
    access: KafkaAccess, secured_kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    """The hint is given, and not taken for certain: a broker that is starting looks the same."""
    why = await refusal(plaintext(access.bootstrap).client_settings())
    assert why is not None
    assert (why.is_certain, "may want TLS" in why.text) == (False, True)
    own = tmp_path / "own.pem"
    own.write_bytes(Authority.make(datetime.now(UTC)).issue("hx-admin", datetime.now(UTC)))
    why = await refusal(dataclasses.replace(secured_kafka.access, certificate=own).client_settings())
    assert why is not None
    assert (why.is_certain, "may refuse the client's certificate" in why.text) == (False, True)


@pytest.fixture
def tls_server(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[KafkaAccess]]:
    """Return a function that serves TLS with a certificate of one's choice; and the access of its client."""

    @asynccontextmanager
    async def serve(days: float, host: str) -> AsyncIterator[KafkaAccess]:
        authority, now = Authority.make(datetime.now(UTC)), datetime.now(UTC)
        (tmp_path / "ca.pem").write_bytes(authority.certificate_pem())
        (tmp_path / "server.pem").write_bytes(authority.issue("server", now, days=days, hosts=[host]))
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_side.load_cert_chain(tmp_path / "server.pem")
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=server_side)
        async with server:
            port = server.sockets[0].getsockname()[1]
            yield KafkaAccess(f"127.0.0.1:{port}", "scram", tmp_path / "ca.pem", USER, WRONG)

    return serve


@pytest.mark.parametrize(
    ("days", "host", "told"),
    [(-1, "127.0.0.1", "has expired"), (90, "broker.example", "is for another host name")],
)
async def test_a_certificate_that_must_not_be_trusted_is_told_with_its_fault(
    tls_server: Callable[..., AbstractAsyncContextManager[KafkaAccess]], days: float, host: str, told: str
) -> None:
    """An expired one and one of another host are no connection and no riddle."""
    async with tls_server(days, host) as access:
        why = await refusal(access.client_settings())
    assert why is not None
    assert (why.is_certain, told in why.text) == (True, True), why


async def test_what_speaks_no_tls_is_told_so() -> None:
    """A plaintext listener in the place of the secured one is a wrong address, not a broker that is away."""
    server = await asyncio.start_server(lambda _r, w: w.write(b"hello, no TLS here\r\n"), "127.0.0.1", 0)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        why = await refusal(KafkaAccess(address, "scram", None, USER, WRONG).client_settings())
    assert why is not None
    assert (why.is_certain, "not with TLS 1.3" in why.text) == (True, True), why


async def test_nobody_there_is_no_refusal() -> None:
    """Brokers that are down are waited for; the check of the synchronous clients leaves them alone too."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    client = KafkaAccess(address, "scram", None, USER, WRONG).client_settings()
    assert await refusal(client) is None
    check_access(client)

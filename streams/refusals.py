"""Why brokers do not let somebody in: the libraries hide it in their logs, and some keep trying for long.

A connection of its own is made to each broker in turn; what TLS and SASL say is put into one sentence.
"""

import asyncio
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

from aiokafka import errors
from aiokafka.conn import create_conn
from aiokafka.protocol.admin import ApiVersionRequest

from casework.errors import SetupError

_ANSWER_S: Final = 5.0
_EXPIRED: Final = 10  # X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL
_WRONG_NAME: Final = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_BREAKS_OFF: Final = {
    "PLAINTEXT": "breaks off a connection without TLS: it may want TLS",
    "SSL": "breaks off a connection: it may refuse the client's certificate",
    "SASL_SSL": "breaks off a connection before the password was checked",
}
_CONNECTION: Final = frozenset(
    {
        "bootstrap_servers",
        "security_protocol",
        "ssl_context",
        "sasl_mechanism",
        "sasl_plain_username",
        "sasl_plain_password",
    }
)


class BrokersRefuseError(SetupError):
    """The brokers do not let this principal in; the text says why, without any secret."""


class Refusal(NamedTuple):
    """Why there is no way in.

    Attributes:
        text: one sentence.
        is_certain: whether trying again cannot help; False where a broker that is starting or stopping
            looks the same.
    """

    text: str
    is_certain: bool


async def refusal(client: Mapping[str, Any]) -> Refusal | None:
    """Answer why no broker lets a client in; None where one does, or where none can be reached at all.

    Args:
        client: arguments of the client, see `KafkaAccess.client_settings`.
    """
    found: Refusal | None = None
    options = {key: value for key, value in client.items() if key in _CONNECTION}
    servers = options.pop("bootstrap_servers")
    addresses = servers.split(",") if isinstance(servers, str) else servers
    for address in addresses:
        try:
            async with asyncio.timeout(_ANSWER_S):
                await _visit(address.strip(), options)
        except ConnectionRefusedError:
            continue
        except (errors.KafkaError, OSError, TimeoutError, ValueError) as error:
            found = _put(error, address, options) or found
        else:
            return None
    return found


def check_access(client: Mapping[str, Any]) -> None:
    """Raise if brokers refuse a client for a reason that does not go away by itself; from any thread.

    Raises:
        BrokersRefuseError: with the reason.
    """
    if client.get("security_protocol", "PLAINTEXT") == "PLAINTEXT":
        return
    # A thread of its own: the caller may sit inside a running loop.
    with ThreadPoolExecutor(1, "access") as pool:
        why = pool.submit(lambda: asyncio.run(refusal(client))).result()
    if why is not None and why.is_certain:
        raise BrokersRefuseError(why.text)


async def _visit(address: str, options: Mapping[str, Any]) -> None:
    host, _, port = address.rpartition(":")
    timeout_ms = int(_ANSWER_S * 1000)
    connection = await create_conn(host, int(port), request_timeout_ms=timeout_ms, **options)
    try:
        # In TLS 1.3 a broker refuses a client's certificate only after the client's side is done.
        await connection.send(ApiVersionRequest())
    finally:
        connection.close()


def _put(error: Exception, address: str, options: Mapping[str, Any]) -> Refusal | None:
    if isinstance(error, errors.KafkaConnectionError | ConnectionError | TimeoutError):
        protocol = options.get("security_protocol", "PLAINTEXT")
        return Refusal(f"{address} {_BREAKS_OFF[protocol]}", is_certain=False)
    fault = _fault(error, options)
    return None if fault is None else Refusal(f"{address}: {fault}", is_certain=True)


def _fault(error: Exception, options: Mapping[str, Any]) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_fault(error)
    if isinstance(error, ssl.SSLError):
        return f"the broker answers, but not with TLS 1.3 ({error.reason})"
    if isinstance(error, errors.UnsupportedSaslMechanismError | errors.IllegalSaslStateError):
        return f"the broker takes no {options.get('sasl_mechanism')}"
    if isinstance(error, errors.SaslAuthenticationFailed | errors.AuthenticationFailedError | ValueError):
        return f"the broker refuses the user {options.get('sasl_plain_username')}, or its password is wrong"
    return None


def _certificate_fault(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _EXPIRED:
        return "the broker's certificate has expired"
    if error.verify_code in _WRONG_NAME:
        return "the broker's certificate is for another host name"
    return "the broker's certificate is not from an authority in HX_KAFKA_CA"

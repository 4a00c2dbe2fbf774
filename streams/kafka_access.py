"""How a process connects to Kafka: the one place where settings become arguments of the Kafka libraries.

Secured is the default: TLS 1.3 with checked host names, and a name proven by a password (SCRAM-SHA-512) or by
a client certificate. A connection without both has to be asked for, by `plaintext` or by
``HX_KAFKA_SECURITY=none``. aiokafka, kafka-python and Faust get the same arguments from here.
"""

import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import faust

from casework.errors import SetupError
from streams.secret_sources import Secret
from streams.tls_closing import close_tls_at_once

MECHANISM: Final = "SCRAM-SHA-512"
Security = Literal["scram", "certificate", "none"]


class CertificateFileError(SetupError):
    """A certificate file cannot be used; the text names setting and file."""


@dataclass(frozen=True)
class KafkaAccess:
    """Where the brokers are and how they are told who connects.

    Attributes:
        bootstrap: ``host:port`` pairs, comma separated.
        security: by password, by client certificate, or not at all.
        ca: PEM file with the authorities whose brokers are trusted.
        user: name that goes with the password.
        password: what proves it.
        certificate: PEM file with private key and client certificate.
    """

    bootstrap: str
    security: Security
    ca: Path | None = None
    user: str | None = None
    password: Secret | None = None
    certificate: Path | None = None

    def client_settings(self) -> dict[str, Any]:
        """Arguments of every client of aiokafka and kafka-python, which share their names.

        Raises:
            CertificateFileError: a file is missing or not what it should be.
        """
        where: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        if self.security == "none":
            return where | {"security_protocol": "PLAINTEXT"}
        if self.security == "certificate":
            return where | {"security_protocol": "SSL", "ssl_context": self.context}
        return where | {
            "security_protocol": "SASL_SSL",
            "ssl_context": self.context,
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self._password_text(),
        }

    def faust_credentials(self) -> faust.SASLCredentials | faust.SSLCredentials | None:
        """What a Faust app takes as ``broker_credentials``.

        Raises:
            CertificateFileError: a file is missing or not what it should be.
        """
        if self.security == "none":
            return None
        if self.security == "certificate":
            return faust.SSLCredentials(context=self.context)
        return faust.SASLCredentials(
            username=self.user,
            password=self._password_text(),
            ssl_context=self.context,
            mechanism=MECHANISM,
        )

    def _password_text(self) -> str:
        assert self.password is not None  # noqa: S101 - whoever makes one with a name sees to it
        return self.password.reveal().decode()

    @cached_property
    def context(self) -> ssl.SSLContext | None:
        """TLS as this access has it, the same object each time; None where there is none.

        Raises:
            CertificateFileError: a file is missing or not what it should be.
        """
        if self.security == "none":
            return None
        close_tls_at_once()
        return tls_context(self.ca, self.certificate if self.security == "certificate" else None)


def plaintext(bootstrap: str) -> KafkaAccess:
    """Access without encryption and without a name: for tests and benchmarks on loopback."""
    return KafkaAccess(bootstrap, "none")


def tls_context(ca: Path | None, certificate: Path | None = None) -> ssl.SSLContext:
    """A client's TLS: version 1.3 and nothing older, host names checked, only this authority trusted.

    Args:
        ca: PEM file of the authority; None trusts those of the machine.
        certificate: PEM file with key and certificate of the client, if it shows one.

    Raises:
        CertificateFileError: a file is missing or not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:  # ssl.SSLError is one
        raise CertificateFileError(f"HX_KAFKA_CA: {ca}: {_reason(error)}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if certificate is not None:
        try:
            context.load_cert_chain(certificate)
        except OSError as error:
            raise CertificateFileError(f"HX_KAFKA_CERTIFICATE: {certificate}: {_reason(error)}") from error
    return context


def _reason(error: OSError) -> str:
    return "no certificates in PEM form" if isinstance(error, ssl.SSLError) else str(error.strerror)

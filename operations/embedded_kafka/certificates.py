"""The certificates of an embedded Kafka: an authority of its own, one certificate for each broker and client.

Keys are EC P-256, unencrypted PKCS#8 in files that only their owner may read: Kafka and Python read the same
file. Everything that depends on time takes it as an argument.
"""

import ipaddress
import os
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from operations.embedded_kafka.process import LOOPBACK
from streams.certificate_days import days_left

ORGANISATION: Final = "hx"
AUTHORITY_DAYS: Final = 3650
CERTIFICATE_DAYS: Final = 365
RENEW_BELOW_DAYS: Final = 30
_SKEW: Final = timedelta(minutes=5)
_NO_USAGE: Final = {
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "encipher_only": False,
    "decipher_only": False,
}


class Authority:
    """A key that signs certificates, and its own certificate.

    Attributes:
        certificate: What clients trust.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self.certificate = certificate

    @classmethod
    def make(cls, now: datetime, days: float = AUTHORITY_DAYS) -> "Authority":
        """Make a new authority, valid for so many days from `now`."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"{ORGANISATION}-authority-{secrets.token_hex(4)}")
        usage = x509.KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True, **_NO_USAGE)
        certificate = (
            _builder(name, name, key, now, days)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @classmethod
    def from_pem(cls, pem: bytes) -> "Authority":
        """Read what `to_pem` wrote.

        Raises:
            ValueError: It is no such text.
        """
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("not a key of an elliptic curve")  # noqa: TRY004 - as for every other malformed text
        return cls(key, x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERTIFICATE") :]))

    def to_pem(self) -> bytes:
        """Key and certificate."""
        return _key_pem(self._key) + self.certificate_pem()

    def certificate_pem(self) -> bytes:
        """The certificate alone: what clients are given."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        name: str,
        now: datetime,
        *,
        days: float = CERTIFICATE_DAYS,
        hosts: Iterable[str] = ("localhost", LOOPBACK),
    ) -> bytes:
        """Answer a new key, its certificate and that of the authority, as one PEM text.

        Args:
            name: The common name; Kafka's principal, where the certificate is a client's.
            now: From when on it is valid.
            days: For how long; never longer than the authority.
            hosts: Names and addresses under which a server may show it.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(digital_signature=True, key_cert_sign=False, crl_sign=False, **_NO_USAGE)
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        limit = days_left(self.certificate_pem(), now)
        authority_key = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        certificate = (
            _builder(_name(name), self.certificate.subject, key, now, min(days, limit))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_key), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        own = certificate.public_bytes(serialization.Encoding.PEM)
        return _key_pem(key) + own + self.certificate_pem()


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, all at once: readers see the old content or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: float
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + timedelta(days=days)) - _SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common: str) -> x509.Name:
    # Kafka prints the last attribute first: CN=...,O=hx is what its mapping rule expects.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

"""From settings to connections: secured unless somebody says otherwise, each principal by its own name."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import faust
import pytest

from casework.errors import SetupError
from connectors.membership import Membership
from operations.embedded_kafka.certificates import Authority
from streams.kafka_access import CertificateFileError, plaintext, tls_context
from streams.kafka_settings import access_of
from streams.secret_sources import SecretSourceError
from streams.settings import Settings, SettingsError
from streams.worker import WorkerOptions

NOW = datetime.now(UTC)
PASSWORD = "drawn-from-256-bits"  # noqa: S105 - of a test


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with an authority, a client's certificate and a password."""
    authority = Authority.make(NOW)
    (tmp_path / "ca.pem").write_bytes(authority.certificate_pem())
    (tmp_path / "hx-intake.pem").write_bytes(authority.issue("hx-intake", NOW))
    (tmp_path / "hx-intake.password").touch(0o600)
    (tmp_path / "hx-intake.password").write_text(PASSWORD + "\n")
    return tmp_path


def settings(files: Path, **changes: str) -> Settings:
    """Return settings as a process reads them from its environment."""
    told = {"HX_KAFKA_CA": f"{files}/ca.pem", "HX_KAFKA_PASSWORD": f"file:{files}/{{user}}.password"}
    return Settings.load(told | changes)


def test_without_a_word_connections_are_secured(files: Path) -> None:
    """The default is TLS 1.3 with checked names and a password, for aiokafka, kafka-python and Faust."""
    access = access_of(settings(files), "hx-intake")
    client = access.client_settings()
    context = client.pop("ssl_context")
    assert client == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "hx-intake",
        "sasl_plain_password": PASSWORD,
    }
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    credentials = access.faust_credentials()
    assert isinstance(credentials, faust.SASLCredentials)
    assert (credentials.username, credentials.ssl_context) == ("hx-intake", context)
    member = Membership.from_settings(settings(files), "hx-intake")
    assert member.kafka["sasl_plain_password"] == PASSWORD
    assert PASSWORD not in repr(access) + repr(credentials) + repr(member) + repr(WorkerOptions(access))


def test_a_certificate_takes_the_place_of_a_password(files: Path) -> None:
    """No password is asked for, and none is sent."""
    told = {"HX_KAFKA_SECURITY": "certificate", "HX_KAFKA_CERTIFICATE": f"{files}/{{user}}.pem"}
    access = access_of(settings(files, **told), "hx-intake")
    client = access.client_settings()
    assert (client["security_protocol"], "sasl_plain_password" in client) == ("SSL", False)
    assert isinstance(access.faust_credentials(), faust.SSLCredentials)


def test_nothing_is_secured_only_where_that_is_said(files: Path) -> None:
    """The word none is enough, and needs no file."""
    access = access_of(Settings(kafka_security="none"), "hx-intake")
    assert access == plaintext("127.0.0.1:9092")
    assert access.client_settings()["security_protocol"] == "PLAINTEXT"
    assert access.faust_credentials() is None
    with pytest.raises(
        SettingsError, match="HX_KAFKA_SECURITY='none': expected scram or certificate in prod"
    ):
        settings(files, HX_ENVIRONMENT="production", HX_KAFKA_SECURITY="none", HX_NETWORK_KEY="ab" * 32)


def test_a_name_of_the_settings_beats_that_of_the_part(files: Path) -> None:
    """One process may have to connect as somebody else, and its password goes with the name."""
    (files / "somebody.password").touch(0o600)
    (files / "somebody.password").write_text("another")
    access = access_of(settings(files, HX_KAFKA_USER="somebody"), "hx-intake")
    assert access.user == "somebody"
    assert access.password is not None
    assert access.password.reveal() == b"another"


@pytest.mark.parametrize(
    ("left_out", "changes", "told"),
    [
        ("HX_KAFKA_CA", {}, "HX_KAFKA_CA is not set"),
        ("HX_KAFKA_PASSWORD", {}, "HX_KAFKA_PASSWORD is not set: where the password of hx-intake is"),
        ("", {"HX_KAFKA_SECURITY": "certificate"}, "HX_KAFKA_CERTIFICATE is not set"),
    ],
)
def test_what_is_missing_is_named(files: Path, left_out: str, changes: dict[str, str], told: str) -> None:
    """Nothing falls back to a connection that is less secured; the text says how to ask for one."""
    whole = {"HX_KAFKA_CA": f"{files}/ca.pem", "HX_KAFKA_PASSWORD": "env:SOMETHING"} | changes
    given = Settings.load({key: value for key, value in whole.items() if key != left_out})
    with pytest.raises(SettingsError, match=told) as caught:
        access_of(given, "hx-intake")
    assert "HX_KAFKA_SECURITY=none" in str(caught.value)


def test_files_that_cannot_be_used_are_named(files: Path) -> None:
    """A wrong path and a file without certificates are told apart, at the start and not in a log."""
    with pytest.raises(CertificateFileError, match=r"HX_KAFKA_CA: .*none\.pem: No such file"):
        tls_context(files / "none.pem")
    with pytest.raises(CertificateFileError, match=r"HX_KAFKA_CA: .*password: no certificates in PEM form"):
        tls_context(files / "hx-intake.password")
    with pytest.raises(CertificateFileError, match=r"HX_KAFKA_CERTIFICATE: .*ca\.pem"):
        tls_context(files / "ca.pem", files / "ca.pem")
    with pytest.raises(SecretSourceError, match=r"HX_KAFKA_PASSWORD: .*nobody\.password: No such file"):
        access_of(settings(files), "nobody")


def test_a_password_in_the_place_of_its_address_is_not_repeated() -> None:
    """Whoever puts the password itself there finds it in no error text."""
    with pytest.raises(SetupError) as caught:
        Settings.load({"HX_KAFKA_PASSWORD": PASSWORD})
    assert str(caught.value) == "HX_KAFKA_PASSWORD=****: expected file:PATH, env:NAME or command:WORDS"

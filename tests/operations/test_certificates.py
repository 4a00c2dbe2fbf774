"""The certificates of the embedded Kafka: what is in them, who may read them, and when they are made anew."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from hypothesis import given
from hypothesis import strategies as st

from operations.embedded_kafka.certificates import Authority
from operations.embedded_kafka.errors import KafkaStartError
from operations.embedded_kafka.trust import Trust
from streams.certificate_days import days_left, days_left_in

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
AUTHORITY = Authority.make(NOW)


def chain(pem: bytes) -> list[x509.Certificate]:
    """Answer the certificates of a PEM text, in their order."""
    return x509.load_pem_x509_certificates(pem[pem.index(b"-----BEGIN CERTIFICATE") :])


def test_a_broker_is_trusted_by_those_who_trust_the_authority_and_by_nobody_else() -> None:
    """A strict verifier takes it for localhost until its last day, and not under another authority."""
    own, issuer = chain(AUTHORITY.issue("broker-1", NOW, days=90))
    policy = PolicyBuilder().store(Store([issuer]))

    def at(time: datetime) -> PolicyBuilder:
        return policy.time(time.replace(tzinfo=None))

    at(NOW).build_server_verifier(x509.DNSName("localhost")).verify(own, [])
    with pytest.raises(VerificationError):
        at(NOW).build_server_verifier(x509.DNSName("other.example")).verify(own, [])
    with pytest.raises(VerificationError):
        at(NOW + timedelta(days=91)).build_server_verifier(x509.DNSName("localhost")).verify(own, [])
    foreign = PolicyBuilder().store(Store([Authority.make(NOW).certificate])).time(NOW.replace(tzinfo=None))
    with pytest.raises(VerificationError):
        foreign.build_server_verifier(x509.DNSName("localhost")).verify(own, [])


def test_a_certificate_names_its_owner_as_kafka_maps_it_and_serves_both_ends() -> None:
    """Kafka prints the last attribute first, so the common name must be last; brokers are clients too."""
    own, _ = chain(AUTHORITY.issue("broker-7", NOW))
    assert own.subject.rfc4514_string() == "CN=broker-7,O=hx"
    usage = own.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in names} == {"localhost", "127.0.0.1"}
    assert own.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


@given(st.integers(-400, 4000), st.integers(0, 4000))
def test_days_left_are_those_between_now_and_the_end(days: int, later: int) -> None:
    """Whenever it is looked at, also past the end; and nothing outlives the authority that signed it."""
    pem = AUTHORITY.issue("hx-admin", NOW, days=days)
    expected = min(days, days_left(AUTHORITY.certificate_pem(), NOW)) - later
    assert days_left(pem, NOW + timedelta(days=later)) == pytest.approx(expected, abs=1e-4)


def test_what_is_no_certificate_has_no_days(tmp_path: Path) -> None:
    """A metric must not show a file that is gone as one that is valid, or as one that has ended."""
    with pytest.raises(ValueError, match="PEM"):
        days_left(b"nothing", NOW)
    assert days_left_in(tmp_path / "none.pem") != days_left_in(tmp_path / "none.pem")


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Nobody else on the machine reads a key or looks into the folders; the authority is public."""
    trust = Trust(tmp_path)
    trust.prepare(2, NOW)
    modes = {
        path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in tmp_path.rglob("*")
    }
    assert modes == {
        "access": 0o700,
        "access/ca.pem": 0o644,
        "access/hx-admin.pem": 0o600,
        "certificates": 0o700,
        "certificates/authority.pem": 0o600,
        "certificates/broker-1.pem": 0o600,
        "certificates/broker-2.pem": 0o600,
    }
    assert b"PRIVATE" not in trust.ca.read_bytes()


def test_only_what_ends_soon_is_made_anew(tmp_path: Path) -> None:
    """A year later all but the authority is renewed, and nothing is while there is time."""
    trust = Trust(tmp_path)
    assert len(trust.prepare(1, NOW)) == 2
    authority = trust.ca.read_bytes()
    assert trust.prepare(1, NOW + timedelta(days=334)) == []
    later = NOW + timedelta(days=336)
    assert {path.name for path in trust.prepare(1, later)} == {"broker-1.pem", "hx-admin.pem"}
    assert trust.ca.read_bytes() == authority
    assert min(trust.days_left(later).values()) == pytest.approx(365, abs=0.1)


def test_an_authority_that_ends_takes_all_its_certificates_along(tmp_path: Path) -> None:
    """Nothing is left that the new authority has not signed."""
    trust = Trust(tmp_path)
    trust.prepare(1, NOW)
    before = trust.ca.read_bytes()
    later = NOW + timedelta(days=3300)
    assert len(trust.prepare(1, later)) == 2
    assert trust.ca.read_bytes() != before
    assert trust.broker(1).read_bytes().endswith(trust.ca.read_bytes())
    assert trust.days_left(later)["authority"] == pytest.approx(3650, abs=0.1)


@pytest.mark.parametrize("damaged", ["certificates/authority.pem", "certificates/broker-1.pem"])
def test_a_damaged_file_is_named(damaged: str, tmp_path: Path) -> None:
    """It is neither used nor replaced in silence."""
    trust = Trust(tmp_path)
    trust.prepare(1, NOW)
    (tmp_path / damaged).write_bytes(b"half a f")
    with pytest.raises(KafkaStartError, match=rf"{damaged} is damaged: delete it"):
        trust.prepare(1, NOW)

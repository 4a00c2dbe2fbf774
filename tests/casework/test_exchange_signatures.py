import pytest
from msgspec.structs import replace

from casework.directory import Directory
from casework.exchange_signatures import KEY_ID_HEADER, SIGNATURE_HEADER, check_message, signed_message
from streams.key_rings import PrivateKey, Signer

KEY, OTHER = (PrivateKey.of("sign", bytes([number]) * 32) for number in (1, 2))
VALUE = b"a delivery"
SINCE = 1000


@pytest.fixture
def signing_network(network: Directory) -> Directory:
    """Return a directory that lists one key of the exchange, valid from second 1 on."""
    return replace(network, exchange_keys=(KEY.entry(SINCE),))


def headers(
    topic: str = "inbox.nl-offlimits", value: bytes = VALUE, key: PrivateKey = KEY
) -> dict[str, bytes]:
    """Answer the headers with which the exchange sends a value into a topic."""
    return {
        SIGNATURE_HEADER: Signer(key).sign(signed_message(topic, value)),
        KEY_ID_HEADER: key.id.encode(),
    }


def rule(directory: Directory, found: dict[str, bytes], sent_at: int = SINCE) -> str | None:
    """Answer the rule that a message in the inbox of nl-offlimits breaks."""
    violation = check_message(directory, "inbox.nl-offlimits", VALUE, found, sent_at)
    return None if violation is None else violation.rule


def test_what_the_exchange_sent_is_proven(signing_network: Directory) -> None:
    """A message with the exchange's signature for its topic breaks no rule."""
    assert rule(signing_network, headers()) is None


@pytest.mark.parametrize(
    ("found", "broken"),
    [
        ({}, "signature_missing"),
        ({SIGNATURE_HEADER: headers()[SIGNATURE_HEADER]}, "signature_missing"),
        (headers(topic="inbox.gb-iwf"), "signature_mismatch"),
        (headers(value=b"another"), "signature_mismatch"),
        (headers(key=OTHER), "unknown_key"),
        (headers() | {KEY_ID_HEADER: b"\xff"}, "unknown_key"),
    ],
)
def test_what_others_put_there_is_told_by_its_rule(
    signing_network: Directory, found: dict[str, bytes], broken: str
) -> None:
    """Unsigned, moved, altered and foreign messages are no messages of the exchange."""
    assert rule(signing_network, found) == broken


def test_messages_from_before_the_first_key_are_taken(signing_network: Directory) -> None:
    """What was sent unsigned before the exchange had a key stays readable, and nothing sent later does."""
    assert rule(signing_network, {}, sent_at=SINCE - 1) is None
    assert rule(signing_network, headers(key=OTHER), sent_at=SINCE - 1) == "unknown_key"


def test_production_takes_nothing_unsigned_whatever_its_time(signing_network: Directory) -> None:
    """There was no time before signatures, and a record's time is the word of those who run the brokers."""
    production = replace(signing_network, environment="production")
    assert rule(production, {}, sent_at=0) == "signature_missing"
    assert rule(production, headers()) is None


def test_without_keys_of_the_exchange_nothing_is_asked(network: Directory) -> None:
    """Where the directory lists none, messages are taken as they come."""
    assert rule(network, {}) is None

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import casework
from casework.errors import BadInputError, SetupError
from casework.url_keys import url_key, url_key_from_text, url_key_position, url_key_text

VECTORS = json.loads(
    (Path(str(casework.__file__)).parent / "url_key_vectors.json").read_text(encoding="utf-8")
)
NETWORK_KEY = bytes.fromhex(VECTORS["network_key_hex"])


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["shows"])
def test_published_keys_hold(vector: dict[str, str]) -> None:
    """Every implementation makes the published key from the published canonical form."""
    assert url_key_text(url_key(vector["canonical"], NETWORK_KEY)) == vector["url_key_hex"]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 255))
def test_a_key_survives_its_text_form(canonical: str, version: int) -> None:
    """A key has 33 bytes, begins with its version and is read back from its text."""
    key = url_key(canonical, NETWORK_KEY, version)
    assert (len(key), key[0]) == (33, version)
    assert url_key_from_text(url_key_text(key)) == key
    assert 0 <= url_key_position(key) < 2**64


def test_another_secret_makes_another_key() -> None:
    """Without the network's secret nobody can look an address up."""
    assert url_key("https://example.com/", NETWORK_KEY) != url_key("https://example.com/", NETWORK_KEY[::-1])


def test_a_position_ignores_the_version() -> None:
    """The version byte alone moves no report to another partition."""
    assert url_key_position(b"\x01" + bytes(range(32))) == url_key_position(b"\x02" + bytes(range(32)))


@pytest.mark.parametrize(("secret", "version"), [(b"short", 1), (NETWORK_KEY, 0), (NETWORK_KEY, 256)])
def test_a_weak_secret_or_an_impossible_version_is_refused(secret: bytes, version: int) -> None:
    """A worker with a wrong secret does not start."""
    with pytest.raises(SetupError, match="network_key"):
        url_key("https://example.com/", secret, version)


@pytest.mark.parametrize("text", ["", "01", "zz" * 33, "00" * 33, "01" * 34])
def test_a_malformed_key_is_answered_with_its_field(text: str) -> None:
    """What is no key is refused by name."""
    with pytest.raises(BadInputError, match="case"):
        url_key_from_text(text, "case")

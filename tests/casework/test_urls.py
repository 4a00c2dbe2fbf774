import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import casework
from casework.errors import BadInputError
from casework.urls import MAX_URL_BYTES, canonical_url, check_url, host_of, is_onion

VECTORS = json.loads(
    (Path(str(casework.__file__)).parent / "url_key_vectors.json").read_text(encoding="utf-8")
)

_hosts = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}(\.[A-Za-z]{2,5}){1,2}", fullmatch=True)
_tails = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40)
_urls = st.builds("{}://{}/{}".format, st.sampled_from(["http", "HTTPS", "ftp"]), _hosts, _tails)


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["shows"])
def test_published_canonical_forms_hold(vector: dict[str, str]) -> None:
    """Every published address still has its published canonical form."""
    assert canonical_url(vector["url"]) == vector["canonical"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["shows"])
def test_published_refusals_hold(vector: dict[str, str]) -> None:
    """What is no address is refused by the published rule, and the text does not repeat it."""
    with pytest.raises(BadInputError) as refused:
        canonical_url(vector["url"], "content.url")
    (violation,) = refused.value.violations
    assert (violation.field, violation.rule) == ("content.url", vector["rule"])
    assert not vector["url"].strip() or vector["url"] not in str(refused.value)


@given(_urls)
def test_a_canonical_address_is_its_own_canonical_form(url: str) -> None:
    """Canonicalising twice changes nothing, whatever stands behind the host."""
    if check_url(url) is None:
        canonical = canonical_url(url)
        assert canonical_url(canonical) == canonical


@given(st.text(max_size=60))
def test_any_text_is_either_refused_by_a_rule_or_has_a_canonical_form(text: str) -> None:
    """No text makes the check fail in an unnamed way."""
    violation = check_url(text)
    if violation is None:
        assert canonical_url(text).split(":")[0] in {"http", "https", "ftp"}
    else:
        assert violation.rule


@given(_hosts, st.from_regex(r"[a-z]{1,6}", fullmatch=True))
def test_case_in_the_path_and_order_in_the_query_make_different_places(host: str, word: str) -> None:
    """Nothing is merged that a server may tell apart."""
    base = f"https://{host}/"
    places = [word, word.upper(), f"{word}/", f"?{word}=1&z=2", f"?z=2&{word}=1", f"?{word}", f"#{word}"]
    assert len({canonical_url(base + place) for place in places}) == len(places)


def test_an_address_beyond_the_limit_is_refused() -> None:
    """The limit counts bytes, and the longest allowed address passes."""
    base = "https://example.com/"
    assert check_url(base + "a" * (MAX_URL_BYTES - len(base))) is None
    violation = check_url(base + "ä" * ((MAX_URL_BYTES - len(base)) // 2 + 1))
    assert violation is not None
    assert violation.rule == "too_long"


def test_half_a_character_is_refused() -> None:
    """A lone surrogate, which no encoding can carry, is a rule violation and no crash."""
    violation = check_url("https://example.com/\ud800")
    assert violation is not None
    assert violation.rule == "control_character"


@pytest.mark.parametrize(
    ("host", "onion"),
    [("abc.onion", True), ("sub.ABC.onion.", True), ("onion.example", False), ("abc.onion.example", False)],
)
def test_only_onion_services_are_tor(host: str, onion: bool) -> None:
    """A gateway with onion in its name is an ordinary host."""
    assert is_onion(host) is onion
    assert is_onion(host_of(canonical_url(f"http://{host}:81/x"))) is onion

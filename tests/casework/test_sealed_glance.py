from unittest import mock

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from sealed_samples import sealed_for

from casework.errors import BadInputError
from casework.public_keys import WEAK_SEALING_KEYS, to_text
from casework.sealed_content import EphemeralKey, SealedContent, parse, to_bytes
from casework.sealed_glance import Glance, glance

MEMBERS = ("nl-offlimits", "gb-iwf", "de-eco")
SOUND = to_bytes(sealed_for(MEMBERS, b"bound to this"))


def fits(content: bytes) -> bool:
    """Answer whether the pattern takes this content without asking the parser."""
    with mock.patch("casework.sealed_glance.parse", side_effect=AssertionError):
        try:
            return bool(glance(content).key_ids)
        except AssertionError:
            return False


def both(content: bytes) -> tuple[Glance | None, Glance | None]:
    """Answer what the pattern and the parser make of content."""
    try:
        parsed: SealedContent | None = parse(content)
    except BadInputError:
        parsed = None
    try:
        seen: Glance | None = glance(content)
    except BadInputError:
        seen = None
    return seen, None if parsed is None else Glance(parsed.key_ids, parsed.digest, parsed.aad)


def test_sound_content_is_seen_by_the_pattern() -> None:
    """Content as it is written fits the pattern, and is seen as the parser sees it."""
    assert fits(SOUND)
    seen, parsed = both(SOUND)
    assert seen == parsed
    assert seen is not None
    assert seen.is_bound_to(b"bound to this")
    assert not seen.is_bound_to(b"bound to that")


@settings(max_examples=400)
@given(st.integers(0, len(SOUND) - 1), st.integers(0, 255))
def test_content_with_another_byte_is_taken_by_both_or_by_neither(at: int, byte: int) -> None:
    """Pattern and parser agree on whatever one byte makes of sound content."""
    altered = SOUND[:at] + bytes([byte]) + SOUND[at + 1 :]
    seen, parsed = both(altered)
    assert seen == parsed
    if parsed is not None:
        assert fits(altered), "the parser takes what the pattern does not: its time is wasted"


@given(st.binary(max_size=80), st.binary(max_size=40), st.lists(st.sampled_from(MEMBERS), max_size=4))
def test_made_up_content_is_taken_by_both_or_neither(body: bytes, bound: bytes, readers: list[str]) -> None:
    """Any ciphertext, binding and list of recipients is taken by pattern and parser alike."""
    content = to_bytes(replace(sealed_for(readers, bound), ciphertext=to_text(body)))
    seen, parsed = both(content)
    assert seen == parsed
    has_form = len(body) > 0 and len(body) % 16 == 0 and bound != b""
    assert (parsed is not None) == (has_form and 0 < len(readers) == len(set(readers)))
    assert fits(content) == (parsed is not None)


@given(st.text(alphabet="AQgwEIMz01-_", max_size=9).map(lambda text: "A" * 44 + text))
def test_other_writings_of_the_same_bytes_are_taken_by_neither(text: str) -> None:
    """Base64url has one writing for each value; all others are refused by pattern and parser alike."""
    content = to_bytes(replace(sealed_for(["gb-iwf"], b"x"), aad=text))
    seen, parsed = both(content)
    assert seen == parsed
    assert fits(content) == (parsed is not None)


@pytest.mark.parametrize("point", sorted(WEAK_SEALING_KEYS))
def test_points_that_give_the_secret_away_are_refused_by_both(point: bytes) -> None:
    """An ephemeral key of low order is refused, whichever way it is read."""
    sealed = sealed_for(["gb-iwf"], b"x")
    recipient = sealed.recipients[0]
    header = replace(recipient.header, epk=EphemeralKey("X25519", "OKP", to_text(point)))
    content = to_bytes(replace(sealed, recipients=(replace(recipient, header=header),)))
    assert both(content) == (None, None)
    with pytest.raises(BadInputError, match="weak_key"):
        glance(content)


def test_more_than_64_recipients_are_refused_by_both() -> None:
    """The list of recipients is bounded."""
    at_most = to_bytes(sealed_for([f"member-{number}" for number in range(64)], b"x"))
    too_many = to_bytes(sealed_for([f"member-{number}" for number in range(65)], b"x"))
    assert fits(at_most)
    assert both(too_many) == (None, None)

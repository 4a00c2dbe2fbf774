import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import BadInputError, BugError
from streams.slots import check_growth, check_map, partition_of, refuse, slot_of

KEY = bytes([1]) + (7_000_000_019).to_bytes(8, "big") + bytes(24)
url_keys = st.binary(min_size=33, max_size=33)


def test_the_published_vector_of_placing_holds() -> None:
    """The rule is position = bytes 1 to 8, big endian, modulo the count: other programs rely on it."""
    assert partition_of(KEY, 12) == 7_000_000_019 % 12
    assert slot_of("NL", KEY, {"NL": (4, 9, 2)}) == (4, 9, 2)[7_000_000_019 % 3]


@given(url_key=url_keys, version=st.integers(0, 255))
def test_the_version_byte_does_not_place(url_key: bytes, version: int) -> None:
    """Only the hash decides, so keys of all versions spread alike."""
    assert partition_of(bytes([version]) + url_key[1:], 12) == partition_of(url_key, 12)


@given(url_key=url_keys)
def test_a_country_uses_its_own_slots_and_others_share_the_rest(url_key: bytes) -> None:
    """A report never lands in a slot of another country."""
    slots = {"NL": (0, 1, 2), "BG": (3,)}
    assert slot_of("NL", url_key, slots, rest=(4, 5)) in {0, 1, 2}
    assert slot_of("BG", url_key, slots, rest=(4, 5)) == 3
    assert slot_of("AT", url_key, slots, rest=(4, 5)) in {4, 5}


def test_a_country_without_any_slot_is_a_bug_and_never_guessed() -> None:
    """Without shared slots an unknown country stops the sender instead of landing anywhere."""
    with pytest.raises(BugError, match="AT"):
        slot_of("AT", KEY, {"NL": (0,)})


@pytest.mark.parametrize(
    ("slots", "rest", "rule"),
    [
        ({"NL": (0, 1), "BG": (1,)}, (), "owned_twice"),
        ({"NL": (0, 0)}, (), "owned_twice"),
        ({"NL": (0,)}, (0,), "owned_twice"),
        ({"NL": (3,)}, (), "out_of_range"),
        ({"NL": (-1,)}, (), "out_of_range"),
        ({"NL": ()}, (), "empty"),
    ],
)
def test_a_wrong_map_is_named_by_rule(
    slots: dict[str, tuple[int, ...]], rest: tuple[int, ...], rule: str
) -> None:
    """Each way to share, overrun or miss a slot has its own rule."""
    assert [violation.rule for violation in check_map(slots, rest, 3)] == [rule]


def test_a_sound_map_has_no_violations() -> None:
    """Disjoint slots within the count pass."""
    assert check_map({"NL": (0, 2), "BG": (1,)}, (3,), 4) == []


def test_slots_only_grow() -> None:
    """Taking a slot or shrinking the topic is refused; giving more is not."""
    before = {"NL": (0, 1), "BG": (2,)}
    assert check_growth(before, {"NL": (0, 1, 4), "BG": (2,)}, count_before=3, count_after=5) == []
    found = check_growth(before, {"NL": (0,), "BG": (2,)}, count_before=3, count_after=2)
    assert {(violation.field, violation.rule) for violation in found} == {
        ("slot_count", "shrinks"),
        ("slots.NL", "shrinks"),
    }
    with pytest.raises(BadInputError, match="only grow"):
        refuse(found)

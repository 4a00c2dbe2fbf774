import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.ids import RANDOM_BYTES, derived_id, derived_id_for_url, id_bytes, new_event_id

randomness = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)
times = st.integers(min_value=0, max_value=(1 << 48) - 1)
texts = st.text(alphabet=st.characters(blacklist_characters="\n", codec="utf-8"), max_size=40)


@given(times, randomness)
def test_an_event_id_is_a_uuidv7_of_its_time(now_ms: int, random: bytes) -> None:
    """An event id reads as a UUID of version 7 whose first 48 bits are the time, in lower-case text form."""
    made = new_event_id(now_ms, random)
    read = uuid.UUID(made)
    assert (read.version, read.variant, str(read)) == (7, uuid.RFC_4122, made)
    assert read.int >> 80 == now_ms
    assert id_bytes(made) == read.bytes


@given(times, times, randomness, randomness)
def test_event_ids_sort_by_time(one: int, other: int, first: bytes, second: bytes) -> None:
    """Ids of different milliseconds sort as their times do, as text too."""
    if one != other:
        assert (new_event_id(one, first) < new_event_id(other, second)) == (one < other)


@given(st.tuples(texts, texts, texts), st.tuples(texts, texts, texts))
def test_derived_ids_differ_when_anything_differs(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """A derived id is a UUIDv8 that depends on each of the three texts and on nothing else."""
    read = uuid.UUID(derived_id(*one))
    assert (read.version, read.variant, str(read)) == (8, uuid.RFC_4122, derived_id(*one))
    assert (derived_id(*one) == derived_id(*other)) == (one == other)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            ("0192f0c1-0000-7000-8000-000000000001", "receipt", "gb-iwf"),
            "4a181ec6-4266-8bf8-be98-f5ae89b93c2a",
        ),
        (
            ("0192f0c1-0000-7000-8000-000000000001", "escalation.tor", "interpol"),
            "f70137ea-3361-8cf5-a5a6-aeb149c81643",
        ),
        (("", "", ""), "75a11da4-4c80-8486-bc6f-65640aa48a73"),
    ],
)
def test_derived_ids_keep_their_golden_values(parts: tuple[str, str, str], expected: str) -> None:
    """Published vectors hold for ever: readers drop second copies by these ids."""
    assert derived_id(*parts) == expected


def test_one_event_id_for_two_urls_gives_two_ids() -> None:
    """What answers two reports under one event id is no copy of each other; the kind ends with the key."""
    one, other = b"\1" + bytes(32), b"\1" + bytes([1]) * 32
    assert derived_id_for_url("e", "receipt", "gb-iwf", one) == derived_id(
        "e", f"receipt.{one.hex()}", "gb-iwf"
    )
    assert derived_id_for_url("e", "receipt", "gb-iwf", one) != derived_id_for_url(
        "e", "receipt", "gb-iwf", other
    )


def test_event_ids_keep_their_golden_value() -> None:
    """Time and randomness stand where RFC 9562 puts them; version and variant overwrite six bits."""
    assert new_event_id(0x0192F0C1ABCD, b"\xff" * 10) == "0192f0c1-abcd-7fff-bfff-ffffffffffff"


@pytest.mark.parametrize(("now_ms", "random"), [(-1, bytes(10)), (1 << 48, bytes(10)), (0, bytes(9))])
def test_impossible_inputs_are_refused(now_ms: int, random: bytes) -> None:
    """A time beyond 48 bits or too little randomness raises instead of making a poor id."""
    with pytest.raises(ValueError, match="must"):
        new_event_id(now_ms, random)

from hypothesis import given
from hypothesis import strategies as st

from agents.calendar import Calendar

MINUTE = 60_000


def key(number: int) -> bytes:
    """Answer a url key."""
    return b"\x01" + number.to_bytes(32, "big")


@given(
    times=st.lists(st.integers(0, 10 * MINUTE), max_size=30),
    looks=st.lists(st.integers(0, 11 * MINUTE), max_size=10),
)
def test_nothing_is_forgotten_and_nothing_comes_twice(times: list[int], looks: list[int]) -> None:
    """Whatever the times and whenever somebody looks, each entry comes once, when its minute has begun."""
    calendar = Calendar()
    for number, at in enumerate(times):
        calendar.add(at, key(number))
    came: list[bytes] = []
    for now in sorted(looks):
        came += [url_key for _, url_key in calendar.take(now)]
        assert {key(n) for n, at in enumerate(times) if at <= now} <= set(came)
        assert all(at // MINUTE * MINUTE <= now for n, at in enumerate(times) if key(n) in came)
    came += [url_key for _, url_key in calendar.take(11 * MINUTE)]
    assert sorted(came) == [key(number) for number in range(len(times))]
    assert len(calendar) == 0


def test_an_entry_of_a_minute_that_has_begun_waits_for_its_exact_time() -> None:
    """Who finds that a case of this minute is due later puts it back, and gets it then."""
    calendar = Calendar()
    calendar.add_exact(90_000, key(1))
    assert list(calendar.take(89_999)) == []
    assert list(calendar.take(90_000)) == [(90_000, key(1))]


def test_a_key_of_another_length_is_kept_all_the_same() -> None:
    """Nothing is forgotten because it does not fit into the array."""
    calendar = Calendar()
    calendar.add(5, b"short")
    assert list(calendar.take(5)) == [(5, b"short")]

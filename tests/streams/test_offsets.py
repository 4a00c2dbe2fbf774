"""The ordered tracker against a model: offsets that may be committed, whatever the order of completion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.offsets import OffsetTracker


def test_committable_is_the_first_batch_in_flight() -> None:
    """A later batch that is done first must not move the committable offset past an earlier one."""
    tracker: OffsetTracker[str] = OffsetTracker()
    tracker.deliver("p", 10, 19)
    tracker.deliver("p", 20, 24)
    assert tracker.done("p", 24)
    assert tracker.committable("p") is None
    assert tracker.done("p", 19)
    assert tracker.committable("p") == 25


def test_committed_is_not_offered_again_and_advances_only_when_told() -> None:
    """An offset is offered until its commit succeeded, and not after that."""
    tracker: OffsetTracker[str] = OffsetTracker()
    tracker.deliver("p", 0, 4)
    tracker.done("p", 4)
    assert tracker.committable("p") == 5
    assert tracker.committable("p") == 5
    tracker.committed("p", 5)
    assert tracker.committable("p") is None


def test_forget_makes_late_completions_harmless() -> None:
    """A batch of an earlier assignment that finishes later changes nothing."""
    tracker: OffsetTracker[str] = OffsetTracker()
    tracker.deliver("p", 0, 4)
    tracker.deliver("q", 0, 4)
    tracker.forget(["p"])
    assert not tracker.done("p", 4)
    assert tracker.committable("p") is None
    assert tracker.partitions() == ["q"]
    tracker.deliver("p", 0, 2)
    assert tracker.in_flight("p") == 1
    tracker.forget()
    assert tracker.partitions() == []


@pytest.mark.parametrize(("first", "last"), [(5, 9), (9, 12), (20, 19)])
def test_offsets_that_go_backwards_are_an_error(first: int, last: int) -> None:
    """A position that moved without `forget` is noticed instead of committed."""
    tracker: OffsetTracker[str] = OffsetTracker()
    tracker.deliver("p", 0, 9)
    with pytest.raises(ValueError, match="delivered where 10"):
        tracker.deliver("p", first, last)


@given(
    gaps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=30),
    start=st.integers(0, 50),
    data=st.data(),
)
def test_nothing_unfinished_is_ever_below_the_committable_offset(
    gaps: list[tuple[int, int]], start: int, data: st.DataObject
) -> None:
    """For any gaps and any order of completion: all below the offset is done, and in the end all is."""
    tracker: OffsetTracker[int] = OffsetTracker()
    waiting = list(gaps)
    in_flight: dict[int, int] = {}
    position = start
    floor = None
    while waiting or in_flight:
        if waiting and (not in_flight or data.draw(st.booleans())):
            gap, length = waiting.pop(0)
            first, last = position + gap, position + gap + length
            floor = first if floor is None else floor
            tracker.deliver(0, first, last)
            in_flight[last] = first
            position = last + 1
        else:
            last = data.draw(st.sampled_from(sorted(in_flight)))
            assert tracker.done(0, last)
            del in_flight[last]
        offset = tracker.committable(0)
        if offset is not None:
            assert all(first >= offset for first in in_flight.values())
            assert offset > (floor or 0)
            if data.draw(st.booleans()):
                tracker.committed(0, offset)
                floor = offset
    if floor != position:
        assert tracker.committable(0) == position

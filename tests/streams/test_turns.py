"""Turns: what a call gets of what waits, and when a partition comes up again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.turns import Limits, Share, Turns


def given_out(shares: list[Share[str, str, int]]) -> list[tuple[str, list[int]]]:
    """Return partition and records of each share."""
    return [(share.partition, list(share.records)) for share in shares]


def test_a_call_gets_a_share_of_every_partition_until_it_is_full() -> None:
    """Partitions come in the order they began to wait; what does not fit keeps its place."""
    turns: Turns[str, str, int] = Turns(Limits(records=5, partition_records=3))
    turns.add("a", "a1", [1, 2, 3, 4], 4)
    turns.add("b", "b1", [5], 1)
    turns.add("c", "c1", [6, 7], 2)
    assert given_out(turns.take()) == [("a", [1, 2, 3]), ("b", [5]), ("c", [6])]
    assert not turns
    turns.returned("c")
    turns.returned("a")
    assert given_out(turns.take()) == [("c", [7]), ("a", [4])]


def test_bytes_bound_a_call_but_never_below_one_record() -> None:
    """A record larger than the whole bound still goes, alone."""
    turns: Turns[str, str, int] = Turns(Limits(size=10))
    turns.add("a", "a1", [1, 2], 100)
    turns.add("b", "b1", [3, 4], 8)
    first = turns.take()
    assert given_out(first) == [("a", [1])]
    assert first[0].begun == ("a1", 1)
    assert given_out(turns.take()) == [("b", [3, 4])]


def test_at_most_so_many_partitions() -> None:
    """With one partition per call the second waits for the next call."""
    turns: Turns[str, str, int] = Turns(Limits(partitions=1))
    turns.add("a", "a1", [1], 1)
    turns.add("b", "b1", [2], 1)
    assert given_out(turns.take()) == [("a", [1])]
    assert given_out(turns.take()) == [("b", [2])]


def test_draining_keeps_back_what_is_being_worked_on() -> None:
    """All that waits is returned, but for the batch of which a call has a part."""
    turns: Turns[str, str, int] = Turns(Limits(partition_records=1))
    turns.add("a", "a1", [1, 2], 2)
    turns.add("a", "a2", [3], 1)
    turns.add("b", "b1", [4, 5], 2)
    turns.take()
    turns.returned("b")
    assert turns.next_of("a") == "a1"
    assert list(turns.drain()) == ["a2", "b1"]
    assert turns.next_of("a") is None
    turns.returned("a")
    assert not turns


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 9)), max_size=30),
    st.builds(
        Limits,
        partitions=st.none() | st.integers(1, 3),
        records=st.integers(1, 12),
        partition_records=st.integers(1, 6),
        size=st.integers(1, 40),
    ),
    st.randoms(),
)
def test_everything_comes_once_and_in_order(
    batches: list[tuple[str, int]], limits: Limits, random: st.DataObject
) -> None:
    """Whatever the limits and the order of returns: each record once, in order, within the limits."""
    turns: Turns[str, int, tuple[str, int]] = Turns(limits)
    due: dict[str, list[tuple[str, int]]] = {}
    for number, (partition, count) in enumerate(batches):
        records = [(partition, number * 10 + i) for i in range(count)]
        due.setdefault(partition, []).extend(records)
        turns.add(partition, number, records, count * 3)
    seen: dict[str, list[tuple[str, int]]] = {}
    out: list[str] = []
    finished: list[int] = []
    while turns or out:
        shares = turns.take()
        assert sum(len(share.records) for share in shares) <= limits.records
        for share in shares:
            assert share.partition not in out
            assert 0 < len(share.records) <= limits.partition_records
            seen.setdefault(share.partition, []).extend(share.records)
            finished += share.finished
            out.append(share.partition)
        random.shuffle(out)  # type: ignore[attr-defined]
        turns.returned(out.pop())
    assert seen == due
    assert sorted(finished) == list(range(len(batches)))

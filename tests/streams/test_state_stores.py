from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.state_stores import DictStore, DiskStore
from streams.transport_errors import StoreError

KEYS = st.binary(min_size=1, max_size=4)


def test_a_failing_disk_is_an_error_that_stops_the_process(tmp_path: Path) -> None:
    """Whoever meets it must not blame the record in hand and set it aside."""
    store = DiskStore(tmp_path / "store")
    store.write({b"key": b"value"})
    assert store.get(b"key") == b"value"
    store._database.close()
    with pytest.raises(StoreError):
        store.get(b"key")
    with pytest.raises(StoreError):
        store.write({b"key": None})


@given(
    before=st.dictionaries(KEYS, st.one_of(st.none(), st.just(b"value"))),
    later=st.lists(st.dictionaries(KEYS, st.one_of(st.none(), st.just(b"value")))),
    prefix=st.binary(min_size=1, max_size=2),
    other=st.binary(max_size=3),
)
def test_keys_in_memory_are_found_by_their_beginning(
    before: dict[bytes, bytes | None],
    later: list[dict[bytes, bytes | None]],
    prefix: bytes,
    other: bytes,
) -> None:
    """Whatever was written and deleted before and after the first question, all are found."""
    store = DictStore()
    store.write(before)
    for changes in [{}, *later]:
        store.write(changes)
        there = [key for key, _ in store.items()]
        for asked in (prefix, other):
            assert sorted(store.keys(asked)) == sorted(key for key in there if key.startswith(asked))

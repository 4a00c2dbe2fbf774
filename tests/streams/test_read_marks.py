from hypothesis import given
from hypothesis import strategies as st

from streams.read_marks import read_mark, reader_group, write_mark


@given(st.integers(0, 10**15 - 1))
def test_a_mark_is_read_back(read_at_ms: int) -> None:
    """The exchange reads the very time that the member's reader wrote."""
    assert read_mark(write_mark(read_at_ms)) == read_at_ms


def test_foreign_metadata_is_no_mark() -> None:
    """Commits of other tools do not pass for a sign of reading."""
    for metadata in ("", "read_at=", "read_at=-1", "read_at=1;x", "1700000000000"):
        assert read_mark(metadata) is None


def test_the_group_carries_the_topic_prefix() -> None:
    """Two exchanges on one broker do not share groups."""
    assert reader_group("demo.", "nl-offlimits") == "demo.member.nl-offlimits"

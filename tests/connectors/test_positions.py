import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.delivery_order import CaseKey
from connectors.errors import PositionsError
from connectors.positions import (
    SEEN_LIMIT,
    Change,
    Held,
    MemoryPositions,
    Positions,
    SqlitePositions,
)

KEY = CaseKey("nl-offlimits", "case-1")
HELD = Held("inbox.nl", 0, 7, 1_000, "nl-offlimits", "case-1", 3, 2_000, b"\x00value")


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Positions]:
    """Return an empty store of either kind."""
    made: Positions = MemoryPositions() if request.param == "memory" else SqlitePositions(tmp_path / "p.db")
    yield made
    made.close()


def test_an_empty_store_says_that_nothing_was_met(store: Positions) -> None:
    """A new member begins at the first offset and at delivery number 1."""
    assert store.position("inbox.nl", 0) is None
    assert store.first_not_done(KEY) == 1
    assert not store.is_seen("inbox.nl", "id")
    assert store.held(["inbox.nl"]) == ()


def test_a_change_is_read_back(store: Positions) -> None:
    """All five parts of a change come back, and a second one replaces them."""
    store.save(
        Change(
            positions={("inbox.nl", 0): 8}, first_not_done={KEY: 2}, seen=(("inbox.nl", "id"),), hold=(HELD,)
        )
    )
    assert store.position("inbox.nl", 0) == 8
    assert store.first_not_done(KEY) == 2
    assert store.is_seen("inbox.nl", "id")
    assert not store.is_seen("inbox.be", "id")
    assert store.held(["inbox.nl"]) == (HELD,)
    assert store.held(["inbox.be"]) == ()
    store.save(Change(positions={("inbox.nl", 0): 9}, first_not_done={KEY: 4}, release=(("inbox.nl", 0, 7),)))
    assert store.position("inbox.nl", 0) == 9
    assert store.first_not_done(KEY) == 4
    assert store.held(["inbox.nl"]) == ()


def test_only_the_newest_seen_ids_are_kept(store: Positions) -> None:
    """Memory of ids without a number is bounded, and the oldest goes first."""
    for number in range(SEEN_LIMIT // 100 + 1):
        store.save(Change(seen=tuple(("t", f"{number}-{i}") for i in range(100))))
    assert not store.is_seen("t", "0-0")
    assert store.is_seen("t", "1-0")
    assert store.is_seen("t", f"{SEEN_LIMIT // 100}-99")


def test_sqlite_positions_survive_a_restart(tmp_path: Path) -> None:
    """What one process saved, the next one reads."""
    path = tmp_path / "members" / "nl.db"
    with SqlitePositions(path) as before:
        before.save(Change(positions={("t", 1): 5}, first_not_done={KEY: 6}, hold=(HELD,)))
    with SqlitePositions(path) as after:
        assert (after.position("t", 1), after.first_not_done(KEY)) == (5, 6)
        assert after.held(["inbox.nl"]) == (HELD,)
    assert path.stat().st_mode & 0o077 == 0


def test_a_change_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    """Position and numbers move together: when one part cannot be written, none is."""
    broken = Held("t", 0, 7, 1, "r", "c", 3, 2, None)  # type: ignore[arg-type]  # a column that refuses null
    with SqlitePositions(tmp_path / "p.db") as store:
        with pytest.raises(PositionsError, match="cannot be written"):
            store.save(Change(positions={("t", 0): 8}, hold=(broken,)))
        assert store.position("t", 0) is None
        store.save(Change(positions={("t", 0): 1}))
        assert store.position("t", 0) == 1


def test_two_clients_cannot_share_a_file(tmp_path: Path) -> None:
    """The second client of one file is refused with the file's name."""
    with SqlitePositions(tmp_path / "p.db"), pytest.raises(PositionsError, match=r"p\.db: in use"):
        SqlitePositions(tmp_path / "p.db")


def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    """Neither another layout nor any other file is taken for positions."""
    newer = tmp_path / "newer.db"
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(PositionsError, match="layout 99"):
        SqlitePositions(newer)
    text = tmp_path / "text.db"
    text.write_text("not a database, but long enough to be told apart from an empty one" * 20)
    with pytest.raises(PositionsError, match=r"text\.db"):
        SqlitePositions(text)

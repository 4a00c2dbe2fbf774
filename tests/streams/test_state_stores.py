from pathlib import Path

import pytest

from streams.state_stores import DiskStore
from streams.transport_errors import StoreError


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

import stat
from pathlib import Path

import msgspec
import pytest
from signed_directories import ANCHOR, Topic, version

from casework.errors import SetupError
from streams.directory_trust import RolledBackError, TrustMemory, anchor_of, load_anchor, memory_of
from streams.settings import Settings


def topic_with(*numbers: int) -> Topic:
    """Answer a topic with signed versions."""
    topic = Topic(ANCHOR)
    for number in numbers:
        assert topic.append(version(number, signers=ANCHOR), "anna", "bert")
    return topic


def test_what_was_believed_once_is_demanded_for_ever(tmp_path: Path) -> None:
    """After a restart a topic that ends earlier, or is empty, is refused; one that goes on is taken."""
    memory = TrustMemory.of(tmp_path, "directory")
    memory.check(topic_with().versions)
    memory.note(topic_with(1, 2).versions.newest)
    again = TrustMemory.of(tmp_path, "directory")
    again.check(topic_with(1, 2).versions)
    again.check(topic_with(1, 2, 3).versions)
    for fewer in (topic_with(), topic_with(1), topic_with(1, 3)):
        with pytest.raises(RolledBackError, match="version 2 was believed"):
            again.check(fewer.versions)


def test_the_same_number_with_other_bytes_is_no_substitute(tmp_path: Path) -> None:
    """A topic made anew has to be taken on purpose; the error names the file."""
    memory = TrustMemory.of(tmp_path, "directory")
    memory.note(topic_with(1).versions.newest)
    other = Topic(ANCHOR)
    assert other.append(version(1, signers=ANCHOR, slot_count=99), "anna", "carla")
    with pytest.raises(RolledBackError, match=r"not the one.*directory\.json"):
        memory.check(other.versions)


def test_memory_never_goes_back_and_an_unreadable_one_stops(tmp_path: Path) -> None:
    """A lower version overwrites nothing, no draft is left, and half a file is no memory."""
    memory = TrustMemory.of(tmp_path, "directory")
    memory.note(topic_with(1, 2).versions.newest)
    memory.note(topic_with(1).versions.newest)
    memory.note(None)
    with pytest.raises(RolledBackError):
        memory.check(topic_with(1).versions)
    (file,) = (tmp_path / "directory").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(RolledBackError, match="cannot be read"):
        memory.check(topic_with(1, 2).versions)


def test_the_anchor_comes_from_the_file_of_the_settings(tmp_path: Path) -> None:
    """With it, a process remembers; without it neither; a file that is none is named."""
    path = tmp_path / "trust.json"
    path.write_bytes(msgspec.json.encode(ANCHOR))
    settings = Settings(directory_trust=path, data_dir=tmp_path)
    assert anchor_of(settings) == ANCHOR
    assert memory_of(settings, "directory") is not None
    assert anchor_of(Settings()) is None
    assert memory_of(Settings(), "directory") is None
    for bad in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(SetupError, match=str(bad)):
            load_anchor(bad)
    path.write_bytes(b"{}")
    with pytest.raises(SetupError, match="threshold"):
        load_anchor(path)

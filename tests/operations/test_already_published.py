"""What `hx directory publish` says where the number of a version is taken."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from paper_exchange import PaperExchange

from operations.command_line import directory
from operations.command_line.session import Session
from operations.directory import already_published
from operations.directory.files import NETWORK_FILE
from operations.embedded_kafka import LocalAccess

pytestmark = pytest.mark.slow

Hx = Callable[..., tuple[int, str, str]]


@pytest.fixture
def hx(
    hx_on: Callable[[PaperExchange], Hx], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[Hx, Path]:
    """Return the command line of an exchange that has the shipped directory, and a copy of its file."""

    async def publish(*_: object) -> int:
        return 0

    monkeypatch.setattr(directory, "publish_directory", publish)
    monkeypatch.setenv("HX_BOOTSTRAP", "127.0.0.1:9")
    path = tmp_path / "network.yaml"
    path.write_text(NETWORK_FILE.read_text())
    monkeypatch.setenv("HX_DIRECTORY", str(path))
    return hx_on(PaperExchange()), path


def test_other_content_under_a_known_number_says_what_to_do(hx: tuple[Hx, Path]) -> None:
    """The same again is harmless; after an edit without a new number the next one is named, and it works."""
    run, path = hx
    code, out, err = run("directory", "publish")
    assert (code, "is published already" in out) == (0, True), err
    text = path.read_text()
    path.write_text(text.replace("name: Stopline", "name: Another name"))
    code, _, err = run("directory", "publish")
    assert (code, "(exists)" in err) == (1, True)
    assert f"raise the version in {path} to 2 and publish again" in err
    path.write_text(re.sub(r"(?m)^version: 1$", "version: 2", path.read_text()))
    assert run("directory", "publish")[0] == 0


def test_after_an_upgrade_the_local_kafka_is_told_of(
    hx: tuple[Hx, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shipped file is copied before it is edited; on a local Kafka one may also begin anew."""
    run, path = hx
    path.write_text(path.read_text().replace("name: Stopline", "name: Another name"))
    monkeypatch.setattr(already_published, "NETWORK_FILE", path)
    monkeypatch.setattr(Session, "local_access", LocalAccess("127.0.0.1:9", None))
    code, _, err = run("directory", "publish")
    assert (code, f"copy {path}, name the copy in HX_DIRECTORY" in err) == (1, True), err
    assert "'hx kafka stop', delete " in err

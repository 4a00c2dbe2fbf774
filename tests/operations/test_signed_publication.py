"""`hx directory publish` and `diff` of signed documents, on the real broker."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from operations.directory.files import NETWORK_FILE
from operations.embedded_kafka import EmbeddedKafka
from streams import provision
from streams.kafka_access import plaintext
from streams.topics import Topics

pytestmark = pytest.mark.kafka
Hx = Callable[..., tuple[int, str, str]]


@pytest.fixture
def network(
    kafka: EmbeddedKafka, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hx: Hx
) -> Path:
    """A directory file with three signers, two of whom are needed, and an empty directory topic."""
    topics = Topics(topic_prefix)
    table = [
        topic
        for topic in topics.all_for([], [], slot_count=1, partitions=1)
        if topic.name == topics.directory
    ]
    provision.provision(plaintext(kafka.bootstrap), table, replication=1, min_insync=1)
    path = tmp_path / "network.yaml"
    for name, value in {
        "BOOTSTRAP": kafka.bootstrap, "KAFKA_SECURITY": "none", "TOPIC_PREFIX": topic_prefix,
        "ENVIRONMENT": "test", "DIRECTORY": str(path), "DATA_DIR": str(tmp_path / "data"),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HX_{name}", value)
    path.write_text(NETWORK_FILE.read_text())
    printed = "".join(hx("keys", "new", "--signer", name)[1] for name in ("anna", "bert", "carla"))
    lines = [line for line in printed.splitlines() if not line.startswith("#")]
    with path.open("a") as file:
        file.write("signers:\n  threshold: 2\n  keys:\n" + "\n".join(lines) + "\n")
    return path


def signed(hx: Hx, path: Path, hours: float, *names: str) -> str:
    """Draft a version and sign it."""
    assert hx("directory", "draft", str(path), "--valid-in", str(hours))[0] == 0
    for name in names:
        assert hx("directory", "sign", str(path), "--signer", name)[0] == 0
    return str(path)


def test_a_version_is_published_when_enough_have_signed_in_time(
    hx: Hx, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unsigned, half signed, late and rolled back versions are refused by code; the right ones are told."""
    assert hx("directory", "publish")[0] == 2
    first = signed(hx, tmp_path / "1.json", 0, "anna")
    anchor = tmp_path / "trust.json"
    anchor.write_text(hx("directory", "anchor", first)[1])
    monkeypatch.setenv("HX_DIRECTORY_TRUST", str(anchor))
    code, _, err = hx("directory", "publish", first)
    assert (code, "too_few_signatures" in err) == (1, True)
    assert hx("directory", "sign", first, "--signer", "bert")[0] == 0
    for said in ("published directory version 1 for test", "directory version 1 is published already"):
        code, out, _ = hx("directory", "publish", first)
        assert (code, out.startswith(said)) == (0, True)

    network.write_text(re.sub(r"(?m)^version: 1$", "version: 2", network.read_text()))
    late = signed(hx, tmp_path / "late.json", 0, "anna", "carla")
    code, _, err = hx("directory", "publish", late)
    assert (code, "too_early" in err) == (1, True)
    second = signed(hx, tmp_path / "2.json", 1, "anna", "carla")
    assert hx("directory", "diff", second)[1].startswith("Version 2 follows version 1.")
    code, out, _ = hx("directory", "publish", second)
    assert (code, "it takes effect at" in out) == (0, True)
    code, out, _ = hx("directory", "show", "--published")
    assert out.startswith("directory version 1 for test")

    network.write_text(re.sub(r"(?m)^version: 2$", "version: 1", network.read_text()))
    older = signed(hx, tmp_path / "older.json", 1, "anna", "carla")
    assert hx("directory", "publish", older)[0] == 1

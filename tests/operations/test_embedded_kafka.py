import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from operations.embedded_kafka import (
    ArchivesAlteredError,
    ArchivesMissingError,
    EmbeddedKafka,
    KafkaAlreadyRunningError,
    archives,
)
from operations.embedded_kafka.process import ProcessIdentity

pytestmark = pytest.mark.kafka


def test_a_record_survives_a_crash_and_a_restart(tmp_path: Path) -> None:
    """What a producer got confirmed is read again from the same port after SIGKILL and restart."""
    with EmbeddedKafka.start(
        tmp_path, heap_mb=128, quick=True, dies_with_parent=True, security="none"
    ) as broker:
        bootstrap = broker.bootstrap
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        admin.create_topics([NewTopic(name="kept", num_partitions=1, replication_factor=1)])
        admin.close()
        producer = KafkaProducer(bootstrap_servers=bootstrap)
        producer.send("kept", b"record").get(timeout=20)
        producer.close()
        broker.kill()
        assert not broker.is_alive()
        broker.restart()
        assert broker.bootstrap == bootstrap
        consumer = KafkaConsumer(bootstrap_servers=bootstrap, consumer_timeout_ms=20_000)
        consumer.assign([TopicPartition("kept", 0)])
        consumer.seek_to_beginning()
        assert next(consumer).value == b"record"
        consumer.close()


def test_a_background_broker_is_found_by_its_directory_and_not_started_twice(kafka: EmbeddedKafka) -> None:
    """Another process finds the broker of a directory; a second start there is refused with its address."""
    found = EmbeddedKafka.running(kafka.directory)
    assert found is not None
    assert (found.bootstrap, found.pid) == (kafka.bootstrap, kafka.pid)
    with pytest.raises(KafkaAlreadyRunningError, match=kafka.bootstrap):
        EmbeddedKafka.start(kafka.directory)


def test_a_stranger_with_the_recorded_pid_is_not_taken_for_the_broker(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    """A state file that names a live process which is not our broker means: nothing runs here."""
    state = msgspec.json.decode((kafka.directory / "kafka.json").read_bytes())
    (tmp_path / "kafka.json").write_bytes(msgspec.json.encode(state))
    assert EmbeddedKafka.running(tmp_path) is None


def test_the_broker_ends_when_its_killed_parent_is_gone(tmp_path: Path) -> None:
    """With dies_with_parent the broker ends even if the process that started it gets SIGKILL."""
    program = (
        "import os, signal, sys; from operations.embedded_kafka import EmbeddedKafka\n"
        "k = EmbeddedKafka.start(sys.argv[1], heap_mb=128, quick=True, dies_with_parent=True,"
        " security='none')\n"
        "print(k.pid, flush=True); sys.stdin.readline(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    identity = ProcessIdentity.of(int(parent.stdout.readline()))
    assert identity is not None
    parent.communicate("end\n")
    assert identity.wait(30.0)


def test_a_changed_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One archive with other bytes than the committed checksum stops the start and is named."""
    lock = tmp_path / "archives.lock"
    lock.write_text(f"{'0' * 64}  one.jar\n")
    monkeypatch.setattr(archives, "LOCK_FILE", lock)
    folder = archives.archives_folder(tmp_path)
    folder.mkdir()
    (folder / "one.jar").write_bytes(b"other bytes")
    with pytest.raises(ArchivesAlteredError, match=r"one\.jar"):
        archives.class_path(tmp_path)


def test_a_download_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for the archives is told so; with all of them there, nothing is said of it."""
    monkeypatch.setenv("HX_ARCHIVES", str(tmp_path))
    assert "downloading" in EmbeddedKafka.announcement()
    folder = archives.archives_folder(tmp_path)
    folder.mkdir()
    for name in archives.read_lock(archives.LOCK_FILE):
        (folder / name).touch()
    assert EmbeddedKafka.announcement() == "starting Apache Kafka"


def test_without_network_and_cache_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty cache and no network give one sentence that names the folder to fill."""
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    home = tmp_path / "archives"
    with pytest.raises(ArchivesMissingError, match="copy the files named in") as caught:
        archives.class_path(home)
    assert str(archives.archives_folder(home)) in str(caught.value)
    assert "\n" not in str(caught.value)

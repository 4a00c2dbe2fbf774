"""A real Apache Kafka 4.2 on this machine for the demo, the tests and a first look: one node on loopback.

It is secured unless somebody asks for the opposite: TLS 1.3, users with passwords, and rights. It is still
not for production: alone it has only one copy of each record.
"""

import os
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from operations.embedded_kafka import files
from operations.embedded_kafka.archives import are_here, class_path
from operations.embedded_kafka.errors import KafkaAlreadyRunningError, KafkaStartError
from operations.embedded_kafka.local_access import LocalAccess
from operations.embedded_kafka.process import (
    LOOPBACK,
    ProcessIdentity,
    end_with_this_process,
    free_port,
    port_is_open,
)
from streams.kafka_access import KafkaAccess

LocalSecurity = Literal["scram", "none"]

_POLL_S = 0.05
# A clean stop takes 2 to 3 s; a start after SIGKILL with many partitions under load took 33 s.
_STOP_PATIENCE_S = 30.0
_START_PATIENCE_S = 90.0


def kafka_home() -> Path:
    """The directory of the background broker: ``HX_KAFKA_DIR`` or the user's cache."""
    given = os.environ.get("HX_KAFKA_DIR")
    return Path(given) if given else Path.home() / ".cache" / "hotline-exchange" / "kafka"


class Launch(msgspec.Struct, frozen=True):
    """How a broker is started; a restart repeats it."""

    port: int
    quorum: files.Quorum
    heap_mb: int
    quick: bool
    dies_with_parent: bool
    security: LocalSecurity = "none"
    certificate_port: int = 0
    trust_home: str = ""


class State(msgspec.Struct, frozen=True):
    """The state file of a directory: the broker's last process and its launch, which outlives the process."""

    process: ProcessIdentity
    launch: Launch


class EmbeddedKafka:
    """One broker in one directory; make it with ``start``, find a background one with ``running``.

    As a context manager it stops at the end.
    """

    def __init__(self, directory: Path, launch: Launch, process: ProcessIdentity | None = None) -> None:
        self.directory = directory
        self._launch = launch
        self._process = process
        self._child: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(  # noqa: PLR0913 - keyword-only
        cls,
        directory: Path | str,
        *,
        port: int = 0,
        heap_mb: int = 512,
        quick: bool = False,
        dies_with_parent: bool = False,
        security: LocalSecurity = "scram",
    ) -> Self:
        """Start a broker and return when it answers metadata requests.

        Args:
            directory: configuration, log and data; data from an earlier start is served again.
            port: loopback port of clients; 0 takes the directory's last port if free, else any free one.
            heap_mb: Java heap in MiB; 128 is enough for tests.
            quick: faster start, slower under load (see ``files.java_command``).
            dies_with_parent: end the broker when this process ends, also after SIGKILL.
            security: ``scram`` makes certificates beside the data and lets in who has a password or a
                certificate of theirs; ``none`` lets everybody in and is for tests and benchmarks.

        Raises:
            ArchivesMissingError, ArchivesAlteredError: no Java archives to start.
            KafkaAlreadyRunningError: a broker of ours serves this directory.
            KafkaStartError: it ended or did not answer within 90 s.
        """
        home = Path(directory).resolve()
        before = _read_state(home)
        if before and _is_ours(before, home):
            raise KafkaAlreadyRunningError(
                f"an embedded Kafka already serves {home} at {LOOPBACK}:{before.launch.port}: use or stop it"
            )
        broker = cls(
            home,
            Launch(
                port=port or _port_again(before.launch.port if before else 0),
                quorum=_quorum_again(before.launch.quorum if before else None),
                heap_mb=heap_mb,
                quick=quick,
                dies_with_parent=dies_with_parent,
                security=security,
                certificate_port=_certificate_port(security, before),
                trust_home="" if security == "none" else str(home),
            ),
        )
        broker.restart()
        return broker

    @staticmethod
    def announcement() -> str:
        """What a person is told before a start, which may have to download first."""
        once = "" if are_here() else ": downloading it first, 43 MB, only this once"
        return f"starting Apache Kafka{once}"

    @classmethod
    def running(cls, directory: Path | str) -> Self | None:
        """The broker that serves this directory, started by whatever process; None if there is none."""
        home = Path(directory).resolve()
        state = _read_state(home)
        return cls(home, state.launch, state.process) if state and _is_ours(state, home) else None

    @property
    def bootstrap(self) -> str:
        """Where clients connect: ``127.0.0.1:PORT``."""
        return f"{LOOPBACK}:{self._launch.port}"

    @property
    def local_access(self) -> LocalAccess:
        """The ways in for people and programs on this machine."""
        launch = self._launch
        if launch.security == "none":
            return LocalAccess(self.bootstrap)
        return LocalAccess(self.bootstrap, f"{LOOPBACK}:{launch.certificate_port}", Path(launch.trust_home))

    @property
    def access(self) -> KafkaAccess:
        """Access of the administrator, who may do everything."""
        return self.local_access.admin()

    @property
    def pid(self) -> int | None:
        """The broker's process id; None when it was stopped."""
        return self._process.pid if self._process else None

    def is_alive(self) -> bool:
        """Whether the broker process still runs."""
        return self._process is not None and self._process.is_alive()

    def stop(self) -> None:
        """End the broker cleanly (up to 3 s), after 30 s by force; its data stays."""
        self._release_watchdog()
        if self._process is not None:
            self._process.end(_STOP_PATIENCE_S)
        self._forget()

    def kill(self) -> None:
        """SIGKILL, as a crash of the broker: for tests."""
        self._release_watchdog()
        if self._process is not None:
            self._process.send(signal.SIGKILL)
            self._process.wait(_STOP_PATIENCE_S)
        self._forget()

    def restart(self) -> None:
        """Start it (again) in its directory on its port, after stopping it if it runs."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start it like `restart`, and return before it answers: in a cluster, the others must start too."""
        self.stop()
        launch, home = self._launch, self.directory
        archives = class_path()
        trust = self.local_access.trust
        if trust is not None:
            trust.prepare(launch.quorum.copies, datetime.now(UTC))
        ports = files.Ports(launch.port, launch.certificate_port)
        files.write_configuration(home, ports, launch.quorum, trust)
        files.format_storage(home, archives, launch.quorum.cluster_id)
        main = ("kafka.Kafka", str(files.properties_file(home)))
        command = files.java_command(home, archives, launch.heap_mb, quick=launch.quick, main=main)
        with files.log_file(home).open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own Java with our own arguments
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=home
            )
        if launch.dies_with_parent:
            self._watchdog = end_with_this_process(self._child.pid)
        try:
            self._process = ProcessIdentity.of(self._child.pid)
            if self._process is not None:
                _state_file(home).write_bytes(msgspec.json.encode(State(self._process, launch)))
        except BaseException:
            self.stop()
            raise

    def wait_until_ready(self) -> None:
        """Return when it answers metadata requests; end it when it does not.

        Raises:
            KafkaStartError: it ended or did not answer within 90 s.
        """
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _START_PATIENCE_S
        while True:
            if not self.is_alive():
                raise KafkaStartError(f"Kafka ended while starting, see {files.log_file(self.directory)}")
            if port_is_open(self._launch.port) and self._answers():
                return
            if time.monotonic() > until:
                raise KafkaStartError(
                    f"Kafka gave no answer in {_START_PATIENCE_S:.0f} s, see {files.log_file(self.directory)}"
                )
            time.sleep(_POLL_S)

    def _answers(self) -> bool:
        try:
            admin = KafkaAdminClient(**self.access.client_settings(), bootstrap_timeout_ms=5_000)
        except (KafkaError, OSError):
            return False
        try:
            return bool(admin.describe_cluster()["brokers"])
        except (KafkaError, OSError):
            return False
        finally:
            admin.close()

    def _release_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None

    def _forget(self) -> None:
        if self._child is not None:
            self._child.wait(_STOP_PATIENCE_S)
            self._child = None
        self._process = None


def _state_file(directory: Path) -> Path:
    return directory / "kafka.json"


def _read_state(directory: Path) -> State | None:
    try:
        return msgspec.json.decode(_state_file(directory).read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise KafkaStartError(
            f"{_state_file(directory)} is damaged ({error}): delete it and repeat"
        ) from error


def _is_ours(state: State, directory: Path) -> bool:
    properties = str(files.properties_file(directory))
    return state.process.is_alive() and state.process.has_argument(properties)


def _quorum_again(last: files.Quorum | None) -> files.Quorum:
    cluster_id = last.cluster_id if last else files.new_cluster_id()
    return files.Quorum(1, (_port_again(last.controller_ports[0] if last else 0),), cluster_id)


def _certificate_port(security: LocalSecurity, before: State | None) -> int:
    return 0 if security == "none" else _port_again(before.launch.certificate_port if before else 0)


def _port_again(last: int) -> int:
    return last if last and not port_is_open(last) else free_port()

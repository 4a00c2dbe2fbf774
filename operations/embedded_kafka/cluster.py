"""Three brokers on this machine, for what one broker cannot show: copies, elections, a node that is gone.

Every record has as many copies as there are nodes, and all but one must have it before it is confirmed: with
three nodes any one may be lost at any time.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from operations.embedded_kafka import files
from operations.embedded_kafka.broker import EmbeddedKafka, Launch, LocalSecurity
from operations.embedded_kafka.errors import KafkaAlreadyRunningError
from operations.embedded_kafka.local_access import LocalAccess
from operations.embedded_kafka.process import free_port
from operations.embedded_kafka.trust import Trust
from streams.kafka_access import KafkaAccess

_NODES: Final = 3
_REPLY_MS: Final = 20_000
_PREFERRED: Final = 0  # of ElectLeadersRequest, KIP-460


class EmbeddedCluster:
    """Brokers that serve one cluster; make it with `start`, as a context manager it stops at the end.

    Attributes:
        nodes: The brokers; each may be killed, stopped and restarted alone.
    """

    def __init__(self, nodes: tuple[EmbeddedKafka, ...]) -> None:
        self.nodes = nodes

    @classmethod
    def start(
        cls,
        directory: Path | str,
        *,
        nodes: int = _NODES,
        heap_mb: int = 256,
        quick: bool = False,
        security: LocalSecurity = "scram",
    ) -> Self:
        """Start a new cluster and return when every node answers; the nodes die with this process.

        Args:
            directory: A folder below it for each node; must be new.
            nodes: How many.
            heap_mb: Java heap of each node in MiB.
            quick: Faster start, slower under load.
            security: As of `EmbeddedKafka.start`; all nodes share certificates and passwords.

        Raises:
            ArchivesMissingError, ArchivesAlteredError: No Java archives to start.
            KafkaAlreadyRunningError: The directory was used before.
            KafkaStartError: A node ended or did not answer within 90 s.
        """
        home = Path(directory).resolve()
        if home.exists() and any(home.iterdir()):
            raise KafkaAlreadyRunningError(f"{home} is in use: a cluster starts in a new directory")
        controllers = tuple(free_port() for _ in range(nodes))
        cluster_id = files.new_cluster_id()
        made = tuple(
            EmbeddedKafka(
                home / f"node-{number}",
                Launch(
                    port=free_port(),
                    quorum=files.Quorum(number, controllers, cluster_id),
                    heap_mb=heap_mb,
                    quick=quick,
                    dies_with_parent=True,
                    security=security,
                    certificate_port=0 if security == "none" else free_port(),
                    trust_home="" if security == "none" else str(home),
                ),
            )
            for number in range(1, nodes + 1)
        )
        cluster = cls(made)
        try:
            if security != "none":
                Trust(home).prepare(nodes, datetime.now(UTC))  # before several nodes do it at once
            with ThreadPoolExecutor(nodes) as pool:  # a quorum forms only among those that run
                list(pool.map(EmbeddedKafka.launch, made))
            for node in made:
                node.wait_until_ready()
        except BaseException:
            cluster.stop()
            raise
        return cluster

    @property
    def bootstrap(self) -> str:
        """Where clients connect: all nodes, so that any of them may be gone."""
        return ",".join(node.bootstrap for node in self.nodes)

    @property
    def local_access(self) -> LocalAccess:
        """The ways in for people and programs on this machine, by all nodes."""
        return together(self.nodes)

    @property
    def access(self) -> KafkaAccess:
        """Access of the administrator by those nodes that are alive.

        Raises:
            KafkaError: None is.
        """
        alive = [node for node in self.nodes if node.is_alive()]
        if not alive:
            raise KafkaError("no node is alive")
        return together(alive).admin()

    def move_leaders(self, topics: Collection[str]) -> int:
        """Let the next of its copies lead every partition of `topics`; answer how many partitions those are.

        Raises:
            KafkaError: The cluster does not answer, or a reassignment is refused.
        """
        admin = KafkaAdminClient(**self.access.client_settings(), request_timeout_ms=_REPLY_MS)
        try:
            turned = {
                TopicPartition(topic["name"], part["partition_index"]): _turned(part["replica_nodes"])
                for topic in admin.describe_topics(list(topics))
                for part in topic["partitions"]
            }
            admin.alter_partition_reassignments(turned, timeout_ms=_REPLY_MS)
            admin.elect_leaders(_PREFERRED, list(topics), timeout_ms=_REPLY_MS, raise_errors=False)
        finally:
            admin.close()
        return len(turned)

    def leaders(self, topic: str) -> dict[int, int]:
        """Answer the node that leads each partition of a topic; -1 where none does."""
        admin = KafkaAdminClient(**self.access.client_settings(), request_timeout_ms=_REPLY_MS)
        try:
            parts = [part for found in admin.describe_topics([topic]) for part in found["partitions"]]
            return {part["partition_index"]: part["leader_id"] for part in parts}
        finally:
            admin.close()

    def stop(self) -> None:
        """End every node; the last ones by force, because a quorum that is gone cannot say goodbye."""
        for node in self.nodes:
            node.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def together(nodes: Sequence[EmbeddedKafka]) -> LocalAccess:
    """The ways in by several nodes of one cluster."""
    ways = [node.local_access for node in nodes]
    return LocalAccess(
        ",".join(way.bootstrap for way in ways),
        ",".join(way.certificate_bootstrap for way in ways),
        ways[0].home,
    )


def _turned(copies: list[int]) -> list[int]:
    return [*copies[1:], copies[0]]

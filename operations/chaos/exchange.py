"""The exchange that is broken: its brokers, a small network of members, and topics that compact at once."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from casework.directory import Directory
from casework.directory_checks import require
from operations import provisioning, setting_up
from operations.demo_directory import with_everything
from operations.directory.equipping import equip, keep
from operations.embedded_kafka import EmbeddedCluster, EmbeddedKafka, LocalAccess
from operations.embedded_kafka.cluster import together
from operations.simulator.cast import choose_cast
from operations.simulator.constants import DAY_MS
from operations.simulator.hosting import hosting_weights
from operations.simulator.year import start_of
from streams.clock import CompressedClock, SystemClock, format_clock
from streams.kafka_access import KafkaAccess
from streams.kafka_settings import access_of
from streams.key_rings import KeyRing
from streams.principals import OPERATOR
from streams.secret_sources import Secret
from streams.settings import DEMO_NETWORK_KEY, Settings
from streams.topics import Topics

Size = Literal["one", "three"]

YEAR: Final = 2022
_BUSY: Final = 3
_SLOTS: Final = 8
_PARTITIONS: Final = 6
_HEAD_START_MS: Final = 12_000
# A quarter of a simulated day passes in a second: deadlines come, and half an hour fits into the year.
_FACTOR: Final = 0.25 * DAY_MS / 1000
_SEGMENT_MS: Final = 3_000
_CLEANER_MS: Final = 1_000
_REQUEST_MS: Final = 20_000
_ADMIN_TRIES: Final = 10


class Brokers:
    """One broker, or three that are one cluster.

    Args:
        size: Which.
        nodes: The brokers.
        cluster: The cluster they are, if they are one.
    """

    def __init__(
        self, size: Size, nodes: tuple[EmbeddedKafka, ...], cluster: EmbeddedCluster | None = None
    ) -> None:
        self.size = size
        self.nodes = nodes
        self.cluster = cluster
        self.lock = asyncio.Lock()

    @property
    def local_access(self) -> LocalAccess:
        """The ways in."""
        return together(self.nodes)

    def configure(self, kind: ConfigResourceType, name: str, **values: object) -> None:
        """Set dynamic configuration; underscores in names stand for dots.

        Raises:
            KafkaError: The brokers do not answer for minutes.
        """
        configs = {key.replace("_", "."): str(value) for key, value in values.items()}
        resource = ConfigResource(kind, name, configs=configs)
        with self._admin() as admin:
            admin.alter_configs([resource])

    @contextmanager
    def _admin(self) -> Iterator[Any]:
        alive = [node for node in self.nodes if node.is_alive()]
        admin = KafkaAdminClient(
            **together(alive or self.nodes).admin().client_settings(), request_timeout_ms=_REQUEST_MS
        )
        try:
            yield admin
        finally:
            admin.close()


@contextmanager
def brokers(size: Size, directory: Path) -> Iterator[Brokers]:
    """Start brokers, and end them with the block or with this process."""
    if size == "one":
        with EmbeddedKafka.start(directory, heap_mb=320, quick=True, dies_with_parent=True) as node:
            yield Brokers(size, (node,))
    else:
        with EmbeddedCluster.start(directory, heap_mb=256, quick=True) as cluster:
            yield Brokers(size, cluster.nodes, cluster)


class Exchange(msgspec.Struct, frozen=True):
    """What workers and members share.

    Attributes:
        settings: What they are told.
        clock: The exchange's clock.
        directory: The published directory.
        rings: Key ring by member id.
        network_key: What members make url keys with.
    """

    settings: Settings
    clock: CompressedClock
    directory: Directory
    rings: Mapping[str, KeyRing] = msgspec.field(default_factory=dict)
    network_key: Secret = DEMO_NETWORK_KEY

    @property
    def access(self) -> KafkaAccess:
        """Access of the operator."""
        return access_of(self.settings, OPERATOR)

    @property
    def topics(self) -> Topics:
        """The topic table."""
        return Topics(self.settings.topic_prefix)


async def set_up(brokers: Brokers, home: Path) -> Exchange:
    """Provision the topics of a small network, publish its directory and answer what there is."""
    copies = len(brokers.nodes)
    access = brokers.local_access
    base = Settings(
        environment="test",
        partitions=_PARTITIONS,
        replication=copies,
        min_insync=max(1, copies - 1),
        data_dir=home / "data",
    )
    base = access.settings(base)
    start_ms = start_of(YEAR)
    now_ms = SystemClock().real_ms()
    network = small_network(with_everything(setting_up.read_directory(base, start_ms - 365 * DAY_MS)))
    equipment = equip(network, at=now_ms, expires_at=now_ms + 365 * DAY_MS)
    base, directory = keep(equipment, base, home), equipment.directory
    await asyncio.to_thread(provisioning.provision_local, access, base, directory)
    await setting_up.publish_directory(base, equipment.signed())
    await asyncio.to_thread(_compact_at_once, brokers, Topics())
    clock = CompressedClock(start_ms, SystemClock().real_ms() + _HEAD_START_MS, _FACTOR)
    return Exchange(
        msgspec.structs.replace(base, clock=format_clock(clock)),
        clock,
        directory,
        equipment.rings,
        equipment.network_key,
    )


def small_network(directory: Directory) -> Directory:
    """Leave out whoever is not played: their topics would cost a restarting broker half a minute."""
    cast = choose_cast(directory, YEAR)
    kept = {*cast.members}
    countries = tuple(
        rule
        for rule in directory.countries
        if rule.second_liaison is not None or {share.member for share in rule.hotlines} & kept
    )
    owners = sorted({rule.code for rule in countries})[: _SLOTS - 2]
    return require(
        msgspec.structs.replace(
            directory,
            members=tuple(m for m in directory.members if m.id in kept),
            countries=countries,
            slot_count=_SLOTS,
            slots={code: (slot,) for slot, code in enumerate(owners)},
            rest_slots=tuple(range(len(owners), _SLOTS)),
        )
    )


def busy_hotlines(directory: Directory) -> list[str]:
    """Answer the hotlines of the countries that host most: their inboxes are never quiet for long."""
    weights = hosting_weights(YEAR)
    rules = sorted(directory.countries, key=lambda rule: -weights.get(rule.code, 0.0))
    return [share.member for rule in rules[:_BUSY] for share in rule.hotlines]


def _compact_at_once(brokers: Brokers, topics: Topics) -> None:
    for number in range(1, len(brokers.nodes) + 1):
        brokers.configure(ConfigResourceType.BROKER, str(number), log_cleaner_backoff_ms=_CLEANER_MS)
    for topic in (topics.cases_status, topics.cases_contents):
        brokers.configure(
            ConfigResourceType.TOPIC,
            topic,
            segment_ms=_SEGMENT_MS,
            min_compaction_lag_ms=0,
            max_compaction_lag_ms=_SEGMENT_MS,
            min_cleanable_dirty_ratio=0.01,
        )


def configured_again(brokers: Brokers, topic: str, **values: object) -> None:
    """Configure a topic, however often a broker is away meanwhile."""
    for attempt in range(_ADMIN_TRIES):
        try:
            brokers.configure(ConfigResourceType.TOPIC, topic, **values)
        except Exception:
            if attempt == _ADMIN_TRIES - 1:
                raise
            time.sleep(1.0)
        else:
            return

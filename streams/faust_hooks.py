"""Every private piece of Faust and aiokafka that this transport relies on, in one table.

The packages are pinned exactly because these pieces may change in any release. At start the versions are
checked; a test compares the source of every piece with the fingerprint below, so a new upstream version
fails there, by name, before it can lose a record.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import textwrap
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from streams.transport_errors import ConfigurationError

PINNED = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0", "mode-streaming": "0.7.1"}


@dataclass(frozen=True)
class Hook:
    """One private function that is overridden, called or relied on.

    Attributes:
        module: where it lives.
        name: qualified name inside the module.
        fingerprint: first 12 hex digits of the SHA-256 of its source, dedented.
        why: what breaks when it changes.
    """

    module: str
    name: str
    fingerprint: str
    why: str

    def source_fingerprint(self) -> str:
        """Return the fingerprint of the installed source."""
        target: object = importlib.import_module(self.module)
        for part in self.name.split("."):
            target = inspect.getattr_static(target, part)
        if isinstance(target, property):
            target = target.fget
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(target)))  # type: ignore[arg-type]
        return hashlib.sha256(source.encode()).hexdigest()[:12]


_CONSUMER = "faust.transport.consumer"
_DRIVER = "faust.transport.drivers.aiokafka"
HOOKS = (
    Hook(
        _CONSUMER, "Consumer.__init__", "00f02908cf84", "its bookkeeping attributes are replaced after it ran"
    ),
    Hook(_CONSUMER, "Consumer.getmany", "e486c434b792", "overridden: one message per fetched batch"),
    Hook(_CONSUMER, "Consumer._wait_next_records", "ba40cd367132", "called: waits for flow, fetches"),
    Hook(
        _CONSUMER,
        "Consumer._drain_messages",
        "8f35dd7a1114",
        "calls getmany and drops what is offered while flow stops",
    ),
    Hook(_CONSUMER, "Consumer.ack", "5548cf0f7584", "overridden: the ordered tracker decides"),
    Hook(
        _CONSUMER,
        "Consumer.track_message",
        "e43b88ec9355",
        "fills _unacked_messages when an agent takes a batch",
    ),
    Hook(_CONSUMER, "Consumer.wait_empty", "53195dca246c", "overridden: bounded"),
    Hook(
        _CONSUMER,
        "Consumer.perform_seek",
        "2b4ceebd23de",
        "overridden: partitions without a commit are rewound too",
    ),
    Hook(_CONSUMER, "Consumer.commit", "e43a7d03685f", "called: serialises commits"),
    Hook(
        _CONSUMER, "Consumer.maybe_wait_for_commit_to_finish", "14281eda99cf", "called before the last commit"
    ),
    Hook(_CONSUMER, "Consumer.force_commit", "464b62ae9172", "asks the three overridden questions below"),
    Hook(
        _CONSUMER,
        "Consumer._filter_committable_offsets",
        "4fb75ba687d0",
        "calls _new_offset and _should_commit",
    ),
    Hook(_CONSUMER, "Consumer._filter_tps_with_pending_acks", "cccdca32d241", "overridden"),
    Hook(_CONSUMER, "Consumer._new_offset", "2b29afe4dd9a", "overridden"),
    Hook(_CONSUMER, "Consumer._should_commit", "91d8eb1ef6bf", "compares with _committed_offset"),
    Hook(_CONSUMER, "Consumer._commit_offsets", "86b3e9b0aec7", "overridden: advances only on success"),
    Hook(_CONSUMER, "Consumer._add_gap", "f1cc1db634f5", "overridden: does nothing"),
    Hook(_CONSUMER, "Consumer.stop_flow", "aa77389dc23a", "called before a seek and before a revocation"),
    Hook(_CONSUMER, "Consumer.resume_flow", "192f20bc377f", "called by Faust after perform_seek"),
    Hook(_CONSUMER, "Consumer.on_partitions_revoked", "652177e770ee", "extended: waits and commits first"),
    Hook(
        _CONSUMER, "Consumer.on_partitions_assigned", "c07feb1175f7", "extended: listeners first, errors stop"
    ),
    Hook(
        _DRIVER,
        "ConsumerRebalanceListener",
        "f3d04f29dfb3",
        "calls the two above and sets consumer_generation_id",
    ),
    Hook(
        _DRIVER, "AIOKafkaConsumerThread.seek_to_committed", "43907fc11636", "returns the committed offsets"
    ),
    Hook(
        _DRIVER,
        "AIOKafkaConsumerThread.seek_to_beginning",
        "f36ff3bd14fc",
        "rewinds partitions without a commit",
    ),
    Hook(
        _DRIVER,
        "AIOKafkaConsumerThread._commit",
        "78c931ecfa8d",
        "False on a lost membership, crash otherwise",
    ),
    Hook(
        _DRIVER,
        "AIOKafkaConsumerThread._fetch_records",
        "9e7369fc572d",
        "returns nothing while flow is stopped",
    ),
    Hook(
        _DRIVER,
        "AIOKafkaConsumerThread._create_worker_consumer",
        "c179c0bdb975",
        "round-robin assignor without tables",
    ),
    Hook(
        _DRIVER,
        "AIOKafkaConsumerThread.on_start",
        "675d03707bbe",
        "extended: fetch limits are set before the first fetch",
    ),
    Hook(
        _DRIVER,
        "Consumer._new_consumer_thread",
        "8fd0d41b1514",
        "overridden: our thread",
    ),
    Hook(
        "aiokafka.consumer.fetcher",
        "Fetcher._get_actions_per_node",
        "fd175a69d8d4",
        "one fetch per broker; reads _fetch_max_wait_ms",
    ),
    Hook(
        "aiokafka.consumer.fetcher",
        "FetchResult.calculate_backoff",
        "aeed7a095b62",
        "how long untaken records hold back the next fetch",
    ),
    Hook(
        "aiokafka.consumer.fetcher",
        "Fetcher._proc_fetch_request",
        "ace04969424f",
        "reads _prefetch_backoff",
    ),
    Hook(_DRIVER, "Producer._settings_extra", "2b12df47f0a5", "overridden: acks=all, idempotent"),
    Hook(_DRIVER, "Producer.on_start", "a1601325eb84", "creates _producer"),
    Hook(_DRIVER, "Producer.send", "72f84e7a1b56", "extended: a failed send stops the process"),
    Hook(
        _DRIVER, "credentials_to_aiokafka_auth", "364c9c9c6852", "gives our own clients Faust's credentials"
    ),
    Hook("faust.tables.recovery", "Recovery._resume_streams", "fbe0f747b84c", "seeks, then resumes flow"),
    Hook(
        "faust.app.base",
        "App._on_partitions_revoked",
        "c1abd58dcb37",
        "waits for wait_empty, clears the queues",
    ),
    Hook("faust.app.base", "App._on_partitions_assigned", "c9c5485eb273", "starts _resume_streams"),
    Hook("faust.app.base", "App._stop_consumer", "96573acf5f04", "stops flow, then wait_empty"),
    Hook("faust.app.base", "App._create_directories", "11b6b0b79e31", "overridden: nothing is kept on disk"),
    Hook(
        "faust.serializers.schemas", "Schema.compile", "bd271ec59690", "overridden: raw batches pass through"
    ),
    Hook("mode.services", "Service.crash", "6e0b5672cd83", "sets _crashed, which run_apps watches"),
    Hook(
        "aiokafka.consumer.consumer",
        "AIOKafkaConsumer.seek_to_committed",
        "9c20926f1712",
        "skips offset 0 and none",
    ),
    Hook(
        "aiokafka.client",
        "AIOKafkaClient.fetch_all_metadata",
        "fae96f64b07c",
        "partition counts, without subscribing",
    ),
    Hook(
        "aiokafka.consumer.group_coordinator",
        "GroupCoordinator._on_join_prepare",
        "620a6bbc6725",
        "commits are accepted",
    ),
    Hook(
        "aiokafka.consumer.group_coordinator",
        "GroupCoordinator.reset_generation",
        "3cb4a2490077",
        "marks a lost member",
    ),
    Hook("aiokafka.client", "AIOKafkaClient.send", "fb1726e3ed8e", "carries our produce requests"),
    Hook(
        "aiokafka.client",
        "AIOKafkaClient.force_metadata_update",
        "4b2453f58f83",
        "tells whether a broker answered",
    ),
    Hook(
        "aiokafka.client",
        "AIOKafkaClient._get_conn",
        "1eaeaab22404",
        "a broker that cannot be reached is NodeNotReady",
    ),
    Hook("aiokafka.conn", "AIOKafkaConnection.send", "360d12e20e64", "what a request must offer"),
    Hook("aiokafka.conn", "AIOKafkaConnection._handle_frame", "aadf78abd43c", "what a response must offer"),
    Hook(
        "aiokafka.record.default_records",
        "_DefaultRecordBatchBuilderPy.append",
        "746103a4106c",
        "None when the batch is full; its compiled twin does the work",
    ),
)


def check_versions() -> None:
    """Check that the installed packages are the ones these hooks were written for.

    Raises:
        ConfigurationError: another version, or Faust without its compiled parts (whose pure-Python twin
            acknowledges events of an old generation).
    """
    for package, wanted in PINNED.items():
        try:
            found = version(package)
        except PackageNotFoundError:
            found = "none"
        if found != wanted:
            raise ConfigurationError(f"{package} {wanted} is needed, {found} is installed")
    for module in ("faust._cython.streams", "faust.transport._cython.conductor"):
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ConfigurationError(f"faust-streaming lacks its compiled module {module}") from error
    streams = importlib.import_module("faust.streams")
    if getattr(streams, "_CStreamIterator", None) is None:
        raise ConfigurationError("faust-streaming runs without its compiled parts; unset NO_CYTHON")

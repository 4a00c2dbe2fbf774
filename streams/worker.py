"""Faust apps with the lossless transport, and running one or more of them in this process.

There is no Faust command line here: apps are built, started and stopped by a program, share one event loop,
and are probed before they start, because Faust says nothing at all when a right or a topic is missing.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import faust
import mode
import uvloop

from casework.errors import SetupError
from streams.batch_events import PassSchema
from streams.broken_connections import notice_broken_connections
from streams.fail_stop import EXIT_CONFIGURATION, EXIT_FAIL_STOP, FailStop
from streams.fault_points import NO_FAULTS, FaultPoints
from streams.faust_hooks import check_versions
from streams.fetch_protocol import use_lean_fetches
from streams.last_resort import let_last_resort_write
from streams.light_compression import use_light_lz4
from streams.repeated_lines import quiet_repeated_lines
from streams.transport import LosslessTransport
from streams.transport_errors import ConfigurationError, FatalTransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from streams.kafka_access import KafkaAccess
    from streams.publishing import BatchPublisher
    from streams.untyped import FaustChannel

#: Seconds for finishing, committing and closing; after them the process ends without a commit.
STOP_TIMEOUT_S = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerOptions:
    """How a worker talks to its brokers. Times in seconds, sizes in bytes.

    Attributes:
        access: where the brokers are and how they know this worker.
        instance_id: stable id of this worker (static membership): after a crash the same id takes its
            partitions back at once; after a stop they wait for it until the session is over.
        session_timeout: a silent worker's partitions move after this; at least the broker's
            ``group.min.session.timeout.ms`` (6 s by default), at most `request_timeout`.
        commit_interval: what was acknowledged later than this before a SIGKILL is delivered again.
        max_poll_records: records of one fetch, over all partitions.
        max_bytes_in_flight: fetching pauses above it.
        drain_timeout: for finishing work before partitions are given up or the worker stops, and again for
            the last commit.
        group_patience: the process stops when commits failed for so long, or the group could not be joined
            again: longer than a rolling restart of the brokers.
        start_timeout: for the probe, and again for joining the group.
        confirm_timeout: a send without an answer for so long stops the process; until then it is tried again,
            so that brokers restarted one after another stop no worker.
        metadata_patience: an unknown topic is asked for again for so long: a broker that has just started
            knows its topics a moment later.
        metadata_max_age: after this the group's leader asks again which partitions there are. A broker that
            is starting may know none of a topic yet; the group then stands still until the next look.
        faults: what tests break on purpose.
    """

    access: KafkaAccess
    client_id: str = "worker"
    instance_id: str | None = None
    session_timeout: float = 6.0
    heartbeat_interval: float = 2.0
    rebalance_timeout: float = 60.0
    request_timeout: float = 30.0
    commit_interval: float = 0.5
    max_poll_records: int = 2000
    max_bytes_in_flight: int = 64 << 20
    drain_timeout: float = 10.0
    group_patience: float = 120.0
    start_timeout: float = 30.0
    confirm_timeout: float = 120.0
    metadata_patience: float = 5.0
    metadata_max_age: float = 5.0
    linger: float = 0.0
    max_batch_bytes: int = 256 << 10
    compression: str | None = "lz4"
    faults: FaultPoints = NO_FAULTS

    def client_settings(self) -> dict[str, Any]:
        """Return the settings that every aiokafka client of this worker shares."""
        return {
            **self.access.client_settings(),
            "client_id": self.client_id,
            "request_timeout_ms": int(self.request_timeout * 1000),
        }

    @property
    def bootstrap(self) -> str:
        """``host:port`` pairs of the brokers, comma separated."""
        return self.access.bootstrap


class LosslessApp(faust.App):
    """A Faust app that keeps nothing on disk and offers the publisher of its producer."""

    def _create_directories(self) -> None:
        return

    @property
    def publisher(self) -> BatchPublisher | None:
        """Return the publisher on the app's producer; None before the app has started."""
        return self.producer.publisher

    @property
    def broker_silence(self) -> float:
        """Return for how many seconds the group's coordinator has not confirmed the membership.

        It does so with every heartbeat. For readiness checks of an app that has started; from any thread.
        """
        silence: float = self.consumer.watch.silence()
        return silence

    @property
    def is_delivering(self) -> bool:
        """Return whether the group is joined and records flow; for readiness checks."""
        is_joined = self.tables.recovery.completed.is_set() and not self.rebalancing
        return bool(is_joined and self.consumer.flow_active and not self.should_stop)


def make_app(group_id: str, options: WorkerOptions, *, fail_stop: FailStop | None = None) -> LosslessApp:
    """Build an app of consumer group `group_id`; to be called inside the running event loop.

    Raises:
        ConfigurationError: the installed packages are not the pinned ones, or the session outlasts a request.
    """
    check_versions()
    if options.session_timeout > options.request_timeout:
        raise ConfigurationError(
            f"session_timeout={options.session_timeout} s: "
            f"at most request_timeout={options.request_timeout} s"
        )
    notice_broken_connections()
    use_light_lz4()
    use_lean_fetches()
    app = LosslessApp(
        group_id,
        broker=[f"kafka://{address.strip()}" for address in options.bootstrap.split(",")],
        broker_client_id=options.client_id,
        broker_credentials=options.access.faust_credentials(),
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=int(options.metadata_max_age * 1000),
        consumer_group_instance_id=options.instance_id,
        broker_commit_interval=options.commit_interval,
        broker_commit_every=None,
        broker_max_poll_records=options.max_poll_records,
        broker_session_timeout=options.session_timeout,
        broker_heartbeat_interval=options.heartbeat_interval,
        broker_rebalance_timeout=options.rebalance_timeout,
        broker_request_timeout=options.request_timeout,
        producer_acks=-1,
        producer_linger=options.linger,
        producer_max_batch_size=options.max_batch_bytes,
        producer_compression_type=options.compression,
        producer_request_timeout=options.request_timeout,
        stream_wait_empty=True,
        stream_buffer_maxsize=4096,
        stream_recovery_delay=0.0,
        table_standby_replicas=0,  # with any, Faust's own assignor is used instead of round-robin
        topic_allow_declare=False,
        topic_disable_leader=True,
        reply_create_topic=False,
        agent_supervisor=mode.CrashingSupervisor,
        web_enabled=False,
        autodiscover=False,
    )
    transport = LosslessTransport(
        app,
        fail_stop=fail_stop,
        drain_timeout=options.drain_timeout,
        group_patience=options.group_patience,
        max_bytes_in_flight=options.max_bytes_in_flight,
        publisher_options={
            "confirm_timeout": options.confirm_timeout,
            "metadata_patience": options.metadata_patience,
            "request_timeout": options.request_timeout,
            "max_batch_bytes": options.max_batch_bytes,
            "compression": options.compression,
        },
        faults=options.faults,
    )
    app.transport = app.producer_transport = transport
    return app


def batches(app: LosslessApp, *topics: str) -> FaustChannel:
    """Return the channel for ``@app.agent``: one event per fetched batch, its value a list of records."""
    return app.topic(*topics, schema=PassSchema(), internal=False)


async def run_apps(  # noqa: PLR0913 - keyword-only limits
    apps: Sequence[LosslessApp],
    *,
    stop_event: asyncio.Event | None = None,
    on_ready: Callable[[], None] | None = None,
    on_stopping: Callable[[], None] | None = None,
    start_timeout: float = 30.0,
    stop_timeout: float = STOP_TIMEOUT_S,
    handle_signals: bool = True,
) -> None:
    """Start `apps` together, run them until `stop_event` or SIGTERM/SIGINT, stop them gracefully.

    Args:
        apps: built by `make_app` in this loop, agents declared.
        stop_event: set it to stop.
        on_ready: called when every app has its partitions and delivers.
        on_stopping: called before the apps are asked to stop, to end what uses their producers and states.
        start_timeout: seconds for all apps to join their groups.
        stop_timeout: seconds for finishing, committing and closing.
        handle_signals: False when somebody else sets `stop_event`.

    Raises:
        ConfigurationError: an app found that a person must change something.
        FatalTransportError: an app crashed, or did not start or stop in time. Nothing is committed on the
            way out when the caller turns it into exit code 70 at once, as `run_worker` does.
    """
    stop = stop_event if stop_event is not None else asyncio.Event()
    if handle_signals:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
    watchers = [asyncio.create_task(_crashed(app)) for app in apps]
    stopping = asyncio.create_task(stop.wait())
    starting = asyncio.ensure_future(_start(apps))
    try:
        await asyncio.wait(
            {starting, stopping, *watchers}, timeout=start_timeout, return_when=asyncio.FIRST_COMPLETED
        )
        _raise_first(watchers)
        if starting.done():
            starting.result()
            if on_ready is not None:
                on_ready()
        elif not stopping.done():
            raise FatalTransportError(f"the consumer groups were not joined in {start_timeout} s")
        await asyncio.wait({stopping, *watchers}, return_when=asyncio.FIRST_COMPLETED)
        _raise_first(watchers)
        log.info("stopping")
        if on_stopping is not None:
            on_stopping()
        try:
            async with asyncio.timeout(stop_timeout):
                await asyncio.gather(*(app.stop() for app in apps))
        except TimeoutError as error:
            raise FatalTransportError(f"the apps did not stop in {stop_timeout} s") from error
    finally:
        for task in (*watchers, stopping, starting):
            task.cancel()


async def _start(apps: Sequence[LosslessApp]) -> None:
    await asyncio.gather(*(app.start() for app in apps))


async def _crashed(app: LosslessApp) -> None:
    await app._crashed.wait()  # noqa: SLF001 - see faust_hooks
    reason = app.crash_reason
    if isinstance(reason, ConfigurationError):
        raise reason
    raise FatalTransportError(f"app {app.conf.id} crashed: {reason!r}") from reason


def _raise_first(watchers: Sequence[asyncio.Task[None]]) -> None:
    for watcher in watchers:
        if watcher.done():
            watcher.result()


def run_worker(main: Callable[[FailStop], Coroutine[Any, Any, None]]) -> int:
    """Run `main` under uvloop and return the exit code of the process (see `streams.fail_stop`).

    Warnings and errors go to stderr as long as the program sets up no logging of its own.

    Args:
        main: builds the apps with the `FailStop` it gets, probes, and awaits `run_apps`.
    """
    let_last_resort_write()
    quiet_repeated_lines()
    return uvloop.run(_guarded(main, FailStop()))


async def _guarded(main: Callable[[FailStop], Coroutine[Any, Any, None]], fail_stop: FailStop) -> int:
    try:
        await main(fail_stop)
    except (ConfigurationError, SetupError) as error:
        log.critical("cannot start: %s", error)
        return EXIT_CONFIGURATION
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # Nobody cancelled us: aiokafka lets its own cancellations out when it closes while a broker is away.
        fail_stop("the worker failed while it was closing", error)
        return EXIT_FAIL_STOP
    except Exception as error:  # noqa: BLE001 - leaving in an orderly way would commit
        fail_stop("the worker failed", error)
        return EXIT_FAIL_STOP
    return 0

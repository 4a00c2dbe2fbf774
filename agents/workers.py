"""A worker process: intake, casekeeper, or both in one event loop, from settings to exit code.

Each kind has its own consumer group, its own registry and its own port for metrics and health, also where
both run in one process: nothing changes for those who watch when they are taken apart.
"""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final, Literal, get_args

from agents import casekeeper as casekeepers
from agents import intake as intakes
from agents import logs
from agents.case_index import CaseIndex
from agents.casekeeper import Casekeeper
from agents.certificates import CertificateDays
from agents.dead_letters import DeadLetterBox
from agents.deadlines import Deadlines
from agents.exchange_seal import ExchangeSeal
from agents.health import Health, HealthServer
from agents.inbox_lag import InboxLag
from agents.intake import Intake
from agents.metrics import CasekeeperMetrics, IntakeMetrics
from agents.open_cases import OpenCases
from agents.pace import GroupLag, Pace, Paced
from agents.parking import ParkedCases
from agents.sending import Sender
from agents.stored_cases import version_of
from agents.unparking import readers_of
from casework.directory import ORPHAN_DESK
from casework.errors import SetupError
from streams.clock import Clock
from streams.directory_feed import DirectoryFeed, NoDirectoryError
from streams.directory_trust import anchor_of, memory_of
from streams.fail_stop import FailStop
from streams.kafka_settings import access_of
from streams.local_copies import LocalCopies
from streams.partition_state import PartitionState
from streams.principals import CASEKEEPER, INTAKE
from streams.probing import probe
from streams.process_hardening import harden
from streams.settings import Settings
from streams.topics import Topics
from streams.transport_errors import ConfigurationError
from streams.turnstile import Turnstile
from streams.untyped import FaustApp
from streams.worker import WorkerOptions, make_app, run_apps
from streams.worker import run_worker as run_main

log = logging.getLogger(__name__)

Kind = Literal["intake", "casekeeper", "all"]
KINDS: Final = get_args(Kind)
#: As whom each part connects, in a process of its own or in one with the other.
PRINCIPALS: Final = {"intake": INTAKE, "casekeeper": CASEKEEPER}
Addresses = dict[str, str]


class Part:
    """One kind of worker within the process.

    Attributes:
        apps: Its Faust apps.
        topics: Topics it reads.
        server: Its metrics and health.
        health: What the probes ask.
        tasks: What runs beside the app, started once it has its partitions.
        closing: What is closed when the app has stopped.
    """

    def __init__(
        self, apps: tuple[FaustApp, ...], topics: tuple[str, ...], server: HealthServer, health: Health
    ) -> None:
        self.apps = apps
        self.topics = topics
        self.server = server
        self.health = health
        self.tasks: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.closing: list[Callable[[], Coroutine[Any, Any, None]]] = []


class _Setting:
    """What the parts of a process share."""

    def __init__(self, settings: Settings, clock: Clock, feed: DirectoryFeed, fail_stop: FailStop) -> None:
        self.settings = settings
        self.clock = clock
        self.feed = feed
        self.fail_stop = fail_stop
        self.topics = Topics(settings.topic_prefix)
        self.turnstile = Turnstile()
        self.seal = ExchangeSeal.from_settings(settings, lambda: feed.latest(clock.now_ms()), clock.real_ms)
        self.is_started = False

    def group(self, name: str) -> str:
        return f"{self.settings.topic_prefix}{name}"

    def not_ready(self, app: FaustApp) -> str | None:
        """Answer why an app does not do its work now, or None."""
        if not self.is_started:
            return "starting"
        if app.rebalancing:
            return "partitions move"
        silence = self.silence(app)
        return None if silence <= self.settings.session_timeout_s else f"no broker for {silence:.0f} s"

    def unread_liaisons(self) -> tuple[str, ...]:
        """Answer the codes of the liaisons that escalations pass over, by the newest directory here."""
        directory = self.feed.known(self.feed.newest_version)
        return () if directory is None else directory.unread_liaisons

    def silence(self, *apps: FaustApp) -> float:
        """Answer for how many seconds one of these apps has not heard of its group; 0 before the start."""
        return max(app.broker_silence for app in apps) if self.is_started else 0.0


def run_worker(kind: Kind, settings: Settings, clock: Clock | None = None) -> int:
    """Run a worker until SIGTERM or SIGINT and answer the exit code of the process.

    Args:
        kind: What runs in this process.
        settings: What the process was told.
        clock: The exchange's clock; that of the settings when None.

    Returns:
        0 after a stop, 70 after a fail-stop (restart it), 78 when a person has to change something first.
    """
    harden()
    logs.set_up(keep=[broker.rpartition(":")[0] for broker in settings.bootstrap.split(",")])
    used = settings.make_clock() if clock is None else clock
    return run_main(lambda fail_stop: run(kind, settings, used, fail_stop))


async def run(  # noqa: PLR0913 - the two last are for tests and for `demo`
    kind: Kind,
    settings: Settings,
    clock: Clock,
    fail_stop: FailStop,
    *,
    stop_event: asyncio.Event | None = None,
    on_ready: Callable[[Addresses], None] | None = None,
) -> None:
    """Run a worker inside an event loop until it is asked to stop.

    Args:
        kind: What runs.
        settings: What the process was told.
        clock: The exchange's clock.
        fail_stop: Ends the process.
        stop_event: Ends the run; without it, signals do.
        on_ready: Called with the metrics address of each part when all have their partitions.

    Raises:
        ConfigurationError: A person must change something.
        FatalTransportError: An app crashed or did not start or stop in time.
    """
    options = {name: options_of(settings, PRINCIPALS[name]) for name in PRINCIPALS if kind in {name, "all"}}
    topics = Topics(settings.topic_prefix)
    await _probe(options, settings, topics)
    async with AsyncExitStack() as stack:
        try:
            feed = DirectoryFeed(
                next(iter(options.values())).client_settings(),
                topics.directory,
                settings.environment,
                clock=clock,
                anchor=anchor_of(settings),
                memory=memory_of(settings, topics.directory),
                on_failure=fail_stop,
            )
            await stack.enter_async_context(feed)
            feed.latest(clock.now_ms())
            shared = _Setting(settings, clock, feed, fail_stop)
            shared.seal.check()
        except (NoDirectoryError, SetupError) as error:
            raise ConfigurationError(str(error)) from error
        parts: dict[str, Part] = {}
        if "intake" in options:
            parts["intake"] = _intake(shared, options["intake"])
        if "casekeeper" in options:
            parts["casekeeper"] = _casekeeper(shared, options["casekeeper"])
        for part in parts.values():
            stack.enter_context(part.server)
        tasks = await stack.enter_async_context(_tasks())
        # From the beginning: a start that waits for Kafka is no standstill.
        tasks.extend(asyncio.create_task(part.health.keep_beating()) for part in parts.values())

        # What sends or reads states must end before the producers and stores it uses are closed.
        working = await stack.enter_async_context(_tasks())

        def ready() -> None:
            shared.is_started = True
            # All that a start makes lives as long as the process: no collection need look at it again.
            gc.collect()
            gc.freeze()
            working.extend(asyncio.create_task(start()) for part in parts.values() for start in part.tasks)
            addresses = {name: part.server.address for name, part in parts.items()}
            ports = ", ".join(f"{name} on port {part.server.port}" for name, part in parts.items())
            log.info("ready; metrics of %s", ports)
            if on_ready is not None:
                on_ready(addresses)

        await run_apps(
            [app for part in parts.values() for app in part.apps],
            stop_event=stop_event,
            on_ready=ready,
            on_stopping=partial(_cancel, working),
            handle_signals=stop_event is None,
        )
        for part in parts.values():
            for close in part.closing:
                await close()


def options_of(settings: Settings, principal: str) -> WorkerOptions:
    """Answer how a worker with these settings talks to its brokers.

    Args:
        settings: What the process was told.
        principal: As whom, where the settings name nobody.

    Raises:
        SetupError: A setting of the connection is missing, or names a file that cannot be used.
    """
    return WorkerOptions(
        access=access_of(settings, principal),
        client_id="hotline-exchange",
        instance_id=settings.instance_id,
        session_timeout=settings.session_timeout_s,
        heartbeat_interval=settings.heartbeat_s,
        commit_interval=settings.commit_interval_s,
        max_poll_records=settings.max_poll_records,
        faults=settings.make_fault_points(),
    )


async def _probe(options: Mapping[str, WorkerOptions], settings: Settings, topics: Topics) -> None:
    if "intake" in options:
        for group in (intakes.GROUP, intakes.URGENT_GROUP):
            await probe(
                options["intake"],
                f"{settings.topic_prefix}{group}",
                [*topics.submissions, topics.directory],
                [topics.cases_admitted, topics.dead_letters],
            )
    if "casekeeper" in options:
        group = f"{settings.topic_prefix}{casekeepers.GROUP}"
        reads = (topics.cases_admitted, topics.cases_status, topics.cases_contents, topics.directory)
        await probe(options["casekeeper"], group, reads, [topics.cases_events, topics.dead_letters])


def _intake(shared: _Setting, options: WorkerOptions) -> Part:
    settings, topics = shared.settings, shared.topics
    metrics = IntakeMetrics()
    lag = GroupLag(
        options.client_settings(),
        topics.cases_admitted,
        settings.partitions,
        shared.group(casekeepers.GROUP),
    )
    pace = Paced(lag.measure, settings.max_admitted_backlog)
    metrics.admitted_backlog.set_function(lambda: pace.backlog)
    metrics.directory_version.set_function(lambda: shared.feed.newest_version)
    metrics.directory_expires.set_function(shared.feed.expires_in_s)
    metrics.broker_silence.set_function(lambda: shared.silence(normal, urgent))
    reads = intakes.read_by(topics)
    group = intakes.URGENT_GROUP
    urgent, urgent_sender = _intake_app(shared, options, metrics, group, None, *reads[group])
    group = intakes.GROUP
    normal, sender = _intake_app(shared, options, metrics, group, pace, *reads[group])
    normal.transport.listeners.append(pace)
    health = Health(lambda: shared.not_ready(urgent) or shared.not_ready(normal))
    server = HealthServer(settings.metrics_host, settings.intake_metrics_port, metrics.registry, health)
    part = Part((urgent, normal), topics.submissions, server, health)
    part.tasks.append(CertificateDays(metrics.certificate_days, options.access).run)
    part.tasks.append(lambda: urgent_sender.learn_destinations(shared.feed, writes_feeds=False))
    part.tasks.append(lambda: sender.learn_destinations(shared.feed, writes_feeds=False))
    part.closing.append(lag.close)
    return part


def _intake_app(
    shared: _Setting,
    options: WorkerOptions,
    metrics: IntakeMetrics,
    name: str,
    pace: Pace | None,
    *topics: str,
) -> tuple[FaustApp, Sender]:
    group = shared.group(name)
    app = make_app(group, options, fail_stop=shared.fail_stop)
    sender = Sender(
        publisher=lambda: app.publisher,
        topics=shared.topics,
        box=DeadLetterBox(shared.topics.dead_letters, group),
        metrics=metrics,
        real_ms=shared.clock.real_ms,
        seal=shared.seal,
        own=(shared.topics.cases_admitted,),
    )
    agent = Intake(
        topics=shared.topics,
        environment=shared.settings.environment,
        feed=shared.feed,
        clock=shared.clock,
        sender=sender,
        metrics=metrics,
        pace=pace,
        turnstile=None if pace is None else shared.turnstile,
        faults=options.faults,
    )
    intakes.declare(app, agent, *topics)
    return app, sender


def _casekeeper(shared: _Setting, options: WorkerOptions) -> Part:
    topics, settings = shared.topics, shared.settings
    group = shared.group(casekeepers.GROUP)
    app = make_app(group, options, fail_stop=shared.fail_stop)
    metrics = CasekeeperMetrics(OpenCases())
    sender = Sender(
        publisher=lambda: app.publisher,
        topics=topics,
        box=DeadLetterBox(topics.dead_letters, group),
        metrics=metrics,
        real_ms=shared.clock.real_ms,
        seal=shared.seal,
    )
    deadlines = Deadlines(
        topics=topics,
        environment=settings.environment,
        feed=shared.feed,
        clock=shared.clock,
        sender=sender,
        metrics=metrics,
        shrink_after_ms=settings.shrink_after_days * 86_400_000,
    )
    parked = ParkedCases(
        topics=topics,
        environment=settings.environment,
        feed=shared.feed,
        clock=shared.clock,
        sender=sender,
        metrics=metrics,
    )
    client = options.client_settings()
    index = CaseIndex(metrics, deadlines, parked, shared.fail_stop)
    agent = Casekeeper(
        topics=topics,
        feed=shared.feed,
        clock=shared.clock,
        sender=sender,
        metrics=metrics,
        index=index,
        readers=readers_of(client, topics.cases_admitted),
        faults=options.faults,
        turnstile=shared.turnstile,
    )
    copies = LocalCopies(settings.data_dir / "state", settings.instance_id or "worker")
    cases = PartitionState(
        app,
        follows=topics.cases_admitted,
        topic=topics.cases_status,
        client_settings=client,
        stores=copies,
        version=version_of,
        publish=sender.send,
        on_loaded=index.loaded,
        on_revoked=index.revoked,
        on_dropped=index.dropped,
    )
    contents = PartitionState(
        app,
        follows=topics.cases_admitted,
        topic=topics.cases_contents,
        client_settings=client,
        stores=copies,
    )
    agent.attach(cases, contents)
    casekeepers.declare(app, agent, topics, cases, contents)
    metrics.loading.set_function(lambda: len(cases.loading | contents.loading))
    metrics.directory_version.set_function(lambda: shared.feed.newest_version)
    metrics.directory_expires.set_function(shared.feed.expires_in_s)
    metrics.broker_silence.set_function(lambda: shared.silence(app))

    def not_ready() -> str | None:
        loading = len(cases.loading | contents.loading)
        return shared.not_ready(app) or (f"{loading} partitions are loading" if loading else None)

    metrics.unread_liaisons(shared.unread_liaisons)

    def members() -> Iterable[str]:
        directory = shared.feed.latest(shared.clock.now_ms())
        return [ORPHAN_DESK, *(member.id for member in directory.members if member.active)]

    lag = InboxLag(client=client, topics=topics, members=members, metrics=metrics)
    health = Health(not_ready)
    server = HealthServer(settings.metrics_host, settings.casekeeper_metrics_port, metrics.registry, health)
    part = Part((app,), (topics.cases_admitted,), server, health)
    part.tasks.append(CertificateDays(metrics.certificate_days, options.access).run)
    part.tasks.append(lambda: sender.learn_destinations(shared.feed, writes_feeds=True))
    part.tasks.append(lambda: deadlines.run(shared.fail_stop))
    part.closing += [cases.close, contents.close]
    part.tasks.append(lambda: parked.run(shared.fail_stop))
    part.tasks.append(lambda: lag.run(lambda: 0 in cases.stores()))
    return part


@asynccontextmanager
async def _tasks() -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks: list[asyncio.Task[None]] = []
    try:
        yield tasks
    finally:
        _cancel(tasks)
        await asyncio.gather(*tasks, return_exceptions=True)


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()

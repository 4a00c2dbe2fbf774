"""A worker process: intake, casekeeper, or both in one event loop, from settings to exit code.

Each kind has its own consumer group, its own registry and its own port for metrics and health, also where
both run in one process: nothing changes for those who watch when they are taken apart.
"""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final, Literal, get_args

from agents import casekeeper as casekeepers
from agents import intake as intakes
from agents import logs
from agents.casekeeper_part import casekeeper_part
from agents.intake_part import intake_part
from agents.worker_parts import Part, Shared
from casework.errors import SetupError
from streams.clock import Clock
from streams.directory_feed import DirectoryFeed, NoDirectoryError
from streams.directory_trust import anchor_of, memory_of
from streams.fail_stop import FailStop
from streams.kafka_settings import access_of
from streams.principals import CASEKEEPER, INTAKE
from streams.probing import probe
from streams.process_hardening import harden
from streams.settings import Settings
from streams.topics import Topics
from streams.transport_errors import ConfigurationError
from streams.worker import WorkerOptions, run_apps
from streams.worker import run_worker as run_main

log = logging.getLogger(__name__)

Kind = Literal["intake", "casekeeper", "all"]
KINDS: Final = get_args(Kind)
#: As whom each part connects, in a process of its own or in one with the other.
PRINCIPALS: Final = {"intake": INTAKE, "casekeeper": CASEKEEPER}
Addresses = dict[str, str]


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
            shared = Shared(settings, clock, feed, fail_stop)
            shared.seal.check()
        except (NoDirectoryError, SetupError) as error:
            raise ConfigurationError(str(error)) from error
        parts: dict[str, Part] = {}
        if "intake" in options:
            parts["intake"] = intake_part(shared, options["intake"])
        if "casekeeper" in options:
            parts["casekeeper"] = casekeeper_part(shared, options["casekeeper"])
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

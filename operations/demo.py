"""The demo: a real Kafka, a worker, simulated members and a proof that nothing was lost, in one command.

Everything lives in a temporary directory and ends with the process. The worker is a process of its own, so
that `kill_worker` is a real crash in the middle of the work.
"""

import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec
import uvloop
from rich.console import Console
from rich.live import Live

from agents import casekeeper
from casework.directory import Directory
from operations import provisioning, setting_up
from operations.canary import Canary, Hit, new_mark
from operations.demo_directory import with_everything
from operations.demo_summary import Outcome, as_summary
from operations.demo_view import Measured, Picture, ages_of, as_line, draw, late_of, read_metrics
from operations.demo_worker import DemoWorker, fetch
from operations.directory.equipping import equip, keep
from operations.embedded_kafka import EmbeddedKafka, LocalAccess
from operations.embedded_kafka.process import free_port
from operations.invariants import Checked, examine, read_history
from operations.log_file import logging_to
from operations.reading import TopicReader
from operations.simulator.constants import DAY_MS
from operations.simulator.run import LiveSimulation, Scenario
from operations.simulator.year import start_of
from streams.clock import CompressedClock, SystemClock, format_clock
from streams.kafka_settings import access_of
from streams.principals import OPERATOR
from streams.settings import Settings
from streams.topics import Topics

_HEAP_MB: Final = 512
# Worker and clients start while the simulated year has not begun.
_HEAD_START_MS: Final = 6_000
_YEAR_MS: Final = 365 * DAY_MS
_LOOK_S: Final = 1.0
_LINE_EVERY_S: Final = 5.0
_DRAIN_PATIENCE_S: Final = 45.0
_SETTLE_PATIENCE_S: Final = 20.0
_FLOWS: Final = 8
_RARE_AT_LEAST: Final = 0.04
"""Share of reports that are held, declined, corrected and so on: fewer are, and a minute would show none."""


class DemoOptions(msgspec.Struct, frozen=True):
    """What the demo does.

    Attributes:
        seconds: Real seconds of play.
        days: Simulated days that pass in these seconds.
        reports_per_second: Mean number of reports in a real second; actions come on top, about four times
            as many.
        year: Year whose figures are played.
        seed: Equal seeds play equal reports.
        directory: Directory file; None is the shipped one.
        kill_worker: Whether the worker is killed (SIGKILL) and started again in the middle.
        as_json: Whether the summary is one JSON value.
        plain: Whether there are progress lines instead of a screen; always without a terminal.
    """

    seconds: float = 60.0
    days: float = 28.0
    reports_per_second: float = 8.0
    year: int = 2022
    seed: int = 1
    directory: Path | None = None
    kill_worker: bool = False
    as_json: bool = False
    plain: bool = False


def run_demo(options: DemoOptions) -> int:
    """Run the demo and answer the exit code: 0 when nothing was lost, 1 otherwise.

    Raises:
        EmbeddedKafkaError: Kafka cannot be had or does not start; the text says what to do.
        SetupError: The directory cannot be used, or the worker cannot run.
        TemporaryError: Kafka or the worker did not answer in time.
    """
    home = Path(tempfile.mkdtemp(prefix="hotline-exchange-demo-"))
    is_disposable = False
    try:
        with logging_to(home / "demo.log"):
            _say(options, EmbeddedKafka.announcement())
            with EmbeddedKafka.start(home / "kafka", heap_mb=_HEAP_MB, dies_with_parent=True) as kafka:
                demo = Demo(options, kafka.local_access, home)
                outcome = uvloop.run(demo.play())
        is_whole = not outcome.violations and outcome.is_drained and not outcome.leaks
        is_disposable = is_whole
        print(msgspec.json.encode(outcome).decode() if options.as_json else as_summary(outcome))
    except KeyboardInterrupt:
        is_disposable = True
        _say(options, "ended before the ids were compared")
        raise
    finally:
        if is_disposable:
            shutil.rmtree(home, ignore_errors=True)
        else:
            _say(options, f"logs and data are kept in {home}")
    return 0 if is_whole else 1


class Demo:
    """One run of the demo against a broker that is there.

    Args:
        options: What it does.
        access: The ways into the broker.
        home: Directory for what is kept; its content may be thrown away afterwards.
    """

    def __init__(self, options: DemoOptions, access: LocalAccess, home: Path) -> None:
        self._options = options
        self._home = home
        self._factor = options.days * DAY_MS / (options.seconds * 1000)
        given = Settings(
            data_dir=home / "data",
            directory=options.directory,
            intake_metrics_port=free_port(),
            casekeeper_metrics_port=free_port(),
            # A fixed name takes its partitions back at once after a crash.
            instance_id="demo",
        )
        base = access.settings(given)
        self._access = access
        # What is valid in the simulated year was published before it.
        start_ms = start_of(options.year)
        now_ms = SystemClock().real_ms()
        published = with_everything(setting_up.read_directory(base, start_ms - _YEAR_MS))
        self._equipment = equip(published, at=now_ms, expires_at=now_ms + _YEAR_MS)
        self._directory = self._equipment.directory
        base = keep(self._equipment, base, home)
        self._mark = new_mark()
        self._clock = CompressedClock(start_ms, SystemClock().real_ms() + _HEAD_START_MS, self._factor)
        self._settings = msgspec.structs.replace(base, clock=format_clock(self._clock))
        self._worker = DemoWorker(self._settings, home / "worker.log")
        self._measured = Measured()
        self._stop = asyncio.Event()
        self._phase = "starting"
        self._ends_at = 0.0

    @property
    def directory(self) -> Directory:
        """The published directory."""
        return self._directory

    @property
    def network_key(self) -> bytes:
        """The key of the url keys, which members have and the operator has not."""
        return self._equipment.network_key.reveal()

    async def play(self) -> Outcome:
        """Set up, play, drain and compare."""
        options = self._options
        _say(options, "provisioning topics and publishing the signed directory")
        await asyncio.to_thread(provisioning.provision_local, self._access, self._settings, self._directory)
        await setting_up.publish_directory(self._settings, self._equipment.signed())
        _say(options, f"starting the worker, metrics at {'  '.join(self._worker.addresses)}")
        per_day = options.reports_per_second * options.seconds / options.days
        scenario = Scenario(
            options.year,
            options.seed,
            reports_a_day=per_day,
            mark=self._mark,
            rare_at_least=_RARE_AT_LEAST,
        )
        simulation = LiveSimulation(
            self._settings, self._clock, self._directory, scenario, rings=self._equipment.rings
        )
        with self._worker:
            await asyncio.to_thread(self._worker.wait_until_ready)
            async with simulation:
                with self._stopping_on_interrupt():
                    is_drained = await self._play(simulation)
                self._phase = "stopping the worker"
                metrics = await asyncio.to_thread(lambda: list(map(fetch, self._worker.addresses)))
                self._measure(metrics[1])
                await asyncio.to_thread(self._worker.stop)
                await simulation.settle(_SETTLE_PATIENCE_S)
        _say(options, "comparing ids, and deciding everything again")
        found = await asyncio.to_thread(self._examine, simulation)
        _say(options, "searching all that the operator holds for what members sealed")
        canary = Canary({"address or note": self._mark.encode(), "network key": self.network_key})
        leaks = await asyncio.to_thread(self._search, canary, [text or "" for text in metrics])
        return Outcome(
            found.account,
            found.violations,
            is_drained,
            self._worker.restarts,
            self._measured,
            options.seconds,
            options.days,
            leaks,
            canary.searched_bytes,
            tuple((*what, count) for what, count in sorted(simulation.ledger.refusals.items())),
        )

    async def _play(self, simulation: LiveSimulation) -> bool:
        options = self._options
        wait_s = max(0.0, (self._clock.real_origin_ms - self._clock.real_ms()) / 1000)
        self._ends_at = time.monotonic() + wait_s + options.seconds
        self._phase = "playing"
        beside = [asyncio.create_task(self._watch(simulation)), asyncio.create_task(self._guard())]
        if options.kill_worker:
            beside.append(asyncio.create_task(self._kill_midway(wait_s)))
        try:
            await simulation.run(wait_s + options.seconds, self._stop)
            self._phase = "waiting for the last answers"
            is_drained = await simulation.drain(_DRAIN_PATIENCE_S)
            for task in beside:
                if task.done():
                    task.result()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        return is_drained

    async def _kill_midway(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s + self._options.seconds / 2)
        _say(self._options, "killing the worker (SIGKILL) in the middle of its work")
        self._worker.kill()

    async def _guard(self) -> None:
        while True:
            self._worker.revive()
            await asyncio.sleep(_LOOK_S)

    async def _watch(self, simulation: LiveSimulation) -> None:
        with ThreadPoolExecutor(1, "scrape") as pool, self._screen() as show:
            while True:
                loop = asyncio.get_running_loop()
                self._measure(await loop.run_in_executor(pool, fetch, self._worker.addresses[1]))
                show(self._picture(simulation))
                await asyncio.sleep(_LOOK_S)

    def _measure(self, text: str | None) -> None:
        if text is not None:
            self._measured = read_metrics(text)

    def _picture(self, simulation: LiveSimulation) -> Picture:
        ledger, now = simulation.ledger, self._clock.now_ms()
        return Picture(
            now_ms=now,
            left_s=self._ends_at - time.monotonic(),
            phase=self._phase,
            measured=self._measured,
            submitted=ledger.submitted,
            answered=len(ledger.confirmed) - ledger.unanswered,
            delivered=sum(map(len, ledger.deliveries.values())),
            flows=tuple((start, end, count) for (start, end), count in ledger.flows.most_common(_FLOWS)),
            ages=ages_of(ledger, now),
            late=late_of(ledger, now),
            restarts=self._worker.restarts,
            metrics=self._worker.addresses,
        )

    @contextlib.contextmanager
    def _screen(self) -> Iterator[Callable[[Picture], None]]:
        if self._options.plain or self._options.as_json or not sys.stdout.isatty():
            yield _Lines(self._options).show
            return
        with Live(console=Console(), refresh_per_second=4, transient=False) as live:
            yield lambda picture: live.update(draw(picture))

    @contextlib.contextmanager
    def _stopping_on_interrupt(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _search(self, canary: Canary, metrics: Iterable[str]) -> tuple[Hit, ...]:
        """Search the directory of this run, with brokers, workers and logs; every topic; the metrics."""
        hits = list(canary.search_files(self._home))
        for text in metrics:
            hits += canary.search(text.encode(), "metrics")
        with TopicReader(self._access.admin()) as reader:
            hits += canary.search_topics(reader)
        return tuple(hits)

    def _examine(self, simulation: LiveSimulation) -> Checked:
        ledger = simulation.ledger
        read = {recipient: ledger.deliveries[recipient] for recipient in simulation.cast.recipients}
        topics = Topics(self._settings.topic_prefix)
        group = f"{self._settings.topic_prefix}{casekeeper.GROUP}"
        with TopicReader(access_of(self._settings, OPERATOR)) as reader:
            history = read_history(
                reader,
                topics,
                environment=self._settings.environment,
                clock=self._clock,
                confirmed=ledger.confirmed.keys(),
                read=read,
                # The clock ran on to the end: wake-ups that came last were not decided any more.
                decided_to=reader.committed(group, topics.cases_admitted),
            )
        return examine(history)


class _Lines:
    """Progress lines, one every few seconds; on standard error where the summary is for a machine."""

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._next = 0.0

    def show(self, picture: Picture) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY_S
            _say(self._options, as_line(picture))


def _say(options: DemoOptions, text: str) -> None:
    print(text, file=sys.stderr if options.as_json else sys.stdout, flush=True)

"""A run: on one broker, then on three; load, faults, drain, proof. Bounded in time, and it cleans up."""

import asyncio
import contextlib
import faulthandler
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from operations.canary import Canary, new_mark
from operations.chaos import exchange as exchanges
from operations.chaos.crew import Worker
from operations.chaos.evidence import Evidence, gather
from operations.chaos.exchange import YEAR, Brokers, Exchange, Size
from operations.chaos.injector import Happened, Injector
from operations.chaos.report import Phase, Report
from operations.chaos.resending import resend_undeliverable
from operations.chaos.schedule import Step, steps
from operations.chaos.standstill import left_to_do, stand_still, told
from operations.chaos.versions import PRESENT, Version, other_version, revision
from operations.chaos.watch import Watch
from operations.invariants import Violation
from operations.log_file import logging_to
from operations.reading import TopicReader
from operations.simulator.run import LiveSimulation, Scenario

CREW: Final[dict[Size, tuple[tuple[str, str, bool], ...]]] = {
    "one": (("all-a", "all", True), ("case-b", "casekeeper", False), ("intake-c", "intake", True)),
    "three": (("case-a", "casekeeper", True), ("all-b", "all", False), ("intake-c", "intake", False)),
}
"""Name, kind and whether the member is static: with a fixed name in its group."""
_READY_S: Final = 90.0
_DRAIN_S: Final = 120.0
_SETTLE_S: Final = 20.0
_STILL_S: Final = 60.0
_ENDS_AFTER_S: Final = 900.0
"""Beyond the seconds with faults: for setting up, draining and comparing both phases."""
_FINISH_S: Final = 60.0
"""What a step may take beyond the seconds with faults; then it is cut off."""
_LOOK_S: Final = 0.2
_FLOWING: Final = 20
_AT_ONCE: Final = 4
_SIMULATED_DAYS_A_SECOND: Final = 0.25


class Options(msgspec.Struct, frozen=True):
    """What a run does.

    Attributes:
        seed: Equal seeds inject equal steps, in the same order; when exactly is the machine's affair.
        faults: How many faults, over all phases.
        seconds: After so many seconds of faults a phase ends, whatever it has.
        reports_per_second: Mean load; actions come on top.
        share_on_three: Part of the faults that the cluster of three gets; 0 leaves it out, 1 the single one.
        kinds: Only these kinds of steps; all when empty.
        home: Directory for logs and report; None makes one.
    """

    seed: int
    faults: int = 200
    seconds: float = 1200.0
    reports_per_second: float = 6.0
    share_on_three: float = 0.4
    kinds: tuple[str, ...] = ()
    home: Path | None = None


def run(options: Options, say: Callable[[str], None] = print) -> tuple[Report, Path]:
    """Run all phases; answer what was found and where the logs are."""
    home = options.home or Path(tempfile.mkdtemp(prefix="hotline-exchange-chaos-"))
    home.mkdir(parents=True, exist_ok=True)
    other = other_version(home / "other-version")
    say(f"seed {options.seed}; files in {home}; other version: {other.name}")
    on_three = round(options.faults * options.share_on_three)
    shares: list[tuple[Size, int]] = [("one", options.faults - on_three), ("three", on_three)]
    phases = []
    with _bounded(_ENDS_AFTER_S + 2 * options.seconds), logging_to(home / "suite.log"):
        for size, faults in shares:
            if faults:
                with exchanges.brokers(size, home / f"brokers-{size}") as brokers:
                    phase = _Phase(options, brokers, other, home / size, say)
                    phases.append(asyncio.run(phase.play(faults)))
                violations = len(phases[-1].violations)
                if not violations:
                    shutil.rmtree(home / f"brokers-{size}", ignore_errors=True)
                (home / f"{size}.json").write_bytes(msgspec.json.format(msgspec.json.encode(phases[-1])))
                say(f"on {size}: {sum(phases[-1].faults.values())} faults, {violations} violations")
    return Report(options.seed, options.faults, tuple(phases), revision()), home


class _Phase:
    def __init__(
        self, options: Options, brokers: Brokers, other: Version, home: Path, say: Callable[[str], None]
    ) -> None:
        self._options = options
        self._brokers = brokers
        self._other = other
        self._home = home
        self._say = say
        self._guests = 0

    async def play(self, faults: int) -> Phase:
        """Set up, load, break, drain, compare."""
        exchange = await exchanges.set_up(self._brokers, self._home)
        crew = [
            Worker(name, kind, exchange.settings, self._home, PRESENT, is_static=is_static)
            for name, kind, is_static in CREW[self._brokers.size]
        ]
        started = time.monotonic()
        injector = Injector(
            exchange=exchange,
            brokers=self._brokers,
            crew=crew,
            extra=lambda kind="all": self._guest(exchange, kind),
            other=self._other,
            started=started,
        )
        keepers = [asyncio.create_task(worker.look_after()) for worker in crew]
        try:
            for worker in crew:
                worker.start()
            await self._until_ready(crew)
            return await self._under_load(exchange, injector, crew, faults, started)
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await asyncio.gather(*(worker.kill() for worker in (*crew, *injector.guests)))

    async def _under_load(
        self, exchange: Exchange, injector: Injector, crew: list[Worker], faults: int, started: float
    ) -> Phase:
        options = self._options
        per_day = options.reports_per_second / _SIMULATED_DAYS_A_SECOND
        mark = new_mark()
        scenario = Scenario(YEAR, options.seed, reports_a_day=per_day, mark=mark)
        simulation = LiveSimulation(
            exchange.settings, exchange.clock, exchange.directory, scenario, rings=exchange.rings
        )
        stop = asyncio.Event()
        watch = Watch(simulation.ledger, started)
        with _interrupting(stop):
            async with simulation:
                load = asyncio.create_task(simulation.run(options.seconds * 2, stop))
                watching = asyncio.create_task(watch.run(_fresh(injector)))
                await self._until_flowing(simulation, load, stop)
                begun = time.monotonic()
                try:
                    await self._break(injector, load, stop, faults)
                    seconds = time.monotonic() - begun
                    stop.set()
                    await load
                    resend = partial(resend_undeliverable, exchange.access, exchange.topics, done=set())
                    drained_s = await self._drain(simulation, crew, resend)
                    # Members answer some of them, and the workers are still there for these answers.
                    await self._resend(resend)
                    await simulation.settle(_SETTLE_S)
                    self._say("holding the clocks until nothing is left to do")
                    left = await stand_still(exchange, crew, _STILL_S)
                finally:
                    load.cancel()
                    await asyncio.gather(load, return_exceptions=True)
                    watching.cancel()
                await asyncio.gather(*(worker.end() for worker in crew))
                left = left or told(await asyncio.to_thread(left_to_do, exchange))
                await self._resend(resend)
                await simulation.settle(_SETTLE_S)
            ledger = simulation.ledger
            self._say("comparing ids")
            found = await asyncio.to_thread(
                gather,
                exchange,
                confirmed=ledger.confirmed.keys(),
                read={each: ledger.deliveries[each] for each in simulation.cast.recipients},
                narrow=injector.narrow,
            )
            self._say("searching all that the operator holds for what members sealed")
            canary = Canary({"address or note": mark.encode(), "network key": exchange.network_key.reveal()})
            leaks = await asyncio.to_thread(self._search, canary)
        return self._phase(
            injector=injector,
            crew=crew,
            watch=watch,
            found=msgspec.structs.replace(found, violations=(*found.violations, *leaks)),
            seconds=seconds,
            drained_s=drained_s,
            left=left,
        )

    def _search(self, canary: Canary) -> tuple[Violation, ...]:
        """Search the files of brokers and workers, and every topic; answer each find as a violation."""
        hits = list(canary.search_files(self._home, *(node.directory for node in self._brokers.nodes)))
        with TopicReader(self._brokers.local_access.admin()) as reader:
            hits += canary.search_topics(reader)
        return tuple(Violation("leaked", hit.place, f"{hit.mark}, {hit.form}") for hit in hits)

    async def _break(
        self, injector: Injector, load: asyncio.Task[None], stop: asyncio.Event, faults: int
    ) -> None:
        options = self._options
        ends_at = time.monotonic() + options.seconds
        room = asyncio.Semaphore(_AT_ONCE)
        running: set[asyncio.Task[None]] = set()

        async def do(step: Step) -> None:
            async with room:
                await injector.do(step)

        try:
            for step in steps(options.seed, self._brokers.size, options.kinds):
                await asyncio.sleep(step.gap_s)
                while len(running) >= _AT_ONCE and not stop.is_set():
                    await asyncio.wait(running, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                    running = {task for task in running if not _is_over(task)}
                count = injector.counted.total()
                if load.done():
                    load.result()
                if stop.is_set() or count >= faults or time.monotonic() >= ends_at:
                    break
                self._say(f"{count:4} faults; step {step.number}: {step.kind} {step.armed}")
                running.add(asyncio.create_task(do(step)))
            if running:
                done, _ = await asyncio.wait(running, timeout=_FINISH_S)
                for task in done:
                    task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await asyncio.gather(*(guest.end() for guest in injector.guests))

    async def _until_flowing(
        self, simulation: LiveSimulation, load: asyncio.Task[None], stop: asyncio.Event
    ) -> None:
        until = time.monotonic() + _READY_S
        while len(simulation.ledger.answers) < _FLOWING and not stop.is_set() and not load.done():
            if time.monotonic() > until:
                raise TimeoutError(f"nothing is answered before the first fault, see {self._home}")
            await asyncio.sleep(_LOOK_S)

    async def _resend(self, resend: Callable[[], int]) -> None:
        self._say(f"{await asyncio.to_thread(resend)} undeliverable messages sent again")

    async def _drain(
        self, simulation: LiveSimulation, crew: list[Worker], resend: Callable[[], int]
    ) -> float | None:
        self._say("no more faults; waiting for the last answers")
        begun = time.monotonic()
        for worker in crew:
            worker.set_clock(0)
            worker.send(signal.SIGCONT)
            if not worker.is_running:
                worker.start()
        is_drained = await simulation.drain(_DRAIN_S / 4)
        if not is_drained:
            await self._resend(resend)  # among them may be the answers that are waited for
            is_drained = await simulation.drain(_DRAIN_S)
        return round(time.monotonic() - begun, 1) if is_drained else None

    async def _until_ready(self, crew: list[Worker]) -> None:
        until = time.monotonic() + _READY_S
        while not all(worker.is_ready for worker in crew):
            if time.monotonic() > until:
                raise TimeoutError(f"the workers do not get ready, see {self._home}")
            await asyncio.sleep(_LOOK_S)

    def _guest(self, exchange: Exchange, kind: str) -> Worker:
        self._guests += 1
        name = f"guest-{self._guests}"
        return Worker(name, kind, exchange.settings, self._home, PRESENT, is_static=False)

    def _phase(  # noqa: PLR0913 - everything that was found
        self,
        *,
        injector: Injector,
        crew: list[Worker],
        watch: Watch,
        found: Evidence,
        seconds: float,
        drained_s: float | None,
        left: dict[str, int],
    ) -> Phase:
        exits: Counter[str] = Counter()
        defences: Counter[str] = Counter()
        for worker in (*crew, *injector.guests):
            worker.look()
            exits.update({str(code): times for code, times in worker.exits.items()})
            defences.update(worker.defences)
        return Phase(
            brokers=len(self._brokers.nodes),
            seconds=round(seconds, 1),
            faults=dict(sorted(injector.counted.items())),
            happened=tuple(injector.happened),
            exits=dict(exits),
            defences=dict(defences),
            records=found.records,
            duplicates=found.duplicates,
            compacted_away=found.compacted_away,
            recoveries=watch.recoveries(),
            drained_s=drained_s,
            left=left,
            violations=found.violations,
            other_version=self._other.name,
        )


def _is_over(task: asyncio.Task[None]) -> bool:
    if task.done():
        task.result()
    return task.done()


def _fresh(injector: Injector) -> Callable[[], list[tuple[float, str]]]:
    seen = 0

    def fresh() -> list[tuple[float, str]]:
        nonlocal seen
        found: list[Happened] = injector.happened[seen:]
        seen += len(found)
        return [(each.at_s, each.kind) for each in found]

    return fresh


@contextlib.contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """End this process if the block hangs; workers and brokers end with it, so that is a clean end too."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def _interrupting(stop: asyncio.Event) -> Iterator[None]:
    """Let the first Ctrl-C end the faults and still compare; the second one ends everything."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def interrupt() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        print("ending", file=sys.stderr)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

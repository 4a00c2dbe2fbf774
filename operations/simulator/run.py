"""The live simulation: members played over the real Kafka through the member's client.

One event loop plays everybody. Reports, outcomes and delays come from a seed; when exactly a message
travels is the machine's affair and differs from run to run. The worker is another process and may be killed
at any time.
"""

import asyncio
import calendar
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Final, Self

import msgspec

from casework.directory import Directory
from casework.ids import RANDOM_BYTES, new_event_id
from connectors.client import MemberClient
from connectors.limits import ClientLimits
from connectors.membership import Membership
from connectors.positions import MemoryPositions
from connectors.preparing import Prepared
from operations.simulator import constants
from operations.simulator.bad_input import (
    ACTION_FAULTS,
    PROTECTION_FAULTS,
    REPORT_FAULTS,
    SEALED_AWAY,
    Fault,
    FaultySystem,
)
from operations.simulator.cast import choose_cast
from operations.simulator.draws import Draws
from operations.simulator.hotlines import SimulatedHotline
from operations.simulator.ledger import Ledger
from operations.simulator.reports import SimulatedReport
from operations.simulator.schedule import LOOK_S, Schedule, Step
from operations.simulator.troupe import Troupe
from operations.simulator.world import World
from operations.simulator.year import SimulatedYear
from streams.clock import Clock
from streams.kafka_settings import access_of
from streams.key_rings import KeyRing
from streams.settings import Settings

BAD_INPUT_SHARE: Final = 0.03
SENT_TWICE_SHARE: Final = 0.01
"""Assumed; they exercise the answers to mistakes, no statistics."""
_ACTION_FAULT_SHARE: Final = 0.25
_AT_ONCE: Final = 64
_QUIET_S: Final = 1.5
_NO_RINGS: Final[Mapping[str, KeyRing]] = MappingProxyType({})
# Many readers in one process: a broker asked less often is a broker with time for the others.
_LIMITS: Final = ClientLimits(fetch_wait_ms=500, in_flight=1024, batch=256)


class Scenario(msgspec.Struct, frozen=True):
    """What is played.

    Attributes:
        year: Year whose figures are used.
        seed: Equal seeds give equal reports and fates.
        reports_a_day: Mean number of reports in a simulated day.
        mark: Stands in every address and note of what is sent right; what is spoiled on purpose has none,
            because some of it is sent in the clear.
        rare_at_least: Share of reports to which each kind of turn happens where it is thought to be rarer.
    """

    year: int = 2022
    seed: int = 1
    reports_a_day: float = 100.0
    mark: str = ""
    rare_at_least: float = 0.0


class LiveSimulation:
    """Plays the members; an asynchronous context manager that has connected them when it is entered.

    Args:
        settings: Where the exchange is.
        clock: The exchange's clock, shared with the workers.
        directory: The published directory.
        scenario: What is played.
        rings: Key ring by member id; with them members sign, seal, open and re-wrap. Empty where the
            directory asks for nothing of it.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        directory: Directory,
        scenario: Scenario,
        *,
        rings: Mapping[str, KeyRing] = _NO_RINGS,
    ) -> None:
        self._rings = rings
        self.ledger = Ledger()
        self._settings = settings
        self._clock = clock
        self._scenario = scenario
        self.cast = choose_cast(directory, scenario.year)
        spontaneous = Draws(scenario.seed, "members")
        schedule = Schedule(clock)
        self.world = World(clock, directory, schedule, self.ledger, {}, spontaneous, scenario.mark)
        days = 366 if calendar.isleap(scenario.year) else 365
        self._year = SimulatedYear(
            scenario.year,
            scenario.seed,
            directory,
            scale=scenario.reports_a_day * days / constants.REPORTS[scenario.year],
            only=self.cast.hotlines,
            rare_at_least=scenario.rare_at_least,
        )
        self._draws = Draws(scenario.seed, "live")
        self._hotlines: dict[str, SimulatedHotline] = {}
        self._stack = AsyncExitStack()
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._tasks: asyncio.TaskGroup | None = None
        self._background: list[asyncio.Task[None]] = []
        visible = tuple(fault for fault in REPORT_FAULTS if fault.name not in SEALED_AWAY)
        self._faults = _endless((*visible, *PROTECTION_FAULTS) if rings else REPORT_FAULTS)
        self._action_faults = _endless(ACTION_FAULTS)

    @property
    def start_ms(self) -> int:
        """When the simulated year begins, milliseconds since epoch UTC: where the clock should stand."""
        return self._year.start_ms

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def run(self, real_seconds: float, stop: asyncio.Event | None = None) -> None:
        """Send the reports of the year as their time comes, for some real seconds or until `stop` is set.

        What lies before the moment of the call is left out: nobody was there to send it.

        Raises:
            ExceptionGroup: A member could not send or read; what it was is inside.
        """
        ends_at = time.monotonic() + real_seconds
        begins_at = self._clock.now_ms()
        stopped = stop or asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            follower = tasks.create_task(self.world.schedule.follow(self._take))
            for report in self._year:
                if report.occurred_at < begins_at:
                    continue
                while report.occurred_at > self._clock.now_ms() and not stopped.is_set():
                    self._check_readers()
                    if time.monotonic() >= ends_at:
                        stopped.set()
                    await asyncio.sleep(LOOK_S)
                if stopped.is_set() or time.monotonic() >= ends_at:
                    break
                await self._take(partial(self._send, report))
            follower.cancel()
        self._tasks = None

    async def drain(self, real_seconds: float) -> bool:
        """Wait until every submission is answered; no new action is sent. Answer whether all are."""
        ends_at = time.monotonic() + real_seconds
        while self.ledger.unanswered and time.monotonic() < ends_at:
            self._check_readers()
            await asyncio.sleep(LOOK_S)
        return not self.ledger.unanswered

    async def settle(self, real_seconds: float) -> None:
        """Wait until nothing has arrived for a while: the members have read what the workers have sent."""
        ends_at = time.monotonic() + real_seconds
        seen, since = self.ledger.messages, time.monotonic()
        while time.monotonic() < ends_at and time.monotonic() - since < _QUIET_S:
            self._check_readers()
            await asyncio.sleep(LOOK_S)
            if self.ledger.messages != seen:
                seen, since = self.ledger.messages, time.monotonic()

    async def _start(self) -> None:
        directory = self.world.directory
        clients = {}
        for number, member in enumerate(self.cast.members):
            clients[member] = await self._stack.enter_async_context(self._client(member, directory, number))
        troupe = Troupe(self.cast, self.world, clients)
        self._hotlines = troupe.hotlines
        readers = [player.read() for player in troupe.players]
        for liaison in troupe.liaisons:
            readers += [liaison.read_escalations(), liaison.read_feed()]
        for member, hotline in troupe.hotlines.items():
            if "orphans" in directory.member(member).mandates:
                readers.append(hotline.read_desk())
        self._background = [asyncio.create_task(reader) for reader in readers]

    async def _stop(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._stack.aclose()

    def _client(self, member: str, directory: Directory, number: int) -> MemberClient:
        draws = Draws(self._scenario.seed, f"ids {number}")
        settings = self._settings
        membership = Membership(
            member=member,
            environment=settings.environment,
            network_key=settings.network_key,
            kafka=access_of(settings, member).client_settings(),
            topic_prefix=settings.topic_prefix,
            keys=self._rings.get(member),
            limits=_LIMITS,
        )
        return MemberClient(
            membership,
            clock=self._clock,
            positions=MemoryPositions(),
            directory=lambda _: directory,
            new_id=lambda now: new_event_id(now, _random_bytes(draws)),
        )

    def _check_readers(self) -> None:
        for task in self._background:
            if task.done():
                task.result()

    async def _take(self, step: Step) -> None:
        assert self._tasks is not None  # noqa: S101 - set while it runs
        await self._room.acquire()
        self._tasks.create_task(step()).add_done_callback(lambda _: self._room.release())

    async def _send(self, report: SimulatedReport) -> None:
        hotline = self._hotlines[report.sender]
        await hotline.report(report, twice=self._draws.happens(SENT_TWICE_SHARE))
        if self._draws.happens(BAD_INPUT_SHARE):
            await self._send_wrong(hotline, report)

    async def _send_wrong(self, hotline: SimulatedHotline, report: SimulatedReport) -> None:
        if self._draws.happens(_ACTION_FAULT_SHARE) and hotline.last_prepared is not None:
            action = hotline.last_prepared
            fresh = hotline.client.prepare(hotline.draft(report)).event_id
            await self._send_fault(hotline, next(self._action_faults), action, event_id=fresh)
        else:
            good = hotline.client.prepare(hotline.draft(report))
            await self._send_fault(hotline, next(self._faults), good)

    async def _send_fault(
        self, hotline: SimulatedHotline, fault: Fault, good: Prepared, event_id: str | None = None
    ) -> None:
        system = FaultySystem(self._rings.get(hotline.member), self.world.directory)
        if event_id is not None:
            good = msgspec.structs.replace(system.altered(good, event_id=event_id), event_id=event_id)
        spoiled = fault.spoil(good, system)
        if fault.expected == "refused":
            self.ledger.wrong.add(spoiled.event_id)
            await hotline.send(spoiled)
        else:
            await hotline.client.send(spoiled)
            self.ledger.hopeless += 1


def _endless(faults: tuple[Fault, ...]) -> Iterator[Fault]:
    while True:
        yield from faults


def _random_bytes(draws: Draws) -> bytes:
    return bytes(int(draws.uniform() * 256) for _ in range(RANDOM_BYTES))

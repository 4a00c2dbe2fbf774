"""Carries out the steps of a schedule on workers and brokers, and counts what really happened.

A step that found nothing to break counts nothing. Named points are counted by the workers' own logs: what was
armed and never reached is no fault.
"""

import asyncio
import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from kafka.errors import KafkaError

from casework.errors import TemporaryError
from operations.chaos.crew import Worker
from operations.chaos.exchange import Brokers, Exchange, busy_hotlines, configured_again
from operations.chaos.kinds import POINTS, ZOMBIE_THEN_COLD
from operations.chaos.schedule import Step
from operations.chaos.versions import Version
from operations.reading import TopicReader

_REACH_S: Final = 25.0
_READY_S: Final = 60.0
_POLL_S: Final = 0.1
_COMPACTION_S: Final = 7.0
_SMALL_MS: Final = 3_000
_FAR_MS: Final = 9_000
_SMALL_MESSAGE: Final = 900
_DAMAGED: Final = 3
_OF_NO_USE: Final = ("LOG", "LOCK", "OPTIONS", "IDENTITY")
"""Files of a store that nobody reads back."""
_EFFECTS_SENT: Final = "casekeeper.after_effects"
_STATES: Final = ("before_send", "between_effects", "after_effects")


class Happened(msgspec.Struct, frozen=True):
    """One fault as it was injected.

    Attributes:
        at_s: Seconds after the start of the load.
        kind: Kind of fault, as counted.
        target: Which worker or broker.
        detail: What a person needs to understand it.
    """

    at_s: float
    kind: str
    target: str
    detail: str


class Injector:
    """Breaks an exchange step by step.

    Args:
        exchange: What is broken.
        brokers: Its brokers.
        crew: Its workers.
        extra: Makes one more worker, for joins.
        other: Another version of the code.
        started: When the load started, on the monotonic clock.

    Attributes:
        happened: What was injected from outside, in order of time.
        narrow: Topics that for a while took only batches of so many bytes.
    """

    def __init__(  # noqa: PLR0913 - what can be broken, given in one place
        self,
        *,
        exchange: Exchange,
        brokers: Brokers,
        crew: list[Worker],
        extra: Callable[..., Worker],
        other: Version,
        started: float,
    ) -> None:
        self._exchange = exchange
        self._brokers = brokers
        self._crew = crew
        self._extra = extra
        self._other = other
        self._started = started
        self.happened: list[Happened] = []
        self.narrow: dict[str, int] = {}
        self.guests: list[Worker] = []
        self._does: dict[str, Callable[[Step], Awaitable[None]]] = {
            "worker killed": self._kill,
            "worker ended": self._end,
            "worker frozen": self._stop_and_continue,
            "zombie": self._stop_and_continue,
            "zombie between effects and state": self._zombie_at_point,
            ZOMBIE_THEN_COLD: self._zombie_then_cold,
            "compaction and cold load": self._cold_load,
            "join and leave": self._join_and_leave,
            "partitions taken in the middle of a batch": self._take_in_flight,
            POINTS: self._points,
            "broker killed": self._kill_broker,
            "leaders moved": self._move_leaders,
            "clock jumps a little": self._jump_a_little,
            "clock jumps far": self._jump_far,
            "store corrupted": self._corrupt,
            "store truncated": self._truncate,
            "older version beside newer": self._other_version,
            "message too large": self._too_large,
        }

    @property
    def counted(self) -> Counter[str]:
        """How often each kind of fault really happened."""
        found = Counter(each.kind for each in self.happened)
        for worker in (*self._crew, *self.guests):
            worker.look()
            found.update({f"point: {name}": times for name, times in worker.struck.items() if times})
        return found

    async def do(self, step: Step) -> None:
        """Carry out one step; returns when its effect is over.

        A step that is cancelled gives brokers and topics back as they were; workers it leaves as they are.
        """
        await self._does[step.kind](step)

    # Workers ------------------------------------------------------------------------------------------

    async def _kill(self, step: Step) -> None:
        worker = self._picked(step)
        async with worker.lock:
            self._note(step, worker.name, f"back after {step.seconds} s")
            await worker.kill()
            await asyncio.sleep(step.seconds)
            worker.start()

    async def _end(self, step: Step) -> None:
        worker = self._picked(step)
        async with worker.lock:
            self._note(step, worker.name, f"back after {step.seconds} s")
            await worker.end()
            await asyncio.sleep(step.seconds)
            worker.start()

    async def _stop_and_continue(self, step: Step) -> None:
        worker = self._picked(step)
        async with worker.lock:
            if not await self._is_up(worker) or not worker.send(signal.SIGSTOP):
                return
            self._note(step, worker.name, f"for {step.seconds} s")
            await asyncio.sleep(step.seconds)
            worker.send(signal.SIGCONT)

    async def _zombie_at_point(self, step: Step) -> None:
        worker = self._picked(step, needs="casekeeper")
        point = f"casekeeper.{_STATES[int(step.pick * 1000) % len(_STATES)]}"
        async with worker.lock:
            if not await self._falls_asleep(worker, f"{point}:stop@{5 + int(step.pick * 100) % 20}"):
                return
            self._note(step, worker.name, f"at {point} for {step.seconds} s")
            await asyncio.sleep(step.seconds)
            worker.send(signal.SIGCONT)

    async def _falls_asleep(self, worker: Worker, at: str) -> bool:
        await worker.end()
        worker.start(at, is_counted=False)
        await _until(lambda: worker.is_ready or worker.is_stopped(), _READY_S)
        if await _until(worker.is_stopped, _REACH_S):
            return True
        worker.send(signal.SIGCONT)
        await worker.end()  # it must not fall asleep later, when nobody wakes it
        worker.start()
        return False

    async def _zombie_then_cold(self, step: Step) -> None:
        worker = self._picked(step, needs="casekeeper")
        keepers = [each for each in self._crew if each.kind != "intake"]
        async with worker.lock:
            await asyncio.gather(*(self._is_up(each) for each in keepers))
            if not await self._falls_asleep(worker, f"{_EFFECTS_SENT}:stop@{1 + int(step.pick * 100) % 3}"):
                return
            before = await asyncio.to_thread(self._facts)
            await asyncio.sleep(step.seconds)
            after = await asyncio.to_thread(self._facts)
            worker.send(signal.SIGCONT)
            others = "an unknown number of" if before is None or after is None else after - before
            self._note(step, worker.name, f"for {step.seconds} s; others wrote {others} facts meanwhile")
            await asyncio.sleep(_COMPACTION_S)  # the successor's states and the zombie's are compacted
        async with contextlib.AsyncExitStack() as stack:
            for each in keepers:  # always in the same order, so two of these steps cannot block each other
                await stack.enter_async_context(each.lock)
            for each in keepers:
                await each.kill()
                each.lose_data()
            for each in keepers:
                each.start()
            await asyncio.gather(*(self._is_up(each) for each in keepers))

    def _facts(self) -> int | None:
        try:
            with TopicReader(self._exchange.access) as reader:
                return sum(reader.ends(self._exchange.topics.cases_events).values())
        except (KafkaError, TemporaryError):
            return None

    async def _cold_load(self, step: Step) -> None:
        worker = self._picked(step, needs="casekeeper")
        async with worker.lock:
            await asyncio.sleep(_COMPACTION_S)  # segments roll and are cleaned all the time, see `exchange`
            self._note(step, worker.name, "without its store")
            await worker.kill()
            worker.lose_data()
            worker.start()
            await self._is_up(worker)

    async def _join_and_leave(self, step: Step) -> None:
        guest = self._extra()
        self.guests.append(guest)
        async with guest.lock:
            guest.start()
            if await self._is_up(guest):
                self._note(step, guest.name, "joined", kind="worker joined")
            await asyncio.sleep(step.seconds)
            self._note(step, guest.name, "leaves", kind="worker left")
            await guest.end()

    async def _take_in_flight(self, step: Step) -> None:
        worker = self._picked(step)
        point = "intake.before_send" if worker.kind == "intake" else "casekeeper.before_send"
        async with worker.lock:
            await worker.end()
            delays = f"{point}:delay=1.5%0.3; transport.before_handover:delay=0.3%0.3; seed:{step.number}"
            worker.start(delays, is_counted=False)
            if not await self._is_up(worker):
                return
            guest = self._extra(worker.kind)
            self.guests.append(guest)
            guest.start()
            if await self._is_up(guest):
                self._note(step, worker.name, f"{guest.name} joins while batches wait")
            await asyncio.sleep(step.seconds)
            await guest.end()
            await worker.end()
            worker.start()

    async def _points(self, step: Step) -> None:
        worker = self._picked(step)
        async with worker.lock:
            await worker.end()
            worker.start(step.armed)
            before = worker.exits.total()
            await _until(lambda: worker.exits.total() > before, _REACH_S)

    async def _other_version(self, step: Step) -> None:
        worker = self._picked(step)
        async with worker.lock:
            present = worker.version
            try:
                for version, kind in ((self._other, "version changed"), (present, "version changed back")):
                    await worker.end()
                    worker.version = version
                    worker.start()
                    self._note(step, worker.name, f"to {version.name}", kind=kind)
                    await self._is_up(worker)
                    await asyncio.sleep(step.seconds / 2)
            finally:
                worker.version = present

    # The machine ----------------------------------------------------------------------------------------

    async def _jump_a_little(self, step: Step) -> None:
        await self._jump(step, step.sign * _SMALL_MS)

    async def _jump_far(self, step: Step) -> None:
        await self._jump(step, step.sign * _FAR_MS)

    async def _jump(self, step: Step, offset_ms: int) -> None:
        worker = self._picked(step)
        async with worker.lock:
            self._note(step, worker.name, f"by {offset_ms / 1000:+} s for {step.seconds} s")
            worker.set_clock(offset_ms)
            await asyncio.sleep(step.seconds)
            worker.set_clock(0)

    async def _corrupt(self, step: Step) -> None:
        def turn(content: bytes, draw: random.Random) -> bytes:
            damaged = bytearray(content)
            for _ in range(max(1, len(damaged) // 200)):
                damaged[draw.randrange(len(damaged))] ^= 0xFF
            return bytes(damaged)

        await self._damage(step, turn)

    async def _truncate(self, step: Step) -> None:
        await self._damage(step, lambda content, draw: content[: draw.randrange(len(content))])

    async def _damage(self, step: Step, how: Callable[[bytes, random.Random], bytes]) -> None:
        worker = self._picked(step, needs="casekeeper")
        draw = random.Random(step.number)  # noqa: S311 - repeatable
        async with worker.lock:
            await worker.kill()
            files = sorted(f for f in worker.data.rglob("*") if f.is_file() and f.stat().st_size)
            files = [file for file in files if not file.name.startswith(_OF_NO_USE)]
            chosen = draw.sample(files, min(_DAMAGED, len(files)))
            for file in chosen:
                file.write_bytes(how(file.read_bytes(), draw))
            if chosen:
                self._note(step, worker.name, ", ".join(file.name for file in chosen))
            worker.start()

    # Brokers --------------------------------------------------------------------------------------------

    async def _kill_broker(self, step: Step) -> None:
        async with self._brokers.lock:
            node = self._brokers.nodes[int(step.pick * len(self._brokers.nodes))]
            self._note(step, node.directory.name, f"back after {step.seconds} s")
            await asyncio.to_thread(node.kill)
            try:
                await asyncio.sleep(step.seconds)
            finally:
                await asyncio.to_thread(node.restart)

    async def _move_leaders(self, step: Step) -> None:
        cluster, topics = self._brokers.cluster, self._exchange.topics
        if cluster is None:
            return
        async with self._brokers.lock:
            chosen = [*topics.submissions, topics.cases_admitted, topics.cases_events, topics.cases_status]
            moved = await asyncio.to_thread(cluster.move_leaders, chosen)
            self._note(step, "cluster", f"{moved} partitions")

    async def _too_large(self, step: Step) -> None:
        busy = busy_hotlines(self._exchange.directory)
        inbox = self._exchange.topics.inbox(busy[int(step.pick * len(busy))])
        async with self._brokers.lock:
            usual: Any = self._exchange.settings.topic_max_bytes
            self.narrow[inbox] = _SMALL_MESSAGE
            await asyncio.to_thread(configured_again, self._brokers, inbox, max_message_bytes=_SMALL_MESSAGE)
            self._note(step, inbox, f"takes {_SMALL_MESSAGE} bytes for {step.seconds} s")
            try:
                await asyncio.sleep(step.seconds)
            finally:
                await asyncio.to_thread(configured_again, self._brokers, inbox, max_message_bytes=usual)

    # ------------------------------------------------------------------------------------------------

    def _picked(self, step: Step, needs: str | None = None) -> Worker:
        able = [worker for worker in self._crew if needs is None or worker.kind in {needs, "all"}]
        free = [worker for worker in able if not worker.lock.locked()] or able
        return free[int(step.pick * len(free))]

    async def _is_up(self, worker: Worker) -> bool:
        return await _until(lambda: worker.is_ready, _READY_S)

    def _note(self, step: Step, target: str, detail: str, *, kind: str | None = None) -> None:
        at_s = round(time.monotonic() - self._started, 2)
        self.happened.append(Happened(at_s, kind or step.kind, target, detail))


async def _until(holds: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(_POLL_S)
    return True

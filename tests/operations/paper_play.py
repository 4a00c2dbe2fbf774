"""The simulated members on the paper exchange: the players of the demo, without Kafka and delay."""

import asyncio
import heapq
from collections.abc import Iterator
from typing import Any

from paper_exchange import PARTITIONS, PaperExchange, network

from casework.directory import ORPHAN_DESK, Directory
from casework.due import due_times
from casework.messages import Admitted, Case, Delivery, Message
from casework.transitions import RULES_VERSION
from connectors.case_parties import CaseParties
from connectors.drafts import ActionDraft, ReportDraft
from connectors.membership import Membership
from connectors.preparing import Prepared
from connectors.sending import topic_of
from operations.demo_directory import with_everything
from operations.simulator.cast import choose_cast
from operations.simulator.draws import Draws
from operations.simulator.ledger import Ledger
from operations.simulator.players import Player
from operations.simulator.schedule import Schedule
from operations.simulator.troupe import Troupe
from operations.simulator.world import World
from operations.simulator.year import SimulatedYear
from streams import wire
from streams.clock import ManualClock
from streams.settings import DEMO_NETWORK_KEY
from streams.slots import partition_of

YEAR = 2022


class PaperMessage:
    """A message as a player sees it; what it encloses is not opened."""

    def __init__(self, body: Message) -> None:
        self.body = body

    def open(self) -> None:
        """Open nothing."""


class PaperClient:
    """A client that prepares like the real one, and sends to the paper exchange."""

    def __init__(self, member: str, paper: PaperExchange) -> None:
        self.membership = Membership(
            member=member, environment="test", network_key=DEMO_NETWORK_KEY, kafka={}
        )
        self._paper = paper
        self._parties = CaseParties(member)

    def note(self, delivery: Delivery) -> None:
        """Take in the parties that a delivery names, as the real client does before its program sees it."""
        self._parties.note(delivery)

    def prepare(self, draft: ReportDraft | ActionDraft) -> Prepared:
        """Check a draft by the rules of the exchange and make its submission."""
        if isinstance(draft, ActionDraft):
            draft = self._parties.complete(draft)
        return self.membership.prepare(
            draft, self._paper.directory, self._paper.clock, lambda _: self._paper.new_id()
        )

    async def send(self, prepared: Prepared) -> None:
        """Send it through the whole exchange."""
        self._paper.confirmed.append(prepared.event_id)
        self._paper.send(topic_of(prepared, self._paper.topics), prepared.url_key, prepared.value)


class PaperPlay:
    """A play on paper.

    Attributes:
        paper: The exchange.
        ledger: Everybody's book.

    Args:
        days: How many days of the year are played.
        reports: About how many reports there are in them.
        seed: Equal seeds play equally.
    """

    def __init__(self, days: int, reports: int, seed: int = 1) -> None:
        directory = with_everything(network())
        self.paper = PaperExchange(directory=directory)
        self.ledger = Ledger()
        cast = choose_cast(directory, YEAR)
        scale = reports * 365 / days / 587_852
        self._year = SimulatedYear(YEAR, seed, directory, scale=scale, only=cast.hotlines)
        clock = self.paper.clock = ManualClock(self._year.start_ms)
        self._ends_at = self._year.start_ms + days * 86_400_000
        self._schedule = Schedule(clock)
        world = World(clock, directory, self._schedule, self.ledger, {}, Draws(seed, "members"))
        clients: dict[str, Any] = {member: PaperClient(member, self.paper) for member in cast.members}
        self._troupe = Troupe(cast, world, clients)
        self._players: dict[str, Player] = {player.member: player for player in self._troupe.players}
        self._liaisons = {liaison.code: liaison for liaison in self._troupe.liaisons}
        self._at_desk = [
            hotline
            for member, hotline in self._troupe.hotlines.items()
            if "orphans" in directory.member(member).mandates
        ]
        self._read_to = 0
        self._timers: list[tuple[int, bytes]] = []

    @property
    def directory(self) -> Directory:
        """The directory that is played."""
        return self.paper.directory

    def run(self) -> None:
        """Play the days, and then as long as anybody means to do something within them."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        for report in self._reports():
            await self._until(report.occurred_at)
            await self._troupe.hotlines[report.sender].report(report)
            self._hand_out()
        await self._until(self._ends_at)

    def _reports(self) -> Iterator[Any]:
        return (report for report in self._year if report.occurred_at < self._ends_at)

    async def _until(self, at: int) -> None:
        clock, heap = self.paper.clock, self._schedule._heap
        while True:
            step = heap[0][0] if heap else at
            timer = self._timers[0][0] if self._timers else at
            following = min(step, timer, at)
            clock.advance(max(0, following - clock.now_ms()))
            if following >= at:
                return
            if timer <= step:
                self._wake(*heapq.heappop(self._timers))
            for each in self._schedule.due():
                await each()
                self._hand_out()

    def _wake(self, due_at: int, key: bytes) -> None:
        """Let the wake-up of a case come, unless what it was for is not due any more."""
        case = self._case(key)
        due = () if case is None else due_times(case)
        if due and due[0].at <= due_at:
            paper = self.paper
            waking = Admitted(
                kind="wakeup", due_at=due[0].at, step=due[0].step, url_key=key, event_id=paper.new_id(),
                environment="test", sender="", hosting_country="", admitted_at=paper.now,
                submitted_at=paper.now, directory_version=1, rules_version=RULES_VERSION, source_offset=0,
                source_topic=paper.topics.cases_status, source_partition=partition_of(key, PARTITIONS),
            )  # fmt: skip
            paper._casekeeper(paper._placed(paper.topics.cases_admitted, key, wire.encode(waking)))
        self._hand_out()

    def _case(self, key: bytes) -> Case | None:
        framed = self.paper._cases.get(key)
        return None if framed is None else wire.decode_as(Case, framed)

    def _hand_out(self) -> None:
        """Give everybody what has come since, and note what is due next in each case that changed."""
        topics = self.paper.topics
        new, self._read_to = self.paper.records[self._read_to :], len(self.paper.records)
        for record in new:
            if record.topic == topics.cases_status and record.key is not None:
                case = self._case(record.key)
                for due in () if case is None else due_times(case)[:1]:
                    heapq.heappush(self._timers, (due.at, record.key))
            elif topics.is_for_members(record.topic) and record.value is not None:
                self._give(record.topic, record.value)

    def _give(self, topic: str, value: bytes) -> None:
        topics = self.paper.topics
        code, member = topics.liaison_of_escalations(topic), topics.member_of_inbox(topic)
        if code is not None:
            player: Player | None = self._liaisons.get(code)
        else:
            player = self._players.get(member or topics.liaison_of_feed(topic) or "")
        body = wire.decode(value)
        if member == ORPHAN_DESK and isinstance(body, Delivery):
            for hotline in self._at_desk:
                hotline.client.note(body)  # type: ignore[attr-defined] - a paper client
                hotline.at_desk(body)
        elif player is not None:
            if isinstance(body, Delivery):
                player.client.note(body)  # type: ignore[attr-defined] - a paper client
            player.take(PaperMessage(body))  # type: ignore[arg-type] - what a player asks of one

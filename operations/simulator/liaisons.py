"""What simulated police liaisons do: acknowledge, ask for holds, consent to them, end them."""

import itertools
from typing import Any, Final

from casework.directory import EXCHANGE
from casework.messages import Delivery, Escalation, Receipt
from casework.notices import FEED_ITEM, HOLD_REQUEST
from connectors.client import MemberClient
from operations.simulator import constants
from operations.simulator.constants import DAY_MS, HOUR_MS
from operations.simulator.players import Player
from operations.simulator.turns import Turn
from operations.simulator.world import Held, World

ENDS_A_HOLD: Final = frozenset({"released", "hold_expired", "hold_ended", "hold_refused"})
_UNIT: Final = "unit 4"
LONGEST_HOLD_MS: Final = 41 * DAY_MS
"""A day below the longest that is allowed (six weeks), so that the clocks of both sides may differ."""


class SimulatedLiaison(Player):
    """A police liaison.

    Args:
        client: Its client, started.
        world: What all members share.
        code: Code of its escalation topic.
    """

    def __init__(self, client: MemberClient, world: World, code: str) -> None:
        super().__init__(client, world)
        self.code = code
        self._numbers = itertools.count(1)
        self._holds: dict[str, str] = {}
        self._requests: set[tuple[str, int]] = set()
        self._answering: set[bytes] = set()
        self._fed: set[tuple[str, int, int]] = set()

    async def read_escalations(self) -> None:
        """Read the escalations until cancelled."""
        await self.follow(self.client.escalations(self.code))

    async def read_feed(self) -> None:
        """Read the feed until cancelled: what is subscribed to, and the digest."""
        await self.follow(self.client.feed())

    def answered(self, receipt: Receipt) -> None:
        """Forget a hold that did not come about."""
        if receipt.outcome != "accepted":
            self._holds = {case: event for case, event in self._holds.items() if event != receipt.event_id}

    def told(self, delivery: Delivery) -> None:
        """Acknowledge items of the feed, consent to holds, and learn that one has ended."""
        if delivery.kind == FEED_ITEM:
            self._acknowledge_item(delivery)
        elif delivery.kind == HOLD_REQUEST:
            self._decide(delivery)
        elif delivery.fact == "held" and delivery.by not in {self.member, EXCHANGE}:
            # The hosting country's liaison has consented: now the hold is its own.
            self._holds.pop(delivery.case_id, None)
        elif delivery.fact in ENDS_A_HOLD:
            self._holds.pop(delivery.case_id, None)
            self._requests.discard((delivery.case_id, delivery.fact_ref or 0))

    def escalated(self, escalation: Escalation) -> None:
        """Acknowledge most escalations: one answer ends all that are open in a case."""
        draws = self.world.draws
        if escalation.url_key in self._answering or not draws.happens(constants.LIAISON_ANSWERS_SHARE):
            return
        self._answering.add(escalation.url_key)
        at = escalation.admitted_at + int(draws.exponential(constants.LIAISON_MEAN_MS))
        held = Held(
            escalation.case_id or "",
            escalation.url_key,
            escalation.hosting_country,
            1,
            1,
            escalation.admitted_at,
        )
        keeps = escalation.case_id is not None and draws.happens(constants.PRESERVED_SHARE)

        async def acknowledge() -> None:
            self._answering.discard(escalation.url_key)
            case_id = escalation.case_id
            named = {"case_id": case_id, "report_event_id": escalation.event_id if case_id is None else None}
            reference = self._reference()
            await self.act(held, "acknowledged", self._not_before(at), **named, reference=reference)
            if keeps:
                await self._keep(held)

        self.world.schedule.at(at, acknowledge)

    def called(self, held: Held, turn: Turn) -> None:
        """Take a call of a hotline about a case that must be kept quiet for a while."""
        at = self._not_before(turn.at)

        async def hold() -> None:
            now = self.world.clock.now_ms()
            longest = now + LONGEST_HOLD_MS
            until = longest if turn.until is None else min(max(turn.until, now + 7 * DAY_MS), longest)
            prepared = self.prepare(held, "hold", now, hold_until=until, **self._confidential())
            self._holds[held.case_id] = prepared.event_id
            await self.send(prepared)
            if turn.until is not None:
                self.world.schedule.at(until - HOUR_MS, release)

        async def release() -> None:
            if self._holds.pop(held.case_id, None) is not None:
                await self.act(held, "release", self.world.clock.now_ms())

        self.world.schedule.at(at, hold)

    async def _keep(self, held: Held) -> None:
        now = self.world.clock.now_ms()
        until = now + constants.PRESERVED_MS
        await self.act(held, "preserve", now, preserve_until=until, police_unit=_UNIT)

    def _decide(self, request: Delivery) -> None:
        """Consent to a hold that other police ask for, or refuse it, unless it has lapsed by then."""
        draws, held = self.world.draws, Held.of(request)
        key = request.case_id, request.fact_number
        self._requests.add(key)
        action = "hold" if draws.happens(constants.HOLD_GRANTED_SHARE) else "release"
        at = request.admitted_at + int(draws.exponential(constants.LIAISON_MEAN_MS))

        async def decide() -> None:
            if key in self._requests:
                self._requests.discard(key)
                await self.act(held, action, self._not_before(at), fact_number=request.fact_number)

        self.world.schedule.at(at, decide)

    def _acknowledge_item(self, item: Delivery) -> None:
        leg = item.case_id, item.round, item.leg
        if leg not in self._fed and self.world.draws.happens(constants.FEED_ANSWERED_SHARE):
            self._fed.add(leg)
            self.answer(item, "acknowledged", fact_number=item.fact_number, reference=self._reference())

    def _not_before(self, at: int) -> int:
        return max(at, self.world.clock.now_ms())

    def _reference(self) -> str:
        return f"{self.member}/{next(self._numbers)}"

    def _confidential(self) -> dict[str, Any]:
        return {"police_reference": self._reference(), "police_unit": _UNIT}

"""What simulated police liaisons do: read and acknowledge escalations, ask for holds, release them."""

import itertools
from typing import Final

from casework.messages import Delivery, Escalation, Receipt
from connectors.client import MemberClient
from operations.simulator import constants
from operations.simulator.constants import DAY_MS
from operations.simulator.players import Player
from operations.simulator.turns import Turn
from operations.simulator.world import Held, World

_LONGEST_HOLD_MS: Final = 41 * DAY_MS
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
        self._code = code
        self._references = itertools.count(1)

    async def read_escalations(self) -> None:
        """Read the escalations until cancelled, and acknowledge most of them."""
        async for message in self.client.escalations(self._code):
            if isinstance(message.body, Escalation):
                self.world.ledger.opens(message)
                self.world.ledger.got_escalation(message.body)
                self._acknowledge(message.body)
            else:
                self.world.ledger.unreadable += 1
            await message.done()

    async def read(self) -> None:
        """Read the inbox until cancelled."""
        async for message in self.client.inbox():
            body = message.body
            if isinstance(body, Receipt):
                self.world.ledger.got_receipt(body)
            elif isinstance(body, Delivery):
                self.world.ledger.opens(message)
                self.world.ledger.got_delivery(self.member, body, None)
            else:
                self.world.ledger.unreadable += 1
            await message.done()

    def called(self, held: Held, turn: Turn) -> None:
        """Take a call of a hotline about a case that police want kept quiet for a while."""
        at = max(turn.at, self.world.clock.now_ms())
        until = at + _LONGEST_HOLD_MS if turn.until is None else turn.until

        async def hold() -> None:
            await self.act(
                held,
                "hold",
                at,
                hold_until=min(until, at + _LONGEST_HOLD_MS),
                police_reference=f"{self.member}/{next(self._references)}",
                has_police_reference=False,
            )
            if turn.until is not None:
                self.world.schedule.at(until, release)

        async def release() -> None:
            await self.act(held, "release", max(until, self.world.clock.now_ms()))

        self.world.schedule.at(at, hold)

    def _acknowledge(self, escalation: Escalation) -> None:
        draws = self.world.draws
        if not draws.happens(constants.LIAISON_ANSWERS_SHARE):
            return
        at = escalation.admitted_at + int(draws.exponential(constants.LIAISON_MEAN_MS))
        held = Held("", escalation.url_key, escalation.hosting_country, 1, 1, escalation.admitted_at)

        async def acknowledge() -> None:
            await self.act(
                held,
                "acknowledged",
                max(at, self.world.clock.now_ms()),
                case_id=escalation.case_id,
                report_event_id=escalation.event_id,
                reference=f"{self.member}/{next(self._references)}",
            )

        self.world.schedule.at(at, acknowledge)

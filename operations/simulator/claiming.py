"""Claims of simulated hotlines: of what waits at the desk or is offered, while it is there."""

from typing import Final

from casework.messages import Delivery
from casework.states import OFFERED, ORPHANED
from operations.simulator import constants
from operations.simulator.players import Player
from operations.simulator.world import Held

_QUEUED: Final = frozenset({OFFERED, ORPHANED})


class Claiming:
    """What one hotline means to claim, and has claimed.

    Args:
        player: The hotline.
    """

    def __init__(self, player: Player) -> None:
        self._player = player
        self._waiting: dict[str, tuple[int, int]] = {}
        self._claimed: set[tuple[str, int]] = set()

    def queued(self, delivery: Delivery) -> None:
        """Take in what a queue says: claim some of what waits there, and leave what is taken."""
        leg = delivery.round, delivery.leg
        if delivery.state not in _QUEUED or self._waiting.get(delivery.case_id, leg) != leg:
            self._waiting.pop(delivery.case_id, None)
        world = self._player.world
        if delivery.state not in _QUEUED or delivery.kind not in {"offer", "assignment"}:
            return
        if not world.draws.happens(constants.CLAIM_SHARE):
            return
        self._waiting[delivery.case_id] = leg
        at = delivery.admitted_at + int(world.draws.exponential(constants.CLAIM_MEAN_MS))

        async def claim() -> None:
            if self._waiting.pop(delivery.case_id, None) == leg:
                self._claimed.add((delivery.case_id, delivery.round))
                await self._player.act(Held.of(delivery), "claim", max(at, world.clock.now_ms()))

        world.schedule.at(at, claim)

    def is_claimed(self, held: Held) -> bool:
        """Answer whether a case that was assigned in the next leg was claimed."""
        return (held.case_id, held.round) in self._claimed

"""What the simulated secretariat does: read what nobody answers, and have contents erased."""

from typing import ClassVar, Final

from casework.messages import Delivery
from operations.simulator.constants import HOUR_MS
from operations.simulator.players import Player
from operations.simulator.world import Held

_URGES: Final = frozenset({"escalation_unanswered", "moves_exceeded"})
"""Facts after which it gives a case a high priority."""


class SimulatedSecretariat(Player):
    """The secretariat: it has a key to sign with, and none that would open a content."""

    SEALS: ClassVar = False

    def told(self, delivery: Delivery) -> None:
        """Give a case that nobody takes care of a high priority."""
        if delivery.fact in _URGES:
            self.answer(delivery, "note", after_ms=HOUR_MS, priority="high")

    def asked_to_erase(self, held: Held, reason_code: str) -> None:
        """Take a call of a hotline whose report should never have been sent."""
        at = self.world.clock.now_ms() + HOUR_MS

        async def erase() -> None:
            await self.act(held, "erase", at, reason_code=reason_code)

        self.world.schedule.at(at, erase)

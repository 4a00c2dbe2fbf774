"""What simulated hotlines do with their own reports later: take them back, look again, see it again."""

from collections.abc import Mapping
from typing import Final

import msgspec

from operations.simulator import constants
from operations.simulator.case_work import Work
from operations.simulator.liaisons import SimulatedLiaison
from operations.simulator.players import Player
from operations.simulator.reports import SimulatedReport
from operations.simulator.secretariat import SimulatedSecretariat
from operations.simulator.turns import Turn
from operations.simulator.world import Held

_OF_THE_ORIGIN: Final = frozenset({"withdrawn", "reappeared", "doubted"})


class Contacts(msgspec.Struct, frozen=True):
    """Whom a hotline can call.

    Attributes:
        police: Police by country, INTERPOL by its code.
        secretariat: The secretariat, if it is played.
    """

    police: dict[str, SimulatedLiaison]
    secretariat: SimulatedSecretariat | None = None


class AsOrigin:
    """The part of one hotline as origin.

    Args:
        player: The hotline.
        country: Its country.
        work: What it works on itself, by case id.
        contacts: Whom it can call.
    """

    def __init__(self, player: Player, country: str, work: Mapping[str, Work], contacts: Contacts) -> None:
        self._player = player
        self._country = country
        self._work = work
        self._contacts = contacts
        self._withdrawn: set[str] = set()

    def plan(self, held: Held, report: SimulatedReport, event_id: str) -> None:
        """Plan what its origin does with a report that was accepted."""
        for turn in report.turns:
            if turn.kind in _OF_THE_ORIGIN:
                self._plan_turn(held, report, event_id, turn)

    def _plan_turn(self, held: Held, report: SimulatedReport, event_id: str, turn: Turn) -> None:
        world, at = self._player.world, max(turn.at, held.since)

        async def take() -> None:
            if event_id in self._withdrawn or not world.take(report, turn):
                return
            if turn.kind == "withdrawn":
                await self._withdraw(held, at, event_id, turn.reason_code)
            elif turn.kind == "reappeared":
                await self._see(held, "reappeared", at)
            elif held.case_id not in self._work:
                moved = {"observation": "moved", "new_hosting_country": turn.country}
                await self._see(held, "observed", at, **moved)

        world.schedule.at(at, take)

    async def _see(self, held: Held, action: str, at: int, **fields: str | None) -> None:
        await self._player.act(held, action, at, observed_at=at, observed_from=self._country, **fields)

    async def _withdraw(self, held: Held, at: int, event_id: str, reason_code: str | None) -> None:
        self._withdrawn.add(event_id)
        named = {"case_id": None, "report_event_id": event_id}
        prepared = self._player.prepare(held, "withdraw", at, reason_code=reason_code, **named)
        work = self._work.get(held.case_id)
        if work is not None:
            work.waits_for = prepared.event_id
        await self._player.send(prepared)
        secretariat = self._contacts.secretariat
        if secretariat is not None and self._player.world.draws.happens(constants.ERASED_SHARE):
            secretariat.asked_to_erase(held, "data_protection")

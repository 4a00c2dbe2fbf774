"""The players of a cast, who know whom they can call, whatever carries their messages."""

from collections.abc import Mapping

from connectors.client import MemberClient
from operations.simulator.cast import Cast
from operations.simulator.hotlines import SimulatedHotline
from operations.simulator.liaisons import SimulatedLiaison
from operations.simulator.origins import Contacts
from operations.simulator.players import Player
from operations.simulator.secretariat import SimulatedSecretariat
from operations.simulator.world import World


class Troupe:
    """Everybody who is played.

    Args:
        cast: Who is.
        world: What all share.
        clients: Their clients by member id.
    """

    def __init__(self, cast: Cast, world: World, clients: Mapping[str, MemberClient]) -> None:
        self.liaisons = [SimulatedLiaison(clients[member], world, code) for member, code in cast.liaisons]
        self.secretariat = None
        if cast.secretariat is not None:
            self.secretariat = SimulatedSecretariat(clients[cast.secretariat], world)
        police: dict[str, SimulatedLiaison] = {}
        # A country's own liaison is called before its further units, whose codes are longer.
        for liaison in sorted(self.liaisons, key=lambda one: -len(one.code)):
            countries = world.directory.member(liaison.member).countries
            police |= dict.fromkeys(countries or (liaison.code,), liaison)
        contacts = Contacts(police, self.secretariat)
        self.hotlines = {
            member: SimulatedHotline(clients[member], world, contacts) for member in cast.hotlines
        }

    @property
    def players(self) -> tuple[Player, ...]:
        """All of them."""
        others = () if self.secretariat is None else (self.secretariat,)
        return (*self.hotlines.values(), *self.liaisons, *others)

"""What all simulated members share: the clock, what is planned, and what became of each report."""

from typing import Self

import msgspec

from casework.directory import Directory
from casework.messages import Delivery
from operations.simulator.draws import Draws
from operations.simulator.ledger import Ledger
from operations.simulator.reports import SimulatedReport
from operations.simulator.schedule import Schedule
from operations.simulator.turns import Turn
from streams.clock import Clock


class World(msgspec.Struct, frozen=True):
    """What all simulated members share.

    Attributes:
        clock: The injected clock.
        directory: The directory in use.
        schedule: What happens when.
        ledger: Everybody's book.
        reports: What becomes of each report that was sent, by event id.
        draws: What members decide on the spot is drawn from it.
        mark: Stands in every address and note that is sealed, if there is one.
        taken: Address of a report and place of each of its turns that has happened: a turn happens once,
            whoever is responsible by then.
        given_back: Case id and member of each case that a hotline gave back: colleagues of a country talk.
    """

    clock: Clock
    directory: Directory
    schedule: Schedule
    ledger: Ledger
    reports: dict[str, SimulatedReport]
    draws: Draws
    mark: str = ""
    taken: set[tuple[str, int]] = msgspec.field(default_factory=set)
    given_back: set[tuple[str, str]] = msgspec.field(default_factory=set)

    def country_of(self, member: str) -> str | None:
        """Answer the country of a member, or None for an international or unknown one."""
        found = self.directory.members_by_id.get(member)
        return found.countries[0] if found is not None and found.countries else None

    def take(self, report: SimulatedReport, turn: Turn) -> bool:
        """Answer whether a turn has not happened before, and note that it has now."""
        key = report.url, report.turns.index(turn)
        is_new = key not in self.taken
        self.taken.add(key)
        return is_new


class Held(msgspec.Struct, frozen=True):
    """A case as a member knows it: what an action must name.

    Attributes:
        case_id: Case id; empty for an escalation that intake sent before there was a case.
        url_key: Url key.
        hosting_country: Hosting country.
        round: Round of the case.
        leg: Leg of the round.
        since: When the member learnt of it, milliseconds since epoch UTC.
    """

    case_id: str
    url_key: bytes
    hosting_country: str
    round: int
    leg: int
    since: int

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Answer the case of a delivery."""
        return cls(
            case_id=delivery.case_id,
            url_key=delivery.url_key,
            hosting_country=delivery.hosting_country or "",
            round=delivery.round,
            leg=delivery.leg,
            since=delivery.admitted_at,
        )

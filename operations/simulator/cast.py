"""Who is played in a live simulation: the hotlines that matter most, and the police liaisons around them.

Fifty clients beside broker and worker would measure the machine and not the exchange, so hotlines with a
small part in the year's hosting and reporting stay away, and nothing is hosted with them.
"""

from typing import Final

import msgspec

from casework.directory import Directory
from casework.feed_names import feed_of
from casework.parties import secretariat_of
from operations.simulator import constants
from operations.simulator.hosting import hosting_weights

SMALLEST_PART: Final = 0.004
"""Share of a year's hosting below which a country's hotlines are not played."""
_MOST_LIAISONS: Final = 4


class Cast(msgspec.Struct, frozen=True):
    """Who is played.

    Attributes:
        hotlines: Member ids of the hotlines, sorted.
        liaisons: Member id and topic code of the police liaisons, sorted.
        secretariat: Member id of the secretariat; None where none is active.
    """

    hotlines: tuple[str, ...]
    liaisons: tuple[tuple[str, str], ...]
    secretariat: str | None = None

    @property
    def members(self) -> tuple[str, ...]:
        """Member ids of all who are played."""
        others = () if self.secretariat is None else (self.secretariat,)
        return (*self.hotlines, *(member for member, _ in self.liaisons), *others)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Names of all to whom deliveries go that are read to the end: inboxes, and feeds of liaisons."""
        return (*self.members, *(feed_of(member) for member, _ in self.liaisons))


def choose_cast(directory: Directory, year: int) -> Cast:
    """Answer the hotlines with a part in the year, the liaisons of the countries that host most.

    Played too are second contacts of these countries, who subscribed to a feed, and the secretariat.
    """
    weights = hosting_weights(year)
    countries = {country for country, share in weights.items() if share >= SMALLEST_PART}
    countries |= constants.ORIGIN_SHARES.keys()
    hotlines = sorted(
        share.member
        for rule in directory.countries
        if rule.code in countries
        for share in rule.hotlines
        if directory.member(share.member).active
    )
    busiest = sorted(countries, key=lambda code: -weights.get(code, 0.0))[:_MOST_LIAISONS]
    wanted = {"interpol", "europol"}
    for country in busiest:
        wanted |= {country.lower(), directory.country(country).second_liaison or ""}
    wanted |= {member.liaison or "" for member in directory.subscribers}
    liaisons = sorted(
        (member.id, member.liaison)
        for member in directory.active_members("law_enforcement")
        if member.liaison is not None and member.liaison in wanted
    )
    return Cast(tuple(hotlines), tuple(liaisons), secretariat_of(directory))

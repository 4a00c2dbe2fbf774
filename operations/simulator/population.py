"""Who reports and who is responsible: the members of a directory as the simulator needs them."""

from casework.directory import Directory
from casework.errors import SetupError
from operations.simulator import constants
from operations.simulator.draws import Weighted


class Population:
    """The active hotlines of a directory version.

    Args:
        directory: The directory; only its active hotlines report and receive.

    Raises:
        SetupError: It has no active hotline.
    """

    def __init__(self, directory: Directory) -> None:
        hotlines = [member for member in directory.active_members("hotline") if member.countries]
        if not hotlines:
            raise SetupError("the directory has no active hotline: admit members before simulating them")
        by_country: dict[str, list[str]] = {}
        for member in hotlines:
            by_country.setdefault(member.countries[0], []).append(member.id)
        named = {
            country: share for country, share in constants.ORIGIN_SHARES.items() if country in by_country
        }
        others = sum(len(members) for country, members in by_country.items() if country not in named)
        each = (1.0 - sum(named.values())) / others if others else 0.0
        self.origins = Weighted(
            [
                (member, named[country] / len(members) if country in named else each)
                for country, members in sorted(by_country.items())
                for member in members
            ]
        )
        self.members = tuple(member.id for member in hotlines)
        self._by_country = by_country
        self._served = frozenset(
            rule.code
            for rule in directory.countries
            if any(directory.member(share.member).active for share in rule.hotlines)
        )

    def is_served(self, country: str) -> bool:
        """Answer whether an active hotline is responsible for what is hosted there."""
        return country in self._served

    def hotline_of(self, country: str) -> str | None:
        """Answer the first active hotline of a country, or None."""
        members = self._by_country.get(country)
        return members[0] if members else None

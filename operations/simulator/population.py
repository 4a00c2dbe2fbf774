"""Who reports and who is responsible: the members of a directory as the simulator needs them."""

from collections.abc import Collection

from casework.directory import Directory
from casework.errors import SetupError
from operations.simulator import constants
from operations.simulator.draws import Weighted


class Population:
    """The active hotlines of a directory version.

    Args:
        directory: The directory; only its active hotlines report and receive.
        only: Member ids of the hotlines that take part; None is all.

    Raises:
        SetupError: It has no active hotline.
    """

    def __init__(self, directory: Directory, only: Collection[str] | None = None) -> None:
        hotlines = [
            member
            for member in directory.active_members("hotline")
            if member.countries and (only is None or member.id in only)
        ]
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
        self._taking_part = frozenset(self.members)
        self._served = frozenset(
            rule.code
            for rule in directory.countries
            if any(directory.member(share.member).active for share in rule.hotlines)
        )
        self._absent = frozenset(
            rule.code
            for rule in directory.countries
            if rule.code in self._served
            and any(
                share.member not in self._taking_part
                for share in rule.hotlines
                if directory.member(share.member).active
            )
        )

    def is_served(self, country: str) -> bool:
        """Answer whether an active hotline is responsible for what is hosted there."""
        return country in self._served

    def may_host(self, country: str) -> bool:
        """Answer whether what is hosted there goes to nobody, or only to hotlines that take part."""
        return country not in self._absent

    def hotline_of(self, country: str) -> str | None:
        """Answer the first active hotline of a country, or None."""
        members = self._by_country.get(country)
        return members[0] if members else None

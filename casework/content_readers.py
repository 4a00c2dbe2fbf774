"""Who content is sealed for: those who may have to act on it, and nobody else.

A rule of the directory, so that every client makes the same list and nobody has to be asked. Delivery still
decides who gets the record; sealing decides who could read it.
"""

from collections.abc import Iterable

from casework.directory import Directory, Member
from casework.errors import RuleViolation, UnknownMemberError
from casework.public_keys import PublicKey
from casework.routing import available_shares, later_contacts, liaisons_for, liaisons_of


def readers_of(directory: Directory, hosting_country: str, origin: str) -> tuple[str, ...]:
    """Answer the members that content about a host in a country is sealed for, sorted by id.

    The active hotlines of the hosting country, all of them, because the rule that picks one may change; the
    origin, which re-wraps for others later; the police liaison of the country, and whom escalations go to in
    its place or after it (`CountryRule.second_liaison`, INTERPOL, Europol); where no hotline is, INTERPOL
    and the mandated hotlines that may claim the case; and liaisons that may get the report by their feed,
    because nobody could open it for them then. Left out is who may not receive from the origin's countries
    (`Member.may_receive_from`); never the origin.

    Args:
        directory: The version in use.
        hosting_country: Country, alias or pseudo-country of the host.
        origin: Member id of the sender.

    Raises:
        UnknownCountryError: `hosting_country` is no country.
    """
    found = {origin}
    pseudo = directory.pseudo_country(hosting_country)
    if pseudo is not None:
        liaisons = liaisons_for(directory, pseudo.liaisons, origin)
        has_desk = pseudo.desk is not None
    else:
        rule = directory.country(hosting_country)
        hotlines = [share.member for share in available_shares(directory, rule, origin)]
        found.update(hotlines)
        has_desk = not hotlines
        liaisons = liaisons_of(directory, rule.code, origin) + later_contacts(directory, rule.code, origin)
        if has_desk:
            liaisons += liaisons_for(directory, ("interpol",), origin)
        found.update(police_of(directory, rule.code, origin))
    found.update(member.id for member in map(directory.liaison, liaisons) if member is not None)
    if has_desk or found == {origin}:
        found.update(member.id for member in mandated(directory, origin))
    found.update(member.id for member in subscribers(directory, hosting_country, origin))
    return tuple(sorted(found))


def next_readers_of(directory: Directory, hosting_country: str, sender: str) -> tuple[str, ...]:
    """Answer for whom a word is sealed that takes a case to a country: who may become responsible there.

    All hotlines of the country that may receive from the sender, else the mandated ones, and its police, who
    are parties by their country. Nobody else is ever handed it.

    Args:
        directory: The version in use.
        hosting_country: Country, alias or pseudo-country that the word names.
        sender: Member id of who says it.

    Raises:
        UnknownCountryError: `hosting_country` is no country.
    """
    found: tuple[str, ...] = ()
    police: tuple[str, ...] = ()
    if directory.pseudo_country(hosting_country) is None:
        rule = directory.country(hosting_country)
        found = tuple(share.member for share in available_shares(directory, rule, sender))
        police = police_of(directory, rule.code, sender)
    if not found:
        found = tuple(member.id for member in mandated(directory, sender))
    return tuple(sorted({*found, *police} - {sender}))


def police_of(directory: Directory, country: str, origin: str) -> tuple[str, ...]:
    """Answer the active police of a country that may receive from an origin, its own liaison first."""
    found = [
        member
        for member in directory.active_members("law_enforcement")
        if country in member.countries and directory.may_receive(member, origin)
    ]
    return tuple(member.id for member in sorted(found, key=lambda one: one.liaison != country.lower()))


def subscribers(directory: Directory, hosting_country: str, origin: str) -> tuple[Member, ...]:
    """Answer the liaisons that may get an origin's report about a host in a country by their feed."""
    return tuple(
        member
        for member in directory.subscribers
        if (member.feed == "all_confirmed" or directory.country_code(hosting_country) in member.countries)
        and directory.may_receive(member, origin)
    )


def mandated(directory: Directory, origin: str | None = None) -> tuple[Member, ...]:
    """Answer the active hotlines that may claim from the orphan desk, and may receive from `origin`."""
    return tuple(
        member
        for member in directory.active_members("hotline")
        if "orphans" in member.mandates and (origin is None or directory.may_receive(member, origin))
    )


def sealing_key(directory: Directory, member_id: str, at: int) -> PublicKey:
    """Answer the key that is sealed to: the newest valid one of a member.

    Args:
        directory: The version in use.
        member_id: The member.
        at: Real time; milliseconds since the epoch, UTC.

    Raises:
        UnknownMemberError: The directory does not list the member, or it has no such key.
    """
    keys = [key for key in directory.member(member_id).keys if key.use == "seal" and key.is_valid_at(at)]
    if not keys:
        raise UnknownMemberError(
            RuleViolation(
                "keys", "no_sealing_key", f"directory {directory.version}: {member_id} has none now"
            )
        )
    return max(keys, key=lambda key: (key.valid_from, key.id))


def opening_keys(directory: Directory, member_ids: Iterable[str], at: int) -> tuple[str, ...]:
    """Answer the ids of the keys by which any of these members can open content at a moment.

    A key that is not valid yet opens too: its holder has it. One that has expired or was revoked does not
    count, because its holder may have destroyed it.
    """
    members = filter(None, map(directory.members_by_id.get, member_ids))
    return tuple(
        key.id
        for member in members
        for key in member.keys
        if key.use == "seal" and key.fault_at(at) in {None, "key_not_yet_valid"}
    )

"""The directory of demo and chaos runs: the shipped one, with rules that no known entry has.

`network.yaml` says of each member and country what is known, or marked as assumed. What stands here is
neither: it is chosen so that claims, feeds, second contacts, the order of notices and erasure can be seen
in a short time.
"""

from typing import Any, Final

import msgspec

from casework.directory import DAY_MS, HOUR_MS, CountryRule, Directory, Member

CLAIM: Final = "DE"
"""Several hotlines, none of which is chosen by weight."""
POLICE_FIRST: Final = "RO"
SECOND_CONTACT: Final = "HK"
"""Hosts much and has no hotline, so that its police are told often."""
ALL_HOSTED: Final = "BG"
SECOND_CODE: Final = "hk-second"
_POLICE_WAIT_MS: Final = 12 * HOUR_MS
_ERASE_MS: Final = 7 * DAY_MS

_RULES: Final[dict[str, dict[str, Any]]] = {
    CLAIM: {"routing": "claim"},
    POLICE_FIRST: {"notice_rule": "police_first", "police_wait_ms": _POLICE_WAIT_MS},
    SECOND_CONTACT: {"second_liaison": SECOND_CODE, "further_liaisons": ("interpol",)},
}
_FEEDS: Final[dict[str, dict[str, Any]]] = {
    "interpol": {"feed": "all_confirmed"},
    ALL_HOSTED.lower(): {"feed": "all_hosted", "feed_informs_police": True},
}


def with_everything(directory: Directory) -> Directory:
    """Answer a directory in which each rule of casework has somebody to whom it applies.

    What it does not list stays away: a small network has fewer of them.
    """
    members = [_with_feed(member) for member in directory.members]
    first = directory.liaison(SECOND_CONTACT.lower())
    rules = {rule.code: rule for rule in directory.countries}
    if first is not None:
        members.append(_second(first))
        rules.setdefault(SECOND_CONTACT, directory.country(SECOND_CONTACT))
    return msgspec.structs.replace(
        directory,
        members=tuple(sorted(members, key=lambda member: member.id)),
        countries=tuple(_with_rule(directory, rules[code]) for code in sorted(rules)),
        casework=msgspec.structs.replace(directory.casework, erase_ms=_ERASE_MS),
    )


def _with_feed(member: Member) -> Member:
    feed = _FEEDS.get(member.liaison or "") if member.active else None
    return member if feed is None else msgspec.structs.replace(member, **feed)


def _second(first: Member) -> Member:
    return msgspec.structs.replace(
        first, id=f"{first.id}-second", name=f"{first.name}, second contact", liaison=SECOND_CODE, keys=()
    )


def _with_rule(directory: Directory, rule: CountryRule) -> CountryRule:
    changes = _RULES.get(rule.code, {})
    if rule.code == SECOND_CONTACT and directory.liaison(SECOND_CONTACT.lower()) is None:
        return rule
    if rule.code == CLAIM and sum(directory.is_active(share.member) for share in rule.hotlines) < 2:  # noqa: PLR2004 - several
        return rule
    return msgspec.structs.replace(rule, **changes)

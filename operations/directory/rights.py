"""What the directory lets each member do or get beyond its kind: mandates, shares, feeds, escalations."""

from collections.abc import Iterator
from typing import Final

from casework.directory import Directory, HotlineShare, Member

_TAKES: Final = ("remit", "site_types", "classifications", "content_types")
_TEXTS: Final = {"orphans": "claims orphans"}


def rights_of(directory: Directory, member: Member) -> tuple[str, ...]:
    """Answer a member's rights in a few words each, those given by name first."""
    return tuple(_rights(directory, member))


def _rights(directory: Directory, member: Member) -> Iterator[str]:
    yield from (_TEXTS.get(mandate, mandate) for mandate in member.mandates)
    for rule in directory.countries:
        for share in rule.hotlines:
            if share.member == member.id:
                yield from _of_share(rule.code, rule.routing, share)
    if member.feed != "none":
        counts = ", informs police" if member.feed_informs_police else ""
        yield f"feed {member.feed}{counts}"
    if member.liaison is not None:
        unread = "" if member.reads_escalations else ", nobody reads them"
        yield f"escalations {member.liaison}{unread}"
    if member.may_receive_from is not None:
        yield f"receives from {' '.join(member.may_receive_from) or 'nobody'} only"


def _of_share(country: str, routing: str, share: HotlineShare) -> Iterator[str]:
    takes = [f"{name} {' '.join(values)}" for name in _TAKES if (values := getattr(share, name))]
    if routing == "claim":
        yield f"claims in {country}"
    elif takes:
        yield f"takes in {country}: {', '.join(takes)}"

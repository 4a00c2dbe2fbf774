"""Which hotline is responsible for a report: hosting country, then its hotlines, then one of them.

The choice depends only on the directory version and the report, so every worker and every replay makes the
same. Hotlines that share a country are chosen by rendezvous hashing of the url key: when one leaves, only its
own share moves. Integer weights are points in the contest, not floating-point powers, so that no platform
rounds differently.
"""

import hashlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from casework.directory import ORPHAN_DESK, CountryRule, Directory, HotlineShare

INTERNATIONAL_LIAISONS: Final = ("interpol", "europol")

RouteReason = Literal["responsible", "offered", "no_hotline", "tor", "unknown_host"]
_WITH_HOTLINE: Final = frozenset({"responsible", "offered"})


class Route(msgspec.Struct, frozen=True):
    """Where a report goes.

    Attributes:
        hosting_country: Canonical country of the host as reported.
        assigned_country: Country whose rules apply to the leg; differs once a mandated hotline takes an
        orphan. assigned_hotline: Member id of the responsible hotline, or None.
        desk: Queue that mandated hotlines read when nobody is responsible, or None.
        liaisons: Codes of the police liaisons that an escalation of this report goes to.
        reason: `responsible`; `offered` to several hotlines, of which the first that claims is responsible;
            or why there is none, which is escalated at once.
        pool: Hotlines it is offered to, sorted; empty unless it is.
    """

    hosting_country: str
    assigned_country: str
    assigned_hotline: str | None
    desk: str | None
    liaisons: tuple[str, ...]
    reason: RouteReason
    pool: tuple[str, ...] = ()

    @property
    def escalates(self) -> bool:
        """Whether the liaisons are told without an urgency code."""
        return self.reason not in _WITH_HOTLINE


class Traits(msgspec.Struct, frozen=True, gc=False):
    """What countries with the rule `remit` choose by; None: not known, which fits no list.

    Attributes:
        content_topic: Code of `codes.CONTENT_TOPICS`.
        site_type: Code of `codes.SITE_TYPES`.
        content_type: Code of `codes.CONTENT_TYPES`.
        classification: Code of `codes.CLASSIFICATIONS`; what nobody has judged is `unassessed`.
    """

    content_topic: str | None = None
    site_type: str | None = None
    content_type: str | None = None
    classification: str | None = None


_NO_TRAITS: Final = Traits()


def route(  # noqa: PLR0913 - what a choice depends on
    directory: Directory,
    hosting_country: str,
    url_key: bytes,
    *,
    origin: str | None = None,
    traits: Traits = _NO_TRAITS,
    declined: tuple[str, ...] = (),
    offers: bool = True,
) -> Route:
    """Answer where a report goes.

    Args:
        directory: The version stamped on the report.
        hosting_country: Country, alias or pseudo-country of the host.
        url_key: Key of the location; chooses among hotlines that share a country.
        origin: Member id of the reporting hotline; it keeps what it found in its own country where the
            country's rule says so. Who may not receive from its countries counts as not available
            (`Member.may_receive_from`); without an origin no such rule applies.
        traits: What the report is about, for countries whose rule is `remit`.
        declined: Members that gave the case back: they count as not available.
        offers: Whether a country with the rule `claim` is asked who wants it; else its weights decide.

    Raises:
        UnknownCountryError: `hosting_country` is no country; it is refused, never guessed.
    """
    if origin is None or not directory.has_transfer_rules:
        look_up: tuple[str, ...] = ("route", hosting_country)
    else:
        look_up = ("route", hosting_country, origin)
    if declined:
        plan: _Plan | None = _plan(directory, hosting_country, origin, declined)  # too rare to be kept
    else:
        plan = directory.known.get(look_up)
    if plan is None:
        plan = directory.known[look_up] = _plan(directory, hosting_country, origin)
    return plan.only or _shared(plan, url_key, origin, traits, offers=offers)


class _Plan(msgspec.Struct, frozen=True):
    """What is the same for all reports of a hosting country; with rules about transfers, of one origin.

    Attributes:
        only: The route of every report; None where several hotlines share the country.
        rule: The country's rule.
        shares: Its active hotlines, where there are several.
        routes: Member id of each of them to its route.
        offer: The route of what they may claim; None where a rule chooses.
    """

    only: Route | None
    rule: CountryRule | None = None
    shares: tuple[HotlineShare, ...] = ()
    routes: Mapping[str, Route] = MappingProxyType({})
    offer: Route | None = None


def _plan(
    directory: Directory, hosting_country: str, origin: str | None, declined: tuple[str, ...] = ()
) -> _Plan:
    pseudo = directory.pseudo_country(hosting_country)
    if pseudo is not None:
        told = liaisons_for(directory, pseudo.liaisons, origin)
        desk = pseudo.desk if told else ORPHAN_DESK
        return _Plan(Route(pseudo.code, pseudo.code, None, desk, told, pseudo.reason))
    rule = directory.country(hosting_country)
    code, liaisons = rule.code, liaisons_of(directory, rule.code, origin)
    shares = tuple(
        share for share in available_shares(directory, rule, origin) if share.member not in declined
    )
    if not shares:
        return _Plan(Route(code, code, None, ORPHAN_DESK, liaisons, "no_hotline"))
    routes = {s.member: Route(code, code, s.member, None, liaisons, "responsible") for s in shares}
    if len(shares) == 1:
        return _Plan(routes[shares[0].member])
    offer = None
    if rule.routing == "claim":
        offer = Route(code, code, None, None, liaisons, "offered", tuple(sorted(routes)))
    return _Plan(None, rule, shares, routes, offer)


def available_shares(directory: Directory, rule: CountryRule, origin: str | None) -> tuple[HotlineShare, ...]:
    """Answer the shares of a country's hotlines that are active and may receive from `origin`, if named."""
    return tuple(
        share
        for share in rule.hotlines
        if (member := directory.member(share.member)).active
        and (origin is None or directory.may_receive(member, origin))
    )


def liaisons_of(directory: Directory, country: str, origin: str | None) -> tuple[str, ...]:
    """Answer whom escalations about a country go to first.

    Its own police, else its second contact, else INTERPOL, else Europol: the first whose topic is read.
    """
    second = directory.country(country).second_liaison
    codes = (country.lower(), *(() if second is None else (second,)), *INTERNATIONAL_LIAISONS)
    return liaisons_for(directory, codes, origin)[:1]


def later_contacts(
    directory: Directory, country: str, origin: str | None, *, after: str | None = None
) -> tuple[str, ...]:
    """Answer whom an escalation goes to, in order, while nobody acknowledges it: as the directory lists.

    Args:
        directory: The version in use.
        country: Hosting country, pseudo-countries included.
        origin: Origin of the report.
        after: Code of the contact that had it last; only those beyond are answered.
    """
    rule = directory.country(country)
    second = () if rule.second_liaison is None else (rule.second_liaison,)
    codes = tuple(dict.fromkeys((*second, *rule.further_liaisons)))
    beyond = codes[codes.index(after) + 1 :] if after in codes else codes
    return liaisons_for(directory, beyond, origin)


def liaisons_for(directory: Directory, codes: Iterable[str], origin: str | None) -> tuple[str, ...]:
    """Answer those of these liaisons that escalations can go to.

    They are active, somebody reads their topic, and they may receive from an origin, if one is named.
    """
    return tuple(
        code
        for code in codes
        if (member := directory.liaison(code)) is not None
        and member.reads_escalations
        and (origin is None or directory.may_receive(member, origin))
    )


def _shared(plan: _Plan, url_key: bytes, origin: str | None, traits: Traits, *, offers: bool) -> Route:
    rule, shares = plan.rule, plan.shares
    assert rule is not None  # noqa: S101 - given together with the shares
    if origin is not None and origin in plan.routes and rule.own_reports == "keep":
        return plan.routes[origin]
    if offers and plan.offer is not None:
        return plan.offer
    if rule.routing == "remit":
        shares = (
            tuple(share for share in shares if _names(share) and _fits(share, traits))
            or tuple(share for share in shares if not _names(share))
            or shares
        )
    return plan.routes[shares[0].member if len(shares) == 1 else rendezvous(shares, url_key)]


def _names(share: HotlineShare) -> bool:
    """Answer whether a hotline takes some reports only."""
    return bool(share.remit or share.site_types or share.content_types or share.classifications)


def _fits(share: HotlineShare, traits: Traits) -> bool:
    """Answer whether all lists of a hotline that are not empty have what a report is about."""
    return all(
        not taken or value in taken
        for taken, value in (
            (share.remit, traits.content_topic),
            (share.site_types, traits.site_type),
            (share.content_types, traits.content_type),
            (share.classifications, traits.classification),
        )
    )


def rendezvous(shares: Iterable[HotlineShare], url_key: bytes) -> str:
    """Answer the member whose best of `weight` hashes of (member, point, url key) is the highest.

    Each member wins in proportion to its weight, and a member's going or coming moves no url key between
    others.
    """
    return max(
        (hashlib.sha256(f"{share.member}/{point}/".encode() + url_key).digest(), share.member)
        for share in shares
        for point in range(share.weight)
    )[1]

"""What the directory says of one member, one country or one limit: the entries of its document."""

import datetime as dt
from typing import Final, Literal

import msgspec

from casework.public_keys import PublicKey

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
ORPHAN_DESK: Final = "desk-orphans"
EXCHANGE: Final = "exchange"
"""The exchange itself, where it acts by a rule or signs; no member may have this id."""

MemberKind = Literal["hotline", "law_enforcement", "authority", "secretariat"]
MemberStatus = Literal["candidate", "active", "suspended", "left"]
RoutingRule = Literal["single", "weights", "remit", "claim"]
NoticeRule = Literal["any", "police_first", "police_consent"]
Feed = Literal["none", "all_hosted", "all_confirmed"]


class Deadlines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long each step of a leg may take, in milliseconds from its clock's start; None takes the default.

    The Code of Practice's own figures are not public (domain 6), so the defaults are assumptions next to what
    is published: police are told within a day (96 % in 2013), providers within three days, removal within
    seven. `remind_ms` runs from a deadline that has passed until the secretariat is told.
    """

    acknowledge_ms: int | None = None
    inform_police_ms: int | None = None
    inform_provider_ms: int | None = None
    confirm_removal_ms: int | None = None
    remind_ms: int | None = None

    def over(self, default: "Deadlines") -> "Deadlines":
        """Answer these deadlines with the gaps filled from `default`."""
        return Deadlines(
            *(
                getattr(default, field) if getattr(self, field) is None else getattr(self, field)
                for field in self.__struct_fields__
            )
        )


DEFAULT_DEADLINES: Final = Deadlines(24 * HOUR_MS, 24 * HOUR_MS, 72 * HOUR_MS, 7 * DAY_MS, 24 * HOUR_MS)


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One organisation.

    Attributes:
        id: Such as `nl-offlimits`; lower case, digits and hyphens; never reused.
        kind: What the organisation is.
        name: Its name, for people.
        countries: Canonical codes of the countries it serves; empty for an international body.
        domain: Its public domain name, if known.
        mandates: Codes of `codes.MANDATES`.
        status: Only `active` is routed to.
        since: Day the status began.
        reason: Why it was suspended or left.
        evidence: Marks of the sources that name it; see `directory_checks.EVIDENCE_MARKS`.
        assumed: Names of the facts about it that nobody confirmed; production refuses any.
        liaison: Code of its escalation topic (`nl`, `interpol`), for law enforcement.
        contact: How people reach it in an emergency.
        keys: Its public keys, for signing and for sealing.
        may_receive_from: Canonical codes of the countries whose members' reports it may be given; None: all.
            A rule about transfers of personal data, filled in by the network's lawyers.
        feed: What a police liaison gets beyond escalations: every case hosted in its countries
            (`all_hosted`), or every case assessed as baseline or national (`all_confirmed`), what INTERPOL
            pulls today.
        feed_informs_police: Whether its acknowledgement of a feed item counts as *police informed*.
        reads_escalations: Whether somebody is known to read its escalation topic; escalations go past one
            that nobody reads, and an alert says so.
        deadlines: Overrides of its countries' deadlines, for a hotline.
    """

    id: str
    kind: MemberKind
    name: str
    countries: tuple[str, ...] = ()
    domain: str | None = None
    mandates: tuple[str, ...] = ()
    status: MemberStatus = "candidate"
    since: dt.date | None = None
    reason: str | None = None
    evidence: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    liaison: str | None = None
    contact: str | None = None
    keys: tuple[PublicKey, ...] = ()
    may_receive_from: tuple[str, ...] | None = None
    feed: Feed = "none"
    feed_informs_police: bool = False
    reads_escalations: bool = True
    deadlines: Deadlines = Deadlines()

    @property
    def active(self) -> bool:
        """Whether reports and escalations may be routed to it."""
        return self.status == "active"


class HotlineShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hotline's part in one country: its integer weight and, for the rule `remit`, what it takes.

    Attributes:
        member: Member id.
        weight: Its share, for the rules `weights` and `remit`.
        remit: Content topics it takes; empty: any.
        site_types: Site types it takes; empty: any.
        classifications: Classifications it takes; empty: any.
        content_types: Content types it takes; empty: any.
    """

    member: str
    weight: int = 1
    remit: tuple[str, ...] = ()
    site_types: tuple[str, ...] = ()
    classifications: tuple[str, ...] = ()
    content_types: tuple[str, ...] = ()


class CountryRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How reports hosted in one country are handled.

    Attributes:
        code: Canonical country code.
        name: Name of the country.
        routing: Code of `codes.ROUTING_RULES`.
        hotlines: The hotlines that share the country, none where there is no hotline.
        own_reports: `keep`: a hotline of the country that found the content is responsible itself, so that a
            second analyst is not exposed to it; `share`: its reports are shared like all others.
        deadlines: Overrides of the default deadlines.
        notice_rule: Code of `codes.NOTICE_RULES`.
        police_contact: Whom the public can call, told when a submission has no address to act on.
        assumed: Names of the facts that nobody confirmed.
        police_wait_ms: With the notice rule `police_first`, how long after police were informed the provider
            may be told; milliseconds.
        hold_limit_ms: Longest hold, from its setting or renewal; None takes the network's; milliseconds.
        second_liaison: Code of the country's second contact, for escalations that the first leaves
            unacknowledged.
        further_liaisons: Codes of those beyond, in order; empty: nobody else is told.
    """

    code: str
    name: str
    routing: RoutingRule = "single"
    hotlines: tuple[HotlineShare, ...] = ()
    own_reports: Literal["keep", "share"] = "keep"
    deadlines: Deadlines = Deadlines()
    notice_rule: NoticeRule = "any"
    police_contact: str | None = None
    assumed: tuple[str, ...] = ()
    police_wait_ms: int = 0
    hold_limit_ms: int | None = None
    second_liaison: str | None = None
    further_liaisons: tuple[str, ...] = ()


class CaseworkLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the exchange waits before a rule goes on without an answer; milliseconds unless it says so.

    All are assumptions of this project: no published figure was found (domain 6), except holds of at most six
    weeks, as long as the proposal COM(2022)209, article 15, lets information be withheld.

    Attributes:
        lease_ms: How long a claim lasts without a step of its hotline.
        unclaimed_ms: How long an offered or orphaned case may lie unclaimed.
        answer_host_ms: How long the responsible hotline may leave a newer word on the host unanswered.
        max_moves: Moves in one round after which the secretariat is told; a count.
        hold_ms: Longest hold.
        escalation_ms: How long an escalation may stay unacknowledged before the next contact gets it.
        confirm_ms: How long a recipient may take to confirm a correction or an erasure.
        erase_ms: From the closing to the erasure of contents.
        preserve_ms: Longest preservation that police may ask for at once.
        digest_hour: Hour of the day, UTC, at which the digest of overdue providers goes to police.
    """

    lease_ms: int = DAY_MS
    unclaimed_ms: int = DAY_MS
    answer_host_ms: int = DAY_MS
    max_moves: int = 5
    hold_ms: int = 42 * DAY_MS
    escalation_ms: int = 4 * HOUR_MS
    confirm_ms: int = 7 * DAY_MS
    erase_ms: int = 90 * DAY_MS
    preserve_ms: int = 365 * DAY_MS
    digest_hour: int = 6


class PseudoCountry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to reports whose host is in no country: who is told, who may look, no takedown clock."""

    code: str
    name: str
    reason: Literal["tor", "unknown_host"]
    liaisons: tuple[str, ...]
    desk: str | None = None

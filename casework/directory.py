"""The directory: who the members are, which hotline serves which country, and which slots a country owns.

It is versioned data. A whole document is published per version and every decision names the version it was
made with, so a replay months later meets the same members. The model answers look-ups; `routing` chooses a
hotline and `directory_checks` judges whether a document may take effect.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

from casework.countries import ALL_COUNTRIES, unknown_country
from casework.directory_keys import NetworkKeys, Signers
from casework.errors import (
    BROKEN_JSON,
    DirectoryRefusedError,
    RuleViolation,
    UnknownCountryError,
    UnknownMemberError,
)
from casework.public_keys import PublicKey

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
ORPHAN_DESK: Final = "desk-orphans"
EXCHANGE: Final = "exchange"
"""The exchange itself, where it acts by a rule or signs; no member may have this id."""
DOCUMENT_FORMAT: Final = 1

MemberKind = Literal["hotline", "law_enforcement", "authority", "secretariat"]
MemberStatus = Literal["candidate", "active", "suspended", "left"]
RoutingRule = Literal["single", "weights", "remit", "claim"]
NoticeRule = Literal["any", "police_first", "police_consent"]
Feed = Literal["none", "all_hosted", "all_confirmed"]
Environment = Literal["demo", "test", "production"]
Protection = Literal["optional", "required"]


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


class Directory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One version of the directory; values are only what `directory_checks` found no fault with.

    Attributes:
        version: Grows with every publication.
        environment: The only environment in which this document may be used.
        published_at: Milliseconds since epoch UTC.
        valid_from: Milliseconds since epoch UTC; intake stamps the newest version valid at admission.
        members: Sorted by id.
        countries: Sorted by code; ISO countries without an entry have no hotline.
        pseudo_countries: Hosts without a country.
        slot_count: Partitions of `reports.submitted` and of `reports.urgent`.
        slots: Country to the partitions only it uses.
        rest_slots: Partitions shared by all countries that own none.
        aliases: Other code to canonical code.
        deadlines: Defaults, complete.
        format: Version of this document's layout.
        expires_at: When it must no longer be used, real time; milliseconds since the epoch, UTC. None: never,
            which production refuses.
        protection: Whether submissions must be signed and their content sealed; production requires it.
        exchange_keys: Keys by which the exchange signs what it sends.
        signers: Who must sign this version and the next; None where directories are not signed.
        network_keys: Keys of the url keys, sealed; None where members have them from their settings.
        casework: How long the exchange waits for answers.
    """

    version: int
    environment: Environment
    published_at: int
    valid_from: int
    members: tuple[Member, ...]
    countries: tuple[CountryRule, ...]
    pseudo_countries: tuple[PseudoCountry, ...]
    slot_count: int
    slots: dict[str, tuple[int, ...]]
    rest_slots: tuple[int, ...]
    aliases: dict[str, str]
    deadlines: Deadlines = DEFAULT_DEADLINES
    format: int = DOCUMENT_FORMAT
    expires_at: int | None = None
    protection: Protection = "optional"
    exchange_keys: tuple[PublicKey, ...] = ()
    signers: Signers | None = None
    network_keys: NetworkKeys | None = None
    casework: CaseworkLimits = CaseworkLimits()

    @cached_property
    def members_by_id(self) -> Mapping[str, Member]:
        """All members by their id."""
        return {member.id: member for member in self.members}

    @cached_property
    def keys_by_id(self) -> Mapping[str, tuple[str, PublicKey]]:
        """Key id to the member (or `exchange`) that holds the key, and the key."""
        found = {key.id: (EXCHANGE, key) for key in self.exchange_keys}
        return found | {key.id: (member.id, key) for member in self.members for key in member.keys}

    @cached_property
    def raw_keys(self) -> Mapping[str, bytes]:
        """Key id to the 32 bytes of the key: every submission's is looked up."""
        return {key_id: key.raw for key_id, (_, key) in self.keys_by_id.items()}

    @cached_property
    def _rules(self) -> Mapping[str, CountryRule]:
        return {rule.code: rule for rule in self.countries}

    @cached_property
    def _pseudo(self) -> Mapping[str, PseudoCountry]:
        return {pseudo.code: pseudo for pseudo in self.pseudo_countries}

    @cached_property
    def _liaisons(self) -> Mapping[str, Member]:
        return {member.liaison: member for member in self.members if member.liaison is not None}

    @cached_property
    def has_transfer_rules(self) -> bool:
        """Whether any member may receive from some countries only."""
        return any(member.may_receive_from is not None for member in self.members)

    @cached_property
    def known(self) -> dict[tuple[str, ...], Any]:
        """What look-ups found out about this version, by their own name and codes; never part of it."""
        return {}

    def member(self, member_id: str) -> Member:
        """Answer the member of this id, whatever its status.

        Raises:
            UnknownMemberError: This version does not list it.
        """
        found = self.members_by_id.get(member_id)
        if found is None:
            raise UnknownMemberError(
                RuleViolation("member", "unknown_member", f"not in directory version {self.version}")
            )
        return found

    def is_active(self, member_id: str) -> bool:
        """Answer whether a member is listed and active: only such a one is given anything to do."""
        found = self.members_by_id.get(member_id)
        return found is not None and found.active

    def may_receive(self, member: Member, origin: str) -> bool:
        """Answer whether the content of an origin's reports may be given to a member.

        An origin always has its own. One that serves several countries must have all of them on a member's
        list, and one without a country, or that this version does not list, is on none.
        """
        allowed = member.may_receive_from
        if allowed is None or member.id == origin:
            return True
        sender = self.members_by_id.get(origin)
        return sender is not None and bool(sender.countries) and set(sender.countries) <= set(allowed)

    def country_code(self, code: str) -> str:
        """Answer the canonical code of a country, alias or pseudo-country.

        Raises:
            UnknownCountryError: It is none of them; it is refused, never guessed.
        """
        canonical = self.aliases.get(code, code)
        if canonical not in ALL_COUNTRIES:
            raise UnknownCountryError(unknown_country("country"))
        return canonical

    def country(self, code: str) -> CountryRule:
        """Answer the rule of a country or alias; one without an entry has no hotline.

        Raises:
            UnknownCountryError: It is no country.
        """
        canonical = self.country_code(code)
        rule = self._rules.get(canonical)
        return CountryRule(canonical, ALL_COUNTRIES[canonical]) if rule is None else rule

    def pseudo_country(self, code: str) -> PseudoCountry | None:
        """Answer what is done about a host without a country, or None for a real country."""
        return self._pseudo.get(self.aliases.get(code, code))

    def liaison(self, code: str) -> Member | None:
        """Answer the active police liaison of an escalation topic's code, such as `nl` or `interpol`."""
        member = self._liaisons.get(code)
        return member if member is not None and member.active else None

    def liaison_codes(self) -> tuple[str, ...]:
        """Answer the codes of all liaisons ever listed, sorted: one escalation topic each."""
        return tuple(sorted(self._liaisons))

    def police(self) -> tuple[str, ...]:
        """Answer the ids of all police liaisons ever listed, sorted: one feed topic each."""
        return tuple(sorted(self._liaison_ids))

    @cached_property
    def _liaison_ids(self) -> frozenset[str]:
        return frozenset(member.id for member in self._liaisons.values())

    @cached_property
    def subscribers(self) -> tuple[Member, ...]:
        """The active police liaisons with a subscription, by id."""
        return tuple(member for member in self.active_members("law_enforcement") if member.feed != "none")

    @cached_property
    def unread_liaisons(self) -> tuple[str, ...]:
        """Codes of the active police liaisons whose escalations nobody is known to read."""
        return tuple(
            sorted(code for code, one in self._liaisons.items() if one.active and not one.reads_escalations)
        )

    def police_contact(self, code: str) -> str:
        """Answer whom the public of a country can call.

        Raises:
            UnknownCountryError: It is no country.
        """
        rule = self.country(code)
        if rule.police_contact is not None:
            return rule.police_contact
        return "the police where you are" if rule.code in self._pseudo else f"the police of {rule.name}"

    def deadlines_of(self, code: str) -> Deadlines | None:
        """Answer a country's complete deadlines, or None where no takedown clock runs.

        Raises:
            UnknownCountryError: It is no country.
        """
        if self.pseudo_country(code) is not None:
            return None
        return self.country(code).deadlines.over(self.deadlines)

    def slots_of(self, code: str) -> tuple[int, ...]:
        """Answer the partitions of a country's reports: its own, or those that all the others share.

        Raises:
            UnknownCountryError: It is no country.
        """
        return self.slots.get(self.country_code(code), self.rest_slots)

    def slot(self, code: str, url_key: bytes) -> int:
        """Answer the partition of one report: `slots[position(url_key) % len(slots)]`.

        Raises:
            UnknownCountryError: It is no country.
        """
        slots = self.slots_of(code)
        return slots[int.from_bytes(url_key[1:9], "big") % len(slots)]

    def active_members(self, kind: MemberKind) -> Iterable[Member]:
        """Yield the active members of one kind, by id."""
        return (member for member in self.members if member.active and member.kind == kind)


_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder(Directory)
_VALUE: Final = re.compile(r" ?(?:'[^']*'|`[^`$]*`)")
"""What msgspec repeats of a document in its errors; a place begins with a dollar sign."""


def to_bytes(directory: Directory) -> bytes:
    """Answer the document as JSON with sorted keys: equal directories give equal bytes."""
    return _ENCODER.encode(directory)


def from_bytes(document: bytes) -> Directory:
    """Read a document.

    Raises:
        DirectoryRefusedError: It is not a directory document of a layout this program knows.
    """
    try:
        directory = _DECODER.decode(document)
        said = msgspec.json.decode(document)
    except BROKEN_JSON as error:
        text = _VALUE.sub("", str(error)) if isinstance(error, msgspec.DecodeError) else "JSON in UTF-8"
        raise DirectoryRefusedError([RuleViolation("document", "unreadable", text)]) from error
    # Held against what the document itself says, because one of an older version lacks the newest fields.
    if msgspec.json.encode(said, order="sorted") != document:
        text = "sorted names, each once, and no spaces"
        raise DirectoryRefusedError([RuleViolation("document", "not_canonical", text)])
    if directory.format != DOCUMENT_FORMAT:
        known = f"layout {DOCUMENT_FORMAT} is known"
        raise DirectoryRefusedError([RuleViolation("format", "unknown_format", known)])
    return directory

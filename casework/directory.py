"""The directory: who the members are, which hotline serves which country, and which slots a country owns.

It is versioned data. A whole document is published per version and every decision names the version it was
made with, so a replay months later meets the same members. The model answers look-ups; `routing` chooses a
hotline and `directory_checks` judges whether a document may take effect.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

from casework.countries import ALL_COUNTRIES, unknown_country
from casework.directory_entries import (
    DAY_MS,
    DEFAULT_DEADLINES,
    EXCHANGE,
    HOUR_MS,
    ORPHAN_DESK,
    CaseworkLimits,
    CountryRule,
    Deadlines,
    HotlineShare,
    Member,
    MemberKind,
    MemberStatus,
    PseudoCountry,
)
from casework.directory_keys import NetworkKeys, Signers
from casework.errors import (
    BROKEN_JSON,
    DirectoryRefusedError,
    RuleViolation,
    UnknownCountryError,
    UnknownMemberError,
)
from casework.public_keys import PublicKey

DOCUMENT_FORMAT: Final = 1

Environment = Literal["demo", "test", "production"]
Protection = Literal["optional", "required"]

__all__ = [
    "DAY_MS",
    "DEFAULT_DEADLINES",
    "EXCHANGE",
    "HOUR_MS",
    "ORPHAN_DESK",
    "CaseworkLimits",
    "CountryRule",
    "Deadlines",
    "Directory",
    "Environment",
    "HotlineShare",
    "Member",
    "MemberKind",
    "MemberStatus",
    "Protection",
    "PseudoCountry",
    "from_bytes",
    "to_bytes",
]


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

"""Whether a directory document may take effect, and whether it may follow the one before.

Every rule is checked and every violation is told, because a directory is edited by hand and published rarely.
Fields are paths in the document with a member's id or a country's code as key: `members.nl-offlimits.domain`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from casework import codes
from casework.countries import ALL_COUNTRIES, COUNTRY_ALIASES, PSEUDO_COUNTRIES, unknown_country
from casework.country_checks import check_countries, check_limits, unique
from casework.directory import EXCHANGE, ORPHAN_DESK, Directory, Member
from casework.directory_key_checks import check_complete, check_keys
from casework.errors import DirectoryRefusedError, RuleViolation
from casework.routing import INTERNATIONAL_LIAISONS

# The letter of an evidence mark; digits after S are the hotline's id in ICCAM (domain 3).
EVIDENCE_MARKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "S": "ICCAM hotline id in a public client's data",
        "I": "country named in ICMEC's list of reporting mechanisms",
        "D": "INHOPE directory as quoted in a public note",
        "P": "a public page names it",
        "K": "general knowledge, unconfirmed",
        "H": "historical: listed once, present status not found; never admitted by a switch",
        "A": "assumption of this project",
    }
)
LEAD_MS: Final = 60_000
"""How long before it takes effect a version must be published, on the exchange's clock: by then every worker
has read it, so all of them stamp the same version on a record (design 5.2)."""
MAX_ID: Final = 40
_MEMBER_ID: Final = re.compile(r"[a-z]{2,}(-[a-z0-9]+)*")
_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_EVIDENCE: Final = re.compile(r"[A-Z]\d*")
_LIAISON: Final = re.compile(r"[a-z]+(-[a-z0-9]+)?")


def check(directory: Directory) -> tuple[RuleViolation, ...]:
    """Answer every rule that the document breaks, in the order of the document."""
    return tuple(violation for part in (*_PARTS, *_LAST) for violation in part(directory))


def check_unfinished(directory: Directory) -> tuple[RuleViolation, ...]:
    """Answer every rule that the document breaks while people still work on it.

    That it lacks keys, signers, protection, an end, or somebody's confirmation breaks none yet.
    """
    return tuple(violation for part in _PARTS for violation in part(directory))


def require(directory: Directory) -> Directory:
    """Answer the document unchanged.

    Raises:
        DirectoryRefusedError: It breaks rules; all of them are named.
    """
    violations = check(directory)
    if violations:
        raise DirectoryRefusedError(violations)
    return directory


def check_successor(old: Directory, new: Directory) -> tuple[RuleViolation, ...]:
    """Answer every rule that `new` breaks as the version after `old`: versions increase, slots only grow."""
    return tuple(_successor(old, new))


def _successor(old: Directory, new: Directory) -> Iterator[RuleViolation]:
    if new.version <= old.version:
        yield RuleViolation("version", "not_newer", f"must be above {old.version}")
    if new.environment != old.environment:
        yield RuleViolation("environment", "changed", f"must stay {old.environment}")
    if new.valid_from < old.valid_from:
        yield RuleViolation("valid_from", "not_newer", "must not be before that of the version before")
    if new.valid_from < new.published_at + LEAD_MS:
        yield RuleViolation("valid_from", "too_early", f"must be {LEAD_MS // 1000} s after published_at")
    if old.signers is not None and new.signers is None:
        yield RuleViolation("signers", "missing", "a version after a signed one names its signers")
    if new.slot_count < old.slot_count:
        yield RuleViolation("slots.count", "shrunk", f"must be at least {old.slot_count}")
    for code, slots in old.slots.items():
        if not set(slots) <= set(new.slots.get(code, ())):
            yield RuleViolation(f"slots.countries.{code}", "shrunk", f"must keep the slots {list(slots)}")
    if not set(old.rest_slots) <= set(new.rest_slots):
        yield RuleViolation("slots.rest", "shrunk", f"must keep the slots {list(old.rest_slots)}")
    yield from _successors_of_members(old, new)


def _successors_of_members(old: Directory, new: Directory) -> Iterator[RuleViolation]:
    for member in old.members:
        successor = new.members_by_id.get(member.id)
        path = f"members.{member.id}"
        if successor is None:
            if member.status != "candidate":
                yield RuleViolation(path, "vanished", "must stay listed, with the status left")
        elif (successor.kind, successor.liaison) != (member.kind, member.liaison):
            yield RuleViolation(path, "changed", "must keep its kind and its liaison code: take a new id")
        elif member.status == "left" and successor.status != "left":
            yield RuleViolation(f"{path}.status", "reused", "a member that left returns under a new id")


def _head(directory: Directory) -> Iterator[RuleViolation]:
    if directory.version < 1:
        yield RuleViolation("version", "out_of_range", "must be 1 or more")
    if directory.valid_from < directory.published_at:
        yield RuleViolation("valid_from", "out_of_range", "must not be before published_at")
    for field in directory.deadlines.__struct_fields__:
        value = getattr(directory.deadlines, field)
        if value is None or value <= 0:
            yield RuleViolation(f"deadlines.{field.removesuffix('_ms')}", "missing", "must be above zero")


def _aliases(directory: Directory) -> Iterator[RuleViolation]:
    for alias, code in COUNTRY_ALIASES.items():
        if directory.aliases.get(alias) != code:
            yield RuleViolation("aliases", "missing", f"must read {alias} as {code}, as the code lists do")
    for alias, code in directory.aliases.items():
        if alias in ALL_COUNTRIES:
            yield RuleViolation(f"aliases.{alias}", "ambiguous", "must not be a country of its own")
        if code not in ALL_COUNTRIES:
            yield unknown_country(f"aliases.{alias}")


def _pseudo_countries(directory: Directory) -> Iterator[RuleViolation]:
    listed = Counter(pseudo.code for pseudo in directory.pseudo_countries)
    if set(listed) != set(PSEUDO_COUNTRIES) or max(listed.values(), default=0) > 1:
        yield RuleViolation(
            "pseudo_countries", "missing", f"must be {', '.join(PSEUDO_COUNTRIES)}, once each"
        )
    known = directory.liaison_codes()
    for pseudo in directory.pseudo_countries:
        path = f"pseudo_countries.{pseudo.code}"
        for code in pseudo.liaisons:
            if code not in known:
                yield RuleViolation(
                    f"{path}.liaisons", "unknown_liaison", f"no member has the liaison code {code}"
                )
        if not pseudo.liaisons:
            yield RuleViolation(f"{path}.liaisons", "missing", "must name whom the escalation goes to")
        if pseudo.desk not in {None, ORPHAN_DESK}:
            yield RuleViolation(f"{path}.desk", "unknown_desk", f"must be {ORPHAN_DESK} or absent")


def _members(directory: Directory) -> Iterator[RuleViolation]:
    yield from unique("members", (member.id for member in directory.members))
    yield from unique("members", (m.liaison for m in directory.members if m.liaison is not None), "liaison")
    routed = {(rule.code, share.member) for rule in directory.countries for share in rule.hotlines}
    for member in directory.members:
        for field, rule, message in (
            *_identity(member),
            *_liaison(member),
            *_feed(member),
            *_standing(member),
        ):
            yield RuleViolation(f"members.{member.id}{field and '.'}{field}", rule, message)
        for code in member.countries if member.kind == "hotline" else ():
            if (code, member.id) not in routed:
                message = f"countries.{code}.hotlines must list it, or nothing is routed to it"
                yield RuleViolation(f"members.{member.id}.countries", "not_routed", message)
    if not any("orphans" in member.mandates and member.status != "left" for member in directory.members):
        yield RuleViolation(
            "members", "no_orphan_mandate", "one hotline at least must have the mandate orphans"
        )
    for code in INTERNATIONAL_LIAISONS:
        if code not in directory.liaison_codes():
            yield RuleViolation("members", "missing", f"must list the liaison {code}")


def _identity(member: Member) -> Iterator[tuple[str, str, str]]:
    if not _MEMBER_ID.fullmatch(member.id) or len(member.id) > MAX_ID:
        yield "", "malformed", f"ids are lower-case words joined by hyphens, at most {MAX_ID} characters"
    if member.id.startswith("desk-"):
        yield "", "reserved", "ids that begin with desk- are queues"
    if member.id.startswith(("hx-", "broker-")) or member.id == EXCHANGE:
        yield "", "reserved", "exchange, and ids that begin with hx- or broker-, are the exchange itself"
    if not member.name.strip():
        yield "name", "missing", "must not be empty"
    if any(code not in ALL_COUNTRIES or code in PSEUDO_COUNTRIES for code in member.countries):
        yield "countries", "unknown_country", "must be canonical codes of ISO 3166-1"
    if member.kind in {"hotline", "authority"} and not member.countries:
        yield "countries", "missing", f"a member of kind {member.kind} serves a country"
    for code in member.may_receive_from or ():
        if code not in ALL_COUNTRIES or code in PSEUDO_COUNTRIES:
            yield "may_receive_from", "unknown_country", "must be canonical codes of ISO 3166-1"
    if member.domain is not None and not _DOMAIN.fullmatch(member.domain):
        yield "domain", "malformed", "must be a domain name in lower case, without scheme or path"


def _standing(member: Member) -> Iterator[tuple[str, str, str]]:
    for mandate in member.mandates:
        if mandate not in codes.MANDATES or member.kind != "hotline":
            yield "mandates", "unknown_code", f"hotlines may have: {', '.join(codes.MANDATES.codes)}"
    if member.status != "candidate" and member.since is None:
        yield "since", "missing", f"the status {member.status} needs the day it began"
    if member.status in {"suspended", "left"} and not (member.reason or "").strip():
        yield "reason", "missing", f"the status {member.status} needs a reason"
    if not member.evidence:
        yield "evidence", "missing", "must name at least one source"
    for mark in member.evidence:
        if not _EVIDENCE.fullmatch(mark) or mark[0] not in EVIDENCE_MARKS:
            yield "evidence", "unknown_code", f"marks are {', '.join(EVIDENCE_MARKS)}; S takes a number"


def _liaison(member: Member) -> Iterator[tuple[str, str, str]]:
    if member.kind != "law_enforcement":
        if member.liaison is not None:
            yield "liaison", "not_allowed", "only law enforcement has an escalation topic"
    elif member.liaison is None or not _LIAISON.fullmatch(member.liaison):
        yield "liaison", "missing", "law enforcement needs the code of its escalation topic, in lower case"
    elif member.liaison not in INTERNATIONAL_LIAISONS and member.countries != (
        member.liaison.partition("-")[0].upper(),
    ):
        text = "a national liaison's code is that of its one country, of a second unit with a word after it"
        yield "liaison", "wrong_country", text


def _feed(member: Member) -> Iterator[tuple[str, str, str]]:
    if member.kind != "law_enforcement":
        if member.feed != "none":
            yield "feed", "not_allowed", "only law enforcement may subscribe"
        if not member.reads_escalations:
            yield "reads_escalations", "not_allowed", "only law enforcement has an escalation topic"
    if member.feed_informs_police and member.feed == "none":
        yield "feed_informs_police", "not_used", "needs a feed whose items can be acknowledged"
    if member.feed == "all_hosted" and not member.countries:
        yield "feed", "not_used", "a liaison without countries has no case hosted in them"
    for field in member.deadlines.__struct_fields__:
        limit = getattr(member.deadlines, field)
        name = f"deadlines.{field.removesuffix('_ms')}"
        if limit is not None and member.kind != "hotline":
            yield name, "not_allowed", "only hotlines have deadlines"
        elif limit is not None and limit <= 0:
            yield name, "out_of_range", "must be above zero"


def _slots(directory: Directory) -> Iterator[RuleViolation]:
    used = Counter(directory.rest_slots)
    for code, slots in directory.slots.items():
        used.update(slots)
        if code not in ALL_COUNTRIES:
            yield unknown_country(f"slots.countries.{code}")
        if not slots:
            yield RuleViolation(f"slots.countries.{code}", "missing", "must own at least one slot")
    if not directory.rest_slots:
        yield RuleViolation("slots.rest", "missing", "countries without slots need at least one")
    for slot, times in sorted(used.items()):
        if times > 1:
            yield RuleViolation("slots", "duplicate", f"slot {slot} is given away {times} times")
        if not 0 <= slot < directory.slot_count:
            yield RuleViolation("slots", "out_of_range", f"slot {slot} is not below {directory.slot_count}")
    for slot in range(directory.slot_count):
        if slot not in used:
            yield RuleViolation("slots", "unused", f"slot {slot} belongs to nobody")


def _assumptions(directory: Directory) -> Iterator[RuleViolation]:
    if directory.environment != "production":
        return
    for path, assumed in (
        *((f"members.{member.id}", member.assumed) for member in directory.members),
        *((f"countries.{rule.code}", rule.assumed) for rule in directory.countries),
    ):
        if assumed:
            message = f"production takes no assumptions; confirm {', '.join(assumed)}"
            yield RuleViolation(f"{path}.assumed", "assumed", message)


_PARTS: Final[tuple[Callable[[Directory], Iterator[RuleViolation]], ...]] = (
    _head,
    _aliases,
    _pseudo_countries,
    _slots,
    _members,
    check_countries,
    check_limits,
    check_keys,
)
_LAST: Final[tuple[Callable[[Directory], Iterator[RuleViolation]], ...]] = (check_complete, _assumptions)

"""What a new version of the directory changes, in sentences: what a signer reads before signing."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from casework.directory import DAY_MS, HOUR_MS, CountryRule, Deadlines, Directory, HotlineShare, Member
from casework.directory_keys import Signers
from casework.errors import BadInputError
from casework.public_keys import PublicKey
from casework.sealed_content import parse

MINUTE_MS: Final = HOUR_MS // 60
_MEMBER_FIELDS: Final = (
    "kind",
    "name",
    "countries",
    "domain",
    "mandates",
    "liaison",
    "feed",
    "feed_informs_police",
    "reads_escalations",
    "contact",
    "since",
    "evidence",
    "assumed",
)
_HEAD_FIELDS: Final = ("environment", "protection", "slot_count", "rest_slots", "aliases")


def differences(old: Directory | None, new: Directory) -> tuple[str, ...]:
    """Answer every difference as a sentence; all of the new one where there is no old one.

    Key ids are whole, because people compare them over a second channel.
    """
    return tuple(_sentences(old, new))


def _sentences(old: Directory | None, new: Directory) -> Iterator[str]:
    if old is None:
        yield f"Version {new.version} for {new.environment} is the first one."
        taken = "refused" if new.protection == "required" else "taken"
        yield f"Submissions that are unsigned or in the clear are {taken}."
    else:
        yield f"Version {new.version} follows version {old.version}."
        for field in _HEAD_FIELDS:
            if getattr(old, field) != getattr(new, field):
                yield f"{field} changes{_values(getattr(old, field), getattr(new, field))}."
        yield from _changes("deadlines", old.deadlines, new.deadlines)
        yield from _changes("casework", old.casework, new.casework)
    yield f"It is valid from {_moment(new.valid_from)} and expires {_expiry(new.expires_at)}."
    yield from _signers(None if old is None else old.signers, new.signers)
    yield from _keys("The exchange", () if old is None else old.exchange_keys, new.exchange_keys)
    yield from _network_keys(old, new)
    yield from _strangers(new)
    yield from _members(() if old is None else old.members, new.members)
    yield from _rules(old, new)


def _signers(old: Signers | None, new: Signers | None) -> Iterator[str]:
    if old == new:
        return
    if new is None:
        yield "Nobody signs the directory any more."
        return
    names = ", ".join(sorted(new.keys))
    before = "" if old is None else f" (before: {old.threshold} of {len(old.keys)})"
    yield f"The next version needs {new.threshold} of {len(new.keys)} signers{before}: {names}."
    yield from _named({} if old is None else old.keys, new.keys)


def _named(old: Mapping[str, PublicKey], new: Mapping[str, PublicKey]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before is None and after is not None:
            yield f"Signer {name} is new with key {after.id}."
        elif after is None:
            yield f"Signer {name} signs no more."
        elif before is not None and before.id != after.id:
            yield f"Signer {name} has key {after.id} now, in place of {before.id}."


def _keys(who: str, old: Iterable[PublicKey], new: Iterable[PublicKey]) -> Iterator[str]:
    before, after = {key.id: key for key in old}, {key.id: key for key in new}
    for key_id, key in after.items():
        verb = "sign" if key.use == "sign" else "open content"
        had = before.get(key_id)
        if had is None:
            yield f"{who} gets key {key_id} to {verb}, from {_moment(key.valid_from)}."
        else:
            yield from _revived(f"{who} has key {key_id}", had, key)
        if key.revoked_at is not None and (had is None or had.revoked_at != key.revoked_at):
            yield f"{who} has key {key_id} revoked from {_moment(key.revoked_at)} on."
        if key.valid_until is not None and (had is None or had.valid_until != key.valid_until):
            yield f"{who} has key {key_id} until {_moment(key.valid_until)}."
    for key_id in before.keys() - after.keys():
        yield f"{who} has key {key_id} no more: what it signed cannot be proven by this version."


def _revived(whose: str, had: PublicKey, key: PublicKey) -> Iterator[str]:
    """Yield what makes a key count that did not: the change that whoever has a stolen key would want."""
    if had.revoked_at is not None and key.revoked_at is None:
        yield f"{whose} revoked no more: what it signs is believed again."
    if had.valid_until is not None and key.valid_until is None:
        yield f"{whose} without an end now, in place of {_moment(had.valid_until)}."
    if had.valid_from != key.valid_from:
        yield f"{whose} from {_moment(key.valid_from)} on, in place of {_moment(had.valid_from)}."


def _strangers(new: Directory) -> Iterator[str]:
    """Yield the keys that a network key is sealed to and no active member has."""
    if new.network_keys is None:
        return
    known = {key.id for member in new.members if member.active for key in member.keys}
    for sealed in new.network_keys.sealed:
        which = f"Version {sealed.version} of the network key"
        try:
            found = {key_id for part in sealed.parts for key_id in parse(part.encode()).key_ids}
        except BadInputError:
            yield f"{which} is sealed in a form that nobody can read."
            continue
        for key_id in sorted(found - known):
            yield f"{which} is sealed to key {key_id}, which no active member has."


def _network_keys(old: Directory | None, new: Directory) -> Iterator[str]:
    before, after = (None if old is None else old.network_keys), new.network_keys
    if before == after:
        return
    if after is None:
        yield "The directory carries no network key any more."
        return
    coming = "" if after.next is None else f", and version {after.next} comes"
    yield f"Version {after.current} of the network key is in use{coming}."


def _members(old: Iterable[Member], new: Iterable[Member]) -> Iterator[str]:
    before, after = {one.id: one for one in old}, {one.id: one for one in new}
    for member_id, member in after.items():
        had = before.get(member_id)
        if had is None:
            yield f"{member_id} is new: {member.name}, {member.kind}, {member.status}{_part_of(member)}."
            if member.may_receive_from is not None:
                yield _transfers(member)
            yield from _keys(member_id, (), member.keys)
            continue
        if had.status != member.status:
            reason = f": {member.reason}" if member.reason else ""
            yield f"{member_id} was {had.status} and is {member.status}{reason}."
        for field in _MEMBER_FIELDS:
            if getattr(had, field) != getattr(member, field):
                changed = _values(getattr(had, field), getattr(member, field))
                yield f"{member_id} has another {field}{changed}."
        if had.deadlines != member.deadlines:
            shown = _shown("deadlines", had.deadlines), _shown("deadlines", member.deadlines)
            yield f"{member_id}: deadlines change from {shown[0]} to {shown[1]}."
        if had.may_receive_from != member.may_receive_from:
            yield _transfers(member)
        yield from _keys(member_id, had.keys, member.keys)
    for member_id in sorted(before.keys() - after.keys()):
        yield f"{member_id} is not listed any more."


def _transfers(member: Member) -> str:
    if member.may_receive_from is None:
        return f"{member.id} may receive from every country."
    return f"{member.id} may receive from {', '.join(member.may_receive_from) or 'no country'} only."


def _part_of(member: Member) -> str:
    """Answer what comes with a new member: whose cases it gets, which mandates it has."""
    parts = {
        "countries": member.countries,
        "mandates": member.mandates,
        "liaison": member.liaison,
        "feed": "" if member.feed == "none" else member.feed,
    }
    return "".join(
        f", {name} {value if isinstance(value, str) else ' '.join(value)}"
        for name, value in parts.items()
        if value
    )


def _rules(old: Directory | None, new: Directory) -> Iterator[str]:
    before = {} if old is None else {rule.code: rule for rule in old.countries}
    after = {rule.code: rule for rule in new.countries}
    slots = {} if old is None else old.slots
    for code in sorted(before.keys() | after.keys()):
        if code not in after:
            yield f"{before[code].name} has no rule any more."
        elif code not in before:
            yield f"{after[code].name} has this rule: {_routing(after[code])}."
        elif before[code] != after[code]:
            yield from _rule(before[code], after[code])
    if old is not None and old.pseudo_countries != new.pseudo_countries:
        yield "Another rule holds for hosts without a country."
    for code in sorted(slots.keys() | new.slots.keys()):
        if slots.get(code) != new.slots.get(code):
            which = "these" if old is None else "other"
            owned = ", ".join(map(str, new.slots.get(code, ()))) or "none"
            yield f"{code} owns {which} slots now: {owned}."


def _rule(old: CountryRule, new: CountryRule) -> Iterator[str]:
    if (old.routing, old.hotlines) != (new.routing, new.hotlines):
        yield f"{new.name} has another rule: {_routing(new)}."
    same = msgspec.structs.replace(old, routing=new.routing, hotlines=new.hotlines)
    yield from _changes(new.name, same, new)


def _routing(rule: CountryRule) -> str:
    shares = ", ".join(map(_share, rule.hotlines))
    return f"{rule.routing}, {shares or 'no hotline'}"


def _share(share: HotlineShare) -> str:
    remits = (share.remit, share.site_types, share.classifications, share.content_types)
    only = " ".join(code for codes in remits for code in codes)
    return f"{share.member} {share.weight}" + (f" for {only}" if only else "")


def _changes(whose: str, old: msgspec.Struct, new: msgspec.Struct) -> Iterator[str]:
    """Yield a sentence for each field that differs, durations as people write them."""
    for field in old.__struct_fields__:
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            name = field.removesuffix("_ms")
            shown = (_shown(field, before), _shown(field, after))
            yield f"{whose}: {name} changes from {shown[0]} to {shown[1]}."


def _shown(field: str, value: object) -> str:
    if isinstance(value, Deadlines):
        limits = msgspec.structs.asdict(value).items()
        own = [f"{name.removesuffix('_ms')} {_shown(name, ms)}" for name, ms in limits if ms is not None]
        return ", ".join(own) or "the default"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if value is None or not field.endswith("_ms") or not isinstance(value, int):
        return "none" if value is None else str(value)
    for unit, size in (("d", DAY_MS), ("h", HOUR_MS)):
        if value % size == 0 and value >= size:
            return f"{value // size} {unit}"
    return f"{value / MINUTE_MS:g} min"


def _values(old: object, new: object) -> str:
    simple = isinstance(old, str | int) and isinstance(new, str | int)
    return f" from {old} to {new}" if simple else ""


def _expiry(at_ms: int | None) -> str:
    return "never" if at_ms is None else f"at {_moment(at_ms)}"


def _moment(at_ms: int) -> str:
    return dt.datetime.fromtimestamp(at_ms / 1000, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")

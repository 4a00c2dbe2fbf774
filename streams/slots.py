"""Where a record goes within its topic: by url key, or by hosting country and url key.

Slots isolate countries at the door: a flood for one does not delay another. No state hangs on them, so a
changed map misplaces nothing for good; it still may only grow, because partitions cannot be taken away.
"""

from collections.abc import Mapping, Sequence

from casework.errors import BadInputError, BugError, RuleViolation

SlotMap = Mapping[str, Sequence[int]]


def position(url_key: bytes) -> int:
    """The number all placing starts from: the first 8 bytes of the hash behind the version byte."""
    return int.from_bytes(url_key[1:9], "big")


def partition_of(url_key: bytes, partitions: int) -> int:
    """The partition of a url key in actions and in every ``cases.*`` topic."""
    return position(url_key) % partitions


def slot_of(country: str, url_key: bytes, slots: SlotMap, rest: Sequence[int] = ()) -> int:
    """The partition of a report for a hosting country.

    Args:
        country: canonical code.
        url_key: 33 bytes, version and hash.
        slots: the partitions each country owns.
        rest: the partitions shared by all countries that own none.

    Raises:
        BugError: the country owns no slot and there are no shared ones.
    """
    own = slots.get(country, rest)
    if not own:
        raise BugError(f"country {country} has no slot and the map has no shared ones")
    return own[position(url_key) % len(own)]


def check_map(slots: SlotMap, rest: Sequence[int], count: int) -> list[RuleViolation]:
    """What is wrong with a map over partitions 0 to ``count - 1``: each has at most one owner."""
    found: list[RuleViolation] = []
    owners: dict[int, str] = {}
    for owner, partitions in [*sorted(slots.items()), ("rest", rest)]:
        place = "rest_slots" if owner == "rest" else f"slots.{owner}"
        if not partitions and owner != "rest":
            found.append(RuleViolation(place, "empty", "a country in the map owns at least one slot"))
        for partition in partitions:
            if not 0 <= partition < count:
                found.append(RuleViolation(place, "out_of_range", f"slot {partition} is not below {count}"))
            elif partition in owners:
                text = f"slot {partition} belongs to {owners[partition]} already"
                found.append(RuleViolation(place, "owned_twice", text))
            owners.setdefault(partition, owner)
    return found


def check_growth(
    before: SlotMap, after: SlotMap, *, count_before: int, count_after: int
) -> list[RuleViolation]:
    """What a new version of the map must not do: take a slot from a country, or shrink the topic."""
    found: list[RuleViolation] = []
    if count_after < count_before:
        text = f"slots only grow: {count_before} exist already"
        found.append(RuleViolation("slot_count", "shrinks", text))
    for country, owned in sorted(before.items()):
        lost = sorted(set(owned) - set(after.get(country, ())))
        if lost:
            text = f"slots only grow: {', '.join(map(str, lost))} would be taken away"
            found.append(RuleViolation(f"slots.{country}", "shrinks", text))
    return found


def refuse(violations: Sequence[RuleViolation]) -> None:
    """Raise BadInputError if there are violations."""
    if violations:
        raise BadInputError(violations)

"""What keeps the contents of a case from being erased: a hold, an open police reference, a preservation.

Police attach references by several actions, so that whoever evolves such a fact adds its member here.
"""

import msgspec

from casework.legs import Changes
from casework.messages import Case, Fact, Preservation
from casework.states import CLOSED


def is_erased(case: Case) -> bool:
    """Answer whether the contents of a closed case were erased: its time for that was taken from it."""
    return case.state == CLOSED and case.erase_at is None


def is_protected(case: Case, now: int) -> bool:
    """Answer whether the contents of a case must not be erased at a time."""
    return case.hold is not None or bool(case.references) or (case.preserve_until or 0) > now


def erasable_at(case: Case) -> int | None:
    """Answer when the contents of a closed case are to be erased; None: not as long as nothing changes."""
    if case.erase_at is None or case.hold is not None or case.references:
        return None
    return max(case.erase_at, case.preserve_until or 0)


def with_reference(case: Case, fact: Fact, member: str | None = None) -> Changes:
    """Answer the changes that a fact makes by attaching a police reference; none where it attaches none.

    Args:
        case: The case before the fact.
        fact: Of the action that may carry one.
        member: Whose reference it is; the actor's, when none is given.
    """
    owner = fact.by if member is None else member
    if fact.details is None or not fact.details.has_police_reference or owner in case.references:
        return {}
    return {"references": (*case.references, owner)}


def with_preservation(case: Case, member: str, until: int | None, now: int) -> Changes:
    """Answer the changes when a member asks that a case is kept until a time; None ends what it asked."""
    others = tuple(one for one in case.preservations if one.by != member and one.until > now)
    asked = others if until is None else (*others, Preservation(by=member, until=until))
    return {
        "preservations": asked,
        "preserve_until": max((one.until for one in asked), default=None),
    }


def without_members(case: Case, members: tuple[str, ...], now: int) -> Changes:
    """Answer the changes when members no longer keep a case from being erased."""
    references = tuple(member for member in case.references if member not in members)
    for member in members:
        case = msgspec.structs.replace(case, **with_preservation(case, member, None, now))
    return {
        "references": references,
        "preservations": case.preservations,
        "preserve_until": case.preserve_until,
    }

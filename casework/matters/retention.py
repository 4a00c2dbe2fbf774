"""How long contents are kept: erased by rule after the closing, sooner by the secretariat, later for police.

What the exchange erases lies at members too, so everybody who was handed a content is asked to erase it and
to confirm. Facts stay: they hold no content.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from casework.action_details import Action
from casework.answers import ACCEPTED, Answer, not_applicable, refused
from casework.causes import Draft
from casework.directory import ORPHAN_DESK, Directory
from casework.feed_names import FEED
from casework.legs import Changes
from casework.matters.confirmations import ERASURE, with_asked
from casework.messages import ActionDetails, Case, Fact
from casework.notices import ERASURE_REQUEST, Notice, update_to, with_place
from casework.parties import is_a
from casework.preservations import (
    erasable_at,
    is_erased,
    is_protected,
    with_preservation,
    with_reference,
    without_members,
)
from casework.states import ASSIGNED, AWAITING_REWRAP, CLOSED
from casework.stubs import last_number
from casework.timers import Due, Timers

ERASE: Final = "erase"
"""Step of the timer that erases, and the action that asks for it."""
_NOTHING: Final = ActionDetails()
_MAY_NOT: Final = refused("may_not_act", "sender", "not for a member of this kind")
_ERASED: Final = not_applicable("already_done", "case_id", "Its contents were erased already.")
_KEEPS_NOTHING: Final = not_applicable(
    "nothing_to_end", "preserve_until", "You keep nothing of this case from being erased."
)


def _preserve(case: Case, _: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    cause = draft.cause
    if not is_a(cause.directory, cause.sender, "law_enforcement"):
        return _MAY_NOT
    said: ActionDetails = details["details"] or _NOTHING
    if said.until is None and not said.has_police_reference:
        return refused("required", "preserve_until", "a time, or a police reference")
    if said.until is not None and said.until <= cause.now:
        return _end_preservation(case, draft, details)
    if said.until is not None and said.until > cause.now + cause.directory.casework.preserve_ms:
        return refused("preserve_too_long", "preserve_until", "beyond what the directory allows")
    if is_erased(case):
        return _ERASED
    draft.by_sender("preserved", **details, until=said.until)
    return ACCEPTED


def _end_preservation(case: Case, draft: Draft, details: Mapping[str, Any]) -> Answer:
    """End what the sender asked for, and what members asked for that are no longer active."""
    cause = draft.cause
    keepers = dict.fromkeys((*case.references, *(one.by for one in case.preservations)))
    ended = tuple(
        member for member in keepers if member == cause.sender or not cause.directory.is_active(member)
    )
    if not ended:
        return _KEEPS_NOTHING
    draft.by_sender("preservation_ended", **details, members=ended)
    return ACCEPTED


def _erase(case: Case, _: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    cause = draft.cause
    # Intake asks too, but an erasure cannot be taken back.
    if not is_a(cause.directory, cause.sender, "secretariat"):
        return _MAY_NOT
    if is_protected(case, cause.now):
        return refused("preserved", "case_id", "the case is kept for police")
    if is_erased(case):
        return _ERASED
    draft.by_sender("erased", **details, **_asked(case, cause.directory, cause.now))
    return ACCEPTED


def _erase_when_due(case: Case, due: Due, draft: Draft) -> None:
    cause = draft.cause
    draft.by_rule("erased", occurred_at=due.at, **_asked(case, cause.directory, cause.now))


def _asked(case: Case, directory: Directory, now: int) -> dict[str, Any]:
    return {"members": _holders(case, directory), "due_at": now + directory.casework.confirm_ms}


def _holders(case: Case, directory: Directory) -> tuple[str, ...]:
    """Answer who was handed a content of the case: its hotlines, and police that were sent one."""
    told = {count.recipient.removeprefix(FEED) for count in case.deliveries}
    hotlines = (() if case.assigned_hotline is None else (case.assigned_hotline,)) + case.former
    police = tuple(
        member.id
        for member in directory.members
        if member.kind == "law_enforcement" and (member.liaison in case.liaisons or member.id in told)
    )
    return tuple(
        member for member in dict.fromkeys((*hotlines, *police)) if member in directory.members_by_id
    )


def _due(case: Case) -> Iterator[Due]:
    at = erasable_at(case) if case.state == CLOSED else None
    if at is not None:
        yield Due(at, ERASE)


def _preserved(case: Case, fact: Fact) -> Changes:
    kept = {} if fact.until is None else with_preservation(case, fact.by, fact.until, fact.admitted_at)
    return kept | with_reference(case, fact)


def _preservation_ended(case: Case, fact: Fact) -> Changes:
    return without_members(case, fact.members, fact.admitted_at)


def _erased(case: Case, fact: Fact) -> Changes:
    """Note that nothing is stored and who is to confirm.

    Nobody is asked to re-wrap what is not there, so from now on the case counts as one that can be opened.
    Preservations have passed, else nothing could be erased.
    """
    changes: Changes = {
        "erase_at": None,
        "preservations": (),
        "preserve_until": None,
        "readers": None,
        "move": None,
        "rewrap_due_at": None,
        "asked": with_asked(case, fact, ERASURE),
    }
    if case.state == AWAITING_REWRAP:
        changes |= {"state": ASSIGNED, "leg_started_at": fact.admitted_at, "paused_ms": 0}
    return changes


def _of_preservation(after: Case, fact: Fact) -> Iterator[Notice]:
    for member in dict.fromkeys((*with_place(after), *after.former)):
        if member != fact.by:
            yield update_to(after, member)


def _of_erasure(after: Case, fact: Fact) -> Iterator[Notice]:
    desk = (ORPHAN_DESK,) if last_number(after, ORPHAN_DESK) else ()
    for reader in (*fact.members, *desk):
        yield Notice(reader, ERASURE_REQUEST)
    if after.state != CLOSED:
        for origin in after.origins:
            if origin.member not in fact.members:
                yield update_to(after, origin.member)


ACTION_RULES: Final = {"preserve": _preserve, ERASE: _erase}
TIMER_RULES: Final = {ERASE: _erase_when_due}
DUE: Final = Timers(("erase_at",), _due)
EVOLVE: Final = {
    "preserved": _preserved,
    "preservation_ended": _preservation_ended,
    "erased": _erased,
}
NOTICES: Final[Mapping[str, Any]] = {
    "preserved": _of_preservation,
    "preservation_ended": _of_preservation,
    "erased": _of_erasure,
}

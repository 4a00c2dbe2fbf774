"""Who learns of a fact, in which order.

evolve counts deliveries by this list and effects writes them from it, so the numbers that a member sees
without a gap can be rebuilt from the facts alone. Content goes to the responsible hotline or the desk only;
origins learn what happened, never what another origin sent.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from casework.matters import NOTICES
from casework.messages import Case, DeliveryCount, Fact, Move
from casework.notices import (
    ASSIGNMENT,
    LINKED_REPORT,
    OFFER,
    REWRAP_REQUEST,
    REWRAPPED_REPORT,
    UPDATE,
    Notice,
    update_to,
    with_place,
)
from casework.parties import place
from casework.secrecy import joins_paused
from casework.stubs import last_number
from casework.transitions import EFFECTLESS, PARKING, PLACES

_SILENT: Final = PARKING | {
    "shrunk",
    "opened",
    "escalated",
    "awaited",
    "refused",
    "not_applicable",
    "readable",
}


def recipients(before: Case | None, after: Case, fact: Fact) -> tuple[Notice, ...]:
    """Answer the deliveries that a fact causes, in the order of their numbers.

    Args:
        before: The case before the fact.
        after: The case after it, apart from its counters.
        fact: The fact.
    """
    kind = fact.fact
    if kind in _SILENT:
        return ()
    if kind in PLACES:
        first = _of_place(after, fact)
        return first if fact.leg == 1 else (*first, *_beside_place(before, after, fact))
    told: Iterable[str]
    if kind in _OF_ITS_OWN and not EFFECTLESS.intersection(fact.breaches):
        return tuple(_OF_ITS_OWN[kind](after, fact))
    if kind == "closed":
        told = _closed(before, after, fact)
    elif kind == "reopened":
        told = _reopened(before, after)
    elif kind == "overdue":
        told = with_place(after)
    elif fact.by == after.assigned_hotline:
        told = (origin.member for origin in after.origins)
    elif EFFECTLESS.intersection(fact.breaches):
        there = place(after)
        told = () if there is None else (there,)
    else:
        told = with_place(after)
    silent = {fact.by, fact.origin if fact.report_event_id == fact.input_id else None}
    return tuple(update_to(after, member) for member in dict.fromkeys(told) if member not in silent)


def counted(case: Case, notices: Iterable[Notice]) -> tuple[DeliveryCount, ...]:
    """Answer the delivery numbers after these deliveries."""
    numbers = {count.recipient: count.number for count in case.deliveries}
    for notice in notices:
        last = numbers.get(notice.recipient)
        numbers[notice.recipient] = 1 + (last_number(case, notice.recipient) if last is None else last)
    return tuple([DeliveryCount(recipient=recipient, number=number) for recipient, number in numbers.items()])


def _of_place(after: Case, fact: Fact) -> tuple[Notice, ...]:
    if after.pool:
        return tuple(Notice(member, OFFER, fact.report_event_id, fact.origin) for member in after.pool)
    responsible = place(after)
    if responsible is None:
        return ()
    has_it = responsible == fact.origin and fact.report_event_id == fact.input_id
    assignment = () if has_it else (Notice(responsible, ASSIGNMENT, fact.report_event_id, fact.origin),)
    return (*assignment, *_other_reports(after, fact, responsible))


def _other_reports(after: Case, fact: Fact, responsible: str) -> Iterator[Notice]:
    """Yield the last report of each other origin, unless the fact says that it is left out."""
    for origin in after.origins:
        if origin.member not in {fact.origin, responsible, *fact.members}:
            yield Notice(responsible, LINKED_REPORT, origin.last_event_id, origin.member)


def _beside_place(before: Case | None, after: Case, fact: Fact) -> Iterator[Notice]:
    responsible = place(after)
    by_report = fact.report_event_id == fact.input_id
    word = _word_for(after, fact)
    if word is not None and after.assigned_hotline is not None:
        yield msgspec.structs.replace(update_to(after, after.assigned_hotline), word=word)
    told = [origin.member for origin in after.origins if not (by_report and origin.member == fact.origin)]
    for member in dict.fromkeys([*told, *_held_by(before), *after.former]):
        if member != responsible and member not in after.pool:
            yield update_to(after, member)


def _word_for(after: Case, fact: Fact) -> Move | None:
    """Answer the word that took a case to its country, where it is new to the responsible hotline.

    Who said it, and who was responsible before, knows it. Who may not receive from its sender is named in the
    fact, as are origins whose reports it may not have.
    """
    word = after.move
    if word is None or word.by in fact.members:
        return None
    return None if after.assigned_hotline in {word.by, *after.former} else word


def _closed(before: Case | None, after: Case, fact: Fact) -> tuple[str, ...]:
    """Answer who learns of an end: not whoever made it, but where the case was when nobody there did."""
    if fact.outcome == "withdrawn":
        return tuple(dict.fromkeys((*_held_by(before), *after.former)))
    return tuple(m for m in (*after.former, *_offered_to(before)) if m != after.assigned_hotline)


def _offered_to(before: Case | None) -> tuple[str, ...]:
    return () if before is None else before.pool


def _held_by(before: Case | None) -> tuple[str, ...]:
    """Answer where a case was: with a hotline, at a desk, or offered to several."""
    there = None if before is None else place(before)
    if there is not None:
        return (there,)
    return _offered_to(before)


def _of_link(after: Case, fact: Fact) -> Iterator[Notice]:
    there = place(after)
    taken_over = fact.assigned_hotline != after.assigned_hotline
    if there is not None and there != fact.origin and not taken_over:
        kind = UPDATE if fact.origin in fact.members else LINKED_REPORT
        yield Notice(there, kind, fact.report_event_id, fact.origin)
    if joins_paused(after, fact):
        yield update_to(after, fact.by)


def _of_request(after: Case, fact: Fact) -> Iterator[Notice]:
    """Yield those who hold the report: its origin, and the hotlines it was handed to in earlier legs."""
    for member in dict.fromkeys([fact.origin, *after.former]):
        if member not in {None, after.assigned_hotline, *fact.members}:
            yield Notice(str(member), REWRAP_REQUEST, fact.report_event_id, fact.origin)


def _of_rewrap(after: Case, fact: Fact) -> Iterator[Notice]:
    there = place(after)
    if there is not None and fact.origin not in fact.members:
        yield Notice(there, REWRAPPED_REPORT, fact.report_event_id, fact.origin)


def _of_split(_: Case, fact: Fact) -> Iterator[Notice]:
    if fact.origin is not None and fact.origin != fact.by:
        yield Notice(fact.origin, UPDATE, fact.report_event_id, fact.origin)


_OF_ITS_OWN: Final[Mapping[str, Callable[[Case, Fact], Iterable[Notice]]]] = MappingProxyType(
    {
        "linked": _of_link,
        "key_mismatch": _of_split,
        "rewrap_asked": _of_request,
        "rewrapped": _of_rewrap,
        **NOTICES,
    }
)


def _reopened(before: Case | None, after: Case) -> Iterator[str]:
    responsible = place(after)
    earlier = () if before is None else (*before.former, place(before))
    for member in (*(origin.member for origin in after.origins), *earlier):
        if member is not None and member != responsible:
            yield member

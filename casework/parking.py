"""Parking: a case on which the rules fail waits, with all its later records, until an operator lets it go on.

Every waiting record is a fact `parked` that carries the whole list, so the state follows from the facts. The
facts of parking take a number and nothing else: they move neither the time of the case nor its directory, so
what is decided after the unpark is what would have been decided without the trouble.
"""

from typing import Final

import msgspec

from casework.causes import Draft, bare_cause
from casework.errors import BugError
from casework.events import Event, Source, Unpark
from casework.evolution import evolve
from casework.kept import Kept
from casework.messages import Case, Parked
from casework.states import AWAITED

MAX_LISTED: Final = 256
"""Offsets a case lists: at most 2.5 KiB of the 64 KiB of a case, and of each fact `parked`."""
BEHIND: Final = "behind_a_parked_record"
"""Rule of a record that was not tried, because an earlier one of its case waits."""
MORE: Final = "more_wait"
"""Rule when one unpark has decided all that was listed and further records wait."""
DELETED: Final = "deleted_by_retention"
"""Rule of a waiting record that the topic no longer holds."""
SKIPPED: Final = "skipped_by_operator"
"""Rule of a waiting record that an operator had set aside undecided."""


class Trouble(msgspec.Struct, frozen=True):
    """Why a record could not be decided.

    Attributes:
        error_class: bug or temporary.
        rule: Name of the error or code of the rule; never a value.
    """

    error_class: str
    rule: str


class _Stamp(msgspec.Struct, frozen=True):
    """The version a record was admitted with, in place of a directory that may not be there."""

    version: int


def park(case: Case | None, event: Event, trouble: Trouble, source: Source) -> Kept:
    """Answer the case with a first record that could not be decided; read again, it changes nothing."""
    if case is not None and source.offset <= case.source_offset:
        return Kept(case)
    parked = Parked(
        offsets=(source.offset,),
        count=1,
        since=_now(case, event),
        error_class=trouble.error_class,
        rule=trouble.rule,
        attempts=1,
    )
    return _parked(case, event, parked, trouble.rule, source)


def wait(case: Case, event: Event, source: Source) -> Kept:
    """Answer a parked case with one more record, which waits untried; one that is read again waits once."""
    if source.offset <= case.source_offset:
        return Kept(case)
    there = _of(case)
    is_full = there.more_from is not None or len(there.offsets) >= MAX_LISTED
    if is_full:
        more_from = source.offset if there.more_from is None else there.more_from
        parked = msgspec.structs.replace(there, more_from=more_from, count=there.count + 1)
    else:
        offsets = (*there.offsets, source.offset)
        parked = msgspec.structs.replace(there, offsets=offsets, count=there.count + 1)
    return _parked(case, event, parked, BEHIND, source)


def unparked(case: Case, order: Unpark, source: Source) -> Kept:
    """Answer a case of which everything that waited is decided; none is left if nothing came of it."""
    draft = _draft(case, order, source)
    draft.by_rule("unparked", unparking=order.unparking)
    kept = _kept(case, draft)
    is_over = kept.case is not None and kept.case.state == AWAITED and not kept.case.waiting
    return msgspec.structs.replace(kept, case=None) if is_over else kept


def park_again(case: Case | None, event: Event, order: Unpark, waiting: Parked, source: Source) -> Kept:
    """Answer a case that waits on after an unpark.

    Args:
        case: The case as far as it was decided.
        event: The record that could not be decided, or the order itself when no record failed.
        order: The unpark.
        waiting: What waits now.
        source: Where the order stands, so that it is not carried out a second time.
    """
    return _parked(case, event, waiting, waiting.rule, source, order)


def give_up(case: Case | None, order: Unpark, offset: int, rule: str, source: Source) -> Kept:
    """Answer the fact that a waiting record will never be decided; `offset` is where it stood."""
    draft = _draft(case, order, msgspec.structs.replace(source, offset=offset))
    draft.by_rule("given_up", rule=rule)
    kept = _kept(case, draft)
    return kept if case is not None else msgspec.structs.replace(kept, case=None)


def _of(case: Case) -> Parked:
    if case.parked is None:
        raise BugError("the case is not parked")
    return case.parked


def _parked(  # noqa: PLR0913, PLR0917 - one fact
    case: Case | None,
    event: Event,
    parked: Parked,
    rule: str,
    source: Source,
    order: Unpark | None = None,
) -> Kept:
    draft = _draft(case, event, source)
    draft.by_rule("parked", parked=parked, rule=rule, unparking=None if order is None else order.unparking)
    return _kept(case, draft)


def _kept(case: Case | None, draft: Draft) -> Kept:
    after = case
    for fact in draft.facts:
        after = evolve(after, fact)
    return Kept(after, tuple(draft.facts))


def _draft(case: Case | None, event: Event, source: Source) -> Draft:
    stamp = _Stamp(event.admitted.directory_version)
    cause = bare_cause(event.admitted, _now(case, event), stamp, source)  # type: ignore[arg-type] # its version is all that is read
    return Draft(case, cause)


def _now(case: Case | None, event: Event) -> int:
    at = event.admitted.admitted_at
    return at if case is None else max(case.last_now, at)

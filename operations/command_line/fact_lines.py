"""A fact in one line, for people; one of a later version too, with all that it carries."""

from collections.abc import Iterator
from typing import Final

import msgspec

from casework.messages import ActionDetails, Fact
from casework.transitions import PARKING
from operations.command_line.stated import stated_in
from operations.command_line.texts import moment

_PLACING: Final = frozenset({"assigned", "opened", "claimed", "transferred"})
_REPLACING: Final = frozenset({"corrected", "held"})
_NOTHING: Final = ActionDetails()
_NAMES: Final = {
    "new_hosting_country": "to country",
    "to_member": "names",
    "fact_number": "about fact",
    "corrected_action": "in its place",
    "related_case_ids": "related",
}


def detail(fact: Fact) -> str:
    """Answer what else is worth telling of a fact, in one line."""
    return "; ".join(f"{name} {value}" for name, value in (*_own(fact), *_more(fact)) if value)


def _own(fact: Fact) -> Iterator[tuple[str, str | None]]:
    yield "origin", fact.origin
    yield "hotline", fact.assigned_hotline if fact.fact in _PLACING else None
    yield "outcome", fact.outcome
    yield "reason", fact.reason_code
    yield _of_recipient(fact), fact.recipient
    yield "to", fact.recipient_role
    yield "reference", fact.reference
    yield "overdue" if fact.fact == "overdue" else "step", fact.step
    yield "breaches", ", ".join(fact.breaches)
    yield "because", fact.rule if fact.fact in PARKING or fact.action is None else None
    yield "waiting", None if fact.parked is None else str(fact.parked.count)
    yield "operator", None if fact.unparking is None else fact.unparking.operator


def _of_recipient(fact: Fact) -> str:
    if fact.fact == "escalated":
        return "told police"
    return "waits at" if fact.fact == "orphaned" else "for"


def _more(fact: Fact) -> Iterator[tuple[str, str | None]]:
    yield "action", None if fact.action is None else f"{fact.action} {fact.rule or ''}".strip()
    yield "judged", fact.classification
    yield "members", " ".join(fact.members)
    yield "until", None if fact.until is None else moment(fact.until)
    yield "erase at", None if fact.erase_at is None else moment(fact.erase_at)
    yield "due", None if fact.due_at is None or fact.fact == "overdue" else moment(fact.due_at)
    yield "attempt", None if fact.attempt in {None, 1} else str(fact.attempt)
    refers = "replaces" if fact.fact in _REPLACING else "about"
    yield refers, None if fact.fact_ref is None else f"fact {fact.fact_ref}"
    for name, value in _details(fact.details):
        if (name, value) != (_NAMES["fact_number"], str(fact.fact_ref)):
            yield name, value
    # The labels of a report stand once, with the fact that brought it.
    yield "labels", " ".join(stated_in(fact.statement).labels)


def _details(details: ActionDetails | None) -> Iterator[tuple[str, str]]:
    """Yield what only some actions say, each field that says anything."""
    if details is None:
        return
    for field, value in msgspec.structs.asdict(details).items():
        if value == getattr(_NOTHING, field):
            continue
        if field == "until":
            yield "asks until", moment(value)
        else:
            shown = " ".join(value) if isinstance(value, tuple) else str(value)
            yield _NAMES.get(field, field.replace("_", " ")), shown

"""Deadlines that have passed: told to the responsible hotline and the origins, later to the secretariat.

Each stage is told once and keeps its own due time. What comes after the first one stands in `Case.told` with
the time it is due, so that a directory which has changed since moves nothing: a leg keeps the limits that it
began with. A provider that has been told and has not removed goes to the country's authority at once, else
into the next digest for the country's police.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from casework.causes import Draft
from casework.content_readers import police_of
from casework.directory import DAY_MS, HOUR_MS, Directory
from casework.feed_names import feed_of
from casework.legs import Changes
from casework.matters.hold_course import PAUSED_STEPS
from casework.messages import Case, Fact
from casework.notices import DIGEST_ITEM, Notice, to_recipient
from casework.parties import secretariat_of
from casework.states import ASSIGNED_STATES
from casework.timers import Due, Timers

REMIND: Final = "remind"
"""Step of the timer after which the secretariat is told of an overdue step."""
DIGEST: Final = "digest"
"""Step of the timer of the daily digest."""
ANSWERED_BY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "acknowledge": "acknowledged_at",
        "inform_police": "police_informed_at",
        "inform_provider": "provider_informed_at",
        "confirm_removal": "closed_at",
    }
)
"""Steps with a deadline, and the field of the case that says when they were taken."""
_REMOVAL: Final = "confirm_removal"
_ASSIGNED: Final = frozenset(ASSIGNED_STATES)


def next_digest(at: int, hour: int) -> int:
    """Answer when the digest after a time goes out: at an hour of the day, UTC."""
    today = at - at % DAY_MS + hour * HOUR_MS
    return today if today > at else today + DAY_MS


def _due(case: Case) -> Iterator[Due]:
    if case.state not in _ASSIGNED:
        return
    for entry in case.told:
        step, _, stage = entry.partition(":")
        is_paused = case.hold is not None and step in PAUSED_STEPS
        if is_paused or getattr(case, ANSWERED_BY[step]) is not None:
            continue
        name, _, at = stage.partition(":")
        if at:
            yield Due(int(at.partition(":")[0]), name, step)


def _overdue(case: Case, due: Due, draft: Draft) -> None:
    """Write that a deadline has passed; of a provider's, who else learns of it now or by the digest."""
    directory = draft.cause.directory
    origin = case.origins[0]
    authority = digest_at = None
    if due.step == _REMOVAL and case.provider_informed_at is not None:
        authority = _authority(directory, case.hosting_country, origin.member)
        if authority is None and police_of(directory, case.hosting_country, origin.member):
            digest_at = next_digest(due.at, directory.casework.digest_hour)
    draft.by_rule("overdue", step=due.step, due_at=due.at, occurred_at=due.at, until=digest_at)
    if authority is not None:
        _provider_overdue(case, due.at, draft, authority, "authority")


def _remind(_: Case, due: Due, draft: Draft) -> None:
    secretariat = secretariat_of(draft.cause.directory)
    draft.by_rule("reminded", step=due.event_id, due_at=due.at, occurred_at=due.at, recipient=secretariat)


def _digest(case: Case, due: Due, draft: Draft) -> None:
    prefix = f"{due.event_id}:{DIGEST}:{due.at}:"
    passed = next(int(entry.removeprefix(prefix)) for entry in case.told if entry.startswith(prefix))
    police = police_of(draft.cause.directory, case.hosting_country, case.origins[0].member)
    _provider_overdue(case, passed, draft, next(iter(police), None), DIGEST)


def _provider_overdue(case: Case, passed: int, draft: Draft, recipient: str | None, way: str) -> None:
    origin = case.origins[0]
    draft.by_rule(
        "provider_overdue",
        step=_REMOVAL,
        due_at=passed,
        recipient=recipient,
        rule=way,
        origin=origin.member,
        report_event_id=origin.last_event_id,
    )


def _authority(directory: Directory, country: str, origin: str) -> str | None:
    """Answer the active authority of a country that may learn of an origin's report: the first by id."""
    return next(
        (
            member.id
            for member in directory.active_members("authority")
            if country in member.countries and directory.may_receive(member, origin)
        ),
        None,
    )


def _passed(case: Case, fact: Fact) -> Changes:
    step = str(fact.step)
    coming: list[str] = []
    if step in ANSWERED_BY and fact.due_at is not None:
        if case.deadlines is not None:
            coming.append(f"{step}:{REMIND}:{fact.due_at + case.deadlines.remind_ms}")
        if fact.until is not None:
            coming.append(f"{step}:{DIGEST}:{fact.until}:{fact.due_at}")
    return {"overdue": (*case.overdue, step), "told": (*case.told, *coming)}


def _told_by(stage: str, kind: str) -> Callable[[Case, Fact], Changes]:
    """Answer the rule by which a fact takes the place of the stage that was coming."""

    def change(case: Case, fact: Fact) -> Changes:
        coming = f"{fact.step}:{stage}:"
        left = tuple(entry for entry in case.told if not entry.startswith(coming))
        return {"told": (*left, f"{fact.step}:{kind}")}

    return change


def _of_provider(after: Case, fact: Fact) -> tuple[Notice, ...]:
    if fact.recipient is None or fact.rule != DIGEST:
        return to_recipient(after, fact)
    return (Notice(feed_of(fact.recipient), DIGEST_ITEM, fact.report_event_id, fact.origin),)


TIMER_RULES: Final = MappingProxyType(
    {**dict.fromkeys(ANSWERED_BY, _overdue), REMIND: _remind, DIGEST: _digest}
)
DUE: Final = Timers(("told",), _due)
EVOLVE: Final[Mapping[str, Callable[[Case, Fact], Changes]]] = MappingProxyType(
    {
        "overdue": _passed,
        "reminded": _told_by(REMIND, "reminded"),
        "provider_overdue": _told_by(DIGEST, "provider_overdue"),
    }
)
NOTICES: Final[Mapping[str, Callable[[Case, Fact], Iterable[Notice]]]] = MappingProxyType(
    {"reminded": to_recipient, "provider_overdue": _of_provider}
)

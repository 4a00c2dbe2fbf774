"""Which reports of its origins a case knows: those can be taken back or split off one by one.

An origin may report the same address any number of times, and a state stays small. So a case knows of each
origin the oldest report and the newest 15, of all origins 256 between their oldest and their latest; what is
older is counted and known no more, and leaves with all others of its origin only.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from casework.ids import id_bytes, id_text
from casework.messages import KnownReport, Origin

OF_ORIGIN: Final = 16
"""Reports of one origin that a case knows."""
BETWEEN_OF_CASE: Final = 256
"""Reports between the oldest and the latest of their origins that a case knows: 6 KiB of its 64."""


def known_reports(origin: Origin) -> tuple[str, ...]:
    """Answer the event ids of the reports of an origin that the case knows, each once, oldest first."""
    return tuple(id_text(one.event_id) for one in _reports(origin))


def knows_all(origin: Origin) -> bool:
    """Answer whether the case knows every report of an origin."""
    return len(_reports(origin)) >= origin.count


def may_leave(origin: Origin, report_event_id: str) -> bool:
    """Answer whether one report can leave a case by its id.

    The last one that is known stays while older ones are counted: of an origin that has reports in a case
    there is always one to hand on.
    """
    known = known_reports(origin)
    return report_event_id in known and (len(known) > 1 or origin.count == 1)


def with_report(
    origins: tuple[Origin, ...], member: str, event_id: str, at: int, content_digest: bytes | None
) -> tuple[Origin, ...]:
    """Answer the origins of a case with one more report; a copy of one that is known is not counted again."""
    for index, origin in enumerate(origins):
        if origin.member == member:
            taken = sum(len(one.between) for one in origins if one is not origin)
            room = min(OF_ORIGIN, 2 + BETWEEN_OF_CASE - taken)
            new = KnownReport(event_id=id_bytes(event_id), at=at)
            again = _more(origin, new, content_digest, room)
            return (*origins[:index], again, *origins[index + 1 :])
    first = Origin(
        member=member,
        first_event_id=event_id,
        first_at=at,
        last_event_id=event_id,
        last_at=at,
        count=1,
        content_digest=content_digest,
    )
    return (*origins, first)


def _more(origin: Origin, new: KnownReport, content_digest: bytes | None, room: int) -> Origin:
    before = _reports(origin)
    reports = [one for one in before if one.event_id != new.event_id]
    is_copy = len(reports) < len(before)
    reports.append(new)
    del reports[1 : 1 + max(0, len(reports) - room)]
    return _made_of(origin, reports, origin.count + (not is_copy), content_digest)


def without(
    origins: tuple[Origin, ...], member: str | None, report_event_id: str | None
) -> tuple[Origin, ...]:
    """Answer the origins of a case without one report that it knows; an origin without any report is none."""
    return tuple(left for one in origins if (left := _less(one, member, report_event_id)) is not None)


def _less(origin: Origin, member: str | None, report_event_id: str | None) -> Origin | None:
    if origin.member != member or report_event_id is None:
        return origin
    event_id = id_bytes(report_event_id)
    reports = [one for one in _reports(origin) if one.event_id != event_id]
    if not reports:
        return None
    # The digest of the report before the latest was not kept: it is handed on, and cannot be re-wrapped.
    digest = None if report_event_id == origin.last_event_id else origin.content_digest
    return _made_of(origin, reports, origin.count - 1, digest)


def _reports(origin: Origin) -> list[KnownReport]:
    first = KnownReport(event_id=id_bytes(origin.first_event_id), at=origin.first_at)
    if origin.first_event_id == origin.last_event_id:
        return [first]
    return [first, *origin.between, KnownReport(event_id=id_bytes(origin.last_event_id), at=origin.last_at)]


def _made_of(
    origin: Origin, reports: Sequence[KnownReport], count: int, content_digest: bytes | None
) -> Origin:
    return msgspec.structs.replace(
        origin,
        first_event_id=id_text(reports[0].event_id),
        first_at=reports[0].at,
        between=tuple(reports[1:-1]),
        last_event_id=id_text(reports[-1].event_id),
        last_at=reports[-1].at,
        count=count,
        content_digest=content_digest,
    )

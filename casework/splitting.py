"""A report under a wrong url key: its hotline opened it, computed the key again, and got another one.

The exchange cannot see it, because it has neither the address nor the network key. Left in the case the
report would be taken for a copy of others that it has nothing to do with, so it is split off; its origin is
told and sends it again under the right key.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from casework.answers import ACCEPTED, Answer, not_applicable
from casework.causes import Draft
from casework.messages import Case, Origin
from casework.transitions import KEY_MISMATCH

LAST_REPORT: Final = "no other report is left"
"""Condition of the row under which the case ends with the report; the other row has the same states."""
_UNKNOWN: Final = not_applicable(
    "other_report",
    "report_event_id",
    "Neither the first nor the latest report of an origin.",
)


def split_off(case: Case, report_event_id: str | None, draft: Draft, details: Mapping[str, Any]) -> Answer:
    """Write that a report leaves its case, and that the case ends where none is left; answer the sender."""
    origin = next((one for one in case.origins if report_event_id in _ids(one)), None)
    if origin is None:
        draft.by_sender("not_applicable", action=KEY_MISMATCH, rule=_UNKNOWN.rule)
        return _UNKNOWN
    draft.by_sender(KEY_MISMATCH, **{**details, "origin": origin.member, "report_event_id": report_event_id})
    if not without(case.origins, origin.member, report_event_id):
        draft.by_rule("closed", outcome=KEY_MISMATCH)
    return ACCEPTED


def without(
    origins: tuple[Origin, ...], member: str | None, report_event_id: str | None
) -> tuple[Origin, ...]:
    """Answer the origins of a case without one report; an origin without any report is none."""
    return tuple(left for one in origins if (left := _less(one, member, report_event_id)) is not None)


def _less(origin: Origin, member: str | None, report_event_id: str | None) -> Origin | None:
    if origin.member != member:
        return origin
    if origin.count == 1:
        return None
    first, last = origin.first_event_id, origin.last_event_id
    if report_event_id == last:
        # The digest of the report before it was not kept: it can be handed on, and not be re-wrapped.
        return msgspec.structs.replace(
            origin, last_event_id=first, last_at=origin.first_at, count=origin.count - 1, content_digest=None
        )
    return msgspec.structs.replace(
        origin, first_event_id=last, first_at=origin.last_at, count=origin.count - 1
    )


def _ids(origin: Origin) -> tuple[str, str]:
    return origin.first_event_id, origin.last_event_id

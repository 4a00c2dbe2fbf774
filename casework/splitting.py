"""A report under a wrong url key: its hotline opened it, computed the key again, and got another one.

The exchange cannot see it, because it has neither the address nor the network key. Left in the case the
report would be taken for a copy of others that it has nothing to do with, so it is split off; its origin is
told and sends it again under the right key.
"""

from collections.abc import Mapping
from typing import Any, Final

from casework.answers import ACCEPTED, Answer, not_applicable
from casework.causes import Draft
from casework.known_reports import may_leave, without
from casework.messages import Case
from casework.transitions import KEY_MISMATCH

LAST_REPORT: Final = "no other report is left"
"""Condition of the row under which the case ends with the report; the other row has the same states."""
_UNKNOWN: Final = not_applicable(
    "other_report",
    "report_event_id",
    "Not among the reports that the case still knows: of each origin the oldest and the newest 15.",
)


def split_off(case: Case, report_event_id: str | None, draft: Draft, details: Mapping[str, Any]) -> Answer:
    """Write that a report leaves its case, and that the case ends where none is left; answer the sender."""
    known = () if report_event_id is None else case.origins
    origin = next((one for one in known if may_leave(one, str(report_event_id))), None)
    if origin is None:
        draft.by_sender("not_applicable", action=KEY_MISMATCH, rule=_UNKNOWN.rule)
        return _UNKNOWN
    draft.by_sender(KEY_MISMATCH, **{**details, "origin": origin.member, "report_event_id": report_event_id})
    if not without(case.origins, origin.member, report_event_id):
        draft.by_rule("closed", outcome=KEY_MISMATCH)
    return ACCEPTED

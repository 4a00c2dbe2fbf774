"""A case that goes to another hosting country: the hold stays behind, the next leg begins there."""

from typing import Final

from casework.causes import Draft
from casework.matters.hold_course import end_hold
from casework.messages import Case
from casework.next_legs import hand_on, way_of

MOVED: Final = "moved"


def relocate(  # noqa: PLR0913 - what the next leg begins with
    case: Case,
    draft: Draft,
    hosting_country: str,
    *,
    reason_code: str,
    hosting_status: str | None = None,
    said_by: str | None = None,
) -> None:
    """Write that a case goes to another hosting country.

    Args:
        case: The case before the record.
        draft: Where the facts are written.
        hosting_country: Country the content is hosted in from now on.
        reason_code: Why.
        hosting_status: Whether that host is provisional or confirmed; None: as the one before.
        said_by: Who says so, empty where that encloses nothing; None: nobody does now.
    """
    end_hold(case, draft, MOVED, hosting_country)
    # What has moved is not what was given back.
    declined = () if reason_code == MOVED else None
    going = way_of(case, draft.cause, hosting_country, declined=declined)
    hand_on(case, draft, going, reason_code=reason_code, hosting_status=hosting_status, said_by=said_by)

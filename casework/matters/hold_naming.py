"""How the facts of a hold name all who know of it, so that who is told follows from the facts alone."""

from collections.abc import Callable
from typing import Any

from casework.causes import Draft
from casework.messages import Case, Hold, HoldRequest
from casework.parties import stand_in
from casework.secrecy import askers_of


def about_hold(case: Case, hold: Hold, draft: Draft, *responsible: str | None) -> dict[str, Any]:
    """Answer the fields by which a fact names a hold and all who know of it.

    Where its liaison is there no more, whoever stands in for it is among them.

    Args:
        case: The case before the decision.
        hold: Its hold.
        draft: Where the fact is written.
        responsible: The hotline that takes the hold over, None where nobody does; left out: that of the case.
    """
    hotlines = responsible or (case.assigned_hotline,)
    return {
        "recipient": hold.liaison,
        "members": knowing(*hotlines, *askers_of(hold), stand_in(case, draft.cause.directory)),
        "fact_ref": hold.fact_number,
    }


def knowing(*members: str | None) -> tuple[str, ...]:
    """Answer those who know of a hold beside its liaison, each once."""
    return tuple(dict.fromkeys(member for member in members if member is not None))


def refuse(request: HoldRequest, write: Callable[..., None], **said: Any) -> None:  # noqa: ANN401 - fields of Fact
    """Write that a request for a hold is refused; its asker is told."""
    write(
        "hold_refused",
        **said,
        recipient=request.liaison,
        members=(request.by,),
        fact_ref=request.fact_number,
    )

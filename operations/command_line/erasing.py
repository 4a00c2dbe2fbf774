"""`hx cases erase`: the secretariat has the contents of one case erased before their time."""

from typing import Annotated, Final

import typer

from casework import codes
from connectors.drafts import ActionDraft
from operations.command_line.exits import Exit, leave
from operations.command_line.output import AsJson
from operations.command_line.session import Session
from operations.command_line.submitting import Submission, Timeout, Wait
from operations.files import Line

_FROM: Final = "hx cases erase"


def erase(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="Case id, or url key in hexadecimal.")],
    reason: Annotated[
        str, typer.Option(help=f"Code of the reason: {', '.join(codes.CORRECTION_REASONS.codes)}.")
    ],
    member: Annotated[str, typer.Option("--as", help="Member id of the secretariat that asks for it.")],
    wait: Wait = True,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Have the contents of a case erased, and all who were handed them asked to do the same.

    The request is signed by the secretariat and recorded with its reason. It is refused as long as police
    keep the case. What lies in inboxes and logs goes when its topic's time has come.

    Example: hx cases erase 0197a6f2-7a3e-8c41-9f1e-5d1c2b3a4f60 --reason data_protection --as inhope
    """
    session: Session = context.obj
    if reason not in codes.CORRECTION_REASONS:
        raise typer.BadParameter(
            f"expected one of {', '.join(codes.CORRECTION_REASONS.codes)}", param_hint="--reason"
        )
    found = session.case(case)
    if found is None:
        leave(Exit.NO, f"no case {case}")
    draft = ActionDraft(
        action="erase",
        hosting_country=found.hosting_country,
        case_id=found.case_id,
        url_key=found.url_key,
        reason_code=reason,
    )
    submission = Submission(session, member, as_json=as_json)
    submission.send([Line(_FROM, 1, draft)], wait=wait, timeout_s=timeout)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(erase)

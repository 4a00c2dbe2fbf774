"""Options that several commands about the directory share."""

from pathlib import Path
from typing import Annotated

import typer

from operations.command_line.session import Session
from operations.directory.files import Candidates
from operations.setting_up import candidates_by_default

Signed = Annotated[Path, typer.Argument(help="File of the document and its signatures, .json.")]
CandidatesOption = Annotated[
    str | None,
    typer.Option(
        "--candidates",
        help="keep, admit (as if active; demo and test only) or leave_out. Default: admit in demo and test.",
    ),
]


def chosen_candidates(session: Session, asked: str | None) -> Candidates:
    """Answer what becomes of candidates.

    Raises:
        typer.BadParameter: It is none of the three.
    """
    known: dict[str, Candidates] = {"keep": "keep", "admit": "admit", "leave_out": "leave_out"}
    if asked is None:
        return candidates_by_default(session.file_settings)
    if asked not in known:
        raise typer.BadParameter(f"expected one of {', '.join(known)}", param_hint="--candidates")
    return known[asked]

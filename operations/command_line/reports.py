"""`hx submit`: reports from a file."""

import typer

from operations.command_line.submitting import As, AsJson, Check, File, Submission, Timeout, Wait, run
from operations.files import read_reports


def submit(
    context: typer.Context,
    file: File,
    member: As = None,
    check: Check = False,
    wait: Wait = True,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Submit the reports of a file; a bad line is named with field and rule, the others go on.

    Exit code 1 if a report was not accepted, 2 if a line is bad, 69 if a receipt did not come.

    Example: hx submit examples/reports.csv --as ie-hotline
    """
    submission = Submission(context.obj, member, as_json=as_json)
    run(submission, read_reports, file, check=check, wait=wait, timeout_s=timeout)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(submit)

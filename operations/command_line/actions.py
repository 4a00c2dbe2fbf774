"""`hx act`: what happened to cases, from a file."""

import typer

from operations.command_line.submitting import As, AsJson, Check, File, Submission, Timeout, Wait, run
from operations.files import read_actions


def act(
    context: typer.Context,
    file: File,
    member: As = None,
    check: Check = False,
    wait: Wait = True,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Submit the actions of a file: acknowledged, assessed, police_informed, removed and so on.

    Example: hx act examples/actions.jsonl --as nl-offlimits
    """
    submission = Submission(context.obj, member, as_json=as_json)
    run(submission, read_actions, file, check=check, wait=wait, timeout_s=timeout)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(act)

"""`hx act`: what happened to cases, or what is asked for: one action from options, or many from a file."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from operations.command_line.action_options import one_line, with_options
from operations.command_line.submitting import As, AsJson, Check, Submission, Timeout, Wait, send_or_check
from operations.files import read_actions

ActionFile = Annotated[
    Path | None,
    typer.Argument(help="CSV (.csv) or JSON lines (.jsonl, .ndjson); absent where options say one action."),
]


Sealed = Annotated[
    Path | None,
    typer.Option(
        "--sealed",
        help="JSON file, - for standard input, with what is no argument: url, url_key, note, note_language,"
        " police_reference, police_unit, new_url.",
        rich_help_panel="One action",
    ),
]


def act(
    context: typer.Context,
    *,
    given: Mapping[str, Any],
    file: ActionFile = None,
    sealed: Sealed = None,
    member: As = None,
    check: Check = False,
    wait: Wait = True,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Submit one action by its options, or the actions of a file: all that a member may say of a case.

    With --case-id the exchange is asked for url key and hosting country, unless they are given. Arguments can
    be read by others on this machine, so notes, references and addresses come from a file (--sealed). A
    rewrap names its case only: it answers the request in the sender's inbox, with the sender's keys.

    Example: hx act examples/actions.jsonl --as nl-offlimits

    Example: hx act --as nl-police --action hold --case-id 00000000-0000-8000-8000-000000000001
    """
    if (file is None) == ("action" not in given):
        raise typer.BadParameter("expected a file, or --action with its options", param_hint="FILE")
    if file is not None and (given or sealed is not None):
        raise typer.BadParameter("a file says all of its actions itself", param_hint="FILE")
    submission = Submission(context.obj, member, as_json=as_json)
    if file is not None:
        lines = partial(read_actions, file)
    else:
        lines = partial(one_line, given, sealed, context.obj, may_ask=not check)
    send_or_check(submission, lines(), check=check, wait=wait, timeout_s=timeout)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_options(act))

"""`hx provision`: the topics of the table and the members' quotas come to be on the cluster."""

import sys
from typing import Annotated

import typer

from operations.command_line.exits import Exit, leave
from operations.command_line.output import AsJson
from operations.command_line.session import Session
from operations.setting_up import plan_topics, provision_topics, read_directory
from streams.topic_plan import Plan


def provision(
    context: typer.Context,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what would change; code 1 if anything.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Name every topic and quota, not only how many.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create and correct topics and quotas for settings and directory file; never shrinks; may be repeated.

    Example: hx provision --plan
    """
    session: Session = context.obj
    directory = read_directory(session.settings, session.clock.now_ms())
    session.tell_if_silent()
    if plan:
        made = plan_topics(session.settings, directory)
    else:
        made = provision_topics(session.settings, directory, on_plan=_announce)
    if as_json:
        print(made.to_json().decode())
    elif plan or verbose:
        print(made.to_text(is_applied=not plan))
    else:
        print(made.sums(is_applied=True))
    if made.refused:
        leave(Exit.CONFIGURATION, "a difference is never resolved by provisioning: see REFUSED")
    if plan and not made.is_empty:
        raise typer.Exit(Exit.NO)


def _announce(made: Plan) -> None:
    """Say what is about to be done, because hundreds of new topics take a while."""
    if not made.is_empty:
        print(f"working: {made.sums()}", file=sys.stderr, flush=True)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(provision)

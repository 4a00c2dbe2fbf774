"""`hx provision`: the topics of the table and the members' quotas come to be on the cluster."""

from typing import Annotated

import typer

from operations.command_line.exits import Exit, leave
from operations.command_line.output import AsJson
from operations.command_line.session import Session
from operations.setting_up import plan_topics, provision_topics, read_directory


def provision(
    context: typer.Context,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what would change; code 1 if anything.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create and correct topics and quotas for settings and directory file; never shrinks; may be repeated.

    Example: hx provision --plan
    """
    session: Session = context.obj
    directory = read_directory(session.settings, session.clock.now_ms())
    made = (plan_topics if plan else provision_topics)(session.settings, directory)
    print(made.to_json().decode() if as_json else made.to_text())
    if made.refused:
        leave(Exit.CONFIGURATION, "a difference is never resolved by provisioning: see REFUSED")
    if plan and not made.is_empty:
        raise typer.Exit(Exit.NO)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(provision)

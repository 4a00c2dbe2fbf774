"""`hx demo`: everything at once, on a Kafka of its own."""

from typing import Annotated

import typer

from operations.command_line.output import AsJson
from operations.command_line.session import Session
from operations.demo import DemoOptions, run_demo


def demo(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=5, help="Real seconds of play.")] = 60.0,
    days: Annotated[
        float, typer.Option(min=0.1, help="Simulated days that pass meanwhile.")
    ] = DemoOptions().days,
    reports_per_second: Annotated[
        float, typer.Option(min=0.1, help="Reports in a real second; actions come on top.")
    ] = DemoOptions().reports_per_second,
    seed: Annotated[int, typer.Option(help="Equal seeds play equal reports.")] = 1,
    kill_worker: Annotated[
        bool, typer.Option("--kill-worker", help="Kill the worker (SIGKILL) halfway and start it again.")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Progress lines in place of the live view.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the exchange with simulated hotlines and police on a real Kafka, and count by ids what was lost.

    Exit code 1 if anything was lost.

    Example: hx demo --seconds 60 --kill-worker
    """
    session: Session = context.obj
    options = DemoOptions(
        seconds=seconds,
        days=days,
        reports_per_second=reports_per_second,
        seed=seed,
        directory=session.settings.directory,
        kill_worker=kill_worker,
        plain=plain,
        as_json=as_json,
    )
    raise typer.Exit(run_demo(options))


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)

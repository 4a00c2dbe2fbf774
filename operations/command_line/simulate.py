"""`hx simulate`: a year of reports as published statistics describe it."""

from typing import Annotated

import typer

from operations.command_line.exits import Exit
from operations.command_line.output import AsJson, print_json
from operations.command_line.session import Session
from operations.setting_up import read_directory
from operations.simulator.samples import as_text
from operations.simulator.simulate import STANDARD_OUTPUT
from operations.simulator.simulate import simulate as simulate_year


def simulate(
    context: typer.Context,
    year: Annotated[int, typer.Option(help="Year whose published figures are played.")] = 2022,
    out: Annotated[
        str | None,
        typer.Option(help="File of JSON lines, compressed if it ends in .gz; - is standard output."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Equal seeds write equal bytes.")] = 1,
    scale: Annotated[float, typer.Option(help="Share of the year's reports to make.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Write a simulated year of reports and compare its statistics with the published ones.

    Exit code 1 if a figure is out of its tolerance.

    Example: hx simulate --year 2022 --out reports-2022.jsonl.gz
    """
    session: Session = context.obj
    directory = read_directory(session.settings, 0)
    lines = simulate_year(year, seed, directory, out, scale=scale)
    to_error = out == STANDARD_OUTPUT
    if as_json:
        for line in lines:
            print_json(line)
    else:
        typer.echo(as_text(lines), err=to_error)
    if not all(line.passes for line in lines):
        raise typer.Exit(Exit.NO)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)

"""`hx worker`: the exchange itself, as one process or several."""

import enum
from typing import Annotated

import typer

from agents.workers import run_worker
from operations.command_line.session import Session

app = typer.Typer(help="Run the exchange: intake checks submissions, casekeeper keeps the cases.")


class Kind(enum.StrEnum):
    """Which agents a process runs."""

    INTAKE = "intake"
    CASEKEEPER = "casekeeper"
    ALL = "all"


def _run(context: typer.Context, kind: Kind, metrics_port: int | None) -> None:
    session: Session = context.obj
    session.require_kafka()
    changed = {}
    if metrics_port is not None:
        second = metrics_port + (1 if metrics_port and kind is Kind.ALL else 0)
        changed = {"intake_metrics_port": metrics_port, "casekeeper_metrics_port": second}
    raise typer.Exit(run_worker(kind.value, session.settings_with(**changed), session.clock))


MetricsPort = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        help="Port of /metrics, /healthz, /readyz; 0 is a free one. With `all`: of intake; and one more.",
    ),
]


@app.command()
def intake(context: typer.Context, metrics_port: MetricsPort = None) -> None:
    """Check submissions and admit them, until SIGTERM. Exit code 70: stopped to lose nothing; restart it.

    Example: hx worker intake
    """
    _run(context, Kind.INTAKE, metrics_port)


@app.command()
def casekeeper(context: typer.Context, metrics_port: MetricsPort = None) -> None:
    """Keep the cases and send what follows, until SIGTERM.

    Example: hx worker casekeeper --metrics-port 9102
    """
    _run(context, Kind.CASEKEEPER, metrics_port)


@app.command("all")
def both(context: typer.Context, metrics_port: MetricsPort = None) -> None:
    """Run intake and casekeeper in one process, until SIGTERM.

    Example: hx worker all
    """
    _run(context, Kind.ALL, metrics_port)

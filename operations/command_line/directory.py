"""`hx directory`: the directory file and the versions that are published."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from operations.command_line.exits import Exit
from operations.command_line.output import AsJson, print_json, print_table
from operations.command_line.session import Session
from operations.directory.files import Candidates
from operations.directory.files import check as problems_of
from operations.setting_up import (
    candidates_by_default,
    directory_file,
    publish_directory,
    read_directory,
)

app = typer.Typer(help="The directory: members, countries, rules and slots; versioned data.")

File = Annotated[
    Path | None, typer.Argument(help="Directory file; none is the one of the settings, or the shipped.")
]
CandidatesOption = Annotated[
    str | None,
    typer.Option(
        "--candidates",
        help="keep, admit (as if active; demo and test only) or leave_out. Default: admit in demo and test.",
    ),
]


def _candidates(session: Session, asked: str | None) -> Candidates:
    known: dict[str, Candidates] = {"keep": "keep", "admit": "admit", "leave_out": "leave_out"}
    if asked is None:
        return candidates_by_default(session.settings)
    if asked not in known:
        raise typer.BadParameter(f"expected one of {', '.join(known)}", param_hint="--candidates")
    return known[asked]


@app.command()
def check(
    context: typer.Context, file: File = None, candidates: CandidatesOption = None, as_json: AsJson = False
) -> None:
    """Check a directory file; every error is told with file, line, field and rule. Exit code 1 on an error.

    Example: hx directory check network.yaml
    """
    session: Session = context.obj
    path = file or directory_file(session.settings)
    problems = problems_of(
        path, environment=session.settings.environment, candidates=_candidates(session, candidates)
    )
    for problem in problems:
        if as_json:
            print_json(problem)
        else:
            print(problem)
    if problems:
        raise typer.Exit(Exit.NO)
    if not as_json:
        print(f"{path}: no error for {session.settings.environment}")


@app.command()
def show(
    context: typer.Context,
    published: Annotated[
        bool, typer.Option("--published", help="The version in use, read from Kafka.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the countries, their hotlines and slots: of the file, or as published.

    Example: hx directory show --published
    """
    session: Session = context.obj
    directory = session.directory() if published else read_directory(session.settings, session.clock.now_ms())
    if as_json:
        print_json(directory)
        return
    print(
        f"directory version {directory.version} for {directory.environment}: "
        f"{len(directory.members)} members, {len(directory.countries)} countries, "
        f"{directory.slot_count} slots"
    )
    print_table(
        "countries",
        ("code", "country", "hotlines", "routing", "slots"),
        (
            (
                rule.code,
                rule.name,
                ", ".join(share.member for share in rule.hotlines) or "(orphan desk)",
                rule.routing,
                " ".join(map(str, directory.slots_of(rule.code))),
            )
            for rule in directory.countries
        ),
    )


@app.command()
def publish(context: typer.Context, candidates: CandidatesOption = None, as_json: AsJson = False) -> None:
    """Publish the directory file as the version it names; repeating the same is harmless.

    Example: hx directory publish
    """
    session: Session = context.obj
    settings = session.settings
    chosen = _candidates(session, candidates)
    now = session.clock.now_ms()
    directory = read_directory(settings, now, candidates=chosen)
    before = session.published(directory.version)
    if before is not None:
        directory = read_directory(settings, before.published_at, candidates=chosen)
    offset = asyncio.run(publish_directory(settings, directory))
    if as_json:
        print_json({"version": directory.version, "environment": directory.environment, "offset": offset})
    else:
        note = ", candidates admitted" if chosen == "admit" else ""
        print(f"published directory version {directory.version} for {directory.environment}{note}")

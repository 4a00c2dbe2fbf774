"""`hx schemas`: the contract between members, and whether it is kept."""

from typing import Annotated

import typer

from operations.command_line.exits import Exit
from operations.command_line.output import AsJson, print_json, print_table
from schemas.checks import check as find_faults
from schemas.errors import LockRefusedError
from schemas.lock import write_lock
from schemas.registry import registry

app = typer.Typer(help="The Avro schemas: the contract between members.")


@app.command("list")
def list_schemas(as_json: AsJson = False) -> None:
    """List the schemas with id, version and fingerprint.

    Example: hx schemas list
    """
    entries = registry().entries
    if as_json:
        for entry in entries:
            print_json(entry)
    else:
        print_table(
            "schemas",
            ("id", "name", "version", "fingerprint"),
            ((e.id, e.name, e.version, e.fingerprint[:16]) for e in entries),
        )


@app.command()
def check(as_json: AsJson = False) -> None:
    """Check schemas, lock file and compatibility with every earlier version; exit code 1 on a finding.

    Example: hx schemas check
    """
    findings = find_faults()
    for finding in findings:
        if as_json:
            print_json(finding)
        else:
            print(f"{finding.file}: {finding.path}: {finding.message} ({finding.rule})")
    if findings:
        raise typer.Exit(Exit.NO)
    if not as_json:
        print(f"{len(registry().entries)} schemas, no finding")


@app.command()
def lock(
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Restate versions that no release has had, in place.")
    ] = False,
    release: Annotated[bool, typer.Option("--release", help="Mark all ids as released.")] = False,
) -> None:
    """Give new and changed schemas their ids; exit code 1 if a change would break other members.

    Example: hx schemas lock
    """
    try:
        changes = write_lock(rewrite=rewrite, release=release)
    except LockRefusedError as error:
        print(error)
        raise typer.Exit(Exit.NO) from error
    print("\n".join(changes or ("nothing to lock",)))

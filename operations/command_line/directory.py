"""`hx directory`: the directory file and the versions that are published."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import typer

from casework import directory as directories
from casework import directory_checks
from casework.directory import Directory
from casework.directory_checks import LEAD_MS
from casework.errors import EditRefusedError
from operations.command_line import directory_signing
from operations.command_line.directory_options import CandidatesOption, chosen_candidates
from operations.command_line.exits import Exit, leave
from operations.command_line.output import AsJson, print_json, print_table
from operations.command_line.session import Session
from operations.command_line.texts import moment
from operations.directory import signed_files
from operations.directory.already_published import require_same
from operations.directory.differences import differences
from operations.directory.equipping import equip_here
from operations.directory.files import Candidates
from operations.directory.files import check as problems_of
from operations.embedded_kafka import kafka_home
from operations.setting_up import directory_file, publish_directory, read_directory
from streams.directory_versions import DirectoryVersions, document_of

PUBLICATION_MS: Final = 5_000
"""Real time that a publication is given to reach the topic."""

app = typer.Typer(help="The directory: members, countries, rules and slots; versioned data.")
directory_signing.add_to(app)

File = Annotated[
    Path | None, typer.Argument(help="Directory file; none is the one of the settings, or the shipped.")
]


@app.command()
def check(
    context: typer.Context, file: File = None, candidates: CandidatesOption = None, as_json: AsJson = False
) -> None:
    """Check a directory file; every error is told with file, line, field and rule. Exit code 1 on an error.

    Example: hx directory check network.yaml
    """
    session: Session = context.obj
    settings = session.file_settings
    path = file or directory_file(settings)
    problems = problems_of(
        path, environment=settings.environment, candidates=chosen_candidates(session, candidates)
    )
    for problem in problems:
        if as_json:
            print_json(problem)
        else:
            print(problem)
    if problems:
        if not as_json:
            rules = Counter(problem.violation.rule for problem in problems).most_common()
            counts = ", ".join(f"{count} {rule}" for rule, count in rules)
            print(f"{path}: {len(problems)} errors for {settings.environment}: {counts}")
        raise typer.Exit(Exit.NO)
    if not as_json:
        print(f"{path}: no error for {settings.environment}")


@app.command()
def show(
    context: typer.Context,
    published: Annotated[
        bool, typer.Option("--published", help="The version in use, read from Kafka.")
    ] = False,
    candidates: CandidatesOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the countries, their hotlines and slots: of the file, or as published.

    Example: hx directory show --published
    """
    session: Session = context.obj
    if published:
        directory = session.directory()
    else:
        chosen = chosen_candidates(session, candidates)
        directory = read_directory(session.file_settings, session.clock.now_ms(), candidates=chosen)
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
def diff(
    context: typer.Context,
    new: Annotated[
        Path | None,
        typer.Argument(help="Document (.json) or directory file; none is the one of the settings."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="Earlier document (.json); default what is published.")
    ] = None,
    first: Annotated[
        bool, typer.Option("--first", help="There is no earlier version: tell everything.")
    ] = False,
    candidates: CandidatesOption = None,
    as_json: AsJson = False,
) -> None:
    """Say in sentences what a version changes. Exit code 1 when it may not follow the one before.

    Example: hx directory diff version-7.json --against version-6.json
    """
    session: Session = context.obj
    now = session.clock.now_ms()
    if new is not None and new.suffix == ".json":
        _, after = signed_files.load(new)
    else:
        chosen = chosen_candidates(session, candidates)
        settings = session.file_settings
        after = read_directory(settings, now, file=new, valid_from=now + LEAD_MS, candidates=chosen)
    before: Directory | None = None
    if against is not None:
        before = signed_files.load(against)[1]
    elif not first:
        newest = session.versions().newest
        before = None if newest is None else newest.directory
    sentences = differences(before, after)
    violations = () if before is None else directory_checks.check_successor(before, after)
    if as_json:
        print_json({"changes": sentences, "violations": violations})
    else:
        print("\n".join(sentences))
        for violation in violations:
            print(f"not allowed: {violation}")
    if violations:
        raise typer.Exit(Exit.NO)


@app.command()
def publish(
    context: typer.Context,
    signed: Annotated[
        Path | None, typer.Argument(help="Signed document; none publishes the directory file, unsigned.")
    ] = None,
    candidates: CandidatesOption = None,
    valid_in: Annotated[
        float | None,
        typer.Option("--valid-in", min=0, help="Minutes until a version made here takes effect; default 1."),
    ] = None,
    unsigned: Annotated[
        bool,
        typer.Option("--unsigned", help="On an embedded Kafka: without keys and signatures."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Publish a signed version, or where nobody signs the directory file; repeating the same is harmless.

    On a machine where an embedded Kafka runs, the members of a directory file without signers all live here:
    everybody gets keys, the directory is signed, and submissions must be signed and sealed.

    Refused with exit code 1: too few signatures, a version that is not the next one, or one that would take
    effect within a minute. The first version of an exchange takes effect at once.

    Example: hx directory publish version-7.json
    """
    session: Session = context.obj
    settings = session.settings
    if signed is not None:
        document, directory = signed_files.load(signed)
        versions = session.versions()
    else:
        chosen = chosen_candidates(session, candidates)
        _require_unsigned(read_directory(settings, session.clock.now_ms(), candidates=chosen))
        versions = session.versions()
        directory = _unsigned(session, versions, chosen, valid_in)
        document = document_of(directory)
        if not unsigned and session.local_access is not None and session.local_access.equipment is not None:
            previous = None if versions.newest is None else versions.newest.directory
            home = session.local_access.equipment
            document = equip_here(directory, home, previous, session.clock.real_ms())
            directory = directories.from_bytes(document.document)
            _tell_equipment(home, is_first=previous is None, as_json=as_json)
    file = directory_file(settings) if signed is None else None
    require_same(versions, document, file, None if session.local_access is None else kafka_home())
    there = versions.published(directory.version)
    if versions.newest is not None and there is None:
        violations = directory_checks.check_successor(versions.newest.directory, directory)
        if violations:
            raise EditRefusedError(violations)
    offset = asyncio.run(publish_directory(settings, document))
    if as_json:
        print_json({"version": directory.version, "environment": directory.environment, "offset": offset})
    else:
        is_open = signed is None and chosen_candidates(session, candidates) == "admit"
        note = ", candidates admitted" if is_open else ""
        if there is None:
            print(f"published directory version {directory.version} for {directory.environment}{note}")
        else:
            newest = versions.newest_version
            print(f"directory version {directory.version} is published already; newest: {newest}")
        if there is None and directory.valid_from > session.clock.now_ms():
            print(f"it takes effect at {moment(directory.valid_from)}")


def _tell_equipment(home: Path, *, is_first: bool, as_json: bool) -> None:
    if is_first and not as_json:
        print(f"made keys for all members, the exchange and a signer: {home}")
        print("hx finds them by itself; 'hx kafka status' prints what other programs and shells need now")


def _require_unsigned(directory: Directory) -> None:
    if directory.signers is not None:
        leave(Exit.USAGE, "this directory is signed: 'hx directory draft', 'sign', then publish the document")


def _unsigned(
    session: Session, versions: DirectoryVersions, candidates: Candidates, valid_in: float | None
) -> Directory:
    """Build the version of the directory file, the same again if it is published already."""
    now = session.clock.now_ms()
    directory = read_directory(session.settings, now, candidates=candidates)
    there = versions.published(directory.version)
    if there is not None:
        published_at, valid_from = there.directory.published_at, there.directory.valid_from
    elif versions.newest is None and valid_in is None:
        published_at = valid_from = now
    else:
        # What it takes to publish passes on the real clock, which may be the slower one.
        published_at = session.clock.at(session.clock.real_ms() + PUBLICATION_MS)
        valid_from = published_at + max(LEAD_MS, round((valid_in or 0.0) * LEAD_MS))
    return read_directory(session.settings, published_at, valid_from=valid_from, candidates=candidates)

"""`hx verify`: decide again what the logs say, and compare with what was written."""

from pathlib import Path
from typing import Annotated

import typer

from agents import casekeeper, intake
from operations.command_line.exits import Exit
from operations.command_line.output import AsJson, print_json, print_table
from operations.command_line.session import Session
from operations.reading import TopicReader
from operations.verification.findings import MEANINGS, REASONS
from operations.verification.run import Scope, Verification
from operations.verification.run import verify as verify_logs
from operations.verification.snapshot import Snapshot
from streams.directory_trust import anchor_of

_SHOWN = 50


def verify(
    context: typer.Context,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Begin at the first record; the default.")
    ] = False,
    snapshot: Annotated[
        Path | None, typer.Option(help="Begin where this snapshot was saved.", exists=True, dir_okay=False)
    ] = None,
    save_snapshot: Annotated[
        Path | None, typer.Option(help="Save a snapshot; only after a verification without findings.")
    ] = None,
    partition: Annotated[
        list[int] | None, typer.Option(help="Only this partition of cases; may be given more than once.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild all cases from their facts, decide all records again and compare what was written.

    Changes nothing and may run beside the workers: what they have not committed is left out and counted.
    Exit code 1 if something is not as it must be. What cannot be decided again is counted by reason.

    Example: hx verify --save-snapshot verified.snapshot
    """
    if from_start and snapshot is not None:
        raise typer.BadParameter("give one of --from-start and --snapshot", param_hint="--snapshot")
    if save_snapshot is not None and partition:
        raise typer.BadParameter("a snapshot holds all partitions", param_hint="--save-snapshot")
    session: Session = context.obj
    with session.reader() as reader:
        scope = _scope(session, reader, tuple(partition or ()), snapshot)
        outcome = verify_logs(reader, scope, save_snapshot=save_snapshot)
    _show(outcome, as_json=as_json)
    raise typer.Exit(Exit.DONE if outcome.is_whole else Exit.NO)


def _scope(
    session: Session, reader: TopicReader, partitions: tuple[int, ...], snapshot: Path | None
) -> Scope:
    topics = session.topics
    prefix = session.settings.topic_prefix
    # Intake first: what casekeeper commits meanwhile was admitted before.
    submitted = {
        name: reader.committed(f"{prefix}{group}", name)
        for group, names in intake.read_by(topics).items()
        for name in names
    }
    return Scope(
        topics,
        session.settings.environment,
        session.clock,
        partitions=partitions or None,
        bounds=reader.committed(f"{prefix}{casekeeper.GROUP}", topics.cases_admitted),
        submitted=submitted,
        snapshot=None if snapshot is None else Snapshot.load(snapshot),
        anchor=anchor_of(session.settings),
    )


def _show(outcome: Verification, *, as_json: bool) -> None:
    if as_json:
        for finding in outcome.findings:
            print_json(finding)
        print_json(
            {"unchecked": outcome.unchecked, "counts": outcome.counts, "findings": len(outcome.findings)}
        )
        return
    if outcome.findings:
        print_table(
            f"{min(_SHOWN, len(outcome.findings))} of {len(outcome.findings)} findings",
            ("what", "case", "id", "detail"),
            ((each.rule, each.case_id, each.id, each.text) for each in outcome.findings[:_SHOWN]),
        )
        for rule in sorted({each.rule for each in outcome.findings}):
            print(f"{rule}: {MEANINGS[rule]}")
    counts = outcome.counts
    print(
        f"{counts.get('admitted', 0)} admitted records, {counts.get('facts', 0)} facts, "
        f"{counts.get('states', 0)} cases and {counts.get('effects', 0)} messages compared: "
        f"{len(outcome.findings)} findings"
    )
    if undelivered := counts.get("undelivered", 0):
        print(f"{undelivered} of the messages are undeliverable: they wait among the dead letters")
    for reason, count in outcome.unchecked.items():
        print(f"not decided again: {count} {REASONS[reason]}")  # type: ignore[index] # the same keys


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)

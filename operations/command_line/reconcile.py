"""`hx reconcile`: submissions of a time window against what became of them, by id."""

from contextlib import ExitStack
from typing import Annotated

import typer

from operations.command_line.exits import Exit
from operations.command_line.output import AsJson, print_json, print_table
from operations.command_line.session import Session
from operations.command_line.texts import counted_as, moment, time_of
from operations.journal import Journal, Signature
from operations.reading import TopicReader
from operations.reconciliation import Reconciled, Window
from operations.reconciliation import reconcile as reconcile_logs
from operations.reinjection import inject as inject_record
from operations.reinjection import plan

_DAY_MS = 24 * 3_600_000
_SETTLED_MS = 60_000
_SHOWN = 50


def reconcile(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option(help="Submitted then or later, as 2026-11-22T16:00:00Z; default a day ago.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Submitted before then; default a minute ago.")] = None,
    late_after: Annotated[float, typer.Option(help="Seconds an answer or a message may take.")] = 60.0,
    inject: Annotated[
        bool, typer.Option("--inject", help="Send again what brings the missing; needs operator and reason.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what --inject would send.")] = False,
    operator: Annotated[str | None, typer.Option(help="Your operator id, for the journal.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the journal; no address.")] = None,
    as_json: AsJson = False,
) -> None:
    """Name what is missing, late or doubled among the submissions of a time window, by id.

    Exit code 1 if something is missing, late or in conflict. Sending again is harmless: all has an id.

    Example: hx reconcile --since 2026-11-22T00:00:00Z --dry-run
    """
    session: Session = context.obj
    now = session.clock.real_ms()
    until_ms = time_of(until, "--until") or now - _SETTLED_MS
    since_ms = time_of(since, "--since") or until_ms - _DAY_MS
    signature = Signature(operator or "", reason or "")
    if inject and not dry_run:
        signature.check()
    window = Window(since_ms, until_ms, round(late_after * 1000))
    with session.reader() as reader:
        found = reconcile_logs(reader, session.topics, window)
        _show(found, window, as_json=as_json)
        if inject or dry_run:
            _inject(session, reader, found, signature, is_dry=dry_run, as_json=as_json)
    raise typer.Exit(Exit.DONE if found.is_whole else Exit.NO)


def _inject(
    session: Session,
    reader: TopicReader,
    found: Reconciled,
    signature: Signature,
    *,
    is_dry: bool,
    as_json: bool,
) -> None:
    with ExitStack() as stack:
        writer = None if is_dry else stack.enter_context(session.writer())
        for record in plan(reader, session.topics, found, session.seal()):
            where = {"topic": record.topic, "partition": record.partition}
            if writer is not None:
                journal = Journal(
                    writer, session.topics.journal, session.settings.environment, session.clock, signature
                )
                where["offset"] = inject_record(record, writer, journal).offset
            if as_json:
                print_json({"sent_again": not is_dry, **where})
            else:
                print(f"{'would be sent' if is_dry else 'sent'} again: {'/'.join(map(str, where.values()))}")


def _show(found: Reconciled, window: Window, *, as_json: bool) -> None:
    if as_json:
        for item in found.items:
            print_json(item)
        print_json({"counts": found.counts, "doubled": found.doubled, "items": len(found.items)})
        return
    if found.items:
        print_table(
            f"{min(_SHOWN, len(found.items))} of {len(found.items)} to look after",
            ("what", "kind", "id", "place", "detail"),
            ((i.what, i.kind, i.id, i.place, i.text) for i in found.items[:_SHOWN]),
        )
    counted = ", ".join(counted_as(count, kind) for kind, count in found.counts.items()) or "nothing"
    print(f"submitted {moment(window.since_ms)} to {moment(window.until_ms)}: {counted}")
    for kind, count in found.doubled.items():
        print(f"doubled and harmless: {counted_as(count, kind)}")
    if not found.items:
        print("nothing missing or late" if found.doubled else "nothing missing, late or doubled")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reconcile)

"""`hx inbox`: what members and liaisons are sent, as it lies in their topics. Looking moves no position."""

import heapq
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from casework.messages import Delivery, Escalation, Receipt, ReportContent, ReportStatement
from operations import inbox_rebuild
from operations.command_line.exits import Exit, leave
from operations.command_line.output import AsJson, print_json
from operations.command_line.session import Session
from operations.command_line.texts import moment, time_of
from operations.inbox_rebuild import Rebuilt
from operations.journal import Journal, Signature
from operations.reading import Record, TopicReader
from operations.writing import TopicWriter
from schemas.errors import UnreadableError
from streams import wire

app = typer.Typer(help="Look into inboxes and escalation topics.")
Answer = Delivery | Receipt | Escalation


@app.command()
def tail(
    context: typer.Context,
    member: Annotated[
        str | None, typer.Argument(help="Member id; none means all inboxes, for operators.")
    ] = None,
    escalations: Annotated[
        str | None,
        typer.Option(help="In place of inboxes: escalations of a country code, interpol or europol."),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="How many of the newest messages.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    show_content: Annotated[
        bool, typer.Option("--show-content", help="Also print the address, where it is readable here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the newest messages of one member, or of all.

    Example: hx inbox tail nl-offlimits --follow
    """
    session: Session = context.obj
    stopped = threading.Event()
    with session.reader() as reader:
        topics = _topics(session, reader, member, escalations)
        found = list(newest(reader.whole(*topics), count))
        for record in found:
            show(record, as_json=as_json, show_content=show_content)
        if not found and count and not as_json:
            print("no message yet" if topics else "no inbox yet: run 'hx provision'", file=sys.stderr)
        if follow:
            signal.signal(signal.SIGINT, lambda *_: stopped.set())
            for record in reader.follow(*topics, stop=stopped.is_set):
                show(record, as_json=as_json, show_content=show_content)


@app.command()
def rebuild(
    context: typer.Context,
    member: Annotated[str, typer.Argument(help="Member id, or the name of a desk.")],
    since: Annotated[
        str,
        typer.Option(help="Cases with news since then, as 2026-11-22T16:00:00Z."),
    ],
    to_topic: Annotated[
        bool, typer.Option("--to-topic", help="Send them into the inbox; needs operator and reason.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show them; the default.")] = False,
    operator: Annotated[str | None, typer.Option(help="Your operator id, for the journal.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the journal; no address.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a member's deliveries again from facts: the same ids, numbers and bytes, each case whole.

    Its client drops those it has as duplicates. Deliveries whose content was erased are named.

    Example: hx inbox rebuild nl-offlimits --since 2026-11-01T00:00:00Z
    """
    if to_topic and dry_run:
        raise typer.BadParameter("give one of --to-topic and --dry-run", param_hint="--to-topic")
    session: Session = context.obj
    since_ms = time_of(since, "--since") or 0
    signature = Signature(operator or "", reason or "")
    if to_topic:
        signature.check()
    erased = shown = 0
    with session.reader() as reader:
        _topics(session, reader, member, None)

        def each() -> Iterator[Rebuilt]:
            nonlocal erased, shown
            for made in inbox_rebuild.rebuild(reader, session.topics, member, since_ms):
                shown += 1
                erased += made.is_erased
                if as_json:
                    told = without_content(made.message)
                    print_json({"type": "Delivery", "message": told, "content_erased": made.is_erased})
                else:
                    print(line_of(made.message) + ("  content erased" if made.is_erased else ""))
                yield made

        if to_topic:
            settings = session.settings
            with TopicWriter(settings.bootstrap) as writer:
                journal = Journal(
                    writer, session.topics.journal, settings.environment, session.clock, signature
                )
                inbox_rebuild.send(each(), member, session.topics, writer, journal)
        else:
            for _ in each():
                pass
    if not as_json:
        did = "sent again" if to_topic else "would be sent again"
        print(f"{shown} deliveries {did}, {erased} without their erased content", file=sys.stderr)


def _topics(session: Session, reader: TopicReader, member: str | None, code: str | None) -> list[str]:
    names = session.topics
    there = reader.topics()
    if code:
        wanted = [names.escalations(code)]
    elif member:
        wanted = [names.inbox(member), names.inbox_urgent(member)]
    else:
        return sorted(topic for topic in there if names.member_of_inbox(topic))
    if not set(wanted) & there:
        leave(Exit.USAGE, f"topic {wanted[0]} does not exist: check the name, or run 'hx provision'")
    return wanted


def newest(records: Iterable[Record], count: int) -> Iterator[Record]:
    """Yield the newest records of all topics, oldest first; equal times in the order of their offsets."""
    yield from reversed(heapq.nlargest(count, records, key=lambda record: (record.timestamp, record.offset)))


def show(record: Record, *, as_json: bool, show_content: bool) -> None:
    """Print one message, or where it lies and why it cannot be read."""
    try:
        message = wire.decode(record.value or b"")
    except UnreadableError as error:
        if as_json:
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            print_json({"type": "unreadable", **place, "rule": error.rule})
        else:
            print(f"{record.topic}/{record.partition}/{record.offset}: unreadable ({error})")
        return
    if not isinstance(message, Answer):
        return
    content = _content(message) if show_content else None
    if as_json:
        print_json(
            {"type": type(message).__name__, "message": without_content(message)}
            | ({"content": content} if content else {})
        )
    else:
        print(line_of(message) + (f"  {content.url}" if content else ""), flush=True)


def without_content(message: Answer) -> dict[str, object]:
    """The message as a mapping, without statement and content."""
    left_out = {"statement", "signature", "content"}
    return {name: getattr(message, name) for name in message.__struct_fields__ if name not in left_out}


def _content(message: Answer) -> ReportContent | None:
    if isinstance(message, Receipt) or not message.content:
        return None
    try:
        content = wire.decode(message.content)
    except UnreadableError:
        return None
    return content if isinstance(content, ReportContent) else None


def line_of(message: Answer) -> str:
    """One line for people: when, to whom, what, about which case."""
    head = f"{moment(message.admitted_at)}  {message.recipient:<24}"
    if isinstance(message, Receipt):
        why = f" {message.field}: {message.rule}" if message.rule else ""
        where = f" -> {message.assigned_hotline or 'orphan desk'}" if message.case_id else ""
        return f"{head} receipt     {message.outcome}{why}{where}  case {message.case_id or '-'}"
    if isinstance(message, Escalation):
        return (
            f"{head} escalation  {message.reason_code}  from {message.origin}  host {message.hosting_country}"
        )
    what = f"#{message.number} {message.fact} by {message.by}"
    return f"{head} {message.kind:<13} {what}  {message.state}{_reference(message)}  case {message.case_id}"


def _reference(message: Delivery) -> str:
    if message.kind == "update" or not message.statement:
        return ""
    statement = wire.decode(message.statement)
    if not isinstance(statement, ReportStatement):
        return ""
    return f"  report {statement.reference} of {statement.sender}, host {statement.hosting_country}"

"""`hx inbox`: what members and liaisons are sent, as it lies in their topics. Looking moves no position."""

import heapq
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Annotated, NoReturn

import typer

from casework.countries import canonical_country
from casework.directory import ORPHAN_DESK
from casework.errors import BadInputError, RuleViolation
from casework.feed_names import FEED, is_feed
from casework.messages import ActionContent, Delivery, Escalation, Receipt, ReportContent, ReportStatement
from connectors.membership import NAME_IN_KEYS, ring_of
from connectors.network_secrets import NetworkKeyHolder, NetworkSecrets
from connectors.opening import Opener
from operations import inbox_rebuild
from operations.command_line.exits import Exit, leave
from operations.command_line.keepers import of_receipt, place_of
from operations.command_line.naming import naming, no_member, unknown
from operations.command_line.output import AsJson, print_json
from operations.command_line.proven import not_proven
from operations.command_line.session import Session
from operations.command_line.stated import stated_in
from operations.command_line.texts import moment, printable, time_of
from operations.inbox_rebuild import Rebuilt
from operations.journal import Journal, Signature
from operations.reading import Record, TopicReader
from schemas.errors import UnreadableError
from streams import wire

app = typer.Typer(help="Look into inboxes, escalations and feeds.")
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
    feed: Annotated[
        bool,
        typer.Option("--feed", help="In place of its inbox: the feed of a police liaison, by member id."),
    ] = False,
    reader_id: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="Whose ring opens, where it is not the recipient's: of the orphan desk a hotline with the"
            " mandate.",
        ),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="How many of the newest messages.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    show_content: Annotated[
        bool,
        typer.Option(
            "--open",
            "--show-content",
            help="Also open contents with the ring in HX_KEYS, and show addresses.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the newest messages of one member, or of all, in the order in which they came to be there.

    Example: hx inbox tail nl-offlimits --follow
    """
    session: Session = context.obj
    if reader_id is not None and not show_content:
        raise typer.BadParameter("it says whose ring opens: give --open too", param_hint="--as")
    if feed and (member is None or escalations is not None):
        raise typer.BadParameter("name the liaison by its member id, such as fr-police", param_hint="--feed")
    stopped = threading.Event()
    if follow:
        signal.signal(signal.SIGINT, lambda *_: stopped.set())
    with session.reader() as reader:
        topics = (
            _feed(session, reader, str(member)) if feed else _topics(session, reader, member, escalations)
        )
        opener = _opener(session, reader_id or member, escalations) if show_content else None
        shown = partial(show, as_json=as_json, opener=opener, session=session)
        found = list(newest(reader.whole(*topics), count))
        for record in found:
            shown(record)
        if not found and count and not as_json:
            print("no message yet" if topics else "no inbox yet: run 'hx provision --apply'", file=sys.stderr)
        if follow:
            for record in reader.follow(*topics, stop=stopped.is_set):
                shown(record)


@app.command()
def rebuild(
    context: typer.Context,
    member: Annotated[
        str, typer.Argument(help="Member id, the name of a desk, or of a feed, such as feed.fr-police.")
    ],
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
        if is_feed(member):
            _feed(session, reader, member.removeprefix(FEED))
        else:
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
                    print(
                        line_of(made.message, made.message.admitted_at)
                        + ("  content erased" if made.is_erased else "")
                    )
                yield made

        if to_topic:
            settings = session.settings
            with session.writer() as writer:
                journal = Journal(
                    writer, session.topics.journal, settings.environment, session.clock, signature
                )
                topic = session.topics.delivered(member)
                inbox_rebuild.send(each(), topic, session.seal(), writer, journal)
        else:
            for _ in each():
                pass
    if not as_json:
        did = "sent again" if to_topic else "would be sent again"
        print(f"{shown} deliveries {did}, {erased} without their erased content", file=sys.stderr)


def _topics(session: Session, reader: TopicReader, member: str | None, code: str | None) -> list[str]:
    names = session.topics
    there = reader.topics()
    inboxes = {found: topic for topic in there if (found := names.member_of_inbox(topic))}
    if code:
        liaisons = {found for topic in there if (found := names.liaison_of_escalations(topic))}
        if code.lower() not in liaisons:
            if code.lower() in session.directory().liaison_codes():
                _not_provisioned(f"escalations of {code.lower()}")
            unknown("liaison", code, liaisons, f"there are {', '.join(sorted(liaisons))}")
        return [names.escalations(code)]
    if member is None:
        return sorted(topic for topic in there if names.member_of_inbox(topic))
    if member not in inboxes:
        directory = session.directory()
        if member in directory.members_by_id:
            _not_provisioned(f"inbox of {member}")
        no_member(member, directory)
    return [names.inbox(member), names.inbox_urgent(member)]


def _feed(session: Session, reader: TopicReader, liaison: str) -> list[str]:
    there = {found for topic in reader.topics() if (found := session.topics.liaison_of_feed(topic))}
    if liaison not in there:
        if liaison in session.directory().police():
            _not_provisioned(f"feed of {liaison}")
        unknown("liaison", liaison, there, f"there are {', '.join(sorted(there))}")
    return [session.topics.feed(liaison)]


def _not_provisioned(what: str) -> NoReturn:
    leave(Exit.CONFIGURATION, f"the {what} does not exist yet: run 'hx provision --apply'")


def newest(records: Iterable[Record], count: int) -> Iterator[Record]:
    """Yield the newest records of all topics, oldest first; equal times in the order of their offsets."""
    yield from reversed(heapq.nlargest(count, records, key=lambda record: (record.timestamp, record.offset)))


def _opener(session: Session, member: str | None, code: str | None) -> Opener:
    settings, directory = session.settings, session.directory()
    liaison = directory.liaison(code.lower()) if code else None
    reader = liaison.id if member is None and liaison is not None else member
    needs_name = NAME_IN_KEYS in settings.keys
    if reader == ORPHAN_DESK and needs_name:
        mandated = ", ".join(one.id for one in directory.members if one.active and "orphans" in one.mandates)
        leave(Exit.USAGE, f"the desk has no ring: name a hotline with the mandate by --as, one of {mandated}")
    with naming(session, reader):
        ring = ring_of(settings, reader) if reader or not needs_name else None
    holder = NetworkKeyHolder(ring, NetworkSecrets(settings.network_key))
    # Whoever has no ring can check no url key that a sealed network key made.
    return Opener(ring, None if ring is None and directory.network_keys else holder, lambda: directory)


def show(record: Record, *, as_json: bool, opener: Opener | None, session: Session | None = None) -> None:
    """Print one message, or where it lies and why it cannot be read.

    Args:
        record: A record of an inbox or of escalations.
        as_json: Whether to print JSON.
        opener: Opens contents, whose address is then printed too; None leaves them shut.
        session: Whose clock and directory are used; None tells the broker's time, of a case without hotline
            only that, and proves nothing.
    """
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    violation = None if session is None else _violation(record, session)
    if violation is not None:
        # Not shown: whoever wrote it chose every word of it.
        if as_json:
            print_json({"type": "unproven", **place, "rule": violation.rule})
        else:
            print(
                f"{record.topic}/{record.partition}/{record.offset}: not by the exchange ({violation.rule})"
            )
        return
    try:
        message = wire.decode(record.value or b"")
    except UnreadableError as error:
        if as_json:
            print_json({"type": "unreadable", **place, "rule": error.rule})
        else:
            print(f"{record.topic}/{record.partition}/{record.offset}: unreadable ({error})")
        return
    if not isinstance(message, Answer):
        return
    content, shut = None, ""
    if opener is not None and not isinstance(message, Receipt):
        try:
            content = opener.open(message)
        except BadInputError as error:
            shut = error.violations[0].rule
    if as_json:
        appended = {"type": type(message).__name__, "appended_at": record.timestamp}
        print_json(
            appended
            | {"message": without_content(message)}
            | ({"content": content} if content else {})
            | ({"not_opened": shut} if shut else {})
        )
        return
    at_ms = record.timestamp if session is None else session.clock.at(record.timestamp)
    keeper = ""
    if isinstance(message, Receipt) and message.case_id:
        needed = None if session is None or message.assigned_hotline else session.any_directory
        keeper = of_receipt(message, needed)
    # Intake has not seen what was sealed: nothing in it may steer a terminal.
    said = "" if content is None else words_in(content)
    opened = f"  not opened: {shut}" if shut else f"  {said}" if said else ""
    print(line_of(message, at_ms, keeper) + opened, flush=True)


def _violation(record: Record, session: Session) -> RuleViolation | None:
    """Answer why a record is not proven to be the exchange's; None also where no directory is there."""
    directory = session.any_directory
    return None if directory is None else not_proven(record, directory, session.topics.prefix)


def words_in(content: ReportContent | ActionContent) -> str:
    """Answer what is read first of a content: the address of a report, the words of an action."""
    if isinstance(content, ReportContent):
        return printable(content.url)
    language = f" ({content.note_language})" if content.note and content.note_language else ""
    note = None if content.note is None else f"{content.note}{language}"
    words = (note, content.new_url, content.police_unit, content.police_reference)
    return "; ".join(printable(word) for word in words if word)


def without_content(message: Answer) -> dict[str, object]:
    """The message as a mapping, without statement and content, but with the labels of the statement."""
    left_out = {"statement", "signature", "content"}
    shown = {name: getattr(message, name) for name in message.__struct_fields__ if name not in left_out}
    stated = None if isinstance(message, Receipt) else stated_in(message.statement)
    return shown if stated is None or stated.is_empty else shown | {"stated": stated}


def line_of(message: Answer, at_ms: int, keeper: str = "") -> str:
    """One line for people: when, to whom, what, about which case.

    Args:
        message: The message.
        at_ms: When it came, by the exchange's clock; milliseconds since the epoch, UTC.
        keeper: Who has the case of a receipt.
    """
    head = f"{moment(at_ms)}  {message.recipient:<24}"
    if isinstance(message, Receipt):
        why = f" {message.field}: {message.rule}" if message.rule else ""
        what = f"of {printable(message.event_id)}  {message.outcome}{why}"
        return f"{head} receipt     {what}{place_of(message, keeper)}"
    if isinstance(message, Escalation):
        return (
            f"{head} escalation  {message.reason_code}  from {message.origin}  host {message.hosting_country}"
            f"  report {printable(message.event_id)}  case {message.case_id or 'not decided yet'}"
        )
    until = "" if message.until is None else f" until {moment(message.until)}"
    what = f"#{message.number} fact {message.fact_number} {message.fact} by {message.by}{until}"
    about = f"{_reference(message)}{_stated(message)}"
    return f"{head} {message.kind:<13} {what}  {message.state}{about}  case {message.case_id}"


def _stated(message: Delivery) -> str:
    words = stated_in(message.statement).words()
    return "".join(f"  {name} {value}" for name, value in words)


def _reference(message: Delivery) -> str:
    if message.kind == "update" or not message.statement:
        return ""
    statement = wire.decode(message.statement)
    if not isinstance(statement, ReportStatement):
        return ""
    # What the member wrote may be an alias, as UK.
    country = canonical_country(statement.hosting_country) or statement.hosting_country
    return f"  report {statement.reference} of {statement.sender}, host {country}"

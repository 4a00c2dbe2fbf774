"""`hx deadletters`: look at what nobody has acted on, send it back, or leave it for good."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from casework.errors import BadInputError, RuleViolation
from operations import dead_letters
from operations.command_line.exits import Exit, leave
from operations.command_line.output import AsJson, print_json, print_table
from operations.command_line.session import Session
from operations.command_line.texts import moment, time_of
from operations.dead_letters import STATES, Filter, Letter
from operations.journal import Journal, Signature, entries
from operations.writing import TopicWriter

app = typer.Typer(help="Look at dead letters, replay or discard them.")

Ids = Annotated[list[str] | None, typer.Argument(help="Ids of letters, such as 0-17.")]
FromTopic = Annotated[str | None, typer.Option("--topic", help="Topic they came from, with its prefix.")]
ErrorClass = Annotated[str | None, typer.Option("--error-class", help="For example bug or undeliverable.")]
Rule = Annotated[str | None, typer.Option(help="Rule they broke.")]
Member = Annotated[str | None, typer.Option(help="Sender, or recipient of what could not be delivered.")]
Since = Annotated[str | None, typer.Option(help="Given up then or later, as 2026-11-22T16:00:00Z.")]
Until = Annotated[str | None, typer.Option(help="Given up before then.")]
State = Annotated[str | None, typer.Option(help=f"One of {', '.join(STATES)}.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Everything = Annotated[bool, typer.Option("--all", help="All that are open, without a filter.")]
Operator = Annotated[str, typer.Option(help="Your operator id, for the journal.")]
Reason = Annotated[str, typer.Option(help="Why, for the journal; no address.")]


@app.command("list")
def list_letters(
    context: typer.Context,
    ids: Ids = None,
    topic: FromTopic = None,
    error_class: ErrorClass = None,
    rule: Rule = None,
    member: Member = None,
    since: Since = None,
    until: Until = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters, oldest first, with what was done to each.

    Example: hx deadletters list --error-class undeliverable --state open
    """
    wanted = _filter(ids, topic, error_class, rule, member, since, until, state)
    found = _found(context.obj, wanted)
    if as_json:
        for letter in found:
            print_json(letter.shown())
        return
    print_table(
        f"{len(found)} dead letters",
        ("id", "given up", "class", "rule", "from", "member", "bytes", "attempts", "state", "by"),
        (_row(letter) for letter in found),
    )


@app.command()
def show(
    context: typer.Context,
    letter_id: Annotated[str, typer.Argument(help="Id of a letter, such as 0-17.")],
    as_json: AsJson = False,
) -> None:
    """Show all that is known of one dead letter, without its contents.

    Example: hx deadletters show 0-17
    """
    (letter,) = _found(context.obj, Filter(ids=(letter_id,))) or (None,)
    if letter is None:
        leave(Exit.NO, f"no dead letter has the id {letter_id}")
    if as_json:
        print_json(letter.shown())
        return
    for name, value in letter.shown().items():
        if value is not None:
            print(f"{name:<18}{moment(value) if name in _TIMES and isinstance(value, int) else value}")


@app.command()
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Option("--to", help="New file, readable by you alone.")],
    ids: Ids = None,
    topic: FromTopic = None,
    error_class: ErrorClass = None,
    rule: Rule = None,
    member: Member = None,
    since: Since = None,
    until: Until = None,
    state: State = None,
) -> None:
    """Write dead letters whole into a file, one JSON object a line. It may hold addresses: protect it.

    Example: hx deadletters export 0-17 --to letter.jsonl
    """
    found = _found(context.obj, _filter(ids, topic, error_class, rule, member, since, until, state))
    if not found:
        leave(Exit.NO, "no dead letter is meant")
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        for letter in found:
            out.write(json.dumps(_whole(letter), ensure_ascii=False) + "\n")
    print(f"{len(found)} dead letters in {file}; they may hold addresses: protect the file")


@app.command()
def replay(
    context: typer.Context,
    operator: Operator,
    reason: Reason,
    ids: Ids = None,
    topic: FromTopic = None,
    error_class: ErrorClass = None,
    rule: Rule = None,
    member: Member = None,
    since: Since = None,
    until: Until = None,
    state: State = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send records back to where they came from, or to where they were to go. Twice is harmless.

    Without a state only those are meant that were neither replayed nor discarded.

    Example: hx deadletters replay --rule unknown_topic --operator ops-1 --reason "inbox provisioned"
    """
    wanted = _filter(ids, topic, error_class, rule, member, since, until, state)

    def one(letter: Letter, writer: TopicWriter, journal: Journal | None) -> str:
        if letter.provenance is None:
            raise BadInputError(
                RuleViolation("letter", "no_provenance", "it does not say where it came from")
            )
        if journal is None:
            place = dead_letters.target(letter, writer.partitions)
            return f"would be replayed to {place[0]}/{place[1]}"
        return "replayed to {}/{}/{}".format(*dead_letters.replay(letter, writer, journal))

    _each(context.obj, wanted, Signature(operator, reason), one, everything, dry_run, as_json)


@app.command()
def discard(
    context: typer.Context,
    operator: Operator,
    reason: Reason,
    ids: Ids = None,
    topic: FromTopic = None,
    error_class: ErrorClass = None,
    rule: Rule = None,
    member: Member = None,
    since: Since = None,
    until: Until = None,
    state: State = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Note that records are left for good; they stay readable until the retention of the topic ends.

    Without a state only those are meant that were neither replayed nor discarded.

    Example: hx deadletters discard 0-17 --operator ops-1 --reason "forged by a scanner"
    """
    wanted = _filter(ids, topic, error_class, rule, member, since, until, state)

    def one(letter: Letter, _writer: TopicWriter, journal: Journal | None) -> str:
        if journal is None:
            return "would be discarded"
        dead_letters.discard(letter, journal)
        return "discarded"

    _each(context.obj, wanted, Signature(operator, reason), one, everything, dry_run, as_json)


_TIMES = frozenset({"timestamp", "failed_at", "done_at"})


def _filter(
    ids: list[str] | None,
    topic: str | None,
    error_class: str | None,
    rule: str | None,
    member: str | None,
    since: str | None,
    until: str | None,
    state: str | None,
) -> Filter:
    if state is not None and state not in STATES:
        raise typer.BadParameter(f"expected one of {', '.join(STATES)}", param_hint="--state")
    return Filter(
        ids=tuple(ids or ()),
        topic=topic,
        error_class=error_class,
        rule=rule,
        member=member,
        since=time_of(since, "--since"),
        until=time_of(until, "--until"),
        states=() if state is None else (state,),  # type: ignore[arg-type] # checked above
    )


def _found(session: Session, wanted: Filter) -> list[Letter]:
    with session.reader() as reader:
        journal = list(entries(reader.whole(session.topics.journal)))
        there = dead_letters.letters(reader.whole(session.topics.dead_letters), journal)
        found = [letter for letter in there if wanted.takes(letter)]
    return sorted(found, key=lambda letter: (_given_up(letter), letter.place))


def _given_up(letter: Letter) -> int:
    return 0 if letter.provenance is None else letter.provenance.failed_at


def _each(
    session: Session,
    wanted: Filter,
    signature: Signature,
    one: Callable[[Letter, TopicWriter, Journal | None], str],
    everything: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Do one thing to each letter that is meant; what is impossible for one is said, the others go on."""
    signature.check()
    if not (wanted.chooses or everything):
        raise typer.BadParameter("name letters, give a filter, or say --all", param_hint="IDS")
    states = wanted.states or (("open", "begun") if not wanted.ids else STATES)
    found = _found(session, msgspec.structs.replace(wanted, states=states))
    if not found:
        leave(Exit.NO, "no dead letter is meant")
    failed = 0
    with session.writer() as writer:
        journal = Journal(
            writer, session.topics.journal, session.settings.environment, session.clock, signature
        )
        for letter in found:
            try:
                outcome = one(letter, writer, None if dry_run else journal)
            except BadInputError as error:
                failed += 1
                outcome = f"not possible: {error}"
            if as_json:
                print_json({"id": letter.id, "outcome": outcome})
            else:
                print(f"{letter.id}: {outcome}")
    if failed:
        leave(Exit.NO, f"{failed} of {len(found)} could not be done")


def _row(letter: Letter) -> tuple[object, ...]:
    found, last = letter.provenance, letter.last
    return (
        letter.id,
        None if found is None else moment(found.failed_at),
        "no provenance" if found is None else found.error_class,
        None if found is None else found.rule,
        None if found is None else f"{found.topic}/{found.partition}/{found.offset}",
        letter.member,
        None if letter.value is None else len(letter.value),
        None if found is None else found.attempts,
        letter.state,
        None if last is None else last.operator,
    )


def _whole(letter: Letter) -> dict[str, object]:
    def text(data: bytes | None) -> str | None:
        return None if data is None else base64.b64encode(data).decode()

    return letter.shown() | {
        "key": text(letter.key),
        "value": text(letter.value),
        "all_headers": [[name, text(value)] for name, value in letter.headers],
    }

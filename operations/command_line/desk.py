"""`hx desk`: the queues of all cases: who has to do what by when, what waits longest first."""

from collections.abc import Callable, Iterator
from typing import Annotated, Final

import msgspec
import typer

from casework.countries import canonical_country
from casework.directory import Directory
from casework.messages import Case
from casework.next_steps import DEADLINES, NO_STEP, WHAT, NextStep, outlook, reason_for_none
from casework.queues import QUEUES, as_able, queues_of
from operations.command_line.keepers import of_case
from operations.command_line.naming import unknown_member
from operations.command_line.output import AsJson, print_json, print_table
from operations.command_line.session import Session
from operations.command_line.texts import duration, moment

app = typer.Typer(help="See who has to do what by when, queue by queue.")

Hotline = Annotated[
    str | None, typer.Option(help="Only cases of this hotline, and what this member has to do.")
]
Country = Annotated[str | None, typer.Option(help="Only cases hosted in, or assigned to, this country.")]
Limit = Annotated[int, typer.Option(help="At most so many lines, what waits longest first.")]


class Todo(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a queue.

    Attributes:
        queue: Name of the queue.
        case_id: Case id.
        state: State of the case.
        hosting_country: Where the content is hosted.
        assigned_country: Country whose hotlines have the case.
        keeper: Who has the case.
        what: Code of what is to be done; None where nothing has to be.
        who: Who has to do it.
        due_at: Until when; milliseconds since the epoch, UTC; None: no time.
        since: Since when the case lies in the queue; milliseconds since the epoch, UTC.
        about: What the step is about.
        reason: Why nothing with a time has to be done; None where something has.
    """

    queue: str
    case_id: str
    state: str
    hosting_country: str
    assigned_country: str | None
    keeper: str
    what: str | None
    who: tuple[str, ...]
    due_at: int | None
    since: int
    about: str
    reason: str | None


def todos(
    queue: str,
    cases: list[Case],
    directory: Directory,
    *,
    hotline: str | None = None,
    country: str | None = None,
) -> list[Todo]:
    """Answer the lines of a queue, what is due first at the top, and what has no time by its age."""
    lines = [
        _todo(queue, case, since, step, reason)
        for case in cases
        if country is None or country in {case.hosting_country, case.assigned_country}
        for name, since in queues_of(case)
        if name == queue
        for step, reason in _steps(queue, case, directory)
        if hotline is None or hotline == case.assigned_hotline or (step is not None and hotline in step.who)
    ]
    lines.sort(key=lambda line: (line.due_at is None, line.due_at or line.since, line.case_id))
    return lines


def _steps(queue: str, case: Case, directory: Directory) -> Iterator[tuple[NextStep | None, str | None]]:
    """Yield what takes a case out of a queue; where nobody has to do anything, why."""
    found = outlook(case)
    whats = QUEUES[queue].whats
    steps = [as_able(step, directory) for step in found.steps if step.what in whats]
    if queue == "overdue":
        steps = [step for step in steps if step.is_missed]
    yield from ((step, None) for step in steps)
    if not steps:
        yield None, reason_for_none(case)


def _todo(queue: str, case: Case, since: int, step: NextStep | None, reason: str | None) -> Todo:
    return Todo(
        queue=queue,
        case_id=case.case_id,
        state=case.state,
        hosting_country=case.hosting_country,
        assigned_country=case.assigned_country,
        keeper=of_case(case),
        what=None if step is None else step.what,
        who=() if step is None else step.who,
        due_at=None if step is None else step.due_at,
        since=since,
        about="" if step is None else step.about,
        reason=reason,
    )


def when(due_at: int | None, now: int) -> str:
    """Answer a due time as people read it: in 2.0 h, or 3.1 d late; nothing where there is none."""
    if due_at is None:
        return ""
    apart = duration(abs(due_at - now))
    return f"{apart} late" if due_at <= now else f"in {apart}"


def in_words(step: NextStep | Todo) -> str:
    """Answer what is to be done, in words; a timer of the exchange by its name."""
    if step.what is None:
        return ""
    words = WHAT.get(step.what, f"the exchange: {step.what}")
    # A deadline without a time is one that a hold has stopped.
    return f"{words} (not while the hold lasts)" if step.what in DEADLINES and step.due_at is None else words


def _run(
    queue: str, session: Session, hotline: str | None, country: str | None, limit: int, *, as_json: bool
) -> None:
    cases = list(session.cases().values())
    if country is not None:
        country = _country(country)
    directory = session.directory()
    lines = todos(queue, cases, directory, hotline=hotline, country=country)
    if hotline is not None and not lines:
        members = directory.members_by_id
        if hotline not in members:
            unknown_member(hotline, members)
    if as_json:
        for line in lines[:limit]:
            print_json(line)
        return
    now = session.clock.now_ms()
    print_table(
        f"{queue} ({QUEUES[queue].meaning})"
        + (f": {min(limit, len(lines))} of {len(lines)}" if lines else ""),
        ("case", "what", "who", "by", "", "waits for", "state", "host", "responsible", "about"),
        (
            (
                line.case_id,
                in_words(line) or NO_STEP.get(line.reason or "", ""),
                ", ".join(line.who),
                "" if line.due_at is None else moment(line.due_at),
                when(line.due_at, now),
                duration(max(now - line.since, 0)),
                line.state,
                line.hosting_country,
                line.keeper,
                line.about,
            )
            for line in lines[:limit]
        ),
    )


def _country(text: str) -> str:
    code = canonical_country(text.upper())
    if code is None:
        raise typer.BadParameter("expected a country of ISO 3166-1", param_hint="--country")
    return code


def _command(queue: str) -> Callable[..., None]:
    def command(
        context: typer.Context,
        hotline: Hotline = None,
        country: Country = None,
        limit: Limit = 50,
        as_json: AsJson = False,
    ) -> None:
        _run(queue, context.obj, hotline, country, limit, as_json=as_json)

    return command


_EXAMPLE: Final = "\n\nExample: hx desk {} --country NL"
for _name, _queue in QUEUES.items():
    app.command(_name, help=f"List: {_queue.meaning}.{_EXAMPLE.format(_name.replace('_', '-'))}")(
        _command(_name)
    )

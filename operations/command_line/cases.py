"""`hx cases`: the newest state of cases and their facts, and letting a parked case go on."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import typer

from casework.messages import Case, Fact, ReportStatement
from casework.states import STATES
from casework.timeline import timeline
from operations import unparking
from operations.command_line import erasing
from operations.command_line.case_view import json_of, print_case
from operations.command_line.exits import Exit, leave
from operations.command_line.keepers import of_case
from operations.command_line.naming import unknown_member
from operations.command_line.output import AsJson, print_json, print_table
from operations.command_line.session import Session
from operations.command_line.texts import duration
from operations.journal import Signature
from operations.reading import Record
from operations.verification.rebuilding import REPORT_FACTS
from streams import wire

app = typer.Typer(help="Look at cases; let a parked one go on; have contents erased.")
erasing.add_to(app)

CLOCKS_APART_MS: Final = 10_000
"""How far the broker's clock may be behind this machine's: facts are looked at from that much earlier on."""

SHORTEST_PREFIX: Final = 8
"""Characters of an id that are enough to look for it."""
_NAMED: Final = 5


@app.command("list")
def list_cases(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only cases in this state, for example assigned.")] = None,
    hotline: Annotated[str | None, typer.Option(help="Only cases of this responsible hotline.")] = None,
    late: Annotated[bool, typer.Option("--late", help="Only cases with an overdue step.")] = False,
    parked: Annotated[
        bool,
        typer.Option("--parked", help="Only cases whose records wait undecided, with what stopped them."),
    ] = False,
    complaint: Annotated[
        str | None, typer.Option(help="Only cases with a report of this complaint, as its origin named it.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many, oldest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List cases, oldest first.

    Example: hx cases list --hotline nl-offlimits --late
    """
    session: Session = context.obj
    if state is not None and state not in STATES:
        raise typer.BadParameter(f"expected one of {', '.join(STATES)}", param_hint="--state")
    newest = list(session.cases().values())
    if complaint is not None:
        with session.reader() as reader:
            wanted = cases_of(reader.whole(session.topics.cases_events), complaint)
        newest = [case for case in newest if case.case_id in wanted]
    if hotline is not None and all(case.assigned_hotline != hotline for case in newest):
        members = session.directory().members_by_id
        if hotline not in members:
            unknown_member(hotline, members)
    chosen = [
        case
        for case in newest
        if (state is None or case.state == state)
        and (hotline is None or case.assigned_hotline == hotline)
        and (case.overdue or not late)
        and (case.parked is not None or not parked)
    ]
    chosen.sort(key=lambda case: case.opened_at)
    if as_json:
        for case in chosen[:limit]:
            print_json(case)
        return
    now = session.clock.now_ms()
    if parked:
        _print_parked(chosen[:limit], now)
        return
    print_table(
        f"{min(limit, len(chosen))} of {len(chosen)} cases",
        ("case", "state", "responsible", "host", "round.leg", "age", "origins", "overdue"),
        (
            (
                case.case_id,
                case.outcome if case.state == "closed" else case.state,
                of_case(case),
                case.hosting_country,
                f"{case.round}.{case.leg}",
                duration((case.closed_at or now) - case.opened_at),
                ", ".join(origin.member for origin in case.origins),
                ", ".join(case.overdue),
            )
            for case in chosen[:limit]
        ),
    )


@app.command()
def show(
    context: typer.Context,
    case_id: Annotated[
        str,
        typer.Argument(
            help="Case id, or the event id of one of its reports; its first 8 characters or more."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Show one case: who has it, what is next, legs, clocks, deadlines, deliveries, answers, all facts.

    Example: hx cases show 0197a6f2-7a3e-8c41-9f1e-5d1c2b3a4f60
    """
    session: Session = context.obj
    if len(case_id) < SHORTEST_PREFIX:
        leave(
            Exit.USAGE, f"{case_id} is too short: give the id, or at least {SHORTEST_PREFIX} characters of it"
        )
    with session.reader() as reader:
        cases = facts_of(reader.whole(session.topics.cases_events), case_id)
    if not cases:
        leave(Exit.NO, f"no case has the id {case_id}, nor one that begins so")
    if len(cases) > 1:
        ids = sorted(facts[-1].case_id for facts in cases)
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        leave(Exit.USAGE, f"{case_id} is the beginning of several: cases {', '.join(ids[:_NAMED])}{more}")
    [facts] = cases
    newest = session.cases().get(facts[-1].url_key)
    case = newest if newest is not None and newest.case_id == facts[-1].case_id else None
    shown = timeline(facts)
    complaints = _complaints(session, facts)
    if as_json:
        print_json({"case": case, "facts": facts, **json_of(case, shown), "complaints": complaints})
        return
    print_case(case, shown, session.clock.now_ms())
    for complaint, others in complaints.items():
        print(f"complaint {complaint}: {'also in cases ' + ', '.join(others) if others else 'no other case'}")


@app.command()
def unpark(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="Case id, or url key in hexadecimal.")],
    operator: Annotated[str, typer.Option(help="Your operator id, for the journal.")],
    reason: Annotated[str, typer.Option(help="Why, for the journal; no address.")],
    skip: Annotated[
        bool, typer.Option("--skip", help="Set the first waiting record aside as a dead letter.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the outcome; 0: do not.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Let a parked case go on: what waits is decided in order, before anything newer of the case.

    Ends with 1 when the case does not wait, or waits on because a record failed again.

    Example: hx cases unpark 0197a6f2-7a3e-8c41-9f1e-5d1c2b3a4f60 --operator ops-1 --reason "1.4.2 is out"
    """
    session: Session = context.obj
    signature = Signature(operator, reason)
    signature.check()
    found = session.case(case)
    if found is None or found.parked is None:
        leave(Exit.NO, f"no case {case}" if found is None else f"the case {case} is not parked")
    started = session.clock.real_ms()
    with session.writer() as writer:
        place = unparking.order(
            found,
            skip=skip,
            signature=signature,
            writer=writer,
            topics=session.topics,
            clock=session.clock,
            directory_version=session.directory().version,
        )
    if timeout <= 0:
        print(f"ordered: {place.topic}/{place.partition}/{place.offset}")
        return
    with session.reader() as reader:
        fact = unparking.outcome(
            reader, session.topics, place, since_ms=started - CLOCKS_APART_MS, timeout_s=timeout
        )
    if as_json:
        print_json({"case_id": found.case_id, "order": place, "fact": fact})
    if fact is None:
        leave(Exit.NO, f"nothing came of it within {timeout:g} s: is casekeeper running?")
    if fact.parked is not None:
        leave(Exit.NO, f"{fact.parked.count} records wait on: {fact.rule}")
    if not as_json:
        print(f"case {fact.case_id} goes on: {found.parked.count} records were waiting")


def _print_parked(cases: Sequence[Case], now: int) -> None:
    """Print what waits; `now` in milliseconds since the epoch, UTC, on the exchange's clock."""
    print_table(
        f"{len(cases)} parked cases",
        ("case", "state", "parked for", "records", "class", "rule", "attempts", "first offset", "url key"),
        (
            (
                case.case_id,
                case.state,
                duration(now - case.parked.since),
                case.parked.count,
                case.parked.error_class,
                case.parked.rule,
                case.parked.attempts,
                case.parked.offsets[0] if case.parked.offsets else case.parked.more_from,
                case.url_key.hex(),
            )
            for case in cases
            if case.parked is not None
        ),
    )


def facts_of(records: Iterable[Record], wanted: str) -> list[list[Fact]]:
    """Answer the facts of the case with an id, or of all that have one with this beginning; each in order.

    Args:
        records: Those of cases.events.
        wanted: Case id, event id of a report or an input of the case, or how one begins.
    """
    by_case: dict[str, dict[int, Fact]] = {}
    exact: set[str] = set()
    similar: set[str] = set()
    for record in records:
        if record.value is None:
            continue
        fact = wire.decode_as(Fact, record.value)
        by_case.setdefault(fact.case_id, {})[fact.number] = fact
        for identifier in (fact.case_id, fact.report_event_id, fact.input_id):
            if identifier == wanted:
                exact.add(fact.case_id)
            elif identifier is not None and identifier.startswith(wanted):
                similar.add(fact.case_id)
    return [[fact for _, fact in sorted(by_case[key].items())] for key in sorted(exact or similar)]


def _complaints(session: Session, facts: Sequence[Fact]) -> dict[str, list[str]]:
    """Answer the complaints that reports of a case belong to, each with the other cases it is in."""
    named = sorted({complaint for fact in facts if (complaint := complaint_in(fact)) is not None})
    found: dict[str, list[str]] = {}
    for complaint in named:
        with session.reader() as reader:
            cases = cases_of(reader.whole(session.topics.cases_events), complaint)
        found[complaint] = sorted(cases - {facts[0].case_id})
    return found


def cases_of(records: Iterable[Record], complaint_id: str) -> frozenset[str]:
    """Answer the ids of the cases that have a report of a complaint.

    Args:
        records: Those of cases.events.
        complaint_id: As the origin of the reports named it.
    """
    facts = (wire.decode_as(Fact, record.value) for record in records if record.value is not None)
    return frozenset(fact.case_id for fact in facts if complaint_in(fact) == complaint_id)


def complaint_in(fact: Fact) -> str | None:
    """Answer the complaint that the report of a fact belongs to; None for other facts."""
    if fact.statement is None or fact.fact not in REPORT_FACTS:
        return None
    return wire.decode_as(ReportStatement, fact.statement).complaint_id

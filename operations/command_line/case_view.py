"""One case for people: who has it, what is next, its legs and clocks, and everything that happened."""

from collections.abc import Iterable, Sequence

import msgspec

from casework.messages import Case
from casework.next_steps import NO_STEP, outlook
from casework.timeline import Leg, Timeline
from operations.command_line.desk import in_words, when
from operations.command_line.fact_lines import detail
from operations.command_line.keepers import of_case
from operations.command_line.output import print_table
from operations.command_line.stated import stated_in
from operations.command_line.texts import duration, moment


def print_case(case: Case | None, shown: Timeline, now: int) -> None:
    """Print a case; `now` in milliseconds since the epoch, UTC, on the exchange's clock.

    Args:
        case: Its newest state, where it is kept; else that of its facts is told.
        shown: Its timeline.
        now: The time.
    """
    case = shown.case if case is None else case
    if case is not None:
        _print_head(case, shown, now)
    _print_part("legs", ("round.leg", "who", "host", "from", "to", "lasted", "paused"), _legs(shown, now))
    _print_part("deadlines", ("round.leg", "step", "due", "", "done"), _deadlines(shown))
    _print_part("reports", ("admitted", "origin", "as", "host", "event id", "left by"), _reports(shown))
    _print_part("holds", ("set", "by", "until", "", "asked by", "warned", "ended", "by"), _holds(shown))
    _print_part("escalations", ("sent", "to", "reason", "attempt", "acknowledged"), _escalations(shown))
    _print_part("confirmations", ("asked", "member", "of", "due", "", "confirmed"), _confirmations(shown))
    _print_part("deliveries", ("recipient", "numbers", "what was delivered"), _deliveries(shown))
    _print_part("receipts", ("decided", "to", "for", "answer", "why", "fact"), _receipts(shown))
    print_table("facts", ("no", "decided", "fact", "by", "round.leg", "detail", "told"), _facts(shown))


def json_of(case: Case | None, shown: Timeline) -> dict[str, object]:
    """Answer what a machine gets beside the state and the facts: the same parts, by name."""
    parts = msgspec.structs.asdict(shown)
    known, entries = parts.pop("case"), parts.pop("entries")
    deliveries = [
        {"fact": entry.fact.number, **msgspec.structs.asdict(told)}
        for entry in entries
        for told in entry.told
    ]
    stated = {
        entry.fact.number: said for entry in entries if not (said := stated_in(entry.fact.statement)).is_empty
    }
    newest = known if case is None else case
    return {
        "next": None if newest is None else outlook(newest),
        **parts,
        "deliveries": deliveries,
        "stated": stated,
    }


def _print_head(case: Case, shown: Timeline, now: int) -> None:
    state = f"{case.state} {case.outcome}" if case.outcome else case.state
    print(f"case {case.case_id}: {state} -> {of_case(case)}")
    host = f"{case.hosting_country} {case.hosting_status}" if case.hosting_status else case.hosting_country
    chain = f"; chain {' > '.join(case.chain)}" if len(case.chain) > 1 else ""
    priority = f"; priority {case.priority}" if case.priority else ""
    print(f"hosted in {host}{chain}{priority}")
    if case.related:
        print(f"related: {', '.join(case.related)}")
    for one in shown.rounds[-1:]:
        end = "" if one.closed_at is None else f", closed {moment(one.closed_at)}"
        paused = sum(leg.paused_for_ms(now) for leg in shown.legs if leg.round == one.round)
        held = f", paused {duration(paused)}" if paused else ""
        print(f"clock: {duration(one.lasted_ms(now))} since {moment(one.received_at)}{end}{held}")
    found = outlook(case)
    for step in found.steps:
        by = "" if step.due_at is None else f" by {moment(step.due_at)} ({when(step.due_at, now)})"
        about = f" [{step.about}]" if step.about else ""
        print(f"next: {', '.join(step.who)}: {in_words(step)}{by}{about}")
    if found.reason is not None:
        print(f"no time runs: {NO_STEP[found.reason]}")


def _print_part(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table where there is something to tell."""
    lines = list(rows)
    if lines:
        print_table(title, columns, lines)


def _at(at: int | None) -> str:
    return "" if at is None else moment(at)


def _legs(shown: Timeline, now: int) -> Iterable[Sequence[object]]:
    for leg in shown.legs:
        paused = leg.paused_for_ms(now)
        yield (
            f"{leg.round}.{leg.leg}",
            _who(leg),
            leg.hosting_country,
            moment(leg.since),
            f"{_at(leg.until)} {leg.ended_by or ''}".strip(),
            duration(leg.lasted_ms(now)),
            duration(paused) if paused else "",
        )


def _who(leg: Leg) -> str:
    return leg.who[0] if leg.kind == "hotline" else " ".join((leg.kind, *leg.who))


def _deadlines(shown: Timeline) -> Iterable[Sequence[object]]:
    for each in shown.deadlines:
        place = f"{each.round}.{each.leg}"
        yield (place, each.step, moment(each.due_at), each.standing, _at(each.done_at))


def _reports(shown: Timeline) -> Iterable[Sequence[object]]:
    for each in shown.reports:
        yield (moment(each.at), each.origin, each.fact, each.hosting_country, each.event_id, each.left_by)


def _holds(shown: Timeline) -> Iterable[Sequence[object]]:
    for each in shown.holds:
        kind = "asked for" if each.is_request else "held"
        ended = (_at(each.ended_at), each.ended_by)
        yield (moment(each.since), each.by, moment(each.until), kind, each.asked_by, each.warned, *ended)


def _escalations(shown: Timeline) -> Iterable[Sequence[object]]:
    for each in shown.escalations:
        answer = f"{_at(each.acknowledged_at)} {each.acknowledged_by or ''}".strip()
        yield (moment(each.at), each.recipient, each.reason_code, each.attempt, answer or "no")


def _confirmations(shown: Timeline) -> Iterable[Sequence[object]]:
    for each in shown.confirmations:
        late = "late" if each.is_missed else ""
        answer = _at(each.confirmed_at) or (f"no: {each.ended_by}" if each.ended_by else "not yet")
        what = f"{each.kind} in fact {each.fact_number}"
        yield (moment(each.asked_at), each.member, what, moment(each.due_at), late, answer)


def _deliveries(shown: Timeline) -> Iterable[Sequence[object]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for entry in shown.entries:
        for told in entry.told:
            what = f"{told.number} {told.kind} of fact {entry.fact.number} {told.fact}"
            found.setdefault(told.recipient, []).append((told.number, what))
    for recipient, lines in sorted(found.items()):
        yield (recipient, f"{lines[0][0]} to {lines[-1][0]}", "; ".join(what for _, what in lines))


def _receipts(shown: Timeline) -> Iterable[Sequence[object]]:
    for each in shown.receipts:
        why = ", ".join((*([each.rule] if each.rule else ()), *each.breaches))
        yield (moment(each.at), each.to, each.what, each.outcome, why, each.fact)


def _facts(shown: Timeline) -> Iterable[Sequence[object]]:
    for entry in shown.entries:
        fact = entry.fact
        told = " ".join(f"{told.recipient}#{told.number}" for told in entry.told)
        name = fact.fact if entry.is_known else f"{fact.fact} (unknown here)"
        place = f"{fact.round}.{fact.leg}"
        yield (fact.number, moment(fact.admitted_at), name, fact.by, place, detail(fact), told)

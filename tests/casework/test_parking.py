from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.casekeeping import CASE_LIMIT_BYTES, Event, Kept, Source, Unpark, keep, keep_waiting
from casework.directory import Directory
from casework.due import due_times
from casework.errors import BugError, ForeignRecordError
from casework.evolution import fold
from casework.messages import Case, Delivery, DeliveryCount, Fact, Parked, Unparking
from casework.parking import MAX_LISTED, Trouble, give_up, park, park_again, unparked
from casework.transitions import PARKING
from streams import wire

if TYPE_CHECKING:
    from tests.casework.conftest import Story

replace = msgspec.structs.replace
BUG = Trouble("bug", "ZeroDivisionError")
Recorded = tuple[Event, Directory, Source]

acts = st.tuples(
    st.just("act"),
    st.sampled_from(["gb-iwf", "de-eco", "nl-offlimits"]),
    st.sampled_from(["acknowledged", "assessed", "police_informed", "removed", "observed", "hold"]),
)
reports = st.tuples(
    st.just("report"), st.sampled_from(["gb-iwf", "de-eco", "nl-offlimits"]), st.sampled_from(["NL", "ZZ"])
)
times = st.tuples(st.just("later"), st.sampled_from([1, 61, 24 * 60 * 8]))
wakes = st.just(("wake",))
stories = st.lists(st.one_of(reports, acts, acts, times, wakes), min_size=1, max_size=14)


class Line:
    """Records applied as casekeeper does, with trouble at one of them and an unpark after the others."""

    def __init__(self) -> None:
        self.case: Case | None = None
        self.kept: list[Kept] = []

    def take(self, kept: Kept) -> None:
        """Keep what came out."""
        self.case = kept.case
        self.kept.append(kept)

    @property
    def facts(self) -> list[Fact]:
        """All facts."""
        return [fact for kept in self.kept for fact in kept.facts]


def order_for(event: Event, *, skip: bool = False) -> Unpark:
    """Answer an operator's order for the case of an event."""
    unparking = Unparking(operator="ops-1", reason="repaired", skip=skip)
    return Unpark(
        replace(event.admitted, kind="unpark", event_id="unpark", sender="", unparking=unparking), unparking
    )


def told(story: "Story", lines: list[tuple[Any, ...]]) -> list[Recorded]:
    """Answer the records of a story."""
    needed = {"reason_code": "other", "classification": "national", "law_country": "NL", "is_online": True}
    for line in lines:
        match line:
            case ("report", sender, country):
                story.report(sender, country)
            case ("act", sender, action):
                story.act(sender, action, **needed)
            case ("later", minutes):
                story.later(minutes * story.minute)
            case ("wake",):
                story.wake()
    return story.events


def plainly(records: list[Recorded]) -> Line:
    """Decide records without trouble."""
    line = Line()
    for event, directory, source in records:
        line.take(keep(line.case, event, directory, source))
    return line


def with_trouble(records: list[Recorded], at: int) -> Line:
    """Decide records; the one at an index fails, all later ones wait, and then an operator unparks."""
    line = Line()
    for index, (event, directory, source) in enumerate(records):
        if index == at:
            line.take(park(line.case, event, BUG, source))
        else:
            line.take(keep(line.case, event, directory, source))
    assert line.case is not None
    assert line.case.parked is not None
    assert line.case.parked.offsets == tuple(source.offset for _, _, source in records[at:])
    assert due_times(line.case) == ()
    for event, directory, source in records[at:]:
        line.take(keep_waiting(line.case, event, directory, source))
    event, _, source = records[-1]
    if line.case is not None:
        end = replace(source, offset=source.offset + 1)
        line.take(unparked(line.case, order_for(event), end))
        assert (line.case.parked, line.case.source_offset) == (None, end.offset)
    return line


def without_numbers(value: Any) -> Any:  # noqa: ANN401 - facts, bodies, cases and what is in them
    """Answer a value without what facts of parking shift: numbers of facts, ids made of them, offsets."""
    if isinstance(value, tuple):
        return tuple(without_numbers(one) for one in value)
    if not isinstance(value, msgspec.Struct):
        return value
    shifted = {"number": 0, "fact_id": "", "fact_number": None, "delivery_id": "", "source_offset": 0}
    shifted |= {"fact_ref": None, "closed_in": None}
    fields = set(value.__struct_fields__) & set(shifted)
    if isinstance(value, Delivery | DeliveryCount):
        fields.discard("number")
    within = {name: without_numbers(getattr(value, name)) for name in value.__struct_fields__}
    return replace(value, **within | {name: shifted[name] for name in fields})


@given(lines=stories, at=st.integers(0, 13))
def test_what_waited_is_decided_as_without_the_trouble(
    new_story: "Callable[[], Story]", lines: list[tuple[Any, ...]], at: int
) -> None:
    """Facts, messages and state are those of a case that never waited; only facts of parking are between."""
    records = told(new_story(), lines)
    if not records:
        return
    plain, late = plainly(records), with_trouble(records, at % len(records))
    assert [without_numbers(f) for f in late.facts if f.fact not in PARKING] == [
        without_numbers(f) for f in plain.facts
    ]
    for line in (plain, late):
        line.postings = [p for kept in line.kept for p in kept.postings]  # type: ignore[attr-defined]
    assert [replace(p, body=without_numbers(p.body)) for p in late.postings] == [  # type: ignore[attr-defined]
        replace(p, body=without_numbers(p.body))
        for p in plain.postings  # type: ignore[attr-defined]
    ]
    assert (late.case is None) == (plain.case is None)
    if late.case is not None and plain.case is not None:
        assert without_numbers(late.case) == without_numbers(plain.case)


@given(lines=stories, at=st.integers(0, 13))
def test_facts_rebuild_a_parked_state_too(
    new_story: "Callable[[], Story]", lines: list[tuple[Any, ...]], at: int
) -> None:
    """Folding gives the state with all that waits, and numbers have no gap, parked or unparked."""
    records = told(new_story(), lines)
    if not records:
        return
    line = Line()
    for index, (event, directory, source) in enumerate(records):
        if index == at % len(records):
            line.take(park(line.case, event, BUG, source))
        else:
            line.take(keep(line.case, event, directory, source))
    whole = with_trouble(records, at % len(records))
    for each in (line, whole):
        if each.case is not None:
            own = [fact for fact in each.facts if fact.case_id == each.case.case_id]
            assert [fact.number for fact in own] == list(range(1, len(own) + 1))
            assert fold(own) == each.case
            assert len({fact.fact_id for fact in own}) == len(own)


def test_a_record_that_is_read_again_joins_the_line_once(opened: "Story") -> None:
    """A crash between facts and commit repeats records of a parked case; none waits twice."""
    event, directory, source = record(opened, "acknowledged")
    kept = park(opened.case, event, BUG, source)
    assert keep(kept.case, event, directory, source) == Kept(kept.case)
    later = record(opened, "removed")
    waits = keep(kept.case, *later)
    assert keep(waits.case, *later) == Kept(waits.case)
    assert waits.case.parked.count == 2


def test_the_fact_says_what_failed_and_no_value(opened: "Story") -> None:
    """A parked fact carries the name of the error and where the record stands, never what is in it."""
    event, _, source = record(opened, "acknowledged")
    (fact,) = park(opened.case, event, BUG, source).facts
    assert (fact.fact, fact.rule, fact.by) == ("parked", "ZeroDivisionError", "exchange")
    assert (fact.input_id, fact.source_offset) == (event.admitted.event_id, source.offset)
    assert fact.statement is fact.input_digest is fact.reference is None
    assert fact.parked == Parked(
        offsets=(source.offset,),
        count=1,
        since=event.admitted.admitted_at,
        error_class="bug",
        rule="ZeroDivisionError",
        attempts=1,
    )


def test_a_flood_on_a_parked_case_keeps_its_state_small(opened: "Story") -> None:
    """Beyond the listed offsets only the place is kept from which more wait; nobody is left out."""
    event, directory, source = record(opened, "acknowledged")
    case = park(opened.case, event, BUG, source).case
    for number in range(1, MAX_LISTED + 50):
        place = replace(source, offset=source.offset + number * 1_000_000_000)
        case = keep(case, event, directory, place).case
    parked = case.parked
    assert (len(parked.offsets), parked.count) == (MAX_LISTED, MAX_LISTED + 50)
    assert parked.more_from == source.offset + MAX_LISTED * 1_000_000_000
    before = len(wire.encode(opened.case))
    assert len(wire.encode(case)) - before < 3_000 < CASE_LIMIT_BYTES


def test_a_case_parked_again_does_not_obey_the_same_order_twice(opened: "Story") -> None:
    """The fact stands where the order stands, so that a crash does not count the failure a second time."""
    event, directory, source = record(opened, "acknowledged")
    case = park(opened.case, event, BUG, source).case
    order, place = order_for(event), replace(source, offset=source.offset + 9)
    waiting = replace(case.parked, attempts=2)
    kept = park_again(case, event, order, waiting, place)
    assert (kept.case.parked.attempts, kept.case.source_offset) == (2, place.offset)
    assert (kept.facts[0].input_id, kept.facts[0].unparking) == (event.admitted.event_id, order.unparking)
    assert keep(kept.case, order, directory, place) == Kept(kept.case)


def test_what_will_never_be_decided_is_named(opened: "Story") -> None:
    """A record that the topic has deleted, or that an operator gives up, leaves a fact with its offset."""
    event, _, source = record(opened, "acknowledged")
    case = park(opened.case, event, BUG, source).case
    place = replace(source, offset=source.offset + 9)
    kept = give_up(case, order_for(event), source.offset, "deleted_by_retention", place)
    assert (kept.facts[0].fact, kept.facts[0].source_offset) == ("given_up", source.offset)
    assert kept.facts[0].rule == "deleted_by_retention"
    assert kept.case.parked == case.parked


def test_an_order_for_a_case_that_does_not_wait_means_nothing(opened: "Story") -> None:
    """Unparking twice, or a case that goes on already, changes nothing."""
    event, directory, source = record(opened, "acknowledged")
    assert keep(opened.case, order_for(event), directory, source) == Kept(opened.case)
    assert keep(None, order_for(event), directory, source) == Kept(None)


def test_a_record_of_another_environment_is_no_bug_of_the_case(opened: "Story") -> None:
    """A forged record must not park the case it names; another url key is a contradiction of ours."""
    event, directory, source = record(opened, "acknowledged")
    foreign = replace(event, admitted=replace(event.admitted, environment="demo"))
    with pytest.raises(ForeignRecordError):
        keep(opened.case, foreign, directory, source)
    other = replace(event, admitted=replace(event.admitted, url_key=bytes(33)))
    with pytest.raises(BugError):
        keep(opened.case, other, directory, source)


def record(story: "Story", action: str) -> Recorded:
    """Answer the next record of a story without deciding it."""
    story.offset += 1
    event = story.action_event("nl-offlimits", action)
    return event, story.directory, Source("cases.admitted", 3, story.offset)

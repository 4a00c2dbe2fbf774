from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.matters.relocation import MOVED
from casework.messages import Hold
from casework.states import OFFERED
from casework.transition_rows import ELSEWHERE, NEW_LEG, SEEN_ELSEWHERE, Transition
from casework.transition_table import TABLE

if TYPE_CHECKING:
    from tests.casework.conftest import Story

HOTLINES = {"NL": "nl-offlimits", "US": "us-ncmec", "FR": "fr-point-de-contact", "HK": None}
ROWS = [
    (row, state)
    for row in TABLE
    if row.event in {MOVED, "hosting_confirmed"} or SEEN_ELSEWHERE in row.when
    if "moves_exceeded" not in row.facts
    for state in row.states
]
POOL = ("de-eco", "de-fsm", "de-jugendschutz")


def move(story: "Story", country: str, sender: str | None = None, **fields: object) -> None:
    """Say that the content is hosted in a country now, as the responsible hotline unless another is named."""
    values = {"hosting_method": "traceroute", "observed_at": story.now, **fields}
    who = sender or story.case.assigned_hotline
    story.act(who, MOVED, new_hosting_country=country, **values)


def told(story: "Story", fact: str) -> set[str]:
    """Answer who got a delivery of the last fact of a kind."""
    number = next(one.number for one in reversed(story.facts) if one.fact == fact)
    return {each.recipient for each in story.deliveries() if each.fact_number == number}


@pytest.mark.parametrize(("row", "state"), ROWS, ids=lambda value: str(getattr(value, "event", value)))
def test_where_it_is_hosted_is_said_as_the_rows_say(
    new_story: "Callable[[], Story]", row: Transition, state: str
) -> None:
    """Each row gives its facts from each of its states, and the next leg is that of the new country."""
    story = new_story()
    fields = {"hosting_status": "provisional"}
    if state == "orphaned":
        story.report("gb-iwf", "ZZ", **fields)
    elif state == OFFERED:
        story.claimable().report("gb-iwf", "DE", **fields)
    else:
        sealed = ["gb-iwf"] if state == "awaiting_rewrap" else []
        story.report("gb-iwf", "NL", readers=sealed, **fields)
    if state not in {"orphaned", OFFERED, "awaiting_rewrap", "assigned"}:
        story.act("nl-offlimits", state, classification="baseline", law_country="NL")
    assert story.case.state == state
    goes = row.event == MOVED or ELSEWHERE in row.when or row.event == "observed"
    sender = "gb-iwf" if row.who == "party" else "nl-offlimits"
    said = {"observation": "moved"} if row.event == "observed" else {}
    story.later(story.minute)
    kept = story.act(
        sender, row.event, new_hosting_country="US" if goes else None, observed_at=story.now, **said
    )
    promised = tuple("assigned" if fact == NEW_LEG else fact for fact in row.facts)
    asks = ("rewrap_asked",) if goes and state == "awaiting_rewrap" else ()
    assert tuple(fact.fact for fact in kept.facts) == (*promised, *asks)
    if goes:
        assert (story.case.assigned_hotline, story.case.hosting_country) == ("us-ncmec", "US")
    assert story.case.hosting_status == "confirmed"
    assert story.receipts()[-1].fact_number == kept.facts[0].number


def test_a_move_begins_a_leg_with_its_own_clock(opened: "Story") -> None:
    """The new hotline gets all reports, the others learn it, and the case's own clock runs on."""
    opened.report("de-eco")
    before = opened.case
    opened.later(5 * opened.hour)
    move(opened, "US")
    case = opened.case
    assert (case.state, case.leg, case.moves, case.hosting_country) == ("assigned", 2, 1, "US")
    assert (case.assigned_hotline, case.former) == ("us-ncmec", ("nl-offlimits",))
    assert (case.received_at, case.opened_at) == (before.received_at, before.opened_at)
    assert (case.leg_started_at, case.overdue, case.done) == (opened.now, (), ())
    got = [(each.kind, each.origin, each.chain) for each in opened.deliveries("us-ncmec")]
    assert got == [("assignment", "gb-iwf", ("NL", "US")), ("linked_report", "de-eco", ("NL", "US"))]
    assert told(opened, MOVED) == {"gb-iwf", "de-eco"}
    assert told(opened, "assigned") == {"us-ncmec", "gb-iwf", "de-eco", "nl-offlimits"}
    moved = next(fact for fact in opened.facts if fact.fact == MOVED)
    assert (moved.hosting_country, moved.details.new_hosting_country) == ("NL", "US")


def test_content_that_comes_back_finds_its_first_hotline_again(opened: "Story") -> None:
    """A -> B -> A: the first hotline gets a new leg with the contents again; the chain names all."""
    move(opened, "US")
    move(opened, "NL")
    case = opened.case
    assert (case.leg, case.moves, case.chain) == (3, 2, ("NL", "US", "NL"))
    assert case.assigned_hotline == "nl-offlimits"
    last = [each for each in opened.deliveries("nl-offlimits") if each.kind == "assignment"][-1]
    assert (last.leg, last.chain) == (3, ("NL", "US", "NL"))
    handed_on = [p.content_of for p in opened.postings if p.recipient == "nl-offlimits"][-1]
    assert handed_on == case.origins[0].last_event_id
    assert "us-ncmec" in told(opened, "assigned")


def test_every_hotline_of_the_chain_learns_of_each_further_leg(opened: "Story") -> None:
    """The hotline of the first leg is told of the third, with the chain, and gets no report with it."""
    move(opened, "US")
    move(opened, "FR")
    update = opened.deliveries("nl-offlimits")[-1]
    assert (update.kind, update.fact, update.chain) == ("update", "assigned", ("NL", "US", "FR"))
    assert update.content is None


def test_a_move_to_a_country_without_hotline_goes_to_desk_and_police(opened: "Story") -> None:
    """Where the new country has no hotline, the case waits at the desk and its police are told."""
    move(opened, "HK")
    assert (opened.case.state, opened.case.desk, opened.case.hosting_country) == (
        "orphaned", "desk-orphans", "HK",
    )  # fmt: skip
    assert [each.recipient for each in opened.escalations()] == ["hk"]
    move(opened, "NL", sender="gb-iwf")
    assert opened.case.state == "assigned", "while nobody is responsible any party may say so"
    move(opened, "HK")
    assert len(opened.escalations()) == 1, "once in a round for the same police"
    move(opened, "SG", sender="gb-iwf")
    assert [each.recipient for each in opened.escalations()] == ["hk", "sg"]


def test_a_long_chain_keeps_its_newest_countries(opened: "Story") -> None:
    """A case that moves for ever stays small."""
    for country in ("US", "NL") * 20:
        move(opened, country)
    assert opened.case.chain == ("US", "NL") * 16


def test_a_move_within_the_country_is_none(opened: "Story") -> None:
    """The country the case has already is no move, under none of its names."""
    move(opened, "NL")
    answer = opened.receipts()[-1]
    assert (answer.outcome, answer.rule, answer.field) == (
        "not_applicable", "same_country", "new_hosting_country",
    )  # fmt: skip
    assert (opened.case.leg, opened.case.moves) == (1, 0)


def test_a_move_needs_a_country(opened: "Story") -> None:
    """Without a country it is refused by name."""
    opened.act("nl-offlimits", MOVED)
    assert (opened.receipts()[-1].rule, opened.receipts()[-1].field) == ("required", "new_hosting_country")


def test_a_move_after_the_end_is_out_of_order(opened: "Story") -> None:
    """A closed case stays where it was: the content has to be reported again."""
    opened.act("nl-offlimits", "removed")
    move(opened, "US")
    assert (opened.facts[-1].fact, opened.facts[-1].breaches) == (MOVED, ("out_of_order",))
    assert (opened.case.state, opened.case.hosting_country, opened.case.moves) == ("closed", "NL", 0)


def test_a_move_of_an_earlier_leg_is_out_of_order(opened: "Story") -> None:
    """Who speaks about another leg than the current one moves nothing and casts no doubt."""
    move(opened, "US", sender="gb-iwf", leg=7, observed_at=opened.now + 1)
    assert opened.facts[-1].breaches == ("not_responsible", "out_of_order")
    move(opened, "US", leg=7)
    assert opened.facts[-1].breaches == ("out_of_order",)
    assert (opened.case.leg, opened.case.doubt) == (1, None)


@pytest.mark.parametrize("sender", ["gb-iwf", "nl-police"])
def test_others_cannot_move_a_case_that_somebody_has(opened: "Story", sender: str) -> None:
    """The word of an origin or of police is recorded with a breach, told, and doubts the host."""
    move(opened, "US", sender=sender, observed_at=opened.now + 1)
    moved, disputed = opened.facts[-2:]
    assert (moved.fact, moved.breaches) == (MOVED, ("not_responsible",))
    assert (disputed.fact, disputed.hosting_country, disputed.members) == ("host_disputed", "US", (sender,))
    assert (opened.case.leg, opened.case.hosting_country) == (1, "NL")
    assert opened.case.doubt.hosting_country == "US"
    assert [each.fact for each in opened.deliveries("nl-offlimits")[-2:]] == [MOVED, "host_disputed"]
    assert opened.receipts()[-1].breaches == ("not_responsible",)


@pytest.mark.parametrize("sender", ["gb-iwf", "de-eco", "de-police"])
def test_a_move_withdraws_an_offer(story: "Story", sender: str) -> None:
    """An origin, a hotline of the pool and police of the country may say so; the pool is told."""
    story.claimable().report("gb-iwf", "DE")
    move(story, "NL", sender=sender)
    assert (story.case.state, story.case.pool, story.case.moves) == ("assigned", (), 1)
    assert story.case.chain == ("DE", "NL")
    assert told(story, "assigned") == {*POOL, "gb-iwf", "nl-offlimits"}
    assert {each.content for member in POOL for each in story.deliveries(member)} == {None}
    assert story.case.former == (), "whom it was only offered to was never responsible"


@pytest.mark.parametrize(("host", "to"), [("HK", "NL"), ("HK", "FR")])
def test_what_nobody_has_goes_where_it_is_seen(story: "Story", host: str, to: str) -> None:
    """An observation takes an orphaned case to the country where the content was seen, as a move does."""
    story.report("gb-iwf", host)
    story.later(story.hour)
    story.act("gb-iwf", "observed", observation="moved", new_hosting_country=to, observed_at=story.now)
    assert story.kinds()[-3:] == ["observed", "moved", "assigned"]
    assert (story.case.assigned_hotline, story.case.moves, story.case.chain) == (HOTLINES[to], 1, (host, to))
    assert story.facts[-2].by == "gb-iwf"
    assert story.case.hosting_status == "confirmed"
    assert told(story, "moved") == {"desk-orphans"}
    assert told(story, "assigned") == {HOTLINES[to], "gb-iwf", "desk-orphans"}


def test_an_offer_is_withdrawn_by_whom_it_was_made_to(story: "Story") -> None:
    """A hotline of the pool that sees the content elsewhere takes the case there; the pool is told."""
    story.claimable().report("gb-iwf", "DE")
    story.later(story.hour)
    story.act(POOL[0], "observed", observation="moved", new_hosting_country="FR", observed_at=story.now)
    assert (story.kinds()[-1], story.case.assigned_hotline) == ("assigned", HOTLINES["FR"])
    assert set(POOL) <= told(story, "assigned")


@pytest.mark.parametrize(
    ("country", "seen_ago"), [("HK", 0), ("ZZ", 0), ("NL", 2 * 3_600_000)], ids=["same", "unknown", "older"]
)
def test_no_other_observation_takes_a_case_along(story: "Story", country: str, seen_ago: int) -> None:
    """The country of the case, no country at all, and what was seen before the leg move nothing."""
    story.report("gb-iwf", "HK")
    story.later(story.hour)
    seen_at = story.now - seen_ago
    story.act("gb-iwf", "observed", observation="moved", new_hosting_country=country, observed_at=seen_at)
    assert (story.kinds()[-1], story.case.state) == ("observed", "orphaned")


def test_too_many_observed_moves_are_told_to_the_secretariat(story: "Story") -> None:
    """Moves that were only observed count like those that a hotline stated."""
    story.report("gb-iwf", "HK")
    for number in range(6):
        story.later(story.hour)
        country = ("XK", "HK")[number % 2]
        story.act(
            "gb-iwf", "observed", observation="moved", new_hosting_country=country, observed_at=story.now
        )
    assert story.case.moves == 6
    assert story.kinds().count("moves_exceeded") == 1


def test_who_was_responsible_before_withdraws_no_offer(story: "Story") -> None:
    """A hotline of an earlier leg may not take an offered case away from those it is offered to."""
    story.claimable().report("gb-iwf", "DE")
    move(story, "NL", sender="gb-iwf")
    move(story, "DE")
    assert (story.case.state, story.case.pool) == (OFFERED, POOL)
    assert {each.kind for each in story.deliveries("de-fsm") if each.leg == 3} == {"offer"}
    move(story, "NL", sender="nl-offlimits", observed_at=story.now + 1)
    assert (story.facts[-1].breaches, story.case.state) == (("not_responsible",), OFFERED)


def test_who_gave_the_case_back_may_get_it_again_after_a_move(opened: "Story") -> None:
    """What is said once about content in one place does not stand when the content comes back."""
    opened.case = msgspec.structs.replace(opened.case, declined=("us-ncmec",))
    opened.act("nl-offlimits", "hosting_confirmed", new_hosting_country="US")
    assert opened.case.assigned_hotline is None
    move(opened, "NL", sender="gb-iwf")
    move(opened, "US")
    assert (opened.case.assigned_hotline, opened.case.declined) == ("us-ncmec", ())


def test_too_many_moves_are_told_to_the_secretariat_once(opened: "Story") -> None:
    """More than the directory's number of moves in a round is told once, to the secretariat alone."""
    for country in ("US", "NL") * 4:
        move(opened, country)
    assert opened.kinds().count("moves_exceeded") == 1
    place = opened.kinds().index("moves_exceeded")
    assert opened.kinds()[:place].count(MOVED) == opened.directory.casework.max_moves + 1
    assert told(opened, "moves_exceeded") == {"inhope"}
    opened.act(opened.case.assigned_hotline, "removed")
    opened.later(opened.minute).report("gb-iwf", observed_at=opened.now)
    assert (opened.case.moves, opened.case.chain) == (0, ())


def test_a_move_ends_the_hold_and_takes_none_along(opened: "Story") -> None:
    """A hold is of the old country: its liaison stays behind, and of the new one only the liaison is told."""
    hold = Hold(
        until=opened.now + 9 * opened.hour, since=opened.now, by="nl-police", liaison="nl-police", warned=0,
        fact_number=2,
    )  # fmt: skip
    opened.case = msgspec.structs.replace(opened.case, hold=hold)
    move(opened, "DE")
    assert opened.kinds()[-3:] == [MOVED, "hold_ended", "assigned"]
    ended = opened.facts[-2]
    assert told(opened, "hold_ended") == {"nl-police", "nl-offlimits", "de-police", "gb-iwf"}
    assert [one.fact for one in opened.deliveries("gb-iwf")] == ["moved", "resumed", "assigned"]
    [to_police] = opened.deliveries("de-police")
    assert (to_police.fact, to_police.reason_code, to_police.content) == ("hold_ended", "moved", None)
    assert to_police.details.new_hosting_country == "DE"
    assert (ended.reason_code, ended.recipient, ended.leg) == ("moved", "nl-police", 1)
    assert opened.case.hold is None
    assert "nl-police" not in told(opened, "assigned")


def test_what_the_new_hotline_cannot_open_is_asked_for(sealing_story: "Story") -> None:
    """Content was sealed for the old country: the origin and the old hotline are asked to re-wrap it."""
    sealing_story.report("gb-iwf", "NL", readers=["gb-iwf", "nl-offlimits"])
    move(sealing_story, "US")
    assert sealing_story.kinds()[-3:] == [MOVED, "assigned", "rewrap_asked"]
    assert sealing_story.case.state == "awaiting_rewrap"
    asked = {e.recipient for e in sealing_story.deliveries() if e.kind == "rewrap_request"}
    assert asked == {"gb-iwf", "nl-offlimits"}


def test_the_host_is_confirmed_once(story: "Story") -> None:
    """A provisional host is confirmed by the responsible hotline, told to the origins, and then known."""
    story.report(hosting_status="provisional")
    assert story.case.hosting_status == "provisional"
    assert story.deliveries("nl-offlimits")[0].hosting_status == "provisional"
    story.act("nl-offlimits", "hosting_confirmed")
    assert (story.case.hosting_status, story.case.leg) == ("confirmed", 1)
    assert told(story, "hosting_confirmed") == {"gb-iwf"}
    story.act("nl-offlimits", "hosting_confirmed", new_hosting_country="NL")
    assert (story.receipts()[-1].outcome, story.receipts()[-1].rule) == ("not_applicable", "already_done")


def test_a_host_confirmed_elsewhere_is_a_leg_and_no_move(story: "Story") -> None:
    """The origin server elsewhere re-routes the case; the earlier leg stays, its hotline is told."""
    story.report(hosting_status="provisional")
    story.act("nl-offlimits", "hosting_confirmed", new_hosting_country="US")
    case = story.case
    assert (case.assigned_hotline, case.leg, case.moves, case.chain) == ("us-ncmec", 2, 0, ("NL", "US"))
    assert (case.hosting_status, case.former) == ("confirmed", ("nl-offlimits",))
    assert told(story, "assigned") == {"us-ncmec", "gb-iwf", "nl-offlimits"}
    assert story.facts[-1].reason_code == "hosting_confirmed"


def test_others_confirm_no_host_of_a_case_that_somebody_has(story: "Story") -> None:
    """An origin's confirmation is recorded with a breach and leaves the host provisional."""
    story.report(hosting_status="provisional")
    story.act("gb-iwf", "hosting_confirmed")
    assert (story.facts[-1].breaches, story.case.hosting_status) == (("not_responsible",), "provisional")


@given(countries=st.lists(st.sampled_from(sorted(HOTLINES)), max_size=40))
def test_moves_tile_the_round(new_story: "Callable[[], Story]", countries: list[str]) -> None:
    """Whatever the order of moves: a leg for each, one place at a time, and the chain as it was."""
    story = new_story()
    story.report()
    chain = ["NL"]
    for country in countries:
        if country == chain[-1]:
            continue
        began = story.case.leg_started_at
        move(story, country, sender=story.case.assigned_hotline or "gb-iwf")
        chain.append(country)
        assert story.case.leg_started_at > began
        assert story.case.assigned_hotline == HOTLINES[country]
        assert (story.case.desk is None) != (HOTLINES[country] is None)
    assert (story.case.leg, story.case.moves) == (len(chain), len(chain) - 1)
    assert list(story.case.chain) == (chain[-32:] if len(chain) > 1 else [])
    assert story.case.opened_at == story.facts[0].admitted_at
    legs = [fact for fact in story.facts if fact.fact in {"assigned", "orphaned"}]
    assert [leg.leg for leg in legs] == list(range(1, len(chain) + 1))
    assert [leg.hosting_country for leg in legs] == chain

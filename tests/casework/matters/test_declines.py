"""Cases that are given back: where they go next, who learns of it, and that nothing is passed on for ever."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework import codes
from casework.evolution import fold
from casework.states import ASSIGNED, ASSIGNED_STATES, AWAITING_REWRAP, CLOSED
from casework.transition_rows import NEW_LEG
from casework.transition_table import TABLE

if TYPE_CHECKING:
    from tests.casework.conftest import Story

replace = msgspec.structs.replace
DE = ("de-eco", "de-fsm", "de-jugendschutz")
DESK = "desk-orphans"
DAY = 24 * 3_600_000
STEP = {"classification": "national", "law_country": "DE", "reason_code": "other"}


@pytest.fixture
def shared(story: "Story") -> "Story":
    """Return a story in which gb-iwf reported a host in DE, where weights choose among three hotlines."""
    story.report("gb-iwf", "DE")
    return story


def decline(story: "Story", reason: str = "capacity", **fields: object) -> str:
    """Let the responsible hotline decline; answer which one that was."""
    former = str(story.case.assigned_hotline)
    story.act(former, "decline", reason_code=reason, **fields)
    return former


def transfer(story: "Story", to_member: str | None) -> tuple[str, str | None]:
    """Let the responsible hotline transfer the case; answer outcome and rule."""
    story.act(str(story.case.assigned_hotline), "transfer", reason_code="not_in_remit", to_member=to_member)
    return story.receipts()[-1].outcome, story.receipts()[-1].rule


def test_a_declined_case_goes_to_the_next_hotline(shared: "Story") -> None:
    """One after the other gets it, each with the contents; origin and former hotline learn who has it."""
    former = decline(shared)
    case = shared.case
    assert [fact.fact for fact in shared.facts[-2:]] == ["declined", "assigned"]
    assert (shared.facts[-2].reason_code, shared.facts[-1].reason_code) == ("capacity", "declined")
    assert case.assigned_hotline in set(DE) - {former}
    assert (case.leg, case.declined, case.former, case.hosting_country) == (2, (former,), (former,), "DE")
    told = {d.recipient: d.kind for d in shared.deliveries() if d.fact_number == case.number}
    assert told == {case.assigned_hotline: "assignment", former: "update", "gb-iwf": "update"}


def test_the_desk_is_the_end(shared: "Story") -> None:
    """When all hotlines of the country have declined, the case lies at the desk and police are told once."""
    for _ in DE:
        decline(shared)
    case = shared.case
    assert (case.state, case.desk, set(case.declined)) == ("orphaned", DESK, set(DE))
    assert [fact.reason_code for fact in shared.facts if fact.fact == "escalated"] == ["no_hotline"]
    shared.report("nl-offlimits", "DE")
    assert shared.case.state == "orphaned", "a further report gives it to none of them either"


@pytest.mark.parametrize("reason", ["wrong_country", "key_mismatch"])
def test_what_only_the_origin_can_set_right_goes_back_to_it(shared: "Story", reason: str) -> None:
    """Nobody else is left, and the reason is about the report: the origin of the last one gets the case."""
    shared.report("nl-offlimits", "DE")
    decline(shared)
    decline(shared)
    decline(shared, reason)
    case = shared.case
    assert (case.assigned_hotline, case.assigned_country, case.hosting_country) == (
        "nl-offlimits", "NL", "DE",
    )  # fmt: skip
    assert [(d.kind, d.origin) for d in shared.deliveries("nl-offlimits") if d.leg == case.leg] == [
        ("assignment", "nl-offlimits"), ("linked_report", "gb-iwf"),
    ]  # fmt: skip
    decline(shared, reason)
    assert shared.case.state == "orphaned", "who declined it does not get it back"


def test_another_country_takes_over(shared: "Story") -> None:
    """The hosting country changes, the leg is a new one, and it is no move of the content."""
    former = decline(shared, "wrong_country", new_hosting_country="NL")
    case = shared.case
    assert (case.hosting_country, case.assigned_hotline) == ("NL", "nl-offlimits")
    assert (case.moves, case.chain, case.declined) == (0, ("DE", "NL"), (former,))


def test_two_countries_do_not_send_a_case_to_and_fro(shared: "Story") -> None:
    """Each says that it is hosted in the other; who gave it back is passed over, until the desk has it."""
    seen = []
    while shared.case.assigned_hotline is not None:
        other = "DE" if shared.case.hosting_country == "NL" else "NL"
        seen.append(decline(shared, "wrong_country", new_hosting_country=other))
        assert len(seen) == len(set(seen))
    assert "nl-offlimits" in seen
    assert (shared.case.state, shared.case.desk) == ("orphaned", DESK)


def test_a_case_offered_to_several_is_offered_to_the_others(story: "Story") -> None:
    """Where hotlines claim, a declined case is offered to those who have not given it back."""
    story.claimable().report("gb-iwf", "DE")
    story.act("de-fsm", "claim")
    decline(story)
    assert (story.case.state, story.case.pool) == ("offered", ("de-eco", "de-jugendschutz"))
    story.act("de-fsm", "claim")
    assert story.receipts()[-1].rule == "not_in_pool"


@pytest.mark.parametrize("step", ["police_informed", "provider_informed"])
def test_after_police_or_provider_it_is_too_late_to_decline(shared: "Story", step: str) -> None:
    """The case has been acted on, so it can only be transferred; before, it can be declined even assessed."""
    hotline = str(shared.case.assigned_hotline)
    shared.act(hotline, "assessed", **STEP)
    shared.act(hotline, step)
    decline(shared)
    assert (shared.receipts()[-1].outcome, shared.receipts()[-1].rule) == ("not_applicable", "too_late")
    assert shared.case.assigned_hotline == hotline
    other = next(member for member in DE if member != hotline)
    assert transfer(shared, other) == ("accepted", None)


@pytest.mark.parametrize("request_", ["decline", "transfer"])
def test_only_the_responsible_hotline_gives_a_case_back(shared: "Story", request_: str) -> None:
    """Another party is refused, a closed case or another leg does not apply, and a reason is needed."""
    hotline = str(shared.case.assigned_hotline)
    fields = {"reason_code": "capacity", "to_member": next(member for member in DE if member != hotline)}
    for sender, further, rule in (
        ("gb-iwf", {}, "not_responsible"),
        (hotline, {"reason_code": None}, "reason_required"),
        (hotline, {"leg": 7}, "other_leg"),
    ):
        shared.act(sender, request_, **{**fields, **further})
        assert shared.receipts()[-1].rule == rule
    shared.act(hotline, "removed")
    shared.act(hotline, request_, **fields)
    assert shared.receipts()[-1].rule == "case_closed"
    assert shared.case.leg == 1


def test_a_transfer_names_the_next_hotline(shared: "Story") -> None:
    """It gets the case with its contents and for good; the one before gets it by no rule again."""
    former = str(shared.case.assigned_hotline)
    to_member = next(member for member in DE if member != former)
    assert transfer(shared, to_member) == ("accepted", None)
    assert [fact.fact for fact in shared.facts[-2:]] == ["transferred", "assigned"]
    case = shared.case
    assert (case.assigned_hotline, case.lease, case.declined) == (to_member, None, (former,))
    told = {d.recipient: d.kind for d in shared.deliveries() if d.fact_number == case.number}
    assert told == {to_member: "assignment", former: "update", "gb-iwf": "update"}
    assert transfer(shared, former) == ("refused", "not_a_candidate")


def test_a_case_is_transferred_within_the_country_only(shared: "Story") -> None:
    """Not to itself, another country, nobody, or one that is suspended or may not receive from an origin."""
    hotline = str(shared.case.assigned_hotline)
    one, other = (member for member in DE if member != hotline)
    changes = {one: {"status": "suspended"}, other: {"may_receive_from": ("FR",)}}
    members = tuple(replace(m, **changes.get(m.id, {})) for m in shared.directory.members)
    shared.directory = replace(shared.directory, members=members)
    for to_member in (hotline, "nl-offlimits", "de-police", None, one, other):
        assert transfer(shared, to_member) == ("refused", "not_a_candidate")
    assert shared.case.leg == 1


def test_a_new_round_forgets_who_declined(shared: "Story") -> None:
    """Content that is back is a new task: all hotlines of the country may get it."""
    former = decline(shared)
    shared.act(str(shared.case.assigned_hotline), "removed")
    shared.report("gb-iwf", "DE", observed_at=shared.later(DAY).now)
    assert (shared.case.declined, shared.case.assigned_hotline) == ((), former)


def test_a_move_forgets_who_declined(shared: "Story") -> None:
    """Content that moves away and back is not where it was given back; a hotline may get it once more."""
    former = decline(shared)
    where = {"hosting_method": "whois", "observed_at": shared.now}
    shared.act(str(shared.case.assigned_hotline), "moved", new_hosting_country="NL", **where)
    shared.act("nl-offlimits", "moved", new_hosting_country="DE", **where)
    assert (shared.case.declined, shared.case.assigned_hotline) == ((), former)


@pytest.mark.parametrize("state", ASSIGNED_STATES)
@pytest.mark.parametrize("request_", ["decline", "transfer", "hand_back"])
def test_the_table_says_until_when_a_case_is_given_back(
    new_story: "Callable[[], Story]", request_: str, state: str
) -> None:
    """A claimed case is given back in the states of the request's row, with its facts; in others it stays."""
    (row,) = (row for row in TABLE if row.event == request_)
    story = new_story().claimable()
    story.report("gb-iwf", "DE", readers=["gb-iwf"] if state == AWAITING_REWRAP else [])
    story.act("de-fsm", "claim")
    if state not in {AWAITING_REWRAP, ASSIGNED}:
        story.act("de-fsm", state, **STEP)
    assert story.case.state == state
    kept = story.act("de-fsm", request_, reason_code="capacity", to_member="de-eco")
    may = state in row.states
    assert (story.receipts()[-1].outcome == "accepted") == may
    assert (kept.facts[0].fact == row.facts[0]) == may
    assert (story.case.leg > 2) == may
    if may and NEW_LEG not in row.facts:
        assert [fact.fact for fact in kept.facts if fact.fact != "rewrap_asked"] == list(row.facts)


REASONS = st.sampled_from(sorted(codes.DECLINE_REASONS.codes))
MEMBERS = (*DE, "nl-offlimits", "gb-iwf", "us-ncmec")
REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["decline", "decline", "transfer", "hand_back", "claim", "report", "wait", "leave"]),
        st.sampled_from(MEMBERS),
        REASONS,
        st.sampled_from([None, "DE", "NL", "US", "HK", "ZZ"]),
        st.integers(0, 60),
    ),
    max_size=25,
)


@given(requests=REQUESTS, claims=st.booleans())
def test_nothing_is_passed_around_for_ever(
    new_story: "Callable[[], Story]", requests: list[tuple[str, str, str, str | None, int]], *, claims: bool
) -> None:
    """Whatever members ask for: no rule gives a case to who gave it back, and left alone it comes to rest.

    At any time a hotline is responsible, or the case waits in a queue that has a name.
    """
    story = new_story()
    if claims:
        story.claimable()
    story.report("gb-iwf", "DE")
    for request in requests:
        _play(story, request)
        _check_place(story)
    _check_who_gave_back(story)
    for _ in range(2 * len(MEMBERS)):
        story.later(40 * DAY).wake()
    leg = story.case.leg
    story.later(400 * DAY).wake()
    assert story.case.leg == leg
    assert fold(story.facts) == story.case


def _play(story: "Story", asked: tuple[str, str, str, str | None, int]) -> None:
    request, member, reason, country, hours = asked
    if request == "wait":
        story.later(hours * 3_600_000).wake()
    elif request == "report":
        story.report(member, country or "DE")
    elif request == "leave":
        members = tuple(
            replace(m, status="suspended") if m.id == member else m for m in story.directory.members
        )
        story.directory = replace(story.directory, version=story.directory.version + 1, members=members)
        story.wake("reassign")
    else:
        sender = member if request == "claim" else (story.case.assigned_hotline or member)
        story.act(sender, request, reason_code=reason, new_hosting_country=country, to_member=member)


def _check_place(story: "Story") -> None:
    case = story.case
    if case.state in ASSIGNED_STATES:
        assert case.assigned_hotline is not None
        assert (case.pool, case.desk) == ((), None)
    elif case.state == "offered":
        assert len(case.pool) > 1
        assert not set(case.pool) & set(case.declined)
    else:
        assert case.state in {"orphaned", CLOSED}
        assert case.assigned_hotline is None


def _check_who_gave_back(story: "Story") -> None:
    gave_back: set[str] = set()
    for fact in story.facts:
        if fact.fact in {"declined", "transferred"}:
            gave_back.add(fact.by)
        elif fact.fact == "assigned" and fact.reason_code != "claimed":
            assert fact.assigned_hotline not in gave_back
        elif fact.fact == "offered":
            assert not gave_back & set(fact.members)

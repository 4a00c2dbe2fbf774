from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest

from casework.due import due_times
from casework.evolution import fold
from casework.matters.holds import MAX_REQUESTS
from casework.parties import hosting_liaison
from casework.secrecy import askers_of
from casework.transition_rows import Transition
from casework.transition_table import TABLE

if TYPE_CHECKING:
    from casework.directory import Directory
    from casework.kept import Kept
    from tests.casework.conftest import Story

HOUR = 3_600_000
DAY = 24 * HOUR


def answer(kept: "Kept") -> tuple[str, str | None, str | None]:
    """Return outcome, rule and field of the one receipt."""
    receipt = kept.postings[-1].body
    return receipt.outcome, receipt.rule, receipt.field


def told(kept: "Kept") -> dict[str, str]:
    """Return who got a delivery, and of which fact."""
    return {
        posting.recipient: posting.body.fact for posting in kept.postings if hasattr(posting.body, "number")
    }


def held(story: "Story", days: int = 10, **fields: object) -> "Kept":
    """Let the liaison of the hosting country set a hold."""
    return story.act("nl-police", "hold", hold_until=story.now + days * DAY, **fields)


def nothing(_: "Story") -> None:
    """Leave the story as it is."""


def by_liaison(story: "Story") -> None:
    """Let police hold the notice."""
    held(story)


def by_hotline(story: "Story") -> None:
    """Let the hotline hold the notice for police."""
    story.act("nl-offlimits", "hold")


def asked(story: "Story") -> None:
    """Let foreign police ask for a hold."""
    story.act("fr-police", "hold")


BEFORE: dict[tuple[str, str], Callable[["Story"], None]] = {
    ("hold", "liaison"): nothing,
    ("hold", "responsible"): nothing,
    ("hold", "police"): nothing,
    ("release", "a hold is in force"): by_liaison,
    ("release", "a hold is in force that a hotline has set"): by_hotline,
    ("release", "a hold is asked for"): asked,
    ("release", "it has asked for a hold"): asked,
    ("release", "no hold is in force or asked for: consent to the notice"): nothing,
}
SENDERS = {"liaison": "nl-police", "responsible": "nl-offlimits", "police": "fr-police"}
ROWS = [(row, state) for row in TABLE if row.event in {"hold", "release"} for state in row.states]


def brought_to(story: "Story", state: str) -> "Story":
    """Bring a story of a host in NL into an open state."""
    if state == "orphaned":
        members = tuple(
            msgspec.structs.replace(m, status="suspended") if m.id == "nl-offlimits" else m
            for m in story.directory.members
        )
        story.directory = msgspec.structs.replace(story.directory, members=members)
    story.report("gb-iwf", readers=["gb-iwf"] if state == "awaiting_rewrap" else ())
    if state == "provider_informed":
        story.act("nl-offlimits", state, recipient_role="registrar")
    elif state not in {"assigned", "awaiting_rewrap", "orphaned"}:
        story.act("nl-offlimits", state, classification="national", law_country="NL")
    assert story.case.state == state
    return story


@pytest.mark.parametrize(("row", "state"), ROWS)
def test_holds_do_what_their_rows_say(new_story: "Callable[[], Story]", row: Transition, state: str) -> None:
    """Each row of a hold or release gives its facts from each of its states and tells whom it says."""
    if state == "offered":
        pytest.skip("a case of one hotline is never offered")
    story = brought_to(new_story(), state)
    BEFORE.get((row.event, row.when), BEFORE.get((row.event, row.who), nothing))(story)
    kept = story.act(SENDERS[row.who], row.event)
    assert tuple(fact.fact for fact in kept.facts) == row.facts
    assert story.case.state == state
    shown = told(kept)
    assert ("others: paused" in row.told, "others: resumed" in row.told) == (
        shown.get("gb-iwf") == "paused",
        shown.get("gb-iwf") == "resumed",
    )
    assert ("responsible" in row.told and state != "orphaned") == ("nl-offlimits" in shown)
    assert ("liaison" in row.told) == ("nl-police" in shown)


def test_the_hosting_liaison_sets_a_hold(opened: "Story") -> None:
    """A hold of the hosting country's police is in force at once; the origin sees a pause."""
    kept = held(opened)
    hold = opened.case.hold
    assert (hold.by, hold.liaison, hold.until) == (
        "nl-police",
        "nl-police",
        opened.now - opened.minute + 10 * DAY,
    )
    assert told(kept) == {"nl-offlimits": "held", "gb-iwf": "paused"}
    assert opened.case.state == "assigned"


def test_without_a_time_a_hold_lasts_as_long_as_the_country_allows(opened: "Story") -> None:
    """A hold without an expiry takes the longest one: six weeks, where the country says nothing else."""
    opened.act("nl-police", "hold")
    assert opened.case.hold.until == opened.now + 42 * DAY


def test_a_country_may_allow_shorter_holds(new_story: "Callable[..., Story]", network: "Directory") -> None:
    """The country's own limit goes before the network's, and what is beyond it is refused."""
    rules = tuple(
        msgspec.structs.replace(rule, hold_limit_ms=DAY) if rule.code == "NL" else rule
        for rule in network.countries
    )
    story = new_story(directory=msgspec.structs.replace(network, countries=rules))
    story.report()
    assert answer(held(story, days=2)) == ("refused", "hold_too_long", "hold_until")
    story.act("nl-police", "hold")
    assert story.case.hold.until == story.now + DAY


@pytest.mark.parametrize(
    ("ahead", "rule"), [(43 * DAY, "hold_too_long"), (-HOUR, "out_of_range"), (0, "out_of_range")]
)
def test_an_expiry_must_lie_ahead_and_within_the_limit(opened: "Story", ahead: int, rule: str) -> None:
    """A hold that has ended already, or lasts too long, is refused and changes nothing."""
    kept = opened.act("nl-police", "hold", hold_until=opened.now + ahead)
    assert answer(kept) == ("refused", rule, "hold_until")
    assert opened.case.hold is None


def test_the_responsible_hotline_sets_a_hold_for_its_liaison(opened: "Story") -> None:
    """On behalf of police the responsible hotline may set a hold; the liaison learns of it."""
    kept = opened.act("nl-offlimits", "hold")
    assert (opened.case.hold.by, opened.case.hold.liaison) == ("nl-offlimits", "nl-police")
    assert told(kept) == {"nl-police": "held", "gb-iwf": "paused"}
    assert answer(opened.act("nl-offlimits", "hold", to_member="de-police"))[1] == "not_the_liaison"


@pytest.mark.parametrize("action", ["hold", "release"])
def test_others_learn_nothing_by_asking(new_story: "Callable[[], Story]", action: str) -> None:
    """An origin is refused in the same words whether there is a hold or not."""
    answers = []
    for with_hold in (False, True):
        story = new_story()
        story.report()
        if with_hold:
            held(story)
        answers.append(answer(story.act("gb-iwf", action)))
    assert answers == [("refused", "not_entitled", "sender")] * 2


def test_a_renewal_is_told_to_those_who_know(opened: "Story") -> None:
    """A hold is renewed by another one, warnings begin again, and nobody else hears of a second pause."""
    held(opened, days=10)
    opened.later(8 * DAY).wake()
    assert opened.case.hold.warned == 1
    kept = held(opened, days=20)
    assert told(kept) == {"nl-offlimits": "held"}
    assert opened.case.hold.until == opened.now - opened.minute + 20 * DAY
    assert opened.case.hold.warned == 0
    assert (opened.case.hold.since, opened.facts[-1].fact_ref) == (opened.facts[2].admitted_at, 3)


def test_a_hotline_cannot_shorten_a_hold(opened: "Story") -> None:
    """Only police bring the end of a hold nearer; the hotline may renew it to a later time."""
    held(opened, days=10)
    assert answer(opened.act("nl-offlimits", "hold", hold_until=opened.now + DAY))[1] == "out_of_range"
    opened.act("nl-offlimits", "hold", hold_until=opened.now + 12 * DAY)
    held(opened, days=3)
    assert opened.case.hold.until == opened.now - opened.minute + 3 * DAY


def test_foreign_police_ask_the_hosting_liaison(opened: "Story") -> None:
    """Police without any part in the case ask; the hotline hears of it with the consent only."""
    kept = opened.act("fr-police", "hold", hold_until=opened.now + 5 * DAY)
    request = opened.deliveries("nl-police")[-1]
    assert (request.kind, request.fact, request.by, request.content) == (
        "hold_request",
        "hold_asked",
        "fr-police",
        b"note",
    )
    assert told(kept) == {"nl-police": "hold_asked"}
    assert opened.case.hold is None
    kept = opened.act("nl-police", "hold", fact_number=request.fact_number)
    assert told(kept) == {"fr-police": "held", "nl-offlimits": "held", "gb-iwf": "paused"}
    hold = opened.case.hold
    assert (hold.by, hold.asked_by, hold.until) == ("nl-police", "fr-police", request.until)
    assert opened.case.hold_requests == ()


def test_a_refused_request_is_told_to_its_asker_only(opened: "Story") -> None:
    """The hosting liaison refuses with a release; nobody but the asker hears of it."""
    opened.act("interpol", "hold")
    kept = opened.act("nl-police", "release", fact_number=opened.case.number)
    assert told(kept) == {"interpol": "hold_refused"}
    assert opened.case.hold_requests == ()


def test_an_asker_takes_its_request_back(opened: "Story") -> None:
    """Who asked may release, which takes the request back; a stranger among police may not."""
    opened.act("fr-police", "hold")
    assert answer(opened.act("de-police", "release"))[1] == "not_a_party"
    assert told(opened.act("fr-police", "release")) == {"nl-police": "hold_refused"}
    assert opened.case.hold_requests == ()


def test_police_must_name_the_case_to_ask(opened: "Story") -> None:
    """Foreign police without an escalation are strangers to a case that they do not name."""
    kept = opened.act("fr-police", "hold", case_id=opened.new_id())
    assert answer(kept)[1] == "not_a_party"


def test_requests_are_bounded_and_a_second_one_replaces_the_first(
    opened: "Story", network: "Directory"
) -> None:
    """One request of each member waits, and eight in all."""
    police = [m.id for m in network.active_members("law_enforcement") if "NL" not in m.countries]
    for member in police[:MAX_REQUESTS]:
        opened.act(member, "hold")
    opened.act(police[0], "hold", hold_until=opened.now + DAY)
    assert len(opened.case.hold_requests) == MAX_REQUESTS
    assert opened.case.hold_requests[-1].until < opened.now + DAY
    assert answer(opened.act(police[MAX_REQUESTS], "hold"))[1] == "too_many_requests"


def test_a_release_must_say_which_of_several_requests_it_refuses(opened: "Story") -> None:
    """Without a number a release means the only request there is."""
    opened.act("fr-police", "hold")
    opened.act("de-police", "hold")
    assert answer(opened.act("nl-police", "release"))[1:] == ("required", "fact_number")
    assert answer(opened.act("nl-police", "release", fact_number=1))[1:] == ("unknown_request", "fact_number")
    opened.act("nl-police", "release", fact_number=opened.case.hold_requests[0].fact_number)
    opened.act("nl-police", "release")
    assert opened.case.hold_requests == ()


def test_a_request_nobody_answers_lapses(opened: "Story") -> None:
    """At the time that a request asks for it is refused by rule, and asker and liaison are told."""
    opened.act("fr-police", "hold", hold_until=opened.now + HOUR)
    kept = opened.later(HOUR).wake("hold_asked")
    assert opened.facts[-1].fact == "hold_refused"
    assert opened.facts[-1].reason_code == "expired"
    assert told(kept) == {"nl-police": "hold_refused", "fr-police": "hold_refused"}


def test_a_consent_never_shortens_a_hold_in_force(opened: "Story") -> None:
    """The later of two ends counts when a request is granted during a hold; the earlier asker hears of it."""
    opened.act("fr-police", "hold", hold_until=opened.now + 9 * DAY)
    opened.act("nl-police", "hold", fact_number=opened.case.number)
    until = opened.case.hold.until
    opened.act("de-police", "hold", hold_until=opened.now + 2 * DAY)
    kept = opened.act("nl-police", "hold", fact_number=opened.case.number)
    assert (opened.case.hold.until, opened.case.hold.asked_by) == (until, "de-police")
    assert told(kept) == {"fr-police": "held", "de-police": "held", "nl-offlimits": "held"}


def test_all_whose_requests_a_hold_grants_hear_how_it_goes_on(opened: "Story") -> None:
    """A second request that is granted leaves the first asker informed: warnings and the end reach both."""
    for asker in ("fr-police", "de-police"):
        opened.act(asker, "hold", hold_until=opened.now + 9 * DAY)
        opened.act("nl-police", "hold", fact_number=opened.case.number)
    kept = opened.act("nl-police", "hold")
    assert {"fr-police", "de-police"} <= told(kept).keys(), "a renewal is for both"
    opened.later(60 * DAY).wake("hold")
    for asker in ("fr-police", "de-police"):
        course = [
            each.fact for each in opened.deliveries(asker) if each.fact in {"hold_warned", "hold_expired"}
        ]
        assert course == ["hold_warned", "hold_warned", "hold_expired"]


def test_a_hold_tells_the_newest_askers(opened: "Story", network: "Directory") -> None:
    """Of more than eight whose requests were granted the newest eight are kept, each once."""
    police = [m.id for m in network.active_members("law_enforcement") if "NL" not in m.countries][:9]
    for asker in (*police, police[3]):
        opened.act(asker, "hold", hold_until=opened.now + 9 * DAY)
        opened.act("nl-police", "hold", fact_number=opened.case.number)
    assert askers_of(opened.case.hold) == (*police[1:3], *police[4:], police[3])


def test_a_liaison_or_who_set_it_releases_a_hold(new_story: "Callable[[], Story]") -> None:
    """A hold of police is ended by police alone, one of the hotline by either."""
    for setter, others in (("nl-police", ["nl-offlimits"]), ("nl-offlimits", [])):
        story = new_story()
        story.report()
        story.act(setter, "hold")
        for other in others:
            assert answer(story.act(other, "release"))[1] == "not_entitled"
        kept = story.act(setter, "release")
        assert story.case.hold is None
        assert told(kept)["gb-iwf"] == "resumed"
        assert answer(story.act("nl-offlimits", "release"))[1] == "no_hold"


def test_warnings_come_three_days_and_one_day_before_the_end(opened: "Story") -> None:
    """Liaison, hotline and asker are warned 72 h and 24 h before; the end itself sends no notice."""
    opened.act("fr-police", "hold", hold_until=opened.now + 10 * DAY)
    opened.act("nl-police", "hold", fact_number=opened.case.number)
    until = opened.case.hold.until
    opened.later(30 * DAY).wake("hold")
    course = [f for f in opened.facts if f.fact in {"hold_warned", "hold_expired"}]
    assert [(f.fact, until - f.due_at) for f in course] == [
        ("hold_warned", 72 * HOUR),
        ("hold_warned", 24 * HOUR),
        ("hold_expired", 0),
    ]
    for member in ("nl-police", "nl-offlimits", "fr-police"):
        heard = [d.fact for d in opened.deliveries(member) if d.fact in {"hold_warned", "hold_expired"}]
        assert heard == ["hold_warned", "hold_warned", "hold_expired"]
    assert opened.deliveries("gb-iwf")[-1].fact in {"resumed", "overdue"}
    assert "provider_informed" not in opened.kinds()


def test_a_short_hold_is_not_warned_of_in_retrospect(opened: "Story") -> None:
    """Of a hold for two days only the warning of the last day comes, of one for an hour none."""
    held(opened, days=2)
    opened.later(3 * DAY).wake("hold")
    assert opened.kinds().count("hold_warned") == 1
    opened.act("nl-police", "hold", hold_until=opened.now + 2 * HOUR)
    opened.later(DAY).wake("hold")
    assert opened.kinds().count("hold_warned") == 1
    assert opened.case.hold is None


def test_only_the_providers_clock_stands_still(opened: "Story") -> None:
    """Nothing of the provider is due in a hold; its deadlines move by as long as the hold lasted."""
    before = {due.step: due.at for due in due_times(opened.case)}
    held(opened, days=5)
    assert {"inform_provider", "confirm_removal"}.isdisjoint(due.step for due in due_times(opened.case))
    assert {due.step: due.at for due in due_times(opened.case)}["inform_police"] == before["inform_police"]
    since = opened.now
    opened.later(2 * DAY).act("nl-police", "release")
    after = {due.step: due.at for due in due_times(opened.case)}
    lasted = opened.now - since
    assert opened.case.paused_ms == lasted
    assert after["inform_provider"] == before["inform_provider"] + lasted
    assert after["confirm_removal"] == before["confirm_removal"] + lasted
    assert fold(opened.facts) == opened.case


def test_a_hold_during_the_wait_for_content_pauses_the_leg_from_its_start(sealing_story: "Story") -> None:
    """What passed before the hotline could open anything is no pause of the clock that starts then."""
    story = sealing_story
    report = story.report_event("gb-iwf", readers=["gb-iwf"])
    story.happen(report)
    story.act("nl-police", "hold")
    story.later(HOUR).rewrap("gb-iwf", report.admitted.event_id, ["gb-iwf", "nl-offlimits"])
    assert story.case.state == "assigned"
    started = story.case.leg_started_at
    story.later(HOUR).act("nl-police", "release")
    assert story.case.paused_ms == story.now - started


def test_a_hold_comes_too_late_once_the_host_knows(opened: "Story") -> None:
    """Who asks after the host was told hears at once that there is nothing left to hold."""
    opened.act("fr-police", "hold")
    kept = opened.act("nl-offlimits", "provider_informed")
    assert told(kept)["fr-police"] == "hold_refused"
    for member in ("fr-police", "nl-police", "nl-offlimits"):
        assert answer(opened.act(member, "hold"))[:2] == ("not_applicable", "provider_informed")


def test_what_closes_a_case_ends_its_hold(opened: "Story") -> None:
    """After a final action no hold is left and police know; a new one has nothing to act on."""
    held(opened)
    opened.act("fr-police", "hold")
    kept = opened.act("nl-offlimits", "removed")
    assert [f.fact for f in kept.facts] == ["removed", "closed", "hold_ended", "hold_refused"]
    assert (opened.case.hold, opened.case.hold_requests) == (None, ())
    assert {f.reason_code for f in kept.facts[2:]} == {"closed"}
    assert answer(opened.act("nl-police", "hold"))[:2] == ("not_applicable", "case_closed")


def test_a_case_without_a_hotline_may_be_held(story: "Story") -> None:
    """Police hold a case at the desk too: its notice may come with a claim; the desk sees a pause."""
    story.report("gb-iwf", "HK")
    kept = story.act("hk-police", "hold")
    assert told(kept) == {"desk-orphans": "paused", "gb-iwf": "paused"}
    assert story.case.state == "orphaned"


def test_the_next_hotline_of_the_country_takes_the_hold_over(
    new_story: "Callable[..., Story]", network: "Directory"
) -> None:
    """A hold goes on when its hotline leaves; the next one learns of it, the earlier one only of its end."""
    story = new_story(directory=network)
    story.report("gb-iwf", "DE")
    first = story.case.assigned_hotline
    story.act("de-police", "hold")
    members = tuple(
        msgspec.structs.replace(m, status="left") if m.id == first else m for m in network.members
    )
    story.directory = msgspec.structs.replace(network, members=members, version=network.version + 1)
    kept = story.wake("reassign")
    second = story.case.assigned_hotline
    assert second not in {None, first}
    assert [f.fact for f in kept.facts] == ["assigned", "held"]
    assert (story.case.hold.by, story.case.hold.liaison) == ("de-police", "de-police")
    assert [d.fact for d in story.deliveries(second)] == ["assigned", "held"]
    story.act("de-police", "release")
    assert story.deliveries(first)[-1].fact == "resumed"


def test_the_hosting_liaison_is_the_countrys_own(network: "Directory") -> None:
    """Its own police speak for a country, else INTERPOL, else Europol."""
    without = tuple(m for m in network.members if m.id != "interpol")
    assert [hosting_liaison(network, country) for country in ("NL", "ZZ")] == ["nl-police", "interpol"]
    assert hosting_liaison(msgspec.structs.replace(network, members=without), "ZZ") == "europol"


def test_a_police_reference_of_a_hold_keeps_the_case(new_story: "Callable[[], Story]") -> None:
    """A case is kept for the police whose reference a hold carries, whoever set it for them."""
    for sender, owner in (
        ("nl-police", "nl-police"),
        ("fr-police", "fr-police"),
        ("nl-offlimits", "nl-police"),
    ):
        story = new_story()
        story.report()
        story.act(sender, "hold", has_police_reference=True)
        assert story.case.references == (owner,)
        assert fold(story.facts) == story.case


def test_a_move_ends_a_hold_and_the_next_country_s_liaison_alone_learns_that(opened: "Story") -> None:
    """Police there may set their own; its hotline hears of no hold, and nobody of reason or unit."""
    held(opened)
    kept = opened.act(
        "nl-offlimits", "moved", new_hosting_country="FR", hosting_method="geoip", observed_at=opened.now
    )
    kinds = [fact.fact for fact in kept.facts]
    assert kinds.index("hold_ended") < kinds.index("assigned")
    assert opened.case.hold is None
    assert opened.deliveries("nl-police")[-1].reason_code == "moved"
    assert {d.fact for d in opened.deliveries(opened.case.assigned_hotline)} == {"assigned"}
    [told] = opened.deliveries("fr-police")
    assert (told.fact, told.details.new_hosting_country, told.content) == ("hold_ended", "FR", None)
    assert opened.act("fr-police", "hold").case.hold.liaison == "fr-police"


def test_who_claims_a_held_case_learns_of_the_hold(
    new_story: "Callable[..., Story]", network: "Directory"
) -> None:
    """An offer says nothing of a hold but that the case is paused; the assignment to the claimer does."""
    rules = tuple(
        msgspec.structs.replace(rule, routing="claim") if rule.code == "DE" else rule
        for rule in network.countries
    )
    story = new_story(directory=msgspec.structs.replace(network, countries=rules))
    story.report("gb-iwf", "DE")
    assert story.case.state == "offered"
    kept = story.act("de-police", "hold")
    assert set(told(kept).values()) == {"paused"}
    assert {"de-eco", "de-fsm", "de-jugendschutz"} <= set(told(kept))
    story.act("de-eco", "claim")
    assert [d.fact for d in story.deliveries("de-eco")][-2:] == ["assigned", "held"]
    assert story.deliveries("de-eco")[-1].until == story.case.hold.until
    story.act("de-eco", "transfer", to_member="de-fsm", reason_code="capacity")
    assert story.deliveries("de-fsm")[-1].fact == "held"
    assert story.deliveries("de-eco")[-1].fact != "held"


def test_a_liaison_that_speaks_for_a_country_without_police_can_end_a_hold(
    new_story: "Callable[..., Story]",
) -> None:
    """Who a hold was set for, or asked of, has a say in it, though no escalation came to it before."""
    story = new_story()
    members = (
        msgspec.structs.replace(one, status="suspended") if one.id == "nl-police" else one
        for one in story.directory.members
    )
    story.directory = msgspec.structs.replace(story.directory, members=tuple(members))
    story.report()
    story.act("nl-offlimits", "hold")
    assert story.case.hold.liaison == "interpol"
    assert answer(story.act("interpol", "release"))[0] == "accepted"
    story.act("fr-police", "hold")
    assert answer(story.act("interpol", "release"))[0] == "accepted"
    assert story.kinds()[-2:] == ["hold_asked", "hold_refused"]


def test_a_hotline_that_renews_a_hold_of_police_cannot_end_it(opened: "Story") -> None:
    """What police have set stays theirs: renewing it on their behalf gives a hotline no say over its end."""
    held(opened)
    assert answer(opened.act("nl-offlimits", "hold", hold_until=opened.now + 11 * DAY))[0] == "accepted"
    assert answer(opened.act("nl-offlimits", "release")) == ("refused", "not_entitled", "sender")
    assert opened.case.hold.by == "nl-police"


def test_a_hotline_cannot_give_a_hold_of_police_to_other_police(
    new_story: "Callable[..., Story]", network: "Directory"
) -> None:
    """Who has set a hold goes on being told of it; only when it has left may another be named."""
    duty = msgspec.structs.replace(network.member("nl-police"), id="nl-duty", liaison="nl-duty")
    story = new_story(directory=msgspec.structs.replace(network, members=(*network.members, duty)))
    story.report()
    held(story)
    given = story.act("nl-offlimits", "hold", to_member="nl-duty")
    assert answer(given) == ("refused", "not_the_liaison", "to_member")
    members = tuple(
        msgspec.structs.replace(m, status="left") if m.id == "nl-police" else m
        for m in story.directory.members
    )
    story.directory = msgspec.structs.replace(story.directory, version=9, members=members)
    story.act("nl-offlimits", "hold", to_member="nl-duty")
    assert (story.case.hold.by, story.case.hold.liaison) == ("nl-duty", "nl-duty")
    assert answer(story.act("nl-offlimits", "release"))[1] == "not_entitled"

"""Holds that are set, renewed and asked for: how long they last, who answers a request, who is told."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest
from held_cases import DAY, HOUR, answer, held, told

from casework.evolution import fold
from casework.matters.holds import MAX_REQUESTS
from casework.secrecy import askers_of

if TYPE_CHECKING:
    from casework.directory import Directory
    from tests.casework.conftest import Story


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

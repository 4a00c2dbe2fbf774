"""Who may hold and release the notice: each row of the table, and who has a say in whose hold."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest
from held_cases import DAY, answer, held, told

from casework.parties import hosting_liaison
from casework.transitions import TABLE, Transition

if TYPE_CHECKING:
    from casework.directory import Directory
    from tests.casework.conftest import Story


def nothing(_: "Story") -> None:
    """Leave the story as it is."""


def by_liaison(story: "Story") -> None:
    """Let police hold the notice."""
    held(story)


def by_hotline(story: "Story") -> None:
    """Let the hotline hold the notice for police."""
    story.act("nl-offlimits", "hold")


def without(story: "Story", *members: str) -> None:
    """Publish a directory in which members are suspended."""
    changed = tuple(
        msgspec.structs.replace(m, status="suspended") if m.id in members else m
        for m in story.directory.members
    )
    version = story.directory.version + 1
    story.directory = msgspec.structs.replace(story.directory, members=changed, version=version)


def by_liaison_that_is_gone(story: "Story") -> None:
    """Let police hold the notice, and be suspended."""
    held(story)
    without(story, "nl-police")


def asked(story: "Story") -> None:
    """Let foreign police ask for a hold."""
    story.act("fr-police", "hold")


BEFORE: dict[tuple[str, str], Callable[["Story"], None]] = {
    ("hold", "liaison"): nothing,
    ("hold", "responsible"): nothing,
    ("hold", "police"): nothing,
    ("release", "a hold is in force"): by_liaison,
    ("release", "a hold is in force that a hotline has set"): by_hotline,
    ("release", "a hold of police is in force, of whom none is there to end it"): by_liaison_that_is_gone,
    ("release", "a hold is asked for"): asked,
    ("release", "it has asked for a hold"): asked,
    ("release", "no hold is in force or asked for: consent to the notice"): nothing,
}
SENDERS = {"liaison": "nl-police", "responsible": "nl-offlimits", "police": "fr-police"}
ROWS = [(row, state) for row in TABLE if row.event in {"hold", "release"} for state in row.states]


def brought_to(story: "Story", state: str) -> "Story":
    """Bring a story of a host in NL into an open state."""
    if state == "orphaned":
        without(story, "nl-offlimits")
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


def test_a_hotline_cannot_shorten_a_hold(opened: "Story") -> None:
    """Only police bring the end of a hold nearer; the hotline may renew it to a later time."""
    held(opened, days=10)
    assert answer(opened.act("nl-offlimits", "hold", hold_until=opened.now + DAY))[1] == "out_of_range"
    opened.act("nl-offlimits", "hold", hold_until=opened.now + 12 * DAY)
    held(opened, days=3)
    assert opened.case.hold.until == opened.now - opened.minute + 3 * DAY


def test_police_must_name_the_case_to_ask(opened: "Story") -> None:
    """Foreign police without an escalation are strangers to a case that they do not name."""
    kept = opened.act("fr-police", "hold", case_id=opened.new_id())
    assert answer(kept)[1] == "not_a_party"


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


def test_a_case_without_a_hotline_may_be_held(story: "Story") -> None:
    """Police hold a case at the desk too: its notice may come with a claim; the desk sees a pause."""
    story.report("gb-iwf", "HK")
    kept = story.act("hk-police", "hold")
    assert told(kept) == {"desk-orphans": "paused", "gb-iwf": "paused"}
    assert story.case.state == "orphaned"


def test_the_hosting_liaison_is_the_countrys_own(network: "Directory") -> None:
    """Its own police speak for a country, else INTERPOL, else Europol."""
    without = tuple(m for m in network.members if m.id != "interpol")
    assert [hosting_liaison(network, country) for country in ("NL", "ZZ")] == ["nl-police", "interpol"]
    assert hosting_liaison(msgspec.structs.replace(network, members=without), "ZZ") == "europol"


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


def with_colleague(network: "Directory") -> "Directory":
    """Return a network in which NL has a second liaison."""
    duty = msgspec.structs.replace(network.member("nl-police"), id="nl-duty", liaison="nl-duty")
    return msgspec.structs.replace(network, members=(*network.members, duty))


def test_other_police_of_the_country_end_the_hold_of_a_liaison_that_is_gone(
    new_story: "Callable[..., Story]", network: "Directory"
) -> None:
    """They are warned of its end in time and may release or renew it; the hotline may not release it then."""
    for action in ("hold", "release"):
        story = new_story(directory=with_colleague(network))
        story.report()
        held(story)
        without(story, "nl-police")
        warned = story.later(8 * DAY).wake("hold_warning")
        assert told(warned).get("nl-duty") == "hold_warned"
        assert answer(story.act("nl-offlimits", "release")) == ("refused", "not_entitled", "sender")
        assert answer(story.act("nl-duty", action))[0] == "accepted"
        assert (story.case.hold is None) == (action == "release")
    assert story.deliveries("gb-iwf")[-1].fact == "resumed"


def test_who_speaks_for_a_country_whose_police_are_gone_ends_their_hold(
    new_story: "Callable[..., Story]",
) -> None:
    """INTERPOL or Europol, the country's liaison by then, is a party to that hold without an escalation."""
    story = new_story()
    story.report()
    assert answer(story.act("interpol", "release"))[1] == "not_a_party"
    held(story)
    assert answer(story.act("interpol", "release"))[1] == "not_a_party"
    without(story, "nl-police")
    assert answer(story.act("interpol", "release"))[0] == "accepted"
    assert story.case.hold is None


def test_a_hotline_renews_the_hold_of_a_liaison_that_is_gone_for_who_is_there(opened: "Story") -> None:
    """It is for whoever speaks for the country's police now, and theirs to end from then on."""
    held(opened)
    without(opened, "nl-police")
    kept = opened.act("nl-offlimits", "hold", hold_until=opened.now + 20 * DAY)
    assert told(kept) == {"interpol": "held"}
    assert (opened.case.hold.by, opened.case.hold.liaison) == ("interpol", "interpol")
    assert answer(opened.act("nl-offlimits", "release")) == ("refused", "not_entitled", "sender")
    without(opened, "interpol", "europol")
    kept = opened.act("nl-offlimits", "release")
    assert told(kept) == {"interpol": "released", "gb-iwf": "resumed"}


def test_a_provider_told_despite_the_hold_of_a_liaison_that_is_gone_is_known_to_who_is_there(
    opened: "Story",
) -> None:
    """A notice against a hold never stays unseen because its liaison has left."""
    held(opened)
    without(opened, "nl-police")
    kept = opened.act("nl-offlimits", "provider_informed", recipient_role="registrar")
    assert told(kept)["interpol"] == "breach_reported"

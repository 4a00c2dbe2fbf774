"""What a member encloses with the word that content has moved reaches the hotline that gets the case."""

from typing import TYPE_CHECKING

import msgspec
import pytest

from casework.evolution import fold
from casework.messages import Delivery
from casework.timeline.moments import deliveries_of, walk

if TYPE_CHECKING:
    from casework.postings import Posting
    from tests.casework.conftest import Story

HERE, FRENCH = "nl-offlimits", "fr-point-de-contact"
GERMANS = ("de-eco", "de-fsm", "de-jugendschutz")
ENCLOSED = bytes(32)


def move(story: "Story", country: str, sender: str = HERE, action: str = "moved", **fields: object) -> str:
    """Say with content that the host is elsewhere; answer the event id."""
    said = {"observed_at": story.now, "content_digest": ENCLOSED, "new_hosting_country": country}
    return str(story.act(sender, action, **{**said, **fields}).facts[0].input_id)


def words(story: "Story", member: str, event_id: str) -> "list[Posting]":
    """Answer the deliveries by which a member is handed what was enclosed with an action."""
    return [one for one in story.postings if one.recipient == member and one.content_of == event_id]


@pytest.mark.parametrize("action", ["moved", "hosting_confirmed"])
def test_the_hotline_there_gets_the_word_beside_its_assignment(opened: "Story", action: str) -> None:
    """It gets one update with statement and content of the word, by its sender, that names the fact of it."""
    event_id = move(opened, "FR", action=action)
    [posting] = words(opened, FRENCH, event_id)
    word = posting.body
    assert isinstance(word, Delivery)
    assert (word.kind, word.fact, word.by) == ("update", action, HERE)
    number = next(fact.number for fact in opened.facts if fact.fact == action)
    assert (word.fact_ref, word.leg, word.report_event_id) == (number, 2, None)
    assert [told.fact for told in opened.deliveries(FRENCH)] == ["assigned", action]
    assert [told.number for told in opened.deliveries(FRENCH)] == [1, 2]
    assert opened.last.contents[0].report_event_id == event_id, "what the delivery is filled from"
    assert fold(opened.facts) == opened.case


def test_a_word_without_content_is_not_handed_on(opened: "Story") -> None:
    """There is nothing in it that the assignment does not say."""
    move(opened, "FR", content_digest=None)
    assert [told.fact for told in opened.deliveries(FRENCH)] == ["assigned"]


def test_of_those_it_is_offered_to_only_who_claims_it_gets_the_word(opened: "Story") -> None:
    """The address is for the responsible hotline: neither the pool nor the others of it are handed it."""
    opened.claimable()
    event_id = move(opened, "DE")
    assert {told.kind for member in GERMANS for told in opened.deliveries(member)} == {"offer"}
    opened.act("de-fsm", "claim")
    assert [len(words(opened, member, event_id)) for member in GERMANS] == [0, 1, 0]
    opened.act("de-fsm", "decline", reason_code="capacity")
    opened.act("de-eco", "claim")
    assert [len(words(opened, member, event_id)) for member in GERMANS] == [1, 1, 0]


def test_who_claims_it_at_the_desk_gets_the_word(opened: "Story") -> None:
    """The desk, which many read, is not handed the word; the hotline that takes the case from it is."""
    event_id = move(opened, "HK")
    opened.act("ie-hotline", "claim")
    handed = [one.recipient for one in opened.postings if one.content_of == event_id]
    assert handed == ["ie-hotline"]


def test_who_was_responsible_before_is_not_told_twice(opened: "Story") -> None:
    """A hotline to which the content comes back heard the word already, as one of an earlier leg."""
    move(opened, "FR")
    event_id = move(opened, "NL", sender=FRENCH)
    assert opened.case.assigned_hotline == HERE
    assert words(opened, HERE, event_id) == []
    assert [told.fact for told in opened.deliveries(HERE)][-2:] == ["moved", "assigned"]


@pytest.mark.parametrize("ending", ["corrected", "erased", "elsewhere", "new round"])
def test_a_word_that_stands_no_more_is_not_handed_on(opened: "Story", ending: str) -> None:
    """What was taken back, erased, or is about an earlier host or round goes to no later hotline."""
    opened.claimable()
    event_id = move(opened, "DE")
    number = next(fact.number for fact in opened.facts if fact.fact == "moved")
    if ending == "corrected":
        opened.act(HERE, "corrected", fact_number=number, reason_code="other")
    elif ending == "erased":
        opened.act("inhope", "erase", reason_code="other")
    elif ending == "elsewhere":
        move(opened, "FR", sender="gb-iwf", content_digest=None)
        move(opened, "DE", sender=FRENCH, content_digest=None)
    else:
        opened.act("gb-iwf", "withdraw")
        opened.report("gb-iwf", "DE", observed_at=opened.now)
    assert opened.case.move is None
    assert opened.case.state == "offered"
    opened.act("de-fsm", "claim")
    assert words(opened, "de-fsm", event_id) == []


def test_who_may_not_receive_from_its_sender_is_not_handed_it(opened: "Story") -> None:
    """A rule about transfers holds for words as for reports; the fact of the leg names whose was left out."""
    members = tuple(
        msgspec.structs.replace(one, may_receive_from=("GB",)) if one.id == FRENCH else one
        for one in opened.directory.members
    )
    opened.directory = msgspec.structs.replace(opened.directory, members=members)
    event_id = move(opened, "FR")
    assert opened.case.assigned_hotline == FRENCH
    assert words(opened, FRENCH, event_id) == []
    assert next(fact for fact in opened.facts if fact.reason_code == "moved").members == (HERE,)


def test_an_observation_that_is_followed_is_handed_on_like_a_move(opened: "Story") -> None:
    """Where nobody is responsible and a sighting takes the case along, its words go to the hotline there."""
    opened.claimable()
    move(opened, "DE", content_digest=None)
    opened.later(opened.hour)
    event_id = move(opened, "FR", sender="gb-iwf", action="observed", observation="moved")
    [word] = words(opened, FRENCH, event_id)
    assert isinstance(word.body, Delivery)
    assert (word.body.fact, word.body.by) == ("observed", "gb-iwf")


def test_the_timeline_tells_the_word_by_its_name(opened: "Story") -> None:
    """Who looks a case up sees that the hotline was told of the move, under the number that it saw."""
    move(opened, "FR")
    told = [one for moment in walk(opened.facts) for one in deliveries_of(moment)]
    assert [(one.number, one.fact) for one in told if one.recipient == FRENCH] == [
        (1, "assigned"),
        (2, "moved"),
    ]

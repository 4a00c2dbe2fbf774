from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest

from casework.content_readers import readers_of
from casework.directory import Directory
from casework.transition_rows import OF_FEED, OF_FEED_INFORMING
from casework.transitions import transition
from operations.directory.document import build

if TYPE_CHECKING:
    from tests.casework.conftest import Story

replace = msgspec.structs.replace
DIRECTORY = build(environment="test", published_at=0, candidates="admit")


def subscribed(directory: Directory = DIRECTORY, **feeds: dict[str, object]) -> Directory:
    """Answer the network with subscriptions; underscores stand for the hyphens of ids."""
    by_id = {name.replace("_", "-"): fields for name, fields in feeds.items()}
    return replace(directory, members=tuple(replace(m, **by_id.get(m.id, {})) for m in directory.members))


HOSTED = subscribed(nl_police={"feed": "all_hosted"})
INFORMED = subscribed(nl_police={"feed": "all_hosted", "feed_informs_police": True})
CONFIRMED = subscribed(interpol={"feed": "all_confirmed"})
JUDGED = {"law_country": "NL", "reason_code": "other"}


def items(story: "Story", liaison: str) -> list[tuple[int, str]]:
    """Answer number and kind of what a liaison's feed had."""
    return [(d.number, d.kind) for d in story.deliveries(f"feed.{liaison}")]


def test_all_hosted_gets_what_opens_and_closes_in_its_country(new_story: "Callable[..., Story]") -> None:
    """An item when a case comes to the country, with its report, and one when it ends; none of others."""
    story = new_story(directory=HOSTED)
    story.report()
    (posting,) = (one for one in story.postings if one.inbox == "feed")
    assert (posting.recipient, posting.body.kind, posting.body.content) == (
        "feed.nl-police", "feed_item", b"content of gb-iwf",
    )  # fmt: skip
    story.act("nl-offlimits", "acknowledged")
    story.act("nl-offlimits", "removed")
    assert items(story, "nl-police") == [(1, "feed_item"), (2, "feed_item")]
    assert story.deliveries("feed.nl-police")[-1].outcome == "removed"
    assert story.deliveries("nl-police") == [], "the inbox of the liaison has numbers of its own"
    elsewhere = new_story(directory=HOSTED)
    elsewhere.report("gb-iwf", "DE")
    assert items(elsewhere, "nl-police") == []


def test_a_case_that_comes_to_the_country_later_is_fed_then(new_story: "Callable[..., Story]") -> None:
    """A leg in the liaison's country makes an item, wherever the case was before."""
    story = new_story(directory=HOSTED)
    story.report("gb-iwf", "HK")
    assert items(story, "nl-police") == []
    story.report("de-eco", "NL")
    assert items(story, "nl-police") == [(1, "feed_item")]


@pytest.mark.parametrize(
    ("classification", "expected"), [("baseline", 1), ("national", 1), ("doubtful", 0), ("not_illegal", 0)]
)
def test_all_confirmed_gets_what_was_judged_illegal(
    new_story: "Callable[..., Story]", classification: str, expected: int
) -> None:
    """Baseline and national make an item, judged by the origin or by the responsible hotline."""
    by_origin, by_host = new_story(directory=CONFIRMED), new_story(directory=CONFIRMED)
    by_origin.report(classification=classification, law_country="GB")
    by_host.report()
    assert items(by_host, "interpol") == []
    by_host.act("nl-offlimits", "assessed", classification=classification, **JUDGED)
    for story in (by_origin, by_host):
        assert len(items(story, "interpol")) == expected


def test_an_assessment_that_does_not_count_feeds_nobody(new_story: "Callable[..., Story]") -> None:
    """What is recorded with a breach confirms nothing."""
    story = new_story(directory=CONFIRMED)
    story.report()
    story.act("gb-iwf", "assessed", classification="baseline", **JUDGED)
    assert story.facts[-1].breaches == ("not_responsible",)
    assert items(story, "interpol") == []


def test_nobody_is_fed_what_may_not_be_given_to_it(new_story: "Callable[..., Story]") -> None:
    """An item hands over the report of an origin that the liaison may receive from, or there is none."""
    story = new_story(
        directory=subscribed(HOSTED, nl_police={"feed": "all_hosted", "may_receive_from": ("DE",)})
    )
    story.report("gb-iwf", "NL")
    assert items(story, "nl-police") == []
    story.report("de-eco", "NL")
    story.act("nl-offlimits", "removed")
    (delivery,) = story.deliveries("feed.nl-police")
    assert delivery.origin == "de-eco"


def test_a_feed_takes_no_part_in_the_commonest_way(new_story: "Callable[..., Story]") -> None:
    """Apart from the item a case with subscribers goes as one without."""
    plain, fed = new_story(), new_story(directory=HOSTED)
    for story in (plain, fed):
        story.report()
        story.act("nl-offlimits", "removed")
    assert [k for k in fed.kinds() if k != "fed"] == plain.kinds()
    assert [d.kind for d in fed.deliveries("nl-offlimits")] == [
        d.kind for d in plain.deliveries("nl-offlimits")
    ]


@pytest.mark.parametrize("named", [True, False])
def test_an_item_that_is_acknowledged_informs_police_where_the_directory_says_so(
    new_story: "Callable[..., Story]", named: bool
) -> None:
    """It counts once in a leg, and as police informed only where `feed_informs_police` is set."""
    for directory, row_name in ((HOSTED, OF_FEED), (INFORMED, OF_FEED_INFORMING)):
        story = new_story(directory=directory)
        story.report()
        item = story.deliveries("feed.nl-police")[-1].fact_number
        kept = story.act("nl-police", "acknowledged", **({"fact_number": item} if named else {}))
        row = transition("acknowledged", "assigned", row_name)
        assert tuple(fact.fact for fact in kept.facts) == row.facts
        assert kept.facts[0].fact_ref == (item if named else None)
        assert story.case.state == "assigned"
        assert (story.case.police_informed_at is not None) == (row_name == OF_FEED_INFORMING)
        story.act("nl-police", "acknowledged")
        assert (story.receipts()[-1].outcome, story.receipts()[-1].rule) == ("not_applicable", "already_done")
    informed = [d.recipient for d in story.deliveries() if d.fact == "police_informed"]
    assert informed == ["nl-offlimits", "gb-iwf"]


def test_police_informed_by_hotline_or_feed_counts_once(new_story: "Callable[..., Story]") -> None:
    """An acknowledgement after the hotline informed police changes no time."""
    story = new_story(directory=INFORMED)
    story.report()
    story.act("nl-offlimits", "police_informed")
    at = story.case.police_informed_at
    kept = story.act("nl-police", "acknowledged")
    assert [fact.fact for fact in kept.facts] == ["feed_acknowledged"]
    assert story.case.police_informed_at == at


def test_police_informed_by_a_feed_takes_no_step_for_the_hotline(new_story: "Callable[..., Story]") -> None:
    """The hotline still owes its acknowledgement and may judge; that police know outlives a correction."""
    story = new_story(directory=INFORMED)
    story.report()
    story.act("nl-police", "acknowledged")
    at = story.case.police_informed_at
    assert (at is not None, story.case.acknowledged_at) == (True, None)
    story.act("nl-offlimits", "assessed", classification="baseline", law_country="NL")
    assert (story.facts[-1].fact, story.facts[-1].breaches, story.case.state) == ("assessed", (), "assessed")
    story.act("nl-offlimits", "provider_informed")
    wrong = story.facts[-1].number
    story.act("nl-offlimits", "corrected", reason_code="wrong_entry", fact_number=wrong)
    assert (story.case.state, story.case.police_informed_at) == ("assessed", at)


def test_an_open_escalation_comes_first_unless_the_item_is_named(new_story: "Callable[..., Story]") -> None:
    """A bare acknowledgement answers the escalation, one that names an item the item."""
    story = new_story(directory=HOSTED)
    story.report(urgency=("abuse_in_progress",))
    item = story.deliveries("feed.nl-police")[-1].fact_number
    story.act("nl-police", "acknowledged", fact_number=item)
    story.act("nl-police", "acknowledged")
    assert story.kinds()[-2:] == ["feed_acknowledged", "escalation_acknowledged"]


def test_who_is_fed_is_a_party_and_a_reader() -> None:
    """Content is sealed for who may get it by a feed: nobody could open it for them later."""
    assert "nl-police" in readers_of(HOSTED, "NL", "gb-iwf")
    assert "interpol" not in readers_of(DIRECTORY, "NL", "gb-iwf")
    assert "interpol" in readers_of(CONFIRMED, "NL", "gb-iwf")
    kept_out = subscribed(CONFIRMED, interpol={"feed": "all_confirmed", "may_receive_from": ("DE",)})
    assert "interpol" not in readers_of(kept_out, "NL", "gb-iwf")


def test_the_last_to_be_asked_about_an_escalation_can_read_it() -> None:
    """Second and further contacts are readers from the start; so are police that read no escalations."""
    rules = tuple(
        replace(rule, second_liaison="be", further_liaisons=("fr",)) if rule.code == "NL" else rule
        for rule in DIRECTORY.countries
    )
    directory = replace(subscribed(nl_police={"reads_escalations": False}), countries=rules)
    assert {"nl-police", "be-police", "fr-police"} <= set(readers_of(directory, "NL", "gb-iwf"))


def test_a_correction_of_something_else_confirms_nothing(story: "Story") -> None:
    """A classification beside the correction of a note is no assessment, and hands nobody a report."""
    members = tuple(
        msgspec.structs.replace(m, feed="all_confirmed") if m.id == "interpol" else m
        for m in story.directory.members
    )
    story.directory = msgspec.structs.replace(story.directory, members=members)
    story.report()
    story.act("gb-iwf", "note", labels=("a",))
    judged = {"classification": "baseline", "law_country": "GB", "reason_code": "wrong_entry"}
    story.act("gb-iwf", "corrected", fact_number=story.case.number, corrected_action="note", **judged)
    assert story.kinds()[-1] == "corrected"

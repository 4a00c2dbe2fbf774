from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.casework.conftest import Story

HOTLINE = "nl-offlimits"
ORIGINS = ("gb-iwf", "de-eco", "us-ncmec")


@pytest.fixture
def reported(story: "Story") -> "Story":
    """Return a story in which three hotlines reported the same address in NL."""
    for origin in ORIGINS:
        story.report(origin)
    return story


def test_no_report_stands_in_for_another(reported: "Story") -> None:
    """Each comes with its own content, and its repeat flag takes no step from the hotline."""
    got = [(each.origin, each.content, each.is_repeat) for each in reported.deliveries(HOTLINE)]
    assert got == [(o, b"content of " + o.encode(), o != "gb-iwf") for o in ORIGINS]
    reported.act(HOTLINE, "assessed", classification="baseline", law_country="NL")
    reported.report("gb-iwf")
    assert reported.deliveries(HOTLINE)[-1].content == b"content of gb-iwf"
    assert reported.case.state == "assessed"


@pytest.mark.parametrize("final", ["removed", "unavailable", "not_illegal"])
def test_every_reporting_hotline_learns_outcome_and_country(reported: "Story", final: str) -> None:
    """All origins are told how it ended and where, also after a move; none sees another's report."""
    reported.act(HOTLINE, "moved", new_hosting_country="FR", observed_at=reported.now)
    reported.act("fr-point-de-contact", final, reason_code="other")
    for origin in ORIGINS:
        told = reported.deliveries(origin)
        assert [each.fact for each in told] == ["moved", "assigned", final]
        assert (told[-1].outcome, told[-1].hosting_country, told[-1].chain) == (final, "FR", ("NL", "FR"))
        assert {each.content for each in told} <= {None, b"note"}, "no report of another origin"
    former = reported.deliveries(HOTLINE)[-1]
    assert (former.fact, former.outcome, former.hosting_country) == ("closed", final, "FR")


def test_a_case_left_without_reports_is_reopened_by_the_next(opened: "Story") -> None:
    """A case that ended by a wrong url key has answered nobody: the next report opens a round."""
    opened.act(HOTLINE, "key_mismatch", report_event_id=opened.case.origins[0].last_event_id,
               case_id=opened.case.case_id)  # fmt: skip
    assert opened.case.state == "closed"
    opened.report("de-eco")
    assert opened.kinds()[-2:] == ["reopened", "assigned"]
    assert [origin.member for origin in opened.case.origins] == ["de-eco"]


def test_an_earlier_report_of_a_closed_case_is_answered_with_its_end(reported: "Story") -> None:
    """Unseen since the closing: linked, delivered with its content, answered with outcome and country."""
    reported.act(HOTLINE, "removed")
    reported.report("fr-point-de-contact")
    answer = reported.receipts()[-1]
    assert (answer.outcome_of_case, answer.hosting_country, answer.state) == ("removed", "NL", "closed")
    assert reported.deliveries(HOTLINE)[-1].content == b"content of fr-point-de-contact"


def handed(story: "Story", member: str) -> list[tuple[str, str]]:
    """Answer what a member was handed in the newest round: kind and origin of each."""
    found = story.deliveries(member)
    return [(one.kind, one.origin) for one in found if one.round == story.case.round and one.kind != "update"]


def seen_again(story: "Story", country: str) -> None:
    """End the round, and let the first origin see the content again later, in a country."""
    story.act(story.case.assigned_hotline, "removed")
    story.report("gb-iwf", country, observed_at=story.now + story.minute)
    assert (story.case.round, story.case.leg) == (2, 1)


@pytest.mark.parametrize(("country", "who"), [("FR", "fr-point-de-contact"), ("HK", "desk-orphans")])
def test_a_new_round_brings_a_new_hotline_the_reports_of_the_earlier_ones(
    reported: "Story", country: str, who: str
) -> None:
    """Who looks at the content for the first time gets each report that is kept, as with a new leg."""
    seen_again(reported, country)
    assert handed(reported, who) == [
        ("assignment", "gb-iwf"),
        ("linked_report", "de-eco"),
        ("linked_report", "us-ncmec"),
    ]
    stored = {one.member: one.last_event_id for one in reported.case.origins}
    linked = [one for one in reported.postings if one.recipient == who and one.body.kind == "linked_report"]
    assert [one.content_of for one in linked] == [stored["de-eco"], stored["us-ncmec"]]


def test_a_new_round_brings_the_same_hotline_what_is_new(reported: "Story") -> None:
    """Who closed the round before has its reports; the fact names the origins that are left out."""
    seen_again(reported, "NL")
    assert handed(reported, HOTLINE) == [("assignment", "gb-iwf")]
    assert reported.facts[-1].members == ("de-eco", "us-ncmec")


def test_a_new_round_brings_nothing_that_was_erased(reported: "Story") -> None:
    """Once the contents of the earlier reports are gone, the new one comes alone."""
    reported.act(HOTLINE, "removed")
    reported.later(91 * 24 * reported.hour).wake("erase")
    assert reported.facts[-1].fact == "erased"
    reported.report("gb-iwf", "FR", observed_at=reported.now)
    assert handed(reported, "fr-point-de-contact") == [("assignment", "gb-iwf")]


def test_a_reappearance_brings_a_new_hotline_the_reports_that_are_kept(reported: "Story") -> None:
    """Where nobody sends a report, the round begins with the first origin's, and the others' go along."""
    reported.act(HOTLINE, "removed")
    reported.later(reported.hour)
    reported.act("gb-iwf", "reappeared", observed_at=reported.now, new_hosting_country="FR")
    assert handed(reported, "fr-point-de-contact")[1:] == [
        ("linked_report", "de-eco"),
        ("linked_report", "us-ncmec"),
    ]

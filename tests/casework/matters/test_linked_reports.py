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

from typing import TYPE_CHECKING

import pytest

from casework.evolution import fold
from casework.known_reports import known_reports

if TYPE_CHECKING:
    from tests.casework.conftest import Story


def reports_of(story: "Story", count: int, sender: str = "gb-iwf") -> list[str]:
    """Let an origin report so many times; answer the event ids of its reports."""
    for _ in range(count):
        story.report(sender, readers=[sender])
    return [fact.report_event_id or "" for fact in story.facts if fact.fact in {"opened", "linked"}]


def test_a_case_ends_without_its_last_report(opened: "Story") -> None:
    """A case whose only report is taken back is closed as withdrawn, and its hotline is asked to confirm."""
    opened.act("gb-iwf", "withdraw", reason_code="wrong_item")
    assert opened.kinds()[-2:] == ["withdrawn", "closed"]
    assert (opened.case.state, opened.case.outcome) == ("closed", "withdrawn")
    told = opened.deliveries("nl-offlimits")[-2]
    assert (told.fact, told.needs_confirmation) == ("withdrawn", True)


def test_a_case_goes_on_with_the_reports_of_others(opened: "Story") -> None:
    """The case stays while another origin's report is left, and that origin is not told."""
    opened.report("de-eco", "NL")
    opened.act("gb-iwf", "withdraw")
    assert opened.case.state == "assigned"
    assert [origin.member for origin in opened.case.origins] == ["de-eco"]
    assert "withdrawn" not in {told.fact for told in opened.deliveries("de-eco")}


def test_one_report_of_two_can_be_taken_back(opened: "Story") -> None:
    """The other report of the same origin keeps the case open."""
    first = opened.case.origins[0].first_event_id
    opened.report("gb-iwf", "NL")
    opened.act("gb-iwf", "withdraw", report_event_id=first)
    assert opened.case.state == "assigned"
    assert opened.case.origins[0].count == 1


def test_only_an_own_report_can_be_taken_back(opened: "Story") -> None:
    """Neither the responsible hotline nor another origin takes back somebody's report."""
    opened.act("nl-offlimits", "withdraw")
    assert opened.receipts()[-1].rule == "not_your_report"
    opened.report("de-eco", "NL")
    theirs = opened.case.origins[0].first_event_id
    opened.act("de-eco", "withdraw", report_event_id=theirs, case_id=opened.case.case_id)
    assert opened.receipts()[-1].rule == "other_report"


def test_who_has_the_case_learns_that_it_is_closed(opened: "Story") -> None:
    """Who is told of the withdrawal cannot know whether other reports are left: the end is told too."""
    opened.act("gb-iwf", "withdraw")
    told = opened.deliveries("nl-offlimits")
    assert [(one.fact, one.state) for one in told[-2:]] == [("withdrawn", "assigned"), ("closed", "closed")]


def test_a_report_opens_a_withdrawn_case_again(opened: "Story") -> None:
    """A report after a withdrawal begins a new round."""
    opened.act("gb-iwf", "withdraw")
    opened.report("gb-iwf", "NL")
    assert (opened.case.state, opened.case.round) == ("assigned", 2)


def test_police_that_had_the_report_are_told(story: "Story") -> None:
    """A liaison that the report was escalated to learns that it was taken back, and so does the desk."""
    story.report("gb-iwf", "ZZ")
    story.act("gb-iwf", "withdraw")
    told = {told.recipient for told in story.deliveries() if told.fact == "withdrawn"}
    assert told == {"interpol", "europol", "desk-orphans"}


def test_a_report_of_a_closed_case_can_be_taken_back(opened: "Story") -> None:
    """After the end a withdrawal leaves the outcome and is told."""
    opened.act("nl-offlimits", "removed")
    opened.act("gb-iwf", "withdraw")
    assert (opened.case.outcome, opened.case.origins) == ("removed", ())
    assert opened.deliveries("nl-offlimits")[-1].fact == "withdrawn"


def test_a_withdrawn_baseline_binds_nobody(story: "Story") -> None:
    """What an origin judged goes with its last report; what the responsible hotline assessed stays."""
    story.report("gb-iwf", "NL", classification="baseline", law_country="GB")
    story.report("de-eco", "NL")
    story.act("nl-offlimits", "assessed", classification="national", law_country="NL")
    assert story.facts[-1].breaches == ("not_responsible",)
    story.act("gb-iwf", "withdraw", reason_code="wrong_entry")
    assert (story.case.classification, story.case.classified_by) == (None, None)
    story.act("nl-offlimits", "assessed", classification="national", law_country="NL")
    assert story.facts[-1].breaches == ()
    story.act("de-eco", "withdraw", reason_code="wrong_entry")
    assert (story.case.classification, story.case.classified_by) == ("national", "nl-offlimits")


@pytest.mark.parametrize("which", range(5))
def test_any_of_many_reports_can_be_taken_back(sealing_story: "Story", which: int) -> None:
    """Ends, count and digest are those of the reports that are left, and who was handed it is asked."""
    story = sealing_story
    ids = reports_of(story, 5)
    before = story.case.origins[0]
    wrong = ids.pop(which)
    story.act("gb-iwf", "withdraw", report_event_id=wrong)
    (origin,) = story.case.origins
    assert known_reports(origin) == tuple(ids)
    assert (origin.first_event_id, origin.last_event_id, origin.count) == (ids[0], ids[-1], 4)
    assert origin.content_digest == (None if which == 4 else before.content_digest)
    assert origin.last_at == next(one.admitted_at for one in story.facts if one.report_event_id == ids[-1])
    told = story.deliveries("nl-offlimits")[-1]
    assert (told.fact, told.report_event_id, told.needs_confirmation) == ("withdrawn", wrong, True)
    assert fold(story.facts) == story.case


def test_each_report_is_taken_back_once(opened: "Story") -> None:
    """A report that was taken back is known no more: the answer names the field, and no other one leaves."""
    ids = reports_of(opened, 3)
    opened.act("gb-iwf", "withdraw", report_event_id=ids[1])
    for case_id in (None, opened.case.case_id):
        opened.act("gb-iwf", "withdraw", report_event_id=ids[1], case_id=case_id)
        answer = opened.receipts()[-1]
        assert (answer.outcome, answer.rule) == ("not_applicable", "other_report")
        assert answer.field == "report_event_id"
    for left in (ids[0], ids[2], ids[3]):
        assert opened.case.state == "assigned"
        opened.act("gb-iwf", "withdraw", report_event_id=left)
    assert (opened.case.state, opened.case.outcome) == ("closed", "withdrawn")


def test_reports_of_earlier_rounds_and_of_others_stay(opened: "Story") -> None:
    """One report of this round is taken back; that of an earlier round and that of another origin stay."""
    opened.act("nl-offlimits", "removed")
    ids = []
    for _ in range(3):
        opened.report("gb-iwf", observed_at=opened.later(opened.hour).now)
        ids.append(opened.facts[-1].report_event_id or opened.facts[-2].report_event_id)
    opened.report("de-eco")
    first = opened.case.origins[0].first_event_id
    opened.act("gb-iwf", "withdraw", report_event_id=ids[1])
    assert opened.receipts()[-1].outcome == "accepted"
    assert known_reports(opened.case.origins[0]) == (first, ids[0], ids[2])
    assert opened.case.origins[1].count == 1

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.casework.conftest import Story


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

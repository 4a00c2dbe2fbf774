from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.casework.conftest import Story


@pytest.fixture
def baseline(story: "Story") -> "Story":
    """Return a story that gb-iwf opened with a baseline assessment, so that nl-offlimits is responsible."""
    story.report("gb-iwf", "NL", classification="baseline", law_country="GB")
    return story


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("not_illegal", {"reason_code": "other"}),
        ("assessed", {"classification": "not_illegal", "law_country": "NL"}),
    ],
)
def test_both_learn_that_they_disagree(baseline: "Story", action: str, fields: dict[str, str]) -> None:
    """The maker of the baseline and the hosting hotline are told, and the assessment stays."""
    baseline.act("nl-offlimits", action, **fields)
    told = {one.recipient for one in baseline.deliveries() if one.fact == "disagreement"}
    assert told == {"gb-iwf", "nl-offlimits"}
    assert (baseline.case.classification, baseline.case.classified_by) == ("baseline", "gb-iwf")


def test_not_illegal_ends_the_case_all_the_same(baseline: "Story") -> None:
    """What the hosting hotline decides counts."""
    baseline.act("nl-offlimits", "not_illegal", reason_code="other")
    assert (baseline.case.state, baseline.case.outcome) == ("closed", "not_illegal")


def test_who_joined_the_case_with_a_baseline_learns_it_too(opened: "Story") -> None:
    """A report that joins a case judges nothing for it, and yet its origin is told; once corrected, not."""
    opened.report("de-eco", classification="baseline")
    opened.report("ie-hotline", classification="baseline")
    assert opened.case.classification is None
    wrong = {"fact_number": opened.facts[-1].number, "reason_code": "wrong_entry"}
    opened.act("ie-hotline", "corrected", **wrong)
    assert opened.receipts()[-1].rule == "two_persons_required"
    two = {"analyst": "a-1", "second_analyst": "a-2", "classification": "not_illegal"}
    opened.act("ie-hotline", "corrected", **wrong, **two)
    opened.act("nl-offlimits", "not_illegal", reason_code="adult_pornography")
    assert opened.kinds()[-3:] == ["not_illegal", "closed", "disagreement"]
    assert opened.facts[-1].recipient == "de-eco"
    assert opened.deliveries("de-eco")[-1].fact == "disagreement"
    assert "disagreement" not in {one.fact for one in opened.deliveries("ie-hotline")}


def test_a_national_assessment_may_be_overruled(story: "Story") -> None:
    """Laws differ: what is illegal for the origin and not where it is hosted is no disagreement."""
    story.report("gb-iwf", "NL", classification="national", law_country="GB")
    story.act("nl-offlimits", "not_illegal", reason_code="other")
    assert story.case.outcome == "not_illegal"
    assert "disagreement" not in story.kinds()


def test_nobody_disagrees_with_itself(opened: "Story") -> None:
    """Who made the baseline may think again."""
    opened.act("nl-offlimits", "assessed", classification="baseline", law_country="NL")
    opened.act("nl-offlimits", "not_illegal", reason_code="other")
    assert "disagreement" not in opened.kinds()


@pytest.mark.parametrize("classification", [None, "unassessed"])
def test_the_receiving_side_assesses_what_its_origin_may_not_view(
    story: "Story", classification: str | None
) -> None:
    """A report without an assessment is forwarded as such, and the hosting hotline makes the first one."""
    story.report("gb-iwf", "NL", classification=classification)
    assert story.deliveries("nl-offlimits")[-1].classification is None
    story.act("nl-offlimits", "assessed", classification="baseline", law_country="NL")
    assert (story.case.classification, story.case.classified_by) == ("baseline", "nl-offlimits")
    assert story.deliveries("gb-iwf")[-1].classification == "baseline"

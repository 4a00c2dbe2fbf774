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


def test_nobody_disagrees_with_itself_or_with_a_national_assessment(opened: "Story") -> None:
    """A national assessment may be overruled; who made the baseline may think again."""
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

from typing import Any

import pytest

from casework.casekeeping import Source
from casework.evolution import fold


def test_a_report_goes_its_whole_way(story: Any) -> None:
    """A report is delivered with its content, acted on, closed, and every step is told to its origin."""
    story.report()
    for action in ("acknowledged", "assessed", "police_informed", "provider_informed", "removed"):
        story.act("nl-offlimits", action, classification="baseline" if action == "assessed" else None)
    assert story.kinds() == [
        "opened", "assigned", "acknowledged", "assessed", "police_informed", "provider_informed", "removed", "closed",
    ]  # fmt: skip
    assert [d.kind for d in story.deliveries("nl-offlimits")] == ["assignment"]
    assert story.deliveries("nl-offlimits")[0].content == b"content of gb-iwf"
    assert [d.fact for d in story.deliveries("gb-iwf")] == [
        "acknowledged", "assessed", "police_informed", "provider_informed", "removed",
    ]  # fmt: skip
    assert [d.number for d in story.deliveries("gb-iwf")] == [1, 2, 3, 4, 5]
    assert [r.outcome for r in story.receipts()] == ["accepted"] * 6
    assert (story.case.state, story.case.outcome) == ("closed", "removed")
    assert fold(story.facts) == story.case

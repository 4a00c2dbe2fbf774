from typing import Any

import pytest

from agents.case_batch import Step
from agents.case_measures import Measures
from casework.casekeeping import Kept
from casework.messages import Case, Fact

KEY = b"\x01" + bytes(32)


class Heard:
    """Takes observations as the metrics do and keeps those of people's speed."""

    def __init__(self) -> None:
        self.seconds: list[tuple[str, str, float]] = []

    def human_latency(self, step: str, scope: str, _: str, seconds: float) -> None:
        """Keep an observation."""
        self.seconds.append((step, scope, seconds))

    def __getattr__(self, _: str) -> Any:  # noqa: ANN401 - every other observation is ignored
        return lambda *_: None


def step(*breaches: str) -> Step:
    """Return what one record did: police told of a case of de-eco, ten seconds after all began."""
    stamps = {"directory_version": 1, "rules_version": 1, "source_offset": 2, "round": 1, "leg": 1}
    case = Case(
        url_key=KEY, case_id="c", environment="test", number=2, state="assigned", hosting_country="DE",
        assigned_hotline="de-eco", received_at=0, opened_at=0, leg_started_at=4_000, last_now=0, **stamps,
    )  # fmt: skip
    fact = Fact(
        case_id="c", url_key=KEY, number=3, fact="police_informed", fact_id="f", input_id="i", by="de-eco",
        environment="test", occurred_at=10_000, admitted_at=10_000, submitted_at=1, breaches=breaches,
        source_topic="cases.admitted", source_partition=0, **stamps,
    )  # fmt: skip
    return Step(None, case, Kept(case, (fact,)))


@pytest.mark.parametrize(
    ("breaches", "expected"),
    [
        ((), [("police_informed", "leg", 6.0), ("police_informed", "case", 10.0)]),
        (("late",), [("police_informed", "leg", 6.0), ("police_informed", "case", 10.0)]),
        (("out_of_order",), []),
        (("not_responsible",), []),
    ],
)
def test_only_what_counted_is_timed(
    breaches: tuple[str, ...], expected: list[tuple[str, str, float]]
) -> None:
    """A step that changed nothing is no sign of speed; one that came late is, and is timed."""
    heard = Heard()
    Measures(heard).observe([step(*breaches)], 0)
    assert heard.seconds == expected

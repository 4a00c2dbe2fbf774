from typing import Any

import pytest

from agents.batch_outcome import Step
from agents.case_measures import Measures
from agents.metrics import CasekeeperMetrics
from agents.open_cases import OpenCases
from casework.casekeeping import ActionEvent, Kept, ReportEvent, Source, keep
from casework.ids import new_event_id
from casework.messages import ActionStatement, Admitted, Case, ReportStatement, Submission
from operations.directory.document import build

T = 1_760_000_000_000
HOUR = 3_600_000
KEY = b"\x01" + bytes(range(32))
DIRECTORY = build(environment="test", published_at=0, candidates="admit")


class Story:
    """One case from its report on; each record is measured as casekeeper does."""

    def __init__(self) -> None:
        self.metrics = CasekeeperMetrics(OpenCases())
        self.measures = Measures(self.metrics)
        self.case: Case | None = None
        self.number = 0

    def report(self, *, hours: int, sender: str = "gb-iwf") -> None:
        """Let a report come, `hours` after T; the public had reported an hour before T."""
        statement = ReportStatement(
            **self._fields(sender, hours), received_at=T - HOUR, reference="r", content_type="media"
        )
        submission = Submission(statement=b"s")
        self._keep(ReportEvent(self._admitted(statement, "report", hours), submission, statement))

    def act(self, action: str, *, hours: int, sender: str = "nl-offlimits") -> None:
        """Let an action come, `hours` after T."""
        assert self.case is not None
        statement = ActionStatement(
            **self._fields(sender, hours), action=action, case_id=self.case.case_id, recipient_role="host"
        )
        submission = Submission(statement=b"s%d" % self.number)
        self._keep(ActionEvent(self._admitted(statement, "action", hours), submission, statement))

    def count(self, step: str, scope: str) -> float:
        """Answer how many of a step were observed."""
        return self._sample("count", step, scope)

    def hours(self, step: str, scope: str) -> float:
        """Answer the hours observed of a step."""
        return self._sample("sum", step, scope) / 3600

    def _sample(self, what: str, step: str, scope: str) -> float:
        name = f"hotline_exchange_human_latency_seconds_{what}"
        labels = {"step": step, "scope": scope, "hotline": "nl-offlimits"}
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def _fields(self, sender: str, hours: int) -> dict[str, Any]:
        self.number += 1
        return {
            "event_id": new_event_id(T, bytes(9) + bytes([self.number])),
            "environment": "test",
            "sender": sender,
            "url_key": KEY,
            "hosting_country": "NL",
            "sent_at": T,
            "directory_version": 1,
            "occurred_at": T + hours * HOUR,
        }

    def _admitted(self, statement: ReportStatement | ActionStatement, kind: str, hours: int) -> Admitted:
        return Admitted(
            url_key=KEY,
            kind=kind,
            event_id=statement.event_id,
            environment="test",
            sender=statement.sender,
            hosting_country="NL",
            admitted_at=T + hours * HOUR,
            submitted_at=T,
            directory_version=1,
            rules_version=1,
            source_topic="t",
            source_partition=0,
            source_offset=self.number,
            submission=b"framed",
        )

    def _keep(self, event: ReportEvent | ActionEvent) -> None:
        before = self.case
        kept: Kept = keep(before, event, DIRECTORY, Source("cases.admitted", 0, self.number))
        self.case = kept.case
        self.measures.observe([Step(event, before, kept)], T + 50)


@pytest.fixture
def story() -> Story:
    """A case that nl-offlimits is responsible for since T."""
    story = Story()
    story.report(hours=0)
    return story


def test_each_step_is_timed_from_assignment_and_from_the_public_report(story: Story) -> None:
    """Police informed after two hours: two in the leg, three since the public report, once each."""
    story.act("police_informed", hours=2)
    assert (story.count("police_informed", "leg"), story.hours("police_informed", "leg")) == (1, 2)
    assert (story.count("police_informed", "case"), story.hours("police_informed", "case")) == (1, 3)


def test_a_step_implied_by_another_is_observed_with_it(story: Story) -> None:
    """Whoever informed the provider had acknowledged, at the latest then."""
    story.act("provider_informed", hours=4)
    assert (story.count("acknowledged", "leg"), story.hours("acknowledged", "leg")) == (1, 4)


def test_the_acknowledgement_by_rule_of_an_own_countrys_report_is_not_timed() -> None:
    """A hotline that reports what is hosted in its own country has no acknowledgement in the histogram."""
    story = Story()
    story.report(hours=0, sender="nl-offlimits")
    assert story.case is not None
    assert story.case.state == "acknowledged"
    assert story.count("acknowledged", "leg") == 0
    story.act("police_informed", hours=2)
    assert (story.count("acknowledged", "leg"), story.count("police_informed", "leg")) == (0, 1)


def test_a_repeated_step_and_a_strangers_fact_are_not_observed(story: Story) -> None:
    """Only the first of a step in a leg counts, and only that of the responsible hotline."""
    story.act("removed", hours=1, sender="gb-iwf")
    assert story.count("removed", "leg") == 0
    story.act("police_informed", hours=1)
    story.act("police_informed", hours=5)
    assert story.count("police_informed", "leg") == 1
    story.act("removed", hours=6)
    assert (story.count("removed", "case"), story.hours("removed", "case")) == (1, 7)
    breaches = story.metrics.registry.get_sample_value(
        "hotline_exchange_breaches_total", {"breach": "not_responsible"}
    )
    assert breaches == 1


def test_the_machine_latency_is_that_of_reports_that_were_delivered(story: Story) -> None:
    """From the log-append time to the confirmation; actions and the hotline's own reports have none."""
    name, labels = "hotline_exchange_machine_latency_seconds", {"country": "NL"}
    story.act("acknowledged", hours=1)
    assert story.metrics.registry.get_sample_value(f"{name}_count", labels) == 1
    assert story.metrics.registry.get_sample_value(f"{name}_sum", labels) == 0.05


def test_refusals_of_the_case_are_counted_by_rule() -> None:
    """A member that is no party is refused by casekeeper; the counter says by which rule."""
    story = Story()
    story.report(hours=0)
    story.act("removed", hours=1, sender="fr-point-de-contact")
    name = "hotline_exchange_refusals_total"
    assert story.metrics.registry.get_sample_value(name, {"rule": "not_a_party"}) == 1
    assert story.metrics.registry.get_sample_value(name, {"rule": "other"}) is None

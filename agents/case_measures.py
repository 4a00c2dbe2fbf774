"""What a decided batch says about speed and rules: from facts to observations, after their confirmation."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from agents.case_batch import Step
from agents.metrics import STEPS, CasekeeperMetrics
from casework.events import ReportEvent
from casework.messages import Case, Delivery, Fact, Receipt
from casework.transitions import EFFECTLESS

_REPORTS: Final = frozenset({"assignment", "linked_report"})


class Measures:
    """Observes into the metrics of casekeeper."""

    def __init__(self, metrics: CasekeeperMetrics) -> None:
        self._metrics = metrics

    def observe(self, steps: Iterable[Step], real_ms: int) -> None:
        """Count and time what the steps of a batch brought forth; `real_ms` is when it was confirmed."""
        facts: Counter[str] = Counter()
        breaches: Counter[str] = Counter()
        receipts: Counter[str] = Counter()
        deliveries: Counter[str] = Counter()
        latencies: list[tuple[str, float]] = []
        for step in steps:
            for fact in step.kept.facts:
                facts[fact.fact] += 1
                breaches.update(fact.breaches)
                self._human(step, fact)
            for posting in step.kept.postings:
                if isinstance(posting.body, Receipt):
                    receipts[posting.body.outcome] += 1
                elif isinstance(posting.body, Delivery):
                    deliveries[posting.recipient] += 1
                    if posting.body.kind in _REPORTS and isinstance(step.event, ReportEvent):
                        elapsed = (real_ms - posting.body.submitted_at) / 1000
                        latencies.append((step.event.admitted.hosting_country, elapsed))
        self._metrics.counts(facts, breaches, receipts, deliveries)
        self._metrics.machine_latencies(latencies)

    def _human(self, step: Step, fact: Fact) -> None:
        """Observe the first of each step in a leg, taken by the hotline that was responsible."""
        before, after = step.before, step.kept.case
        if fact.fact not in STEPS or after is None or fact.by != after.assigned_hotline:
            return
        if EFFECTLESS.intersection(fact.breaches):
            return
        if fact.leg != after.leg or fact.round != after.round or _was_done(before, after, fact.fact):
            return
        hotline = after.assigned_hotline
        since_leg = (fact.occurred_at - after.leg_started_at) / 1000
        since_report = (fact.occurred_at - after.received_at) / 1000
        self._metrics.human_latency(fact.fact, "leg", hotline, since_leg)
        self._metrics.human_latency(fact.fact, "case", hotline, since_report)


def _was_done(before: Case | None, after: Case, step: str) -> bool:
    """Answer whether the leg had this step before the record."""
    if before is None or (before.round, before.leg) != (after.round, after.leg):
        return False
    done_at = before.closed_at if step == "removed" else getattr(before, f"{step}_at")
    return done_at is not None

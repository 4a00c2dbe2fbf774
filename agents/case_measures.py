"""What a decided batch says about speed and rules: from facts to observations, after their confirmation."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from agents.batch_outcome import Step
from agents.metrics import STEPS, CasekeeperMetrics
from casework.events import ReportEvent
from casework.messages import Case, Delivery, Receipt
from casework.secrecy import kind_for_statistics, label_for_statistics
from casework.transitions import KEY_MISMATCH

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
        refusals: Counter[str] = Counter()
        deliveries: Counter[str] = Counter()
        latencies: list[tuple[str, float]] = []
        for step in steps:
            for fact in step.kept.facts:
                kind = kind_for_statistics(fact)
                facts.update(() if kind is None else (kind,))
                if fact.breaches:
                    breaches.update(map(label_for_statistics, fact.breaches))
            is_report = isinstance(step.event, ReportEvent)
            if not is_report:
                self._human(step)
                self._mismatch(step)
            for posting in step.kept.postings:
                body = posting.body
                if isinstance(body, Receipt):
                    receipts[body.outcome] += 1
                    if body.outcome == "refused" and body.rule is not None:
                        refusals[label_for_statistics(body.rule)] += 1
                elif isinstance(body, Delivery):
                    deliveries[posting.recipient] += 1
                    if is_report and body.kind in _REPORTS:
                        elapsed = (real_ms - body.submitted_at) / 1000
                        latencies.append((step.event.admitted.hosting_country, elapsed))
        self._metrics.counts(facts, breaches, receipts, deliveries)
        self._metrics.refusals(refusals)
        self._metrics.machine_latencies(latencies)

    def _mismatch(self, step: Step) -> None:
        facts = step.kept.facts
        if facts and facts[0].fact == KEY_MISMATCH and not facts[0].breaches:
            self._metrics.url_key_mismatch(str(facts[0].origin))

    def _human(self, step: Step) -> None:
        """Observe each step that the responsible hotline took for the first time in this leg.

        A step can be implied by another one (whoever informed the provider had acknowledged): the case says
        what is done now and was not before, the facts say when. A report that stays in its country counts as
        acknowledged by rule at once; no person took that step, so reports are not asked about.
        """
        before, after = step.before, step.kept.case
        if after is None or after.assigned_hotline is None:
            return
        hotline = after.assigned_hotline
        facts = [
            fact
            for fact in step.kept.facts
            if fact.by == hotline and (fact.round, fact.leg) == (after.round, after.leg)
        ]
        for name in STEPS if facts else ():
            if not _is_done(after, name) or (before is not None and _was_done(before, after, name)):
                continue
            at = next((fact for fact in facts if fact.fact == name), facts[0]).occurred_at
            self._metrics.human_latency(name, "leg", hotline, (at - after.leg_started_at) / 1000)
            self._metrics.human_latency(name, "case", hotline, (at - after.received_at) / 1000)


def _is_done(case: Case, step: str) -> bool:
    if step == "removed":
        return case.outcome == "removed"
    return getattr(case, f"{step}_at") is not None


def _was_done(before: Case, after: Case, step: str) -> bool:
    """Answer whether the leg had this step before the record."""
    return (before.round, before.leg) == (after.round, after.leg) and _is_done(before, step)

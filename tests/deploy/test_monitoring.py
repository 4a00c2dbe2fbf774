"""The rules of Prometheus and the dashboard of Grafana against what the workers measure."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from ruamel.yaml import YAML

from agents.metrics import CasekeeperMetrics, IntakeMetrics
from agents.open_cases import SHOWN_AS, OpenCases
from casework import codes
from casework.evolution import _RULES
from casework.queues import QUEUES
from casework.secrecy import label_for_statistics

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = sorted((DEPLOY / "prometheus").glob("*.yaml"))
DASHBOARDS = sorted((DEPLOY / "grafana").glob("*.json"))
METRIC = re.compile(r"\bhotline_exchange[_:]\w+")
SELECTED = re.compile(r'\b(queue|fact|breach)=~?"([^"]*)"')


def _names(registry: CollectorRegistry) -> set[str]:
    return {
        metric.name + ("_total" if metric.type == "counter" else "")
        for collector in registry._collector_to_names
        for metric in collector.collect()
    }


KNOWN = _names(CasekeeperMetrics(OpenCases()).registry) | _names(IntakeMetrics().registry)
VALUES = {
    "queue": {SHOWN_AS.get(queue, queue) for queue in QUEUES},
    "fact": set(_RULES) | {"paused", "resumed"},
    "breach": set(map(label_for_statistics, codes.BREACHES.codes)),
}


def _rules(path: Path) -> Iterator[dict[str, Any]]:
    for group in YAML(typ="safe").load(path.read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]


def _expressions() -> Iterator[str]:
    for path in RULES:
        yield from (rule["expr"] for rule in _rules(path))
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            yield from (target["expr"] for target in panel["targets"])


@pytest.mark.parametrize("expression", sorted(set(_expressions())))
def test_each_expression_asks_for_what_is_measured(expression: str) -> None:
    """No rule and no panel waits for a metric, a queue or a kind of fact that does not exist."""
    recorded = {rule["record"] for path in RULES for rule in _rules(path) if "record" in rule}
    names = set(METRIC.findall(expression))
    assert names
    assert names <= KNOWN | recorded
    for label, values in SELECTED.findall(expression):
        assert set(values.split("|")) - {"$hotline"} <= VALUES[label], label


def test_each_alert_says_what_to_do() -> None:
    """Whoever is woken reads in one sentence what is wrong, and in another what to do."""
    alerts = [rule for path in RULES for rule in _rules(path) if "alert" in rule]
    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    for rule in alerts:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert len(rule["annotations"]["description"]) > len(rule["annotations"]["summary"]) > 20


def test_no_panel_tells_of_a_hold() -> None:
    """Rules and dashboards know of paused clocks only: who may read them may not learn of a hold."""
    for path in (*RULES, *DASHBOARDS):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"\bheld\b|_hold\b|hold_(asked|refused|warned|expired|ended)|\breleased\b", text
        ), path.name

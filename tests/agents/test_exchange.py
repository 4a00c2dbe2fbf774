import asyncio
import urllib.request
from typing import Any

import pytest

from casework.messages import ReportContent
from streams import wire

pytestmark = pytest.mark.kafka
URL = "https://material.example.test/a/1"


async def fetch(address: str) -> str:
    """Answer what a page of the worker shows."""
    with await asyncio.to_thread(urllib.request.urlopen, address) as answer:
        return answer.read().decode()


def sample(exposition: str, name: str) -> float:
    """Answer the value of one series by its full text."""
    return float(next(line for line in exposition.splitlines() if line.startswith(f"{name} ")).split()[-1])


async def test_a_report_crosses_the_exchange_and_its_removal_is_measured(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """A report reaches the responsible hotline with content, each step reaches the origin, latencies show."""
    await exchange.start()
    event_id = await exchange.send(exchange.report(URL))
    receipt = await exchange.receipt("gb-iwf", event_id)
    assert (receipt.outcome, receipt.assigned_hotline) == ("accepted", "nl-offlimits")
    (assignment,) = await exchange.deliveries("nl-offlimits", 1)
    assert assignment.kind == "assignment"
    assert assignment.content is not None
    assert wire.decode_as(ReportContent, assignment.content).url == URL

    for step in ("acknowledged", "police_informed", "provider_informed", "removed"):
        action = exchange.action(URL, "nl-offlimits", step, case_id=receipt.case_id, recipient_role="host")
        answer = await exchange.receipt("nl-offlimits", await exchange.send(action))
        assert (answer.outcome, answer.breaches) == ("accepted", ()), step
    updates = await exchange.deliveries("gb-iwf", 4)
    assert [update.number for update in updates] == [1, 2, 3, 4]
    assert updates[-1].state == "closed"

    shown = await fetch(exchange.addresses["casekeeper"])
    for step in ("acknowledged", "police_informed", "provider_informed", "removed"):
        for scope in ("leg", "case"):
            labels = f'{{hotline="nl-offlimits",scope="{scope}",step="{step}"}}'
            assert sample(shown, f"hotline_exchange_human_latency_seconds_count{labels}") == 1
    assert sample(shown, 'hotline_exchange_machine_latency_seconds_count{country="NL"}') == 1
    assert "hotline_exchange_open_cases{" not in shown
    admitted = await fetch(exchange.addresses["intake"])
    assert sample(admitted, 'hotline_exchange_submissions_total{country="NL",kind="report"}') == 1

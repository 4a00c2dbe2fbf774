import asyncio
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.kafka


async def test_promtool_finds_nothing_to_say_about_the_live_exposition(
    exchange: Any,  # noqa: ANN401 - conftest
    require_tool: Callable[[str, str], str],
) -> None:
    """Names, units and help texts of everything a worker with traffic shows pass `promtool check metrics`."""
    promtool = require_tool("promtool", "prometheus")
    await exchange.start()
    url = "https://material.example.test/a/1"
    event_id = await exchange.send(exchange.report(url, urgency=("possible_new_victim",)))
    receipt = await exchange.receipt("gb-iwf", event_id)
    bad = await exchange.send(exchange.report(url, content_type="film"))
    await exchange.receipt("gb-iwf", bad)
    step = exchange.action(url, "nl-offlimits", "provider_informed", case_id=receipt.case_id)
    await exchange.receipt("nl-offlimits", await exchange.send(step))
    for kind, series in (
        ("intake", {'hotline_exchange_refusals_total{rule="unknown_code"}': 1}),
        ("casekeeper", {'hotline_exchange_inbox_lag_records{inbox="urgent",member="nl-offlimits"}': 1}),
    ):
        page = await exchange.shows(kind, series)
        checked = await asyncio.to_thread(
            subprocess.run,
            [promtool, "check", "metrics"],
            input=page.encode(),
            capture_output=True,
            check=False,
        )
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")

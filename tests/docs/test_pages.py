"""The pages against what they describe: links, metrics, commands and figures."""

import re
from pathlib import Path

import pytest
import typer
from prometheus_client import Metric
from typer.core import TyperGroup

from agents.metrics import PREFIX, CasekeeperMetrics, IntakeMetrics
from agents.open_cases import OpenCases
from operations.command_line import app
from operations.directory.document import build
from operations.drift import DriftMetrics
from operations.simulator.cast import choose_cast

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
METRICS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
ROW = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*)\|", re.MULTILINE)
COMMAND = re.compile(r"^(?:\$ )?hx ([a-z][a-z ]*[a-z])", re.MULTILINE)
INLINE = re.compile(r"`hx ([a-z][a-z ]*[a-z])[^`]*`")


@pytest.mark.parametrize("page", NAMES)
def test_every_link_leads_somewhere(page: str) -> None:
    """A reader who follows a link inside the project finds a file or a folder."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [
        target for target in LINK.findall(text) if not (ROOT / page).parent.joinpath(target).exists()
    ] == []


def test_every_decision_is_in_the_index() -> None:
    """A record that is written and not listed is not found; a number is used once."""
    records = sorted(path.name for path in (ROOT / "docs" / "adr").glob("0*.md"))
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    assert sorted(LINK.findall(index)) == records
    assert [name[:4] for name in records] == [f"{number:04}" for number in range(1, len(records) + 1)]


@pytest.mark.parametrize("page", NAMES)
def test_every_command_that_a_page_names_exists(page: str) -> None:
    """What a page tells to type is a command of `hx`, subcommand included."""
    root = typer.main.get_command(app)
    text = (ROOT / page).read_text(encoding="utf-8")
    for words in COMMAND.findall(text) + INLINE.findall(text):
        found = root
        for word in words.split():
            if not isinstance(found, TyperGroup):
                break
            assert word in found.commands, f"hx {words}"
            found = found.commands[word]


def test_the_page_of_metrics_names_all_with_type_and_labels() -> None:
    """What the page lists is what the workers register, neither more nor less."""
    _, intake, casekeeper, provisioning = METRICS.split("\n## ")[:4]
    for part, registry in (
        (intake, IntakeMetrics().registry),
        (casekeeper, CasekeeperMetrics(OpenCases()).registry),
        (provisioning, DriftMetrics().registry),
    ):
        documented = _documented(part)
        if "as for intake" in part:
            shared = (
                "dead_letters_total",
                "directory_version",
                "directory_expires_seconds",
                "broker_silence_seconds",
                "certificate_days_left",
            )
            documented |= {name: value for name, value in _documented(intake).items() if name in shared}
        collectors = {
            metric.name: (metric, collector)
            for collector in registry._collector_to_names
            for metric in collector.collect()
        }
        real = {
            _name(metric): (metric.type, set(getattr(collector, "_labelnames", ()) or _open_labels(metric)))
            for metric, collector in collectors.values()
        }
        assert documented == real


def test_the_first_screen_says_who_is_played() -> None:
    """The number of countries whose hotlines `make demo` plays is that of its cast."""
    directory = build(environment="demo", published_at=1, candidates="admit")
    cast = choose_cast(directory, 2022)
    countries = {country for member in cast.hotlines for country in directory.member(member).countries}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{len(cast.hotlines)} hotlines of {len(countries)} countries" in readme


def _documented(part: str) -> dict[str, tuple[str, set[str]]]:
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in ROW.findall(part)}


def _name(metric: Metric) -> str:
    return metric.name.removeprefix(f"{PREFIX}_") + ("_total" if metric.type == "counter" else "")


def _open_labels(metric: Metric) -> tuple[str, ...]:
    return metric._labelnames if hasattr(metric, "_labelnames") else ()

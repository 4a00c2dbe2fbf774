"""What every test may use: one real Kafka per test run, topic names of its own, and outside tools.

A test that needs Kafka takes the fixture ``kafka`` and carries ``pytestmark = pytest.mark.kafka``.
"""

import shutil
import uuid
from collections.abc import Callable, Iterator

import hypothesis
import pytest

from operations.embedded_kafka import EmbeddedKafka

_MISSING_TOOL = "missing tool: "

# No test judges by time, property tests neither: the machine may be busy.
hypothesis.settings.register_profile("exchange", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=20)
hypothesis.settings.load_profile("exchange")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """Start the one broker of this test run, at the first test that asks for it; it dies with the run."""
    directory = tmp_path_factory.mktemp("kafka")
    with EmbeddedKafka.start(
        directory, heap_mb=256, quick=True, dies_with_parent=True, security="none"
    ) as broker:
        yield broker


@pytest.fixture(scope="session")
def secured_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """Start a broker that checks who connects and what they may do, for the tests that need one."""
    directory = tmp_path_factory.mktemp("secured-kafka")
    with EmbeddedKafka.start(directory, heap_mb=192, quick=True, dies_with_parent=True) as broker:
        yield broker


@pytest.fixture
def topic_prefix() -> str:
    """Return a prefix for topics and groups that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
def require_tool() -> Callable[[str, str], str]:
    """Return a function (tool, Debian package) -> path that skips the test loudly if the tool is missing."""

    def require(tool: str, package: str) -> str:
        path = shutil.which(tool)
        if path is None:
            pytest.skip(f"{_MISSING_TOOL}{tool} (Debian package {package})")
        return path

    return require


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests marked `last` behind the others of their module, which another plugin has shuffled."""
    modules: dict[object, int] = {}
    for item in items:
        modules.setdefault(item.path, len(modules))
    items.sort(key=lambda item: (modules[item.path], item.get_closest_marker("last") is not None))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the very end what was not tested because a tool is missing."""
    skipped = terminalreporter.stats.get("skipped", [])
    missing = [report for report in skipped if _MISSING_TOOL in str(report.longrepr)]
    if not missing:
        return
    terminalreporter.section(
        f"NOT TESTED: {len(missing)} tests, because a tool is missing", sep="!", red=True
    )
    for report in missing:
        terminalreporter.line(f"{report.nodeid}: {report.longrepr[2].partition(_MISSING_TOOL)[2]}")

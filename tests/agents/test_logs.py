import io
import json
import logging
from collections.abc import Iterator

import pytest

from agents import logs


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Send all logging into a text and put it back afterwards."""
    root = logging.getLogger()
    before = (root.handlers, root.level)
    stream = io.StringIO()
    logs.set_up(stream=stream)
    yield stream
    root.handlers, root.level = before


def test_a_line_is_json_and_never_holds_an_address(lines: io.StringIO) -> None:
    """Texts, arguments and tracebacks of anybody lose every address on the way out."""
    log = logging.getLogger("some.library")
    log.warning("cannot open %s now", "https://secret.example/a?b=1")
    error = ValueError("bad address hxxps://secret.example/")
    log.error("failed", exc_info=error)
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert first["event"] == "cannot open [address] now"
    assert (first["level"], first["logger"]) == ("warning", "some.library")
    assert "ValueError" in second["exception"]
    assert "secret" not in lines.getvalue()


def test_the_service_tree_is_silent_unless_something_is_wrong(lines: io.StringIO) -> None:
    """Starting and stopping of Faust's parts would bury what an operator looks for."""
    log = logging.getLogger("streams.worker")
    log.info("[^LosslessApp]: Starting...")
    assert lines.getvalue() == ""
    log.error("[^LosslessApp]: Crashed")
    assert "Crashed" in lines.getvalue()

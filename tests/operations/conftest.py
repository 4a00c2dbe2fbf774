"""The command line in this process, for tests that need no Kafka."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from paper_exchange import PaperExchange

from operations.command_line import main
from operations.command_line.session import Session
from operations.logs import MemoryLog


@pytest.fixture
def hx(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Run `hx` in this process: answers exit code, output and error output."""
    monkeypatch.setenv("HX_KAFKA_DIR", str(tmp_path / "kafka"))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hx", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return code, out, err

    return run


@pytest.fixture
def hx_on(
    hx: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Callable[..., tuple[int, str, str]]]:
    """Let `hx` look at an exchange on paper in place of Kafka."""

    def look(paper: PaperExchange) -> Callable[..., tuple[int, str, str]]:
        log = MemoryLog(paper.records, paper.partitions())
        monkeypatch.setattr(Session, "reader", lambda _self, *_: nullcontext(log))
        monkeypatch.setenv("HX_ENVIRONMENT", "test")
        return hx

    return look

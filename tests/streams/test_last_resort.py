"""What a worker says whose program has set up no logging."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROGRAM = """
import logging, sys
from streams.transport_errors import ConfigurationError
from streams.worker import run_worker
async def main(fail_stop):
    logging.getLogger("streams.consumer").warning("a warning")
    raise ConfigurationError("topics missing: target")
{before}
sys.exit(run_worker(main))
"""


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("", ["a warning", "cannot start: topics missing: target"]),
        (
            "logging.basicConfig(format='%(name)s %(message)s')",
            ["streams.consumer a warning", "streams.worker cannot start: topics missing: target"],
        ),
    ],
)
def test_why_a_worker_ends_is_said_once_with_and_without_logging(before: str, said: list[str]) -> None:
    """Without handlers Python's last resort writes to stderr, and with them nobody else does."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ended.returncode, ended.stderr.splitlines(), ended.stdout) == (78, said, "")

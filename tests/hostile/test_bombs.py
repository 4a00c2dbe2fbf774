import json
import subprocess
import sys
from pathlib import Path

import pytest
from foreign_parsers import PARSERS

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
MOST_KIB = 96 * 1024
SHARES = 3


@pytest.mark.timeout(600)  # bombs are bounded by CPU time, however busy the machine is
@pytest.mark.parametrize("number", range(SHARES))
def test_no_bomb_goes_off(number: int) -> None:
    """Huge lengths, deep nesting and endless texts are refused within a bound of memory and of CPU time.

    The process dies at 256 MiB more than it began with; all bombs of a share let it grow by less than 96 MiB.
    """
    done = subprocess.run(
        [sys.executable, str(HERE / "bombs.py"), str(number), str(SHARES)],
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parents[1],
        env={"PYTHONPATH": f"{HERE.parents[1]}:{HERE}"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, _, _ in rows] == [parser.name for parser in PARSERS[number::SHARES]]
    assert all(given > 30 for _, given, _ in rows)
    assert sum(grown for _, _, grown in rows) < MOST_KIB

"""Compare two checkouts step by step: `python -m benchmarks.before_and_after CHECKOUT`.

The program of `steps`, as it is here, runs over the modules of CHECKOUT and over those of this checkout, each
with its own rules and its own shipped directory. They take turns round by round, so that both share what else
the machine does; what counts is the median of the ratios within each round, of CPU time. The dependencies are
those of this checkout's Python for both.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.processes import ROOT, ContestantError
from benchmarks.steps import AGENTS, STEPS, Spent

ALL: Final = "a case, all steps"
LIMIT: Final = 1.25
"""CPU that leaves four fifths of the throughput."""
Pair = tuple[Spent, Spent]


class Contender:
    """The program of `steps` over one checkout, a round at a time.

    Args:
        checkout: Whose modules it measures.
        library: Folder that holds the package `benchmarks` of this checkout and nothing else.
        cases: Cases of a round.
    """

    def __init__(self, checkout: Path, library: Path, cases: int) -> None:
        self._checkout = checkout
        # -P: only PYTHONPATH says which modules are found first.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "benchmarks.steps", "--in-turns", "--cases", str(cases)],
            env=os.environ | {"PYTHONPATH": f"{library}{os.pathsep}{checkout}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=checkout,
        )

    def round(self) -> Spent:
        """Measure one round.

        Raises:
            ContestantError: The program ended by itself; what it said is on standard error.
        """
        assert self._process.stdin is not None  # noqa: S101 - a pipe, as asked for
        assert self._process.stdout is not None  # noqa: S101 - likewise
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise ContestantError(f"benchmarks.steps over {self._checkout} ended with no result")
        found: Spent = json.loads(line)
        return found

    def end(self) -> None:
        """Let the program end."""
        self._process.communicate()


@contextmanager
def contenders(checkouts: Sequence[Path], cases: int) -> Iterator[list[Contender]]:
    """One contender for each checkout; they end with the block."""
    with tempfile.TemporaryDirectory(prefix="hx-before-") as folder, ExitStack() as stack:
        library = Path(folder)
        (library / "benchmarks").symlink_to(ROOT / "benchmarks")
        found = []
        for checkout in checkouts:
            found.append(Contender(checkout, library, cases))
            stack.callback(found[-1].end)
        yield found


def compare(before: Path, after: Path, rounds: int, cases: int) -> list[Pair]:
    """Measure both checkouts in turns and answer the pairs, one for each round."""
    pairs: list[Pair] = []
    with contenders((before, after), cases) as (old, new):
        for contender in (old, new):
            contender.round()  # the first use of everything
        for number in range(rounds):
            if number % 2:
                late = new.round()
                pairs.append((old.round(), late))
            else:
                pairs.append((old.round(), new.round()))
    return pairs


def with_total(spent: Spent) -> dict[str, Mapping[str, float]]:
    """Answer the times with those of all steps together."""
    return {**spent, ALL: {agent: sum(step[agent] for step in spent.values()) for agent in AGENTS}}


def table(pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield the lines of a table in Markdown: each step, for each agent and both."""
    yield "| step | intake | casekeeper | both | ratio |"
    yield "|---|---|---|---|---|"
    totals = [(with_total(before), with_total(after)) for before, after in pairs]
    for step in (*STEPS, ALL):
        cells = []
        for agents in (*((agent,) for agent in AGENTS), AGENTS):
            sides = [tuple(sum(side[step][a] for a in agents) for side in pair) for pair in totals]
            old, new = (statistics.median(side[place] for side in sides) for place in (0, 1))
            cells.append(f"{old:.0f} to {new:.0f}")
        middle = statistics.median(new / old for old, new in sides)
        yield f"| {step} | {' | '.join(cells)} | {middle:.2f} |"


def main() -> int:
    """Print the table; 1 when all steps together take more than leaves four fifths of the throughput."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.before_and_after", description=__doc__)
    parser.add_argument("checkout", type=Path, help="a checkout of an earlier commit")
    parser.add_argument("--cases", type=int, default=1000, help="cases of a round (1000)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each checkout (9)")
    options = parser.parse_args()
    pairs = compare(options.checkout.resolve(), ROOT, options.rounds, options.cases)
    print(f"us of CPU a record before and after, medians of {options.rounds} rounds in turns\n")
    print("\n".join(table(pairs)))
    ratio = statistics.median(
        sum(with_total(after)[ALL].values()) / sum(with_total(before)[ALL].values())
        for before, after in pairs
    )
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

"""`make bench`: every row of the table in docs/performance.md, measured in one run on one broker.

Contestants take turns, each round on fresh topics. What counts is the ratio: machines are noisy, and all
contestants share this one's noise. Each measure can be run alone, smaller and once:
`make bench BENCH_ARGS="routing --rounds 1 --scale 0.1 --only ours aiokafka"`.
"""

import argparse
import json
import logging
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import cold_load, flood, growth, latency, protection, routing, takeover, urgent, whole_way
from benchmarks.ground import Ground
from benchmarks.processes import ContestantError
from benchmarks.verdicts import Outcome, as_builtins, markdown, table
from casework.errors import SetupError, TemporaryError
from operations.embedded_kafka import EmbeddedKafka

MEASURES: Final[dict[str, Callable[[Ground], Outcome]]] = {
    routing.NAME: routing.measure,
    whole_way.NAME: whole_way.measure,
    latency.NAME: latency.measure,
    urgent.NAME: urgent.measure,
    flood.NAME: flood.measure,
    takeover.NAME: takeover.measure,
    cold_load.NAME: cold_load.measure,
    growth.NAME: growth.measure,
    protection.NAME: protection.measure,
}
_HEAP_MB: Final = 1024


def main() -> int:
    """Measure what is asked for and print it; 1 when something could not be measured."""
    options = _options()
    # aiokafka reports every try while new topics become known; what fails for good is an exception.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    outcomes = []
    with (
        tempfile.TemporaryDirectory(prefix="hx-bench-") as home,
        EmbeddedKafka.start(
            Path(home) / "kafka", heap_mb=_HEAP_MB, dies_with_parent=True, security="none"
        ) as kafka,
    ):
        ground = Ground(kafka.bootstrap, Path(home), options.rounds, options.scale, tuple(options.only))
        for name in options.measures or MEASURES:
            outcomes.append(_run(name, ground))
            print(table(outcomes[-1:]), file=sys.stderr)
    if options.markdown:
        print(markdown(outcomes))
    elif options.json:
        found = {"machine": _machine(), "rounds": options.rounds, "scale": options.scale}
        print(json.dumps(found | {"measures": as_builtins(outcomes)}))
    else:
        print(f"\n{_machine()}; medians of {options.rounds} rounds, scale {options.scale:g}\n")
        print(table(outcomes))
        print("\n" + ", ".join(f"{outcome.measure} {outcome.seconds:.0f} s" for outcome in outcomes))
    return 1 if any(outcome.problems for outcome in outcomes) else 0


def _run(name: str, ground: Ground) -> Outcome:
    began = time.monotonic()
    try:
        outcome = MEASURES[name](ground)
    except (ContestantError, SetupError, TemporaryError) as error:
        # The other measures say something all the same.
        outcome = Outcome(name, problems=[str(error)])
    outcome.seconds = time.monotonic() - began
    return outcome


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"of {', '.join(MEASURES)}; all")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each contestant (3)")
    parser.add_argument("--scale", type=float, default=1.0, help="all numbers of records times this (1)")
    parser.add_argument("--only", nargs="+", default=[], metavar="CONTESTANT", help="these contestants")
    parser.add_argument("--json", action="store_true", help="print JSON with every round")
    parser.add_argument("--markdown", action="store_true", help="print the table for docs/performance.md")
    options = parser.parse_args()
    if unknown := set(options.measures) - set(MEASURES):
        parser.error(f"no such measure: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    return options


if __name__ == "__main__":
    sys.exit(main())

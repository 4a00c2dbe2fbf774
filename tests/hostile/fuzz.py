"""The long form of the hostile tests: `make fuzz FUZZ_EXAMPLES=1000000`, shared among all parsers.

Prints how many inputs each parser got and how many of them it took. What breaks a promise is shown with the
shortest input that hypothesis finds, and ends the run with exit code 1.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterator

import hypothesis
from foreign_parsers import PARSERS
from hypothesis import strategies as st
from mutations import PROGRAMS, mutated
from parser_promises import Parser

ROUND = 5000
"""Examples of one run of hypothesis: it remembers all of a run."""
_RAW = st.binary(max_size=300)
_INPUTS = st.one_of(*[PROGRAMS.map(lambda program: (True, program))] * 4, _RAW.map(lambda raw: (False, raw)))


class Tally:
    """How many inputs a parser got and took."""

    def __init__(self) -> None:
        self.given = 0
        self.taken = 0


def fuzz(parser: Parser, examples: int, seed: int, tally: Tally) -> None:
    """Give a parser hostile inputs.

    Raises:
        Exception: Whatever broke a promise.
    """

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        print_blob=False,
    )
    @hypothesis.given(_INPUTS)
    def run(found: tuple[bool, bytes]) -> None:
        is_program, raw = found
        data = mutated(parser.sound, raw) if is_program else raw
        tally.given += 1
        tally.taken += parser.give(data)

    run()


def rounds(examples: int) -> Iterator[int]:
    """Yield the sizes of the runs that make a number of examples."""
    while examples > 0:
        yield min(examples, ROUND)
        examples -= ROUND


def main(show: Callable[[str], object] = print) -> int:
    """Run the long form and answer the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--examples", type=int, default=1_000_000, help="inputs in all")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default="", help="parsers whose name begins so")
    given = options.parse_args()
    logging.getLogger("streams.directory_versions").setLevel(logging.CRITICAL)
    chosen = [parser for parser in PARSERS if parser.name.startswith(given.only)]
    share = -(-given.examples // len(chosen))
    total, broken = 0, 0
    for number, parser in enumerate(chosen):
        tally, begun = Tally(), time.monotonic()
        try:
            for turn, size in enumerate(rounds(share)):
                fuzz(parser, size, given.seed + 1000 * number + turn, tally)
        except Exception as error:  # noqa: BLE001 - the next parser is tried all the same
            broken += 1
            show(f"{parser.name}: BROKEN: {type(error).__name__}: {error}\n{''.join(error.__notes__[:3])}")
        total += tally.given
        seconds = time.monotonic() - begun
        show(f"{parser.name:24} {tally.given:9,} inputs, {tally.taken:8,} taken, {seconds:6.0f} s")
    show(f"{total:,} inputs, {broken} parsers broke a promise")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

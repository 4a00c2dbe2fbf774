"""`python -m operations.chaos`: break the exchange on purpose, and prove that it keeps its promises."""

import argparse
import asyncio
import random
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec

from operations.chaos.kinds import KINDS
from operations.chaos.report import as_markdown, as_rows
from operations.chaos.run import Options, run

_INTERRUPTED: Final = 128 + signal.SIGINT


def main() -> int:
    """Run and answer the exit code: 0 when every promise was kept, 1 otherwise, 130 when interrupted."""
    names = [kind.name for kind in KINDS]
    parser = argparse.ArgumentParser(prog="python -m operations.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--faults", type=int, default=Options(0).faults, help="how many, over both clusters")
    parser.add_argument("--minutes", type=float, default=20.0, help="bound of each of the two parts")
    parser.add_argument("--reports-per-second", type=float, default=Options(0).reports_per_second)
    parser.add_argument("--share-on-three", type=float, default=Options(0).share_on_three)
    parser.add_argument("--only", action="append", default=[], choices=names, help="only this kind of step")
    parser.add_argument("--home", type=Path, help="directory for logs and reports; default a new one")
    given = parser.parse_args()
    options = Options(
        seed=given.seed,
        faults=given.faults,
        seconds=given.minutes * 60,
        reports_per_second=given.reports_per_second,
        share_on_three=given.share_on_three,
        kinds=tuple(given.only),
        home=given.home,
    )
    try:
        report, home = run(options, lambda text: print(text, flush=True))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("interrupted; nothing was compared", file=sys.stderr)
        return _INTERRUPTED
    text = as_markdown(report)
    (home / "report.md").write_text(text, encoding="utf-8")
    (home / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    print(text)
    print(*as_rows(report), sep="\n")
    print(f"reports and logs: {home}")
    return 0 if report.is_whole else 1


if __name__ == "__main__":
    sys.exit(main())

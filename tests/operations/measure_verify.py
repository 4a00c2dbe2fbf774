"""What `hx verify` takes: `PYTHONPATH=. python tests/operations/measure_verify.py 500000`.

The logs lie in memory, so that the numbers are those of the verification and not of a broker. CPU seconds
are given, because others use the machine too; memory is what the verification adds to the logs.
"""

import resource
import sys
import time

from paper_exchange import PaperExchange

from operations.verification.run import Scope, verify

_RECORDS_A_CASE = 15


def main(wanted: int) -> None:
    """Make logs of about so many records, verify them, and print one line."""
    paper = PaperExchange()
    for number in range(max(wanted // _RECORDS_A_CASE, 1)):
        url = f"https://measured.example.test/{number}"
        paper.report(url)
        paper.act(url, "nl-offlimits", "acknowledged")
    log = paper.history().log
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    outcome = verify(log, Scope(paper.topics, "test", paper.clock))
    took = time.process_time() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    count = len(paper.records)
    print(  # noqa: T201 - its output
        f"{count:,} records, {count / took:,.0f} records per CPU second, {grown / 1024:,.0f} MiB on top of "
        f"{before / 1024:,.0f} MiB of logs, {len(outcome.findings)} findings"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))

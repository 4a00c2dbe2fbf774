"""CPU time of each stage of a report's way through the worker, without Kafka: `python -m benchmarks.stages`.

Everything but the broker is the real thing: intake and casekeeper handle batches whose sends are confirmed at
once. What the ends of the way cost (fetches, produce requests, task switches) is not in these figures; what
records cost is, and it is the same on every machine but for a factor.
"""

import argparse
import asyncio
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any, Final

from agents.case_index import CaseIndex
from agents.casekeeper import Casekeeper
from agents.dead_letters import DeadLetterBox
from agents.deadlines import Deadlines
from agents.intake import Intake
from agents.judgement import Admit, Bench, judge
from agents.metrics import CasekeeperMetrics, IntakeMetrics
from agents.open_cases import OpenCases
from agents.parking import ParkedCases
from agents.sending import Sender
from benchmarks.submissions import prepared_reports
from casework.casekeeping import keep
from casework.directory import Directory
from casework.events import Source
from connectors.preparing import Prepared
from operations.setting_up import read_directory
from streams import wire
from streams.clock import SystemClock
from streams.fail_stop import FailStop
from streams.lanes import Batch
from streams.publishing import Confirmation, Outgoing
from streams.settings import Settings
from streams.slots import slot_of
from streams.state_stores import DictStore
from streams.topics import Topics

PARTITIONS: Final = 12
_TOPICS: Final = Topics()


class Taker:
    """A publisher whose broker confirms everything at once; keeps what was sent."""

    def __init__(self) -> None:
        self.taken: list[Outgoing] = []

    async def partitions_for(self, _topic: str) -> int:
        """Answer that every topic has a dozen partitions."""
        return PARTITIONS

    async def publish(self, records: Sequence[Outgoing]) -> Confirmation:
        """Take the records."""
        self.taken.extend(records)
        return Confirmation(len(records))


class Versions:
    """A directory feed with one version."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.newest_version = directory.version

    def latest(self, _now_ms: int) -> Directory:
        """Answer the version."""
        return self._directory

    def valid_at(self, _stamp_ms: int, _now_ms: int) -> Directory:
        """Answer the version."""
        return self._directory

    def known(self, _version: int) -> Directory:
        """Answer the version."""
        return self._directory

    async def version(self, _version: int) -> Directory:
        """Answer the version."""
        return self._directory


class _State:
    def __init__(self, stores: Callable[[int], DictStore]) -> None:
        self._stores = stores

    async def get(self, partition: int) -> DictStore:
        return self._stores(partition)

    def deleted(self, _partition: int, _ended_by: Mapping[bytes, int]) -> None:
        pass

    def writing(self, _partition: int) -> AbstractContextManager[None]:
        return nullcontext()


def _nothing_waits(_partition: int) -> Any:  # noqa: ANN401 - a reader of parked records
    raise AssertionError("no case is parked here")


class Way:
    """The two agents of a worker around a publisher that takes everything."""

    def __init__(self, directory: Directory, environment: str) -> None:
        self.taker = Taker()
        clock = SystemClock()
        feed: Any = Versions(directory)
        open_cases = OpenCases()
        keeping = CasekeeperMetrics(open_cases)
        admitting = IntakeMetrics()
        self.intake = Intake(
            topics=_TOPICS, environment=environment, feed=feed, clock=clock,
            sender=self._sender(admitting), metrics=admitting,
        )  # fmt: skip
        sender = self._sender(keeping)
        deadlines = Deadlines(
            topics=_TOPICS, environment=environment, feed=feed, clock=clock, sender=sender, metrics=keeping
        )
        parked = ParkedCases(
            topics=_TOPICS, environment=environment, feed=feed, clock=clock, sender=sender, metrics=keeping
        )
        self.casekeeper = Casekeeper(
            topics=_TOPICS, feed=feed, clock=clock, sender=sender, metrics=keeping,
            index=CaseIndex(keeping, deadlines, parked, FailStop()),
            readers=_nothing_waits,
        )  # fmt: skip
        cases: defaultdict[int, DictStore] = defaultdict(DictStore)
        contents: defaultdict[int, DictStore] = defaultdict(DictStore)
        self.casekeeper.attach(_State(cases.__getitem__), _State(contents.__getitem__))  # type: ignore[arg-type]
        for partition in range(PARTITIONS):
            open_cases.start(partition)
            deadlines.loaded(partition, cases[partition])

    def _sender(self, metrics: Any) -> Sender:  # noqa: ANN401 - the metrics of either agent
        publisher: Any = self.taker
        return Sender(
            publisher=lambda: publisher, topics=_TOPICS, box=DeadLetterBox(_TOPICS.dead_letters, "bench"),
            metrics=metrics, real_ms=SystemClock().real_ms,
        )  # fmt: skip

    def took(self) -> list[Outgoing]:
        """Answer what was sent since the last time."""
        taken, self.taker.taken = self.taker.taken, []
        return taken


def records_of(submitted: Iterable[Prepared], directory: Directory) -> list[Any]:
    """Answer submissions as records of their topics, in the slots of their countries."""
    now = SystemClock().real_ms()
    return [
        SimpleNamespace(
            topic=_TOPICS.reports_submitted if report.kind == "report" else _TOPICS.actions_submitted,
            partition=slot_of(
                report.hosting_country, report.url_key, directory.slots, directory.rest_slots
            ),
            offset=offset, timestamp=now, key=report.url_key, value=report.value, headers=(),
        )
        for offset, report in enumerate(submitted)
    ]  # fmt: skip


def admitted_records(admissions: Iterable[Outgoing], first_offset: int = 0) -> list[Any]:
    """Answer admissions as records of cases.admitted, with offsets from the first one on."""
    now = SystemClock().real_ms()
    return [
        SimpleNamespace(
            topic=out.topic, partition=out.partition, offset=offset, timestamp=now,
            key=out.key, value=out.value, headers=(),
        )
        for offset, out in enumerate(admissions, first_offset)
    ]  # fmt: skip


def in_batches(records: Iterable[Any], size: int) -> list[Batch]:
    """Part records into batches of their partitions."""
    lanes: defaultdict[int, list[Any]] = defaultdict(list)
    for record in records:
        lanes[record.partition].append(record)
    return [
        Batch(lane[0].topic, partition, lane[start : start + size])
        for partition, lane in lanes.items()
        for start in range(0, len(lane), size)
    ]


class _Times:
    """Microseconds of CPU for each record, by stage, one list entry a round."""

    def __init__(self) -> None:
        self.by_stage: defaultdict[str, list[float]] = defaultdict(list)

    def measure(self, stage: str, records: int, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - what `work` answers
        began = time.process_time_ns()
        result = work()
        self.by_stage[stage].append((time.process_time_ns() - began) / 1000 / records)
        return result


def measure_parts(times: _Times, records: list[Any], directory: Directory, environment: str) -> None:
    """Take the time of the pure functions alone."""
    count = len(records)
    bench = Bench(directory, environment, SystemClock().now_ms(), _TOPICS)
    verdicts = times.measure("  judge", count, lambda: [judge(record, bench) for record in records])
    admitted = [verdict.admitted for verdict in verdicts if isinstance(verdict, Admit)]
    framed = times.measure("  encode admission", count, lambda: [wire.encode(one) for one in admitted])
    events = times.measure("  decode event", count, lambda: [wire.decode_event(one) for one in framed])
    source = Source(_TOPICS.cases_admitted, 0, 1)
    kept = times.measure("  keep", count, lambda: [keep(None, event, directory, source) for event in events])
    for name, values in {
        "facts": [fact for one in kept for fact in one.facts],
        "bodies": [posting.body for one in kept for posting in one.postings],
        "contents": [content for one in kept for content in one.contents],
        "case": [one.case for one in kept],
    }.items():
        times.measure(f"  encode {name}", count, lambda values=values: [wire.encode(one) for one in values])  # type: ignore[misc] # bound at once


async def measure_agents(
    times: _Times, records: list[Any], directory: Directory, environment: str, size: int
) -> None:
    """Take the time of the agents' handlers with batches of one size."""
    way, count = Way(directory, environment), len(records)
    for name, handle, batches in (
        ("intake", way.intake.handle, in_batches(records, size)),
        ("casekeeper", way.casekeeper.handle, None),
    ):
        parts = in_batches(admitted_records(way.took()), size) if batches is None else batches
        began = time.process_time_ns()
        for batch in parts:
            await handle((batch,))
        spent = (time.process_time_ns() - began) / 1000 / count
        times.by_stage[f"{name}, batches of {size}"].append(spent)


def main() -> None:
    """Measure and print medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__)
    parser.add_argument("--reports", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="*", default=[500, 10])
    options = parser.parse_args()
    settings = Settings()
    now = SystemClock().now_ms()
    directory = read_directory(settings, now)
    reports = list(prepared_reports(options.reports, settings, directory, now))
    records = records_of(reports, directory)
    times = _Times()
    for _ in range(options.rounds):
        for size in options.sizes:
            asyncio.run(measure_agents(times, records, directory, settings.environment, size))
        measure_parts(times, records, directory, settings.environment)
    print(f"{platform.machine()}, Python {platform.python_version()}, us of CPU a report, medians (least)")
    for stage, spent in times.by_stage.items():
        print(f"{stage:<28} {statistics.median(spent):7.1f} ({min(spent):.1f})")


if __name__ == "__main__":
    main()

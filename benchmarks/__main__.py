"""`make bench`: the whole way of a report against a bare aiokafka loop, in one run on one broker.

Contestants take turns, each round on fresh topics. What counts is the ratio: machines are noisy, and both
contestants share this one's noise.
"""

import argparse
import asyncio
import json
import platform
import statistics
import tempfile
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaProducer

from benchmarks import contestants, measuring
from benchmarks.measuring import Latency
from benchmarks.submissions import prepared_reports
from casework.directory import Directory
from connectors.drafts import Prepared
from operations.embedded_kafka import EmbeddedKafka
from operations.setting_up import provision_topics, publish_directory, read_directory
from streams import provision
from streams.clock import SystemClock
from streams.settings import Settings
from streams.slots import partition_of, slot_of
from streams.topics import Topic, Topics

_PATIENCE_S = 300.0
_TICK_S = 0.01
# The bare loop is so much faster that it gets the same records several times over, to last long enough.
_BARE_TIMES = 10


class Round(msgspec.Struct, frozen=True):
    """What one contestant did in one round: records a second on the drain, latency at the given rate."""

    drained: float
    latency: Latency


class Ground:
    """Fresh topics for one round of both contestants."""

    def __init__(self, bootstrap: str, number: int, directory: Directory, home: Path) -> None:
        self.settings = Settings(
            bootstrap=bootstrap,
            topic_prefix=f"bench{number}.",
            intake_metrics_port=0,
            casekeeper_metrics_port=0,
            data_dir=home / f"round-{number}",
        )
        self.directory = directory
        self.topics = Topics(self.settings.topic_prefix)
        self.bare = (f"bare{number}.in", f"bare{number}.out")
        provision_topics(self.settings, directory)
        self._provision_bare()
        asyncio.run(publish_directory(self.settings, directory))

    @property
    def inboxes(self) -> list[str]:
        """All inbox topics."""
        return [
            name
            for member in self.directory.members
            for name in (self.topics.inbox(member.id), self.topics.inbox_urgent(member.id))
        ]

    def _provision_bare(self) -> None:
        config = {"message.timestamp.type": "LogAppendTime", "cleanup.policy": "delete"}
        table = [
            Topic(name, "url key", "url_key", self.settings.partitions, config, "", "") for name in self.bare
        ]
        provision.provision(self.settings.bootstrap, table, replication=1, min_insync=1)

    def place(self, report: Prepared) -> int:
        """The slot of a report."""
        slots, rest = self.directory.slots, self.directory.rest_slots
        return slot_of(report.hosting_country, report.url_key, slots, rest)


async def _send(ground: Ground, reports: list[Prepared], rate: float | None, *, bare: bool) -> None:
    """Send reports, all at once or at a rate a second, to the exchange or to the bare loop."""
    producer = AIOKafkaProducer(
        bootstrap_servers=ground.settings.bootstrap, acks="all", enable_idempotence=True, linger_ms=0
    )
    await producer.start()
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        futures = []
        for number, report in enumerate(reports):
            if rate is not None:
                ahead = number / rate - (loop.time() - began)
                if ahead > _TICK_S:
                    await asyncio.sleep(ahead)
            topic = ground.bare[0] if bare else ground.topics.reports_submitted
            partition = (
                partition_of(report.url_key, ground.settings.partitions) if bare else ground.place(report)
            )
            futures.append(await producer.send(topic, report.value, key=report.url_key, partition=partition))
        await asyncio.gather(*futures)
    finally:
        await producer.stop()


def _run(ground: Ground, reports: list[Prepared], preloaded: int, rate: float, *, bare: bool) -> Round:
    bootstrap = ground.settings.bootstrap
    first, paced = reports[:preloaded] * (_BARE_TIMES if bare else 1), reports[preloaded:]
    sources = (ground.bare[0],) if bare else (ground.topics.reports_submitted,)
    sinks = [ground.bare[1]] if bare else ground.inboxes
    # Each report comes out once in the bare loop; as receipt and assignment in the exchange.
    each = 1 if bare else 2
    running = (
        contestants.bare_loop(bootstrap, *ground.bare) if bare else contestants.exchange(ground.settings)
    )
    asyncio.run(_send(ground, first, None, bare=bare))
    with running:
        measuring.wait_for(bootstrap, sinks, lambda n: n >= each * len(first), _PATIENCE_S)
        copied = measuring.arrivals(bootstrap, *sinks) if bare else []
        asyncio.run(_send(ground, paced, rate, bare=bare))
        measuring.wait_for(bootstrap, sinks, lambda n: n >= each * (len(first) + len(paced)), _PATIENCE_S)
    before = measuring.submitted_at(bootstrap, *sources)
    after = measuring.submitted_at(bootstrap, *sinks) if bare else measuring.assigned_at(bootstrap, sinks)
    drained = measuring.rate(copied if bare else [after[report.url_key] for report in first])
    waited = measuring.waits({report.url_key: before[report.url_key] for report in paced}, after)
    return Round(drained, Latency.of(waited))


def _middle(rounds: list[Round]) -> Round:
    return Round(
        statistics.median(r.drained for r in rounds),
        Latency(
            statistics.median(r.latency.p50 for r in rounds), statistics.median(r.latency.p99 for r in rounds)
        ),
    )


def main() -> None:
    """Measure and print medians and ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--preloaded", type=int, default=10_000, help="reports of the drain")
    parser.add_argument("--rate", type=float, default=500.0, help="reports a second of the latency part")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the latency part")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each contestant")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    now = SystemClock().now_ms()
    directory = read_directory(Settings(), now)
    paced = int(options.rate * options.seconds)
    reports = list(prepared_reports(options.preloaded + paced, Settings(), directory, now))
    results: dict[str, list[Round]] = {"exchange": [], "bare loop": []}
    with (
        tempfile.TemporaryDirectory() as home,
        EmbeddedKafka.start(Path(home) / "kafka", dies_with_parent=True) as kafka,
    ):
        for number in range(options.rounds):
            ground = Ground(kafka.bootstrap, number, directory, Path(home))
            for name, rounds in results.items():
                rounds.append(
                    _run(ground, reports, options.preloaded, options.rate, bare=name == "bare loop")
                )
    ours, bare = (_middle(rounds) for rounds in results.values())
    ratios = {
        "drain": ours.drained / bare.drained,
        "p50": ours.latency.p50 / bare.latency.p50,
        "p99": ours.latency.p99 / bare.latency.p99,
    }
    if options.json:
        print(json.dumps({"ratios": ratios, "rounds": msgspec.to_builtins(results)}))
        return
    print(f"{platform.machine()}, Python {platform.python_version()}, medians of {options.rounds} rounds")
    print(f"drain of {options.preloaded} reports, submission to inbox: {ours.drained:,.0f}/s")
    print(f"bare aiokafka copy loop, one hop:                  {bare.drained:,.0f}/s")
    print(f"ratio: {ratios['drain']:.3f}")
    for name in ("p50", "p99"):
        mine, theirs = getattr(ours.latency, name), getattr(bare.latency, name)
        print(
            f"{name} at {options.rate:.0f}/s: {mine:.1f} ms, bare {theirs:.1f} ms, ratio {ratios[name]:.1f}"
        )


if __name__ == "__main__":
    main()

"""Measure the load of cases.status: cold and warm start, cost of get and put, memory of an open case.

Run it as ``python -m benchmarks.state_load --bootstrap HOST:PORT [--cases N]``; it makes a topic and deletes
it at the end. Each measurement runs in a process of its own, so that memory is that of what is measured.
Times are wall clock and CPU (all threads of the process); the broker uses the rest of the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from faust.types import TP
from kafka.admin import KafkaAdminClient, NewTopic

from agents.stored_cases import version_of
from benchmarks.submissions import ORIGIN
from casework.messages import Case, Deadlines, DeliveryCount, Origin, Seen
from streams import wire
from streams.fail_stop import FailStop
from streams.local_copies import InMemory, LocalCopies
from streams.partition_state import PartitionState

PARTITIONS: Final = 12
_T: Final = 1_760_000_000_000
_HOUR: Final = 3_600_000
_SOME: Final = 20_000


def state_of(number: int, draw: random.Random) -> tuple[bytes, bytes]:
    """Answer key and framed state of an open case with one report, as casekeeper writes them."""
    url_key = b"\x01" + draw.randbytes(32)
    event_id = str(uuid.UUID(bytes=draw.randbytes(16)))
    at = _T + draw.randrange(72 * _HOUR)
    case = Case(
        url_key=url_key,
        case_id=str(uuid.UUID(bytes=draw.randbytes(16))),
        source_offset=number,
        environment="test",
        number=2,
        state="assigned",
        round=1,
        leg=1,
        hosting_country="NL",
        assigned_country="NL",
        assigned_hotline=f"hotline-{draw.randrange(50)}",
        received_at=at,
        opened_at=at,
        leg_started_at=at,
        last_now=at,
        deadlines=Deadlines(
            acknowledge_ms=24 * _HOUR,
            inform_police_ms=48 * _HOUR,
            inform_provider_ms=72 * _HOUR,
            confirm_removal_ms=144 * _HOUR,
        ),
        origins=(
            Origin(
                member=ORIGIN,
                first_event_id=event_id,
                first_at=at,
                last_event_id=event_id,
                last_at=at,
                count=1,
            ),
        ),
        deliveries=(DeliveryCount(recipient="nl-offlimits", number=1),),
        seen=(
            Seen(
                event_id=draw.randbytes(16),
                digest=draw.randbytes(8),
                position=draw.randbytes(4),
                sender=draw.randbytes(2),
            ),
        ),
        directory_version=1,
        rules_version=1,
    )
    return url_key, wire.encode(case)


async def fill(bootstrap: str, topic: str, cases: int) -> int:
    """Write the states of `cases` open cases and answer their bytes."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    configs = {"cleanup.policy": "compact", "min.compaction.lag.ms": "86400000"}
    admin.create_topics(
        [NewTopic(name=topic, num_partitions=PARTITIONS, replication_factor=1, topic_configs=configs)]
    )
    admin.close()
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=256 << 10, compression_type="lz4"
    )
    await producer.start()
    draw = random.Random(1)  # noqa: S311 - repeatable test data
    size = 0
    sends: set[Any] = set()
    for number in range(cases):
        key, value = state_of(number, draw)
        size += len(key) + len(value)
        sends.add(await producer.send(topic, value, key=key, partition=number % PARTITIONS))
        if len(sends) >= _SOME:
            await asyncio.gather(*sends)
            sends.clear()
    await asyncio.gather(*sends)
    await producer.stop()
    return size


async def load(bootstrap: str, topic: str, directory: Path | None) -> dict[str, float]:
    """Load every partition in this process and answer what it took."""
    app = SimpleNamespace(transport=SimpleNamespace(listeners=[], fail_stop=FailStop()))
    stores = InMemory() if directory is None else LocalCopies(directory)
    before = _rss()
    state = PartitionState(
        app,
        follows="in",
        topic=topic,
        client_settings={"bootstrap_servers": bootstrap},
        stores=stores,
        version=version_of,
    )
    cpu, wall = time.process_time(), time.monotonic()
    longest = asyncio.create_task(_longest_pause())
    state.assigned({TP("in", partition) for partition in range(PARTITIONS)})
    first = None
    for partition in range(PARTITIONS):
        await state.get(partition)
        first = first if first is not None else time.monotonic() - wall
    found = {
        "seconds": time.monotonic() - wall,
        "cpu": time.process_time() - cpu,
        "first": first or 0.0,
        "records": float(sum(state.loaded_records.values())),
        "rss": float(_rss() - before),
    }
    longest.cancel()
    found["longest_pause"] = (await asyncio.gather(longest, return_exceptions=True))[0]  # type: ignore[assignment]
    found |= _access(state)
    await state.close()
    found["disk"] = float(_disk(directory)) if directory is not None else 0.0
    return found


async def _longest_pause() -> float:
    longest, last = 0.0, time.monotonic()
    try:
        while True:
            await asyncio.sleep(0.001)
            now = time.monotonic()
            longest, last = max(longest, now - last), now
    except asyncio.CancelledError:
        return longest


def _access(state: PartitionState) -> dict[str, float]:
    """Time reads and writes of states drawn at random."""
    draw = random.Random(2)  # noqa: S311 - likewise
    stores = state.stores()
    keys = {partition: [key for key, _ in store.items()] for partition, store in stores.items()}
    chosen = [(partition, draw.choice(keys[partition])) for partition in draw.choices(list(stores), k=_SOME)]
    started = time.process_time()
    values = [stores[partition].get(key) for partition, key in chosen]
    read = time.process_time() - started
    started = time.process_time()
    for (partition, key), value in zip(chosen, values, strict=True):
        stores[partition].write({key: value})
    return {"get_us": read / _SOME * 1e6, "put_us": (time.process_time() - started) / _SOME * 1e6}


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def _disk(directory: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in directory.rglob("*") if file.is_file())


def _in_a_process(bootstrap: str, topic: str, directory: Path | None) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.state_load", "--bootstrap", bootstrap, "--load", topic]
    if directory is not None:
        command += ["--directory", str(directory)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure and print one line for each store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--load", help="internal: load this topic in this process")
    parser.add_argument("--directory", type=Path)
    told = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    if told.load:
        sys.stdout.write(json.dumps(asyncio.run(load(told.bootstrap, told.load, told.directory))) + "\n")
        return
    topic = f"bench-{os.getpid()}.status"
    size = asyncio.run(fill(told.bootstrap, topic, told.cases))
    sys.stdout.write(f"{told.cases:,} open cases, {size / told.cases:.0f} bytes each\n")
    directory = Path(tempfile.mkdtemp(prefix="state-load-"))
    try:
        for _ in range(told.rounds):
            _show("dict, cold", _in_a_process(told.bootstrap, topic, None), told.cases)
            shutil.rmtree(directory)
            _show("RocksDB, cold", _in_a_process(told.bootstrap, topic, directory), told.cases)
            _show("RocksDB, warm", _in_a_process(told.bootstrap, topic, directory), told.cases)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        admin = KafkaAdminClient(bootstrap_servers=told.bootstrap)
        admin.delete_topics([topic])
        admin.close()


def _show(name: str, found: dict[str, float], cases: int) -> None:
    rate = found["records"] / found["seconds"]
    cpu = found["cpu"] / max(found["records"], 1) * 1e6
    sys.stdout.write(
        f"{name:14} {found['seconds']:6.2f} s, first partition {found['first']:5.2f} s, "
        f"{rate:9,.0f} records/s, "
        f"CPU {cpu:5.2f} us/record, longest pause of the loop {found['longest_pause'] * 1000:4.0f} ms, "
        f"RSS {found['rss'] / cases:4.0f} B/case, disk {found['disk'] / cases:4.0f} B/case, "
        f"get {found['get_us']:.1f} us, put {found['put_us']:.1f} us\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()

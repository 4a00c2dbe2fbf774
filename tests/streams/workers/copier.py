"""A worker for the transport tests: copies records to one of four destinations and counts per key.

Usage: ``copier.py OPTIONS``, JSON: bootstrap, prefix, and optionally groups (number of apps), fail_at
(a value at which the handler raises), refuse (a value to send where it is refused), stateful, on_disk
(directory), delay (seconds per call), max_records (per call), instance_id, log (level), worker (further
options of the worker by name).
It prints READY when it delivers and ``LOADED <partition> <records> <sum of counts>`` per state load.
"""

import asyncio
import json
import logging
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streams.batch_events import submit_all
from streams.fail_stop import FailStop
from streams.kafka_access import plaintext
from streams.lanes import Batch, PartitionLanes
from streams.local_copies import InMemory, LocalCopies
from streams.partition_state import LoadedPartition, PartitionState
from streams.probing import probe
from streams.publishing import Outgoing
from streams.state_stores import StateStore
from streams.untyped import FaustStream
from streams.worker import LosslessApp, WorkerOptions, batches, make_app, run_apps, run_worker

OPTIONS: dict[str, Any] = json.loads(sys.argv[1])
PREFIX: str = OPTIONS["prefix"]
DESTINATIONS = [f"{PREFIX}out{number}" for number in range(4)]


def say(*words: object) -> None:
    """Tell the test, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def state_version(_key: bytes, value: bytes) -> int:
    """A state is (count, source offset)."""
    version: int = struct.unpack("<qq", value)[1]
    return version


class Copier:
    """The handler of one app."""

    def __init__(self, app: LosslessApp, options: WorkerOptions, source: str) -> None:
        self.app = app
        self.state: PartitionState | None = None
        if OPTIONS.get("stateful"):
            directory = OPTIONS.get("on_disk")
            self.state = PartitionState(
                app,
                follows=source,
                topic=f"{source}.state",
                client_settings=options.client_settings(),
                stores=LocalCopies(Path(directory)) if directory else InMemory(),
                version=state_version,
                publish=self.publish,
                on_loaded=self.loaded,
            )

    async def publish(self, records: list[Outgoing]) -> None:
        """Write states again."""
        assert self.app.publisher is not None
        await self.app.publisher.publish(records)

    @staticmethod
    def loaded(partition: int, loaded: LoadedPartition) -> None:
        """Report a load and what the counts of the partition add up to."""
        total = sum(struct.unpack("<qq", value)[0] for _, value in loaded.store.items())
        say("LOADED", partition, loaded.records, total)

    async def handle(self, batch: Batch) -> None:
        """Copy, then count, then return."""
        if delay := OPTIONS.get("delay"):
            await asyncio.sleep(delay)
        out = []
        for record in batch.records:
            if record.value == str(OPTIONS.get("fail_at", "")).encode():
                raise RuntimeError("told to fail")
            topic = DESTINATIONS[int(record.value) % 4]
            if record.value == str(OPTIONS.get("refuse", "")).encode():
                topic = f"{PREFIX}tiny"
            out.append(Outgoing(topic, int(record.value) % 2, record.key, record.value))
        changes: Mapping[bytes, bytes | None] = {}
        if self.state is not None:
            store = await self.state.get(batch.partition)
            changes = self.counted(store, batch)
        assert self.app.publisher is not None
        await self.app.publisher.publish(out)
        if self.state is not None:
            states = [
                Outgoing(self.state.topic, batch.partition, key, value) for key, value in changes.items()
            ]
            with self.state.writing(batch.partition):
                await self.app.publisher.publish(states)
                store.write(changes)

    @staticmethod
    def counted(store: StateStore, batch: Batch) -> dict[bytes, bytes | None]:
        """Return the new counts per key; a record at or below the last source offset is a repetition."""
        changes: dict[bytes, bytes | None] = {}
        for record in batch.records:
            old = changes.get(record.key) or store.get(record.key)
            count, offset = struct.unpack("<qq", old) if old else (0, -1)
            if record.offset > offset:
                changes[record.key] = struct.pack("<qq", count + 1, record.offset)
        return changes


async def main(fail_stop: FailStop) -> None:
    """Build one app per group and run them."""
    options = WorkerOptions(
        access=plaintext(OPTIONS["bootstrap"]),
        instance_id=OPTIONS.get("instance_id"),
        start_timeout=20.0,
        metadata_patience=1.0,
        max_poll_records=OPTIONS.get("max_records", 2000),
        **OPTIONS.get("worker", {}),
    )
    apps = []
    for number in range(OPTIONS.get("groups", 1)):
        group, source = f"{PREFIX}group{number}", f"{PREFIX}in{number}"
        await probe(options, group, [source])
        app = make_app(group, options, fail_stop=fail_stop)
        limit = OPTIONS.get("max_records", 2000)
        lanes = PartitionLanes(app, Copier(app, options, source).handle, max_records=limit)

        async def work(stream: FaustStream, app: LosslessApp = app, lanes: PartitionLanes = lanes) -> None:
            await submit_all(app, stream, lanes.submit)

        app.agent(batches(app, source), name=f"copier{number}")(work)
        apps.append(app)
    await run_apps(apps, on_ready=lambda: say("READY"))


if __name__ == "__main__":
    logging.basicConfig(level=OPTIONS.get("log", "WARNING"), stream=sys.stderr)
    sys.exit(run_worker(main))

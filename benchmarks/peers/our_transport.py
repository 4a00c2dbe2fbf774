"""The yardstick on the transport of this repository, written as docs/transport.md tells an agent author.

Run as `python -m benchmarks.peers.our_transport BOOTSTRAP GROUP CODEC SOURCE DESTINATION-PREFIX`; ends on
SIGTERM.
"""

import asyncio
import sys
from typing import Final

from benchmarks.peers import yardstick
from streams.batch_events import submit_all
from streams.fail_stop import FailStop
from streams.kafka_access import plaintext
from streams.lanes import Batch, PartitionLanes
from streams.probing import probe
from streams.publishing import Outgoing
from streams.untyped import FaustStream
from streams.worker import WorkerOptions, batches, make_app, run_apps, run_worker

_YIELD_EVERY: Final = 256


async def main(fail_stop: FailStop, arguments: list[str]) -> None:
    """Route until SIGTERM."""
    bootstrap, group, codec, source, prefix = arguments
    options = WorkerOptions(access=plaintext(bootstrap))
    topics, route = yardstick.destinations(prefix), yardstick.ROUTES[codec]
    await probe(options, group, [source])
    app = make_app(group, options, fail_stop=fail_stop)

    async def handle(batch: Batch) -> None:
        outgoing = []
        for number, record in enumerate(batch.records, start=1):
            topic, value = route(record.value, topics)
            outgoing.append(Outgoing(topic, 0, record.key, value))
            if number % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
        await app.publisher.publish(outgoing)  # type: ignore[union-attr] # lanes run only in a started app

    lanes = PartitionLanes(app, handle)

    async def read(stream: FaustStream) -> None:
        await submit_all(app, stream, lanes.submit)

    app.agent(batches(app, source), name="router")(read)
    await run_apps([app])


if __name__ == "__main__":
    sys.exit(run_worker(lambda fail_stop: main(fail_stop, sys.argv[1:])))

"""The yardstick by hand: aiokafka and nothing else, as fast as it goes without losing records.

Up to eight fetches are in flight; a fetch is committed when it and all before it are confirmed, every half
second and in the background. With several hops the loops share one process, as the exchange's agents do.

Run as `python -m benchmarks.peers.plain_aiokafka BOOTSTRAP GROUP CODEC SOURCE DESTINATION...`; with one
destination that ends in a dot the records are routed over 50 topics that begin so. With several destinations
each is the source of the next hop, and all but the last keep the partition. Ends on SIGTERM.
"""

import asyncio
import signal
import sys
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any, Final

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.peers import yardstick

_COMMIT_S: Final = 0.5
_IN_FLIGHT: Final = 8
_FETCHED_RECORDS: Final = 4_000
_YIELD_EVERY: Final = 256

Route = Callable[[int, bytes], tuple[tuple[str, int], bytes]]


class Loop:
    """One hop: consume, route, produce, commit what was confirmed."""

    def __init__(self, bootstrap: str, group: str, source: str, route: Route) -> None:
        self._consumer: Any = AIOKafkaConsumer(
            source,
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=1 << 20,
        )
        self._producer: Any = AIOKafkaProducer(
            bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=256 << 10
        )
        self._route = route
        self._pending: deque[tuple[dict[Any, int], asyncio.Future[Any]]] = deque()
        self._confirmed: dict[Any, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        await self._consumer.start()
        await self._producer.start()
        committing = asyncio.create_task(self._commit_now_and_then())
        try:
            while not stop.is_set() and not committing.done():
                polled = await self._consumer.getmany(timeout_ms=100, max_records=_FETCHED_RECORDS)
                if polled:
                    offsets = {place: records[-1].offset + 1 for place, records in polled.items()}
                    self._pending.append((offsets, asyncio.gather(*await self._send(polled))))
                await self._settle(_IN_FLIGHT - 1)
            await self._settle(0)
            await self._commit()
        finally:
            committing.cancel()
            await self._consumer.stop()
            await self._producer.stop()

    async def _send(self, polled: dict[Any, list[Any]]) -> list[asyncio.Future[Any]]:
        outgoing: defaultdict[tuple[str, int], list[tuple[bytes | None, bytes]]] = defaultdict(list)
        number = 0
        for place, records in polled.items():
            for record in records:
                target, value = self._route(place.partition, record.value)
                outgoing[target].append((record.key, value))
                number += 1
                if number % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        sent = []
        for (topic, partition), pairs in outgoing.items():
            batch = self._producer.create_batch()
            for key, value in pairs:
                if batch.append(key=key, value=value, timestamp=None) is None:
                    sent.append(await self._producer.send_batch(batch, topic, partition=partition))
                    batch = self._producer.create_batch()
                    batch.append(key=key, value=value, timestamp=None)
            sent.append(await self._producer.send_batch(batch, topic, partition=partition))
        return sent

    async def _settle(self, allowed: int) -> None:
        while self._pending and (len(self._pending) > allowed or self._pending[0][1].done()):
            offsets, sent = self._pending.popleft()
            await sent
            self._confirmed.update(offsets)

    async def _commit_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_COMMIT_S)
            await self._commit()

    async def _commit(self) -> None:
        if self._confirmed:
            confirmed, self._confirmed = self._confirmed, {}
            await self._consumer.commit(confirmed)


def routing(codec: str, prefix: str) -> Route:
    """Route to the 50 topics that begin with `prefix`, by the codec `full` or `prefix`."""
    topics, route = yardstick.destinations(prefix), yardstick.ROUTES[codec]

    def chosen(_partition: int, value: bytes) -> tuple[tuple[str, int], bytes]:
        topic, routed = route(value, topics)
        return (topic, 0), routed

    return chosen


def copying(topic: str) -> Route:
    """Pass records on as they are, partition to partition."""

    def chosen(partition: int, value: bytes) -> tuple[tuple[str, int], bytes]:
        return (topic, partition), value

    return chosen


async def main(bootstrap: str, group: str, codec: str, source: str, *targets: str) -> None:
    """Run the hops until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    loops = []
    for number, target in enumerate(targets):
        route = routing(codec, target) if target.endswith(".") else copying(target)
        loops.append(Loop(bootstrap, f"{group}.{number}", source, route))
        source = target
    async with asyncio.TaskGroup() as hops:
        for loop in loops:
            hops.create_task(loop.run(stop))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))

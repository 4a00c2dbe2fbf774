"""The yardstick: a hand-written aiokafka loop that copies records from one topic to another, nothing else.

It commits only what the broker confirmed, as the exchange does, so that the comparison is fair.
Run as `python -m benchmarks.bare_loop BOOTSTRAP SOURCE DESTINATION`; ends on SIGTERM.
"""

import asyncio
import signal
import sys

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

_COMMIT_S = 0.5
_IN_FLIGHT = 8


async def copy(bootstrap: str, source: str, destination: str) -> None:
    """Copy until SIGTERM; partition n of the source goes to partition n of the destination."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    consumer = AIOKafkaConsumer(
        source,
        bootstrap_servers=bootstrap,
        group_id=f"bare.{source}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=262_144
    )
    await consumer.start()
    await producer.start()
    pending: list[tuple[dict[object, int], list[asyncio.Future[object]]]] = []
    committed_at = asyncio.get_running_loop().time()
    try:
        while not stop.is_set():
            polled = await consumer.getmany(timeout_ms=100, max_records=4_000)
            futures = []
            for place, records in polled.items():
                batch = producer.create_batch()
                for record in records:
                    if batch.append(key=record.key, value=record.value, timestamp=None) is None:
                        futures.append(
                            await producer.send_batch(batch, destination, partition=place.partition)
                        )
                        batch = producer.create_batch()
                        batch.append(key=record.key, value=record.value, timestamp=None)
                futures.append(await producer.send_batch(batch, destination, partition=place.partition))
            if futures:
                pending.append(({p: r[-1].offset + 1 for p, r in polled.items()}, futures))
            now = asyncio.get_running_loop().time()
            if len(pending) > _IN_FLIGHT or now - committed_at > _COMMIT_S:
                for offsets, sent in pending:
                    await asyncio.gather(*sent)
                    await consumer.commit(offsets)
                pending, committed_at = [], now
    finally:
        await consumer.stop()
        await producer.stop()


if __name__ == "__main__":
    uvloop.run(copy(*sys.argv[1:4]))

"""The process that sends records one by one at a rate, the same for every contestant.

Run as `python -m benchmarks.sender BOOTSTRAP TOPIC SPOOL RATE`; ends when all are confirmed.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any, Final

import uvloop
from aiokafka import AIOKafkaProducer

from benchmarks import spool

_EARLY_S: Final = 0.001


async def main(bootstrap: str, topic: str, path: str, rate: str) -> None:
    """Send every record of the spool at its time."""
    records = list(spool.read(Path(path)))
    producer: Any = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=0
    )
    await producer.start()
    loop = asyncio.get_running_loop()
    began, interval = loop.time(), 1 / float(rate)
    try:
        sent = []
        for number, (partition, key, value) in enumerate(records):
            ahead = began + number * interval - loop.time()
            if ahead > _EARLY_S:
                await asyncio.sleep(ahead)
            sent.append(await producer.send(topic, value, key=key, partition=partition))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))

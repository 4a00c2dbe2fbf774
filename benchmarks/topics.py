"""Topics of the benchmarks, and filling them quickly before the clock starts."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from kafka.errors import KafkaError

from benchmarks.append_times import Where, access_to
from streams import provision
from streams.kafka_access import plaintext
from streams.topics import Topic

PARTITIONS: Final = 12
_CONFIG: Final = {"message.timestamp.type": "LogAppendTime", "cleanup.policy": "delete"}
_IN_FLIGHT: Final = 64

Placed = tuple[int, bytes | None, bytes | None]
"""Partition, key, value."""


@contextmanager
def made(bootstrap: str, names: Sequence[str], partitions: int = 1) -> Iterator[None]:
    """Topics that are deleted at the end."""
    table = [Topic(name, "any", "few", partitions, _CONFIG, "", "") for name in names]
    provision.provision(plaintext(bootstrap), table, replication=1, min_insync=1)
    try:
        yield
    finally:
        delete(bootstrap, names)


def delete(bootstrap: str, names: Sequence[str]) -> None:
    """Delete topics; what cannot be deleted goes with the broker."""
    with provision.connect(plaintext(bootstrap)) as admin:
        try:
            admin.delete_topics(list(names))
        except KafkaError as error:
            print(f"topics were not deleted: {type(error).__name__}")


def fill(bootstrap: Where, topic: str, records: Iterable[Placed]) -> float:
    """Write records in large batches and return when all are confirmed; answers the seconds it took."""
    began = time.monotonic()
    asyncio.run(_fill(bootstrap, topic, records))
    return time.monotonic() - began


async def _fill(bootstrap: Where, topic: str, records: Iterable[Placed]) -> None:
    producer: Any = AIOKafkaProducer(
        **access_to(bootstrap).client_settings(),
        acks="all",
        enable_idempotence=True,
        max_batch_size=512 << 10,
    )
    await producer.start()
    open_batches: dict[int, Any] = {}
    sent: set[asyncio.Future[Any]] = set()
    try:
        for partition, key, value in records:
            batch = open_batches.get(partition)
            if batch is None:
                batch = open_batches[partition] = producer.create_batch()
            if batch.append(key=key, value=value, timestamp=None) is None:
                sent.add(await producer.send_batch(batch, topic, partition=partition))
                batch = open_batches[partition] = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
                if len(sent) > _IN_FLIGHT:
                    done, sent = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
                    for future in done:
                        future.result()
        sent |= {
            await producer.send_batch(batch, topic, partition=partition)
            for partition, batch in open_batches.items()
        }
        await asyncio.gather(*sent)
    finally:
        await producer.stop()

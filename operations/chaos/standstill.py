"""Bringing an exchange to a stand before its logs are compared: no time passes, and nothing is left to do.

Deadlines come as long as the exchange's clock runs, and what they cause would be cut off in the middle. So
the clocks of all workers are held at one moment until all groups have committed everything there is, and
stay held until the workers have ended.
"""

import asyncio
import time
from collections.abc import Collection
from typing import Final

from kafka import TopicPartition
from kafka.errors import KafkaError

from agents import casekeeper, intake
from casework.errors import TemporaryError
from operations.chaos.crew import Worker
from operations.chaos.exchange import Exchange
from operations.reading import TopicReader
from streams import provision
from streams.clock import SystemClock

_LOOK_S: Final = 0.25
_LOOKS: Final = 4


async def stand_still(exchange: Exchange, crew: Collection[Worker], seconds: float) -> dict[str, int]:
    """Hold the workers' clocks, for good, and wait until nothing is left to do.

    Returns:
        What is left after `seconds`, by topic and partition: nothing when all went well.
    """
    began = time.monotonic()
    held_at_ms = SystemClock().real_ms()
    for worker in crew:
        worker.set_clock(0, held_at_ms)
    quiet = 0
    left: dict[str, int] | None = None
    while quiet < _LOOKS and time.monotonic() < began + seconds:
        left = await asyncio.to_thread(left_to_do, exchange)
        quiet = quiet + 1 if left == {} else 0
        await asyncio.sleep(_LOOK_S)
    return {} if quiet == _LOOKS else told(left)


def told(left: dict[str, int] | None) -> dict[str, int]:
    """Answer what is left for the report, where None would look like nothing."""
    return {"the brokers do not answer": 0} if left is None else left


def left_to_do(exchange: Exchange) -> dict[str, int] | None:
    """Answer how many records no group has committed yet, by place; None while the brokers do not say."""
    topics, prefix = exchange.topics, exchange.settings.topic_prefix
    reads = {**intake.read_by(topics), casekeeper.GROUP: (topics.cases_admitted,)}
    try:
        with provision.connect(exchange.access) as admin, TopicReader(exchange.access) as reader:
            left = {}
            for group, names in reads.items():
                found = admin.list_group_offsets(prefix + group)
                committed = found.get(prefix + group, found)
                for name in names:
                    for partition, end in reader.ends(name).items():
                        mark = committed.get(TopicPartition(name, partition))
                        left[f"{name}/{partition}"] = end - (max(mark.offset, 0) if mark is not None else 0)
            return {place: count for place, count in left.items() if count}
    except (KafkaError, TemporaryError):
        return None

"""Bringing an exchange to a stand before its logs are compared: no time passes, and nothing is left to do.

Deadlines come as long as the exchange's clock runs, and what they cause would be cut off in the middle. So
the clocks of all workers are held at one moment until both groups have committed everything there is.
"""

import asyncio
import time
from collections.abc import Collection
from typing import Final

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from agents import casekeeper, intake
from operations.chaos.crew import Worker
from operations.chaos.exchange import Exchange
from operations.reading import KafkaUnreachableError, TopicReader

_LOOK_S: Final = 0.25
_LOOKS: Final = 4
_REPLY_MS: Final = 20_000


async def stand_still(exchange: Exchange, crew: Collection[Worker], seconds: float) -> bool:
    """Hold the workers' clocks and wait until nothing is left to do; answer whether that came in time."""
    began = until = time.monotonic()
    until += seconds
    quiet = 0
    while quiet < _LOOKS and time.monotonic() < until:
        held_ms = int((time.monotonic() - began) * 1000)
        for worker in crew:
            worker.set_clock(-held_ms)
        left = await asyncio.to_thread(_left_to_do, exchange)
        quiet = quiet + 1 if left == 0 else 0
        await asyncio.sleep(_LOOK_S)
    return quiet == _LOOKS


def _left_to_do(exchange: Exchange) -> int | None:
    """Answer how many records no group has committed yet; None while the brokers do not say."""
    topics, prefix = exchange.topics, exchange.settings.topic_prefix
    reads = {intake.GROUP: topics.submissions, casekeeper.GROUP: (topics.cases_admitted,)}
    admin = None
    try:
        admin = KafkaAdminClient(bootstrap_servers=exchange.settings.bootstrap, request_timeout_ms=_REPLY_MS)
        with TopicReader(exchange.settings.bootstrap) as reader:
            left = 0
            for group, names in reads.items():
                found = admin.list_group_offsets(prefix + group)
                committed = found.get(prefix + group, found)
                for name in names:
                    for partition, end in reader.ends(name).items():
                        mark = committed.get(TopicPartition(name, partition))
                        left += end - (max(mark.offset, 0) if mark is not None else 0)
            return left
    except (KafkaError, KafkaUnreachableError):
        return None
    finally:
        if admin is not None:
            admin.close()

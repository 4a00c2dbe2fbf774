"""A flood of one country on the real broker: how much of it can stand before another country's report."""

from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents import casekeeper
from agents.intake import SHARE_RECORDS
from casework.messages import Admitted
from streams import wire

pytestmark = pytest.mark.kafka
LIMIT = 200
FLOOD = 2000
# Of one partition, which is all that is flooded; four bundles are under way.
BUNDLE = SHARE_RECORDS
CALLS = 4
FLOODED = "NL"
OTHER = "DE"


async def admitted(exchange: Any, count: int) -> list[Admitted]:  # noqa: ANN401 - conftest
    """Answer what was admitted, in the broker's order of time, once there is enough of it."""
    records = await exchange.until(exchange.topics.cases_admitted, lambda found: len(found) >= count)
    records.sort(key=lambda record: record.timestamp)
    return [wire.decode_as(Admitted, record.value) for record in records]


async def catch_up(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """Commit for casekeeper that it has done everything."""
    group = f"{exchange.topics.prefix}{casekeeper.GROUP}"
    async with AIOKafkaConsumer(group_id=group, enable_auto_commit=False, **exchange.client) as consumer:
        partitions = [
            TopicPartition(exchange.topics.cases_admitted, n) for n in range(exchange.settings.partitions)
        ]
        consumer.assign(partitions)
        await consumer.commit(await consumer.end_offsets(partitions))


async def test_a_flood_waits_at_the_door_and_others_pass_it(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """Of a flood, intake admits its limit and what it has in hand; then the other country has its turn."""
    exchange.settings = msgspec.structs.replace(exchange.settings, max_admitted_backlog=LIMIT)
    flood = exchange.report("https://flood.example.test/", country=FLOODED)
    slot = exchange.directory.slot(FLOODED, b"key")
    value = wire.encode(flood)
    sends = [
        await exchange._producer.send(exchange.topics.reports_submitted, value, partition=slot)
        for _ in range(FLOOD)
    ]
    for sent in sends:
        await sent
    await exchange.start("intake")
    await exchange.until(exchange.topics.cases_admitted, lambda found: len(found) >= LIMIT)

    urgent = await exchange.send(exchange.report("https://now.example.test/", urgency=("abuse_in_progress",)))
    other = await exchange.send(exchange.report("https://other.example.test/", country=OTHER))
    # Nobody does casekeeper's work: the urgent one passes all the same, and the flood has not.
    found = await admitted(exchange, LIMIT + 1)
    while not any(event.event_id == urgent for event in found):
        found = await admitted(exchange, len(found) + 1)
    assert len(found) <= LIMIT + BUNDLE + 2

    while not any(event.event_id == other for event in found):
        before = len(found)
        await catch_up(exchange)
        found = await admitted(exchange, before + 1)
    place = next(n for n, event in enumerate(found) if event.event_id == other)
    assert place <= LIMIT + (CALLS + 1) * BUNDLE + 1

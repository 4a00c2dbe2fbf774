import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from kafka.admin import KafkaAdminClient

from streams.offset_reader import OffsetReader

pytestmark = pytest.mark.kafka


async def test_records_are_read_again_by_offset_and_what_is_gone_is_said(topics: Any) -> None:  # noqa: ANN401 - conftest
    """Scattered offsets, a stretch, deleted records and an offset that never was: each gets its answer."""
    topics.create(2, "log")
    await topics.fill("log", 2, range(200))
    client = {"bootstrap_servers": topics.bootstrap}
    name = topics.prefix + "log"
    async with OffsetReader(client, name, 1, patience_s=20) as reader:
        found = await reader.at([3, 4, 50, 99])
        assert {offset: int(record.value) for offset, record in found.items()} == {
            3: 7,
            4: 9,
            50: 101,
            99: 199,
        }
        stretch = [record.offset async for record in reader.between(10, 14)]
        assert stretch == [10, 11, 12, 13]

        def delete() -> None:
            admin = KafkaAdminClient(bootstrap_servers=topics.bootstrap)
            admin.delete_records({TopicPartition(name, 1): 40})
            admin.close()

        await asyncio.to_thread(delete)
    async with OffsetReader(client, name, 1, patience_s=20) as reader:
        found = await reader.at([3, 39, 40])
        assert [None if record is None else record.offset for record in found.values()] == [None, None, 40]
        assert [record.offset async for record in reader.between(38, 42)] == [40, 41]
        assert await reader.at([500]) == {500: None}

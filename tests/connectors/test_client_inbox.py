import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from exchange_by_hand import CLOCK, ME, QUICK, Exchange, take

from casework.messages import Delivery
from connectors.delivery_order import HoldLimits
from connectors.errors import MisuseError, PositionLostError, PositionsError
from connectors.inbox_reader import InboxReader
from connectors.positions import Change, MemoryPositions, SqlitePositions
from streams.read_marks import read_mark, reader_group

pytestmark = pytest.mark.kafka


async def test_urgent_messages_come_first_and_duplicates_never(
    exchange: Exchange, delivery: Callable[..., Delivery]
) -> None:
    """What is urgent overtakes a backlog; copies are dropped in both inboxes."""
    normal = [delivery(1, case=f"n{n}") for n in range(20)]
    urgent = [delivery(1, case="u1", is_urgent=True), delivery(2, case="u1", is_urgent=True)]
    await exchange.write(exchange.topics.inbox(ME), *normal, *normal[:5])
    await exchange.write(exchange.topics.inbox_urgent(ME), *urgent, urgent[0])
    async with exchange.client() as client:
        inbox = client.inbox()
        await inbox.start()
        await wait_for_buffers(inbox)
        bodies = await take(inbox, 22)
        assert bodies[:2] == urgent
        assert sorted(body.case_id for body in bodies[2:]) == sorted(d.case_id for d in normal)
        late = delivery(1, case="late", is_urgent=True)
        await exchange.write(exchange.topics.inbox_urgent(ME), late)
        assert await take(inbox, 1) == [late]
        assert inbox.duplicates == 6


async def wait_for_buffers(inbox: InboxReader) -> None:
    """Wait until the consumer holds records of both topics, so that the order is the reader's choice."""
    await until(lambda: len({tp.topic for tp in inbox._consumer._fetcher._records}) == 2)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the library has no event for it
            await asyncio.sleep(0.01)


async def test_a_gap_is_held_named_and_filled_across_a_restart(
    exchange: Exchange, tmp_path: Path, delivery: Callable[..., Delivery]
) -> None:
    """Later deliveries wait, on disk too, while other cases go on; the missing one frees them in order."""
    topic = exchange.topics.inbox(ME)
    await exchange.write(topic, delivery(1), delivery(3), delivery(1, case="other"))
    with SqlitePositions(tmp_path / "nl.db") as positions:
        async with exchange.client(positions) as client:
            assert [(b.case_id, b.number) for b in await take(client.inbox(), 2)] == [
                ("case-1", 1), ("other", 1),
            ]  # fmt: skip
            gap = client.gaps()[0]
            assert (gap.case_id, gap.recipient, gap.missing, gap.held) == ("case-1", ME, ((2, 2),), 1)
            assert abs(gap.since_ms - CLOCK.real_ms()) < 60_000
    await exchange.write(topic, delivery(2))
    with SqlitePositions(tmp_path / "nl.db") as positions:
        async with exchange.client(positions) as client:
            bodies = await take(client.inbox(), 2)
            assert [(b.case_id, b.number) for b in bodies] == [("case-1", 2), ("case-1", 3)]
            assert client.gaps() == ()


async def test_a_restart_resumes_after_what_was_done(
    exchange: Exchange, tmp_path: Path, delivery: Callable[..., Delivery]
) -> None:
    """What was handed out and not done comes again, what was done does not, and the exchange sees where."""
    await exchange.write(exchange.topics.inbox(ME), *(delivery(n) for n in range(1, 7)))
    with SqlitePositions(tmp_path / "nl.db") as positions:
        async with exchange.client(positions) as client:
            await take(client.inbox(), 3)
            unfinished = await anext(client.inbox())
            assert unfinished.body.number == 4  # type: ignore[union-attr]  # a delivery
    admin = AIOKafkaAdminClient(**exchange.kafka)
    await admin.start()
    committed = await admin.list_consumer_group_offsets(reader_group(exchange.topics.prefix, ME))
    await admin.close()
    mark = committed[TopicPartition(exchange.topics.inbox(ME), 0)]
    assert mark.offset == 3
    read_at = read_mark(mark.metadata)
    assert read_at is not None
    assert abs(read_at - CLOCK.real_ms()) < 60_000
    with SqlitePositions(tmp_path / "nl.db") as positions:
        async with exchange.client(positions) as client:
            assert [b.number for b in await take(client.inbox(), 3)] == [4, 5, 6]


async def test_a_full_hold_stops_one_partition_and_not_the_others(
    exchange: Exchange, delivery: Callable[..., Delivery]
) -> None:
    """Back-pressure names the partition, other partitions go on, and the filler starts it again."""
    limits = msgspec.structs.replace(QUICK, hold=HoldLimits(per_case=1, in_total=1))
    topic, urgent = exchange.topics.inbox(ME), exchange.topics.inbox_urgent(ME)
    await exchange.write(urgent, delivery(2), delivery(3), delivery(4))
    async with exchange.client(limits=limits) as client:
        inbox = client.inbox()
        reading = asyncio.create_task(take(inbox, 1))
        await until(lambda: bool(inbox.stalled))
        assert inbox.stalled == ((urgent, 0),)
        await exchange.write(topic, delivery(1, case="other"))
        assert [body.case_id for body in await reading] == ["other"]
        await exchange.write(topic, delivery(1), partition=1)
        assert [body.number for body in await take(inbox, 4)] == [1, 2, 3, 4]
        assert inbox.stalled == ()


async def test_with_too_many_messages_in_hand_the_reader_waits(
    exchange: Exchange, delivery: Callable[..., Delivery]
) -> None:
    """A program that does not finish messages is not flooded; finishing one brings the next."""
    await exchange.write(exchange.topics.inbox(ME), *(delivery(n) for n in range(1, 4)))
    async with exchange.client(limits=msgspec.structs.replace(QUICK, in_flight=2)) as client:
        inbox = client.inbox()
        first, _ = await anext(inbox), await anext(inbox)
        third = asyncio.create_task(anext(inbox))
        done, _ = await asyncio.wait([third], timeout=0.2)
        assert not done
        with pytest.raises(MisuseError, match="one loop"):
            await anext(inbox)
        await first.done()
        async with asyncio.timeout(20):
            assert (await third).body.number == 3  # type: ignore[union-attr]  # a delivery


async def test_positions_that_cannot_be_saved_end_the_reading(
    exchange: Exchange, delivery: Callable[..., Delivery]
) -> None:
    """A full disk is an error of the loop and of closing, even if only duplicates came."""

    class Full(MemoryPositions):
        is_full = False

        def save(self, change: Change) -> None:
            if self.is_full:
                raise PositionsError("disk full")
            super().save(change)

    positions = Full()
    client = exchange.client(positions)
    await client.__aenter__()
    inbox = client.inbox()
    await exchange.write(exchange.topics.inbox(ME), delivery(1))
    await take(inbox, 1)
    positions.is_full = True
    waiting = asyncio.create_task(take(inbox, 1))
    await exchange.write(exchange.topics.inbox(ME), delivery(1))
    with pytest.raises(PositionsError, match="disk full"):
        await waiting
    with pytest.raises(PositionsError, match="start it again"):
        await client.__aexit__(None, None, None)
    assert inbox._consumer._closed


async def test_a_lost_position_is_an_error_and_not_a_silent_jump(exchange: Exchange) -> None:
    """A position beyond the topic, after the topic was made anew, is named with topic and offsets."""
    positions = MemoryPositions()
    positions.save(Change(positions={(exchange.topics.inbox(ME), 0): 99}))
    async with exchange.client(positions) as client:
        with pytest.raises(PositionLostError, match="saved position 99"):
            await anext(client.inbox())

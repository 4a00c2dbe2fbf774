"""Intake's pace: it waits behind casekeeper, never without need, and never what is urgent."""

import asyncio
import gc

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaConnectionError

from agents import pace as pacing
from agents.pace import GroupLag, Pace, Paced, Unpaced
from operations.embedded_kafka import EmbeddedKafka
from streams import provision
from streams.topics import Topics
from streams.transport_errors import PartitionRevokedError


class Lag:
    """A backlog that a test sets."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def measure(self) -> int:
        """Answer the next of the answers; the last one stays."""
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between two looks."""
    monkeypatch.setattr(pacing, "_FRESH_S", 0.0)


async def passed(pace: Pace, records: int) -> None:
    """Go through the door with so many records."""
    async with pace.room_for(records):
        pass


async def test_intake_waits_until_casekeeper_has_caught_up() -> None:
    """At the limit it waits, below it goes on."""
    lag = Lag(100, 120, 100, 99)
    await passed(Paced(lag.measure, 100), 1)
    assert lag.asked == 4


async def test_what_was_admitted_since_counts_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bundles between two looks cannot go past the limit unseen."""
    monkeypatch.setattr(pacing, "_FRESH_S", 3600.0)
    lag = Lag(0, 7)
    pace = Paced(lag.measure, 10)
    await passed(pace, 9)
    await passed(pace, 1)
    assert lag.asked == 1
    await passed(pace, 1)
    assert (lag.asked, pace.backlog) == (2, 8)


async def test_of_many_bundles_at_the_door_one_goes_above_the_limit() -> None:
    """Four bundles that ask at once are not all let in because there is room for a part of one."""
    inside = 0
    leave = asyncio.Event()
    pace = Paced(Lag(0).measure, 10)

    async def bundle() -> None:
        nonlocal inside
        async with pace.room_for(1000):
            inside += 1
            await leave.wait()

    tasks = [asyncio.create_task(bundle()) for _ in range(4)]
    for _ in range(100):
        await asyncio.sleep(0)
    assert inside == 1
    leave.set()
    await asyncio.gather(*tasks)
    assert inside == 4


async def test_without_an_answer_nothing_is_admitted() -> None:
    """Brokers that do not answer slow intake down; it does not go on blindly."""
    lag = Lag(KafkaConnectionError("down"), KafkaConnectionError("down"), 0)
    await passed(Paced(lag.measure, 10), 1)
    assert lag.asked == 3


async def test_below_the_limit_nobody_waits_for_a_measurement() -> None:
    """A quiet exchange pays no round trip for its fairness."""
    gate = asyncio.Event()
    gate.set()

    async def measure() -> int:
        await gate.wait()
        return 0

    pace = Paced(measure, 10)
    await passed(pace, 1)
    gate.clear()
    for _ in range(3):
        await asyncio.wait_for(passed(pace, 1), 30)


async def test_what_is_urgent_never_waits() -> None:
    """The pace of the urgent intake is none."""
    for _ in range(3):
        await asyncio.wait_for(passed(Unpaced(), 1_000_000), 30)


async def test_who_waits_is_turned_away_when_partitions_move() -> None:
    """A rebalance does not wait for casekeeper; afterwards the door is open again."""
    pace = Paced(Lag(10).measure, 10)
    waiting = asyncio.create_task(passed(pace, 1))
    await asyncio.sleep(0)
    pace.suspended()
    with pytest.raises(PartitionRevokedError):
        await waiting
    pace.assigned(())
    pace.backlog = 0
    await passed(pace, 1)


async def patiently(lag: GroupLag) -> int:
    """Answer the lag; a broker that has had no group yet needs some seconds for the first."""
    while True:
        try:
            return await lag.measure()
        except GroupCoordinatorNotAvailableError:
            await asyncio.sleep(0.1)


@pytest.mark.kafka
async def test_the_lag_of_a_group_is_what_it_has_not_committed(
    kafka: EmbeddedKafka, topic_prefix: str
) -> None:
    """Partitions without a commit count from their beginning, others from the committed offset."""
    topics = Topics(topic_prefix)
    table = [
        topic
        for topic in topics.all_for((), (), slot_count=1, partitions=3)
        if topic.name == topics.cases_admitted
    ]
    await asyncio.to_thread(provision.provision, kafka.access, table, replication=1, min_insync=1)
    group = f"{topic_prefix}casekeeper"
    client = {"bootstrap_servers": kafka.bootstrap}
    async with AIOKafkaProducer(**client) as producer:
        for number in range(9):
            await producer.send_and_wait(topics.cases_admitted, b"record", partition=number % 3)
    lag = GroupLag(client, topics.cases_admitted, 3, group)
    assert await patiently(lag) == 9
    async with AIOKafkaConsumer(group_id=group, enable_auto_commit=False, **client) as consumer:
        consumer.assign([TopicPartition(topics.cases_admitted, 1)])
        await consumer.commit({TopicPartition(topics.cases_admitted, 1): 2})
    assert await lag.measure() == 7
    await lag.close()


async def test_a_measurement_that_finds_no_broker_leaves_nothing_open() -> None:
    """Intake tries again and again while brokers are away: each failed try closes what it opened."""
    lag = GroupLag({"bootstrap_servers": "127.0.0.1:1", "request_timeout_ms": 500}, "topic", 1, "group")
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said["message"]))
    with pytest.raises(KafkaConnectionError):
        await lag.measure()
    gc.collect()
    assert complaints == []

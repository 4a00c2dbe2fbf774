"""Rounds of sends against a broker made of a script: every answer there is, and what follows from it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from aiokafka import errors

from streams.fault_points import NO_FAULTS, FaultPoints
from streams.produce_protocol import Answer, ProduceBatches
from streams.publishing import BatchPublisher, Outgoing
from streams.transport_errors import SendFailedError, UnconfirmedError, UndeliverableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka.structs import TopicPartition

Reply = int | Exception
TOPICS = ("a", "b")


class Cluster:
    """Metadata of two topics with two partitions each, led by broker 1."""

    unauthorized_topics: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.names = set(TOPICS)
        self.leaderless = 0

    def topics(self) -> set[str]:
        """Return the known names."""
        return self.names

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Return the partitions of a known topic."""
        return {0, 1} if topic in self.names else None

    def leader_for_partition(self, tp: TopicPartition) -> int | None:
        """Return broker 1, or none for as often as told."""
        if self.leaderless:
            self.leaderless -= 1
            return -1
        return 1 if tp.topic in self.names and tp.partition in (0, 1) else None


class Broker:
    """Answers produce requests by a script: per partition, a list of codes or errors, then success."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.script: dict[tuple[str, int], list[Reply]] = {}
        self.requests: list[list[tuple[str, int, bytes]]] = []
        self.under_way = self.most_under_way = 0
        self.refreshed = 0
        self.after_refresh: Callable[[], object] = lambda: None
        self.arrived = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    def add_topic(self, topic: str) -> None:
        """Take note of nothing."""

    async def force_metadata_update(self) -> bool:
        """Count the questions."""
        await asyncio.sleep(0)
        self.refreshed += 1
        self.after_refresh()
        return True

    async def send(self, node: int, request: object) -> object:
        """Answer by the script."""
        assert node == 1
        if not isinstance(request, ProduceBatches):
            return SimpleNamespace(error_code=0, producer_id=7, producer_epoch=0)
        self.requests.append([(topic, partition, bytes(data)) for topic, partition, data in request._batches])
        self.arrived.set()
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self.gate.wait()
        self.under_way -= 1
        answers = []
        for topic, partition, _ in request._batches:
            replies = self.script.get((topic, partition), [])
            reply = replies.pop(0) if replies else 0
            if isinstance(reply, Exception):
                raise reply
            answers.append(Answer(topic, partition, reply, 10 if reply == 0 else -1, -1))
        return answers


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait between attempts."""
    monkeypatch.setattr("streams.send_rounds._FIRST_WAIT_S", 0.0)
    monkeypatch.setattr("streams.send_rounds._POLL_S", 0.0)


def publisher_on(broker: Broker, faults: FaultPoints = NO_FAULTS, **options: float) -> BatchPublisher:
    """Return a publisher on a scripted broker."""
    producer = SimpleNamespace(client=broker)
    return BatchPublisher(producer, faults=faults, **{"metadata_patience": 0.0, **options})  # type: ignore[arg-type]


def record(topic: str = "a", partition: int = 0, value: bytes = b"1") -> Outgoing:
    """Return a record."""
    return Outgoing(topic, partition, b"k", value)


TEMPORARY = [-1, 2, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 51, 56, 57, 72, 74, 75, 89]


@pytest.mark.parametrize("code", TEMPORARY)
async def test_what_passes_is_sent_again_with_the_same_bytes(code: int) -> None:
    """An election, a full disk, too few replicas: the very same batch goes again until it is taken."""
    broker = Broker()
    broker.script["a", 0] = [code, code, code]
    confirmation = await publisher_on(broker).publish([record()])
    assert confirmation.records == 1
    assert len(broker.requests) == 4
    assert len({request[0][2] for request in broker.requests}) == 1


@pytest.mark.parametrize(
    "error",
    [
        errors.NodeNotReadyError("down"),
        errors.KafkaConnectionError("cut"),
        errors.RequestTimedOutError("slow"),
        errors.KafkaTimeoutError("full"),
        errors.NoBrokersAvailable("none"),
        OSError("network"),
    ],
)
async def test_a_broker_that_does_not_answer_is_asked_again(error: Exception) -> None:
    """Without an answer nobody knows what happened: metadata are asked for and the same bytes go again."""
    broker = Broker()
    broker.script["a", 0] = [error, error]
    await publisher_on(broker).publish([record()])
    assert len({request[0][2] for request in broker.requests}) == 1
    assert broker.refreshed >= 2


async def test_one_partition_in_trouble_does_not_hold_up_another() -> None:
    """While one partition waits for its replicas, later calls for another are confirmed."""
    broker = Broker()
    broker.script["a", 0] = [19] * 10_000
    publisher = publisher_on(broker)
    stuck = asyncio.create_task(publisher.publish([record()]))
    for _ in range(5):
        await publisher.publish([record(partition=1)])
    assert not stuck.done()
    broker.script["a", 0] = []
    assert (await stuck).records == 1


async def test_calls_that_come_during_a_round_share_the_next() -> None:
    """Fifty calls while a request is under way become one batch in one request, in their order."""
    broker = Broker()
    publisher = publisher_on(broker)
    broker.gate.clear()
    calls = [asyncio.create_task(publisher.publish([record(value=b"first")]))]
    await broker.arrived.wait()
    calls += [asyncio.create_task(publisher.publish([record(value=b"%d;" % n)])) for n in range(50)]
    await asyncio.sleep(0)
    broker.gate.set()
    await asyncio.gather(*calls)
    assert len(broker.requests) == 2
    assert broker.most_under_way == 1
    sent = broker.requests[1][0][2]
    places = [sent.index(b"%d;" % n) for n in range(10, 50)]
    assert places == sorted(places)


async def test_sequence_numbers_follow_what_was_appended() -> None:
    """A refused batch uses no sequence number, a confirmed one as many as it has records."""
    broker = Broker()
    broker.script["a", 0] = [0, 10, 0]
    publisher = publisher_on(broker)
    await publisher.publish([record()] * 3)
    with pytest.raises(UndeliverableError):
        await publisher.publish([record(value=b"x" * 100)])
    await publisher.publish([record()])
    first_sequences = [int.from_bytes(request[0][2][53:57], "big") for request in broker.requests]
    assert first_sequences == [0, 3, 3]


@pytest.mark.parametrize(
    ("code", "reason"), [(10, "too_large"), (18, "too_large"), (87, "invalid"), (44, "invalid")]
)
async def test_the_one_bad_record_is_found_and_the_others_are_confirmed(code: int, reason: str) -> None:
    """The broker refuses a batch for one of its records: it alone is given up."""
    broker = Broker()
    bad = record(value=b"bad")

    class Picky(list[Reply]):
        def __bool__(self) -> bool:
            return True

        def pop(self, _index: object = -1) -> Reply:
            return code if b"bad" in broker.requests[-1][0][2] else 0

    broker.script["a", 0] = Picky()
    records = [record(value=b"%d" % n) for n in range(100)]
    records.insert(61, bad)
    with pytest.raises(UndeliverableError) as caught:
        await publisher_on(broker).publish(records)
    assert caught.value.refused == [(bad, reason)]
    assert caught.value.confirmation.records == 100  # type: ignore[attr-defined]
    assert len(broker.requests) < 25


async def test_a_topic_deleted_under_way_is_given_up_only_when_the_metadata_say_so() -> None:
    """Unknown to the leader but known to the metadata: tried again; unknown to both: refused."""
    broker = Broker()
    broker.script["a", 0] = [3, 3]
    assert (await publisher_on(broker).publish([record()])).records == 1
    broker.script["a", 0] = [3] * 1000
    broker.after_refresh = lambda: broker.cluster.names.discard("a")
    with pytest.raises(UndeliverableError) as caught:
        await publisher_on(broker).publish([record(), record("b")])
    assert caught.value.refused == [(record(), "unknown_topic")]
    assert caught.value.confirmation.records == 1  # type: ignore[attr-defined]


async def test_a_forbidden_topic_is_given_up_after_the_patience() -> None:
    """Rights arrive late at brokers: until the patience ends it is tried again, then refused."""
    broker = Broker()
    broker.script["a", 0] = [29, 29]
    assert (await publisher_on(broker, metadata_patience=60.0).publish([record()])).records == 1
    broker.script["a", 0] = [29]
    with pytest.raises(UndeliverableError, match="not_authorised"):
        await publisher_on(broker).publish([record()])


@pytest.mark.parametrize("doubt", [7, 20, errors.KafkaConnectionError("cut"), OSError("network")])
@pytest.mark.parametrize("refusal", [10, 29])
async def test_a_refusal_after_an_attempt_without_an_answer_stops_the_publisher(
    doubt: Reply, refusal: int
) -> None:
    """The first attempt may have been appended: what got its sequence number would pass for a repetition."""
    broker = Broker()
    broker.script["a", 0] = [doubt, *[refusal] * 9]
    publisher = publisher_on(broker)
    with pytest.raises(UnconfirmedError, match=r"records to a\[0\] were refused \(\w+\) after an attempt"):
        await publisher.publish([record(value=b"1")])
    with pytest.raises(UnconfirmedError):
        await publisher.publish([record(value=b"2")])


async def test_a_refusal_after_attempts_that_never_left_is_one_record_refused() -> None:
    """A broker that could not be reached has appended nothing."""
    broker = Broker()
    broker.script["a", 0] = [errors.NodeNotReadyError("down"), 19, 10]
    publisher = publisher_on(broker)
    with pytest.raises(UndeliverableError):
        await publisher.publish([record(value=b"1")])
    assert (await publisher.publish([record(value=b"2")])).records == 1


async def test_a_partition_without_a_leader_is_waited_for() -> None:
    """An election is no reason to give up."""
    broker = Broker()
    broker.cluster.leaderless = 7
    assert (await publisher_on(broker).publish([record()])).records == 1


@pytest.mark.parametrize("code", [45, 47, 59, 31, 35])
async def test_what_says_nothing_about_the_record_stops_the_publisher(code: int) -> None:
    """After a fatal answer every call fails, those that wait and those to come."""
    broker = Broker()
    broker.script["a", 0] = [code]
    publisher = publisher_on(broker)
    results = await asyncio.gather(
        publisher.publish([record()]), publisher.publish([record()]), return_exceptions=True
    )
    assert [type(result) for result in results] == [SendFailedError, SendFailedError]
    with pytest.raises(SendFailedError):
        await publisher.publish([record(partition=1)])
    assert publisher.in_flight == 0
    assert publisher.waiting_bytes == 0


async def test_after_the_time_limit_a_send_is_unconfirmed() -> None:
    """A send that fails for longer than the limit is an error that says how often it was tried."""
    broker = Broker()
    broker.script["a", 0] = [19] * 1_000_000
    with pytest.raises(UnconfirmedError, match="NotEnoughReplicasError"):
        await publisher_on(broker, confirm_timeout=0.05).publish([record()])


async def test_callers_wait_while_too_much_waits() -> None:
    """Beyond the limit of waiting bytes a call adds nothing until earlier ones are confirmed; all arrive."""
    broker = Broker()
    publisher = publisher_on(broker, max_waiting_bytes=1000)
    broker.gate.clear()
    calls = [asyncio.create_task(publisher.publish([record(value=b"x" * 400)])) for _ in range(20)]
    for _ in range(50):
        await asyncio.sleep(0)
    assert publisher.waiting_bytes <= 1000
    broker.gate.set()
    assert sum(done.records for done in await asyncio.gather(*calls)) == 20
    assert publisher.waiting_bytes == 0


async def test_a_caller_that_gives_up_leaves_its_records_under_way() -> None:
    """A cancelled call counts as in flight until its records are confirmed."""
    broker = Broker()
    publisher = publisher_on(broker)
    broker.gate.clear()
    call = asyncio.create_task(publisher.publish([record()]))
    await broker.arrived.wait()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert publisher.in_flight == 1
    broker.gate.set()
    await publisher.publish([record()])
    assert publisher.in_flight == 0
    assert len(broker.requests) == 2


async def test_an_injected_error_hits_its_partition_only() -> None:
    """A fault at publisher.send delays its partition and is repeated; the other goes out at once."""
    broker = Broker()
    faults = FaultPoints.from_text("publisher.send[1]:raise=KafkaStorageError@1")
    await publisher_on(broker, faults).publish([record(), record(partition=1)])
    assert [[batch[:2] for batch in request] for request in broker.requests] == [[("a", 0)], [("a", 1)]]


async def test_close_tells_those_who_wait() -> None:
    """Nobody waits for ever on a publisher that was closed."""
    broker = Broker()
    publisher = publisher_on(broker)
    broker.gate.clear()
    call = asyncio.create_task(publisher.publish([record()]))
    await broker.arrived.wait()
    await publisher.close()
    with pytest.raises(SendFailedError, match="closed"):
        await call

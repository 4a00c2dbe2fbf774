"""The watch over a group member: what it stops, what it cures, and what it leaves alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiokafka import errors
from aiokafka.structs import TopicPartition

from streams.fail_stop import FailStop
from streams.group_watch import GroupWatch
from streams.offsets import OffsetTracker
from streams.partition_errors import PartitionErrors
from streams.transport_errors import ConfigurationError


class Member:
    """A consumer reduced to what the watch looks at, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.exits: list[int] = []
        self.rejoins = 0
        self.pending: list[Exception] = []
        self.ended = False
        self.known: set[str] = {"in"}
        self.fail_stop = FailStop(self.exits.append)
        self.coordinator = SimpleNamespace(
            generation=3,
            request_rejoin=self.rejoin,
            check_errors=self.check_errors,
            _coordination_task=SimpleNamespace(done=lambda: self.ended),
        )
        cluster = SimpleNamespace(partitions_for_topic=lambda topic: {0} if topic in self.known else None)
        self.metadata_ended = False
        client = SimpleNamespace(
            cluster=cluster, _sync_task=SimpleNamespace(done=lambda: self.metadata_ended)
        )
        self.fetching_ended = False
        fetcher = SimpleNamespace(_fetch_task=SimpleNamespace(done=lambda: self.fetching_ended))
        kafka = SimpleNamespace(_coordinator=self.coordinator, _client=client, _fetcher=fetcher)
        self.failures = PartitionErrors(lambda: self.now)
        self.consumer = SimpleNamespace(
            app=SimpleNamespace(
                conf=SimpleNamespace(broker_session_timeout=6.0, consumer_group_instance_id=None),
                publisher=SimpleNamespace(in_flight=0),
                should_stop=False,
            ),
            transport=SimpleNamespace(fail_stop=self.fail_stop, group_patience=120.0),
            tracker=OffsetTracker(),
            kafka_thread=SimpleNamespace(kafka=kafka, failures=self.failures),
            has_work_in_hand=False,
            subscribed_topics=lambda: frozenset({"in"}),
        )
        self.watch = GroupWatch(self.consumer, clock=lambda: self.now)

    def rejoin(self) -> None:
        """Count."""
        self.rejoins += 1

    def check_errors(self) -> None:
        """Raise what is pending, as aiokafka does."""
        if self.pending:
            raise self.pending.pop(0)

    def look_for(self, seconds: int) -> None:
        """Look once a second."""
        for _ in range(seconds):
            self.now += 1
            self.watch.look()


@pytest.mark.parametrize(
    ("in_hand", "in_flight", "exits"), [(True, 0, [70]), (False, 1, [70]), (False, 0, [])]
)
def test_a_process_that_stood_still_longer_than_its_session_stops_if_it_had_work(
    in_hand: bool, in_flight: int, exits: list[int]
) -> None:
    """After SIGSTOP or a blocked loop others own the partitions: with work or sends open it must stop."""
    member = Member()
    member.look_for(2)
    member.consumer.has_work_in_hand = in_hand
    member.consumer.app.publisher.in_flight = in_flight
    member.now += 7
    member.watch.look()
    assert member.exits == exits


def test_commits_that_fail_for_too_long_stop_the_process() -> None:
    """Acknowledged work that is not committed for two minutes is a stop; a commit in between is not."""
    member = Member()
    member.consumer.tracker.deliver("p", 0, 9)
    member.look_for(200)
    assert member.exits == []
    member.consumer.tracker.done("p", 9)
    member.look_for(120)
    member.watch.committed()
    member.look_for(120)
    assert member.exits == []
    member.look_for(2)
    assert member.exits == [70]


def test_an_error_of_the_group_is_taken_up_and_the_group_joined_again() -> None:
    """Nobody else asks aiokafka for its error; joining again cures it, two minutes without it stop."""
    member = Member()
    member.pending = [errors.KafkaError("unexpected")]
    member.look_for(1)
    assert member.rejoins == 1
    member.watch.joined()
    member.look_for(200)
    assert member.exits == []
    member.pending = [errors.KafkaError("unexpected") for _ in range(200)]
    member.look_for(122)
    assert member.exits == [70]


def test_a_group_that_is_joined_again_and_again_and_never_lasts_is_a_stop() -> None:
    """Each join looks like a success; only a session without an error after it is one."""
    member = Member()
    for _ in range(60):
        member.pending = [errors.KafkaError("unexpected")]
        member.look_for(2)
        member.watch.joined()
        member.look_for(1)
    assert member.exits == [70]


def test_a_partition_that_cannot_be_read_for_two_minutes_is_a_stop_that_names_it() -> None:
    """Until then it rests and the others go on; once it is read, nothing is left of it."""
    member = Member()
    tp = TopicPartition("in", 3)
    member.failures.failed(tp, "damaged")
    member.look_for(119)
    member.failures.read(tp)
    member.look_for(60)
    member.failures.failed(tp, "damaged")
    member.look_for(119)
    assert member.exits == []
    member.look_for(2)
    assert member.exits == [70]
    assert member.fail_stop.reason == "in[3] could not be read for 120.0 s: damaged"


def test_a_member_that_has_not_connected_yet_is_waited_for() -> None:
    """Before the consumer's first contact there is no coordination that could have ended."""
    member = Member()
    member.consumer.kafka_thread.kafka._coordinator = None
    member.look_for(5)
    assert member.exits == []


def test_a_right_that_is_taken_away_is_a_configuration_error() -> None:
    """No restart gives a right back."""
    member = Member()
    member.pending = [errors.GroupAuthorizationFailedError("g")]
    with pytest.raises(ConfigurationError, match="not authorised any more"):
        member.look_for(1)


def test_a_deleted_topic_is_a_configuration_error_a_slow_broker_is_not() -> None:
    """Half a minute without the topic names it; a shorter time is a broker that is starting."""
    member = Member()
    member.known.clear()
    member.look_for(29)
    member.known.add("in")
    member.look_for(1)
    member.known.clear()
    member.look_for(31)
    with pytest.raises(ConfigurationError, match="the topic in is gone"):
        member.look_for(1)


@pytest.mark.parametrize(
    ("generation", "in_hand", "exits"), [(-1, True, [70]), (-1, False, []), (3, True, [])]
)
def test_an_expelled_member_with_work_in_hand_stops(generation: int, in_hand: bool, exits: list[int]) -> None:
    """What it has in hand its successor has begun too."""
    member = Member()
    member.coordinator.generation = generation
    member.consumer.has_work_in_hand = in_hand
    member.watch.stop_if_expelled()
    assert member.exits == exits


def test_a_member_with_an_instance_id_stops_after_a_pause_without_work_too() -> None:
    """A successor may have its id; joining again would put that one out."""
    member = Member()
    member.consumer.app.conf.consumer_group_instance_id = "one"
    member.look_for(2)
    member.now += 7
    member.watch.look()
    assert member.exits == [70]


@pytest.mark.parametrize("ended", ["ended", "metadata_ended", "fetching_ended"])
def test_a_task_of_the_consumer_that_has_ended_is_a_stop(ended: str) -> None:
    """Without them it never joins again, finds no broker that has moved, reads nothing; a stop ends them."""
    member = Member()
    setattr(member, ended, True)
    member.consumer.app.should_stop = True
    member.look_for(1)
    assert member.exits == []
    member.consumer.app.should_stop = False
    member.look_for(1)
    assert member.exits == [70]


@pytest.mark.parametrize(
    ("instance", "code", "silent", "exits"),
    [
        ("one", 25, 5.0, [78]),
        ("one", 25, 7.0, []),
        ("one", 82, 7.0, [78]),
        ("one", 27, 1.0, []),
        (None, 25, 5.0, []),
    ],
)
def test_a_member_whose_instance_id_another_process_uses_stops_for_good(
    instance: str | None, code: int, silent: float, exits: list[int]
) -> None:
    """Forgotten within its session or fenced, it was replaced; after its session it may join again."""
    member = Member()
    member.consumer.app.conf.consumer_group_instance_id = instance
    member.now = 100.0
    member.watch.answered(99.0, {0}, begins_session=True)
    member.now = 99.0 + silent
    member.watch.answered(member.now, {code}, begins_session=True)
    assert member.exits == exits


def test_an_answer_to_something_else_begins_no_session() -> None:
    """Only a heartbeat and the end of a join tell that the group knew this member when it was asked."""
    member = Member()
    member.consumer.app.conf.consumer_group_instance_id = "one"
    member.watch.answered(0.0, {0}, begins_session=False)
    member.watch.answered(1.0, {25}, begins_session=True)
    assert member.exits == []


def test_a_coordinator_that_does_not_answer_well_is_silent() -> None:
    """Only a heartbeat without error and an assignment end the silence; nothing counts before the first."""
    member = Member()
    member.look_for(9)
    assert member.watch.silence() == 0.0
    member.watch.answered(member.now, [0], begins_session=True)
    member.look_for(3)
    member.watch.answered(member.now, [16], begins_session=True)
    member.watch.answered(member.now, [0], begins_session=False)
    assert member.watch.silence() == 3.0
    member.watch.joined()
    assert member.watch.silence() == 0.0

"""Fetch sessions: the broker always reads where the consumer wants it to, whatever is lost on the way."""

from __future__ import annotations

import asyncio
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.protocol.fetch import FetchRequest_v11, FetchResponse_v11
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.fetch_sessions import FetchPlan, FetchSession, Offsets, SessionFetchRequest
from streams.partition_errors import PartitionErrors

if TYPE_CHECKING:
    from conftest import Topics

NOT_FOUND, WRONG_EPOCH = 70, 71
PARTITIONS = [TopicPartition(topic, number) for topic in ("a", "b") for number in range(3)]
VERSIONS = {1: (4, 17)}
WANTED = st.dictionaries(st.sampled_from(PARTITIONS), st.integers(0, 3), min_size=1)


class Broker:
    """What a broker does with sessions, by KIP-227."""

    def __init__(self) -> None:
        self.sessions: dict[int, tuple[int, dict[TopicPartition, int]]] = {}
        self.ids = 0
        self.has_room = True

    def serve(self, raw: bytes) -> tuple[bytes, dict[TopicPartition, int] | None]:
        """Answer a request, and tell which offsets of which partitions were read for it."""
        request = FetchRequest_v11.decode(BytesIO(raw))
        named = {TopicPartition(t, p[0]): p[2] for t, partitions in request.topics for p in partitions}
        forgotten = [TopicPartition(t, p) for t, ps in request.forgotten_topics_data for p in ps]
        if request.session_epoch <= 0:
            self.sessions.pop(request.session_id, None)
            self.ids += 1
            session = self.ids if self.has_room and request.session_epoch == 0 else 0
            if session:
                self.sessions[session] = (1, named)
            return self.answer(0, session, named)
        if request.session_id not in self.sessions:
            return self.answer(NOT_FOUND, request.session_id, None)
        epoch, held = self.sessions[request.session_id]
        if request.session_epoch != epoch:
            return self.answer(WRONG_EPOCH, request.session_id, None)
        held = {tp: offset for tp, offset in (held | named).items() if tp not in forgotten}
        self.sessions[request.session_id] = (epoch + 1, held)
        return self.answer(0, request.session_id, held)

    @staticmethod
    def answer(
        code: int, session: int, read: dict[TopicPartition, int] | None
    ) -> tuple[bytes, dict[TopicPartition, int] | None]:
        """Answer with a record of each partition that was read."""
        found: dict[str, list[Any]] = {}
        for (topic, partition), offset in (read or {}).items():
            found.setdefault(topic, []).append((partition, 0, offset, offset, 0, [], -1, b"news"))
        return FetchResponse_v11(0, code, session, list(found.items())).encode(), read


def fetcher(**parts: object) -> Any:  # noqa: ANN401 - untyped library
    """Return what a plan looks at of an aiokafka fetcher."""
    settings = {
        "_fetch_max_wait_ms": 500, "_fetch_min_bytes": 1, "_fetch_max_bytes": 1 << 20, "_isolation_level": 0,
        "_client_rack": None, "_max_partition_fetch_bytes": 1 << 20,
    }  # fmt: skip
    return SimpleNamespace(**settings | parts)


@given(
    st.lists(
        st.tuples(WANTED, st.sampled_from(["fine", "lost", "unread", "forgotten", "full"])),
        min_size=1,
        max_size=30,
    )
)
def test_whatever_is_lost_an_answer_that_is_read_is_one_to_what_was_wanted(
    steps: list[tuple[dict[TopicPartition, int], str]],
) -> None:
    """Lost requests, unread answers, forgotten sessions and a broker without room cost one request each."""
    broker, session = Broker(), FetchSession()
    for wanted, fate in steps:
        broker.has_room = fate != "full"
        if fate == "forgotten":
            broker.sessions.clear()
        for attempt in (1, 2):
            request = SessionFetchRequest(fetcher(), session, wanted, PartitionErrors())
            sent = request.prepare(VERSIONS)
            if fate == "lost":
                break
            raw, read = broker.serve(sent.encode())
            if fate == "unread":
                break
            answer = sent.RESPONSE_TYPE.decode(BytesIO(raw))
            if answer.error_code == 0:
                assert read == wanted
                assert {
                    TopicPartition(t, p): offset for t, ps in request.topics for p, offset, _ in ps
                } == wanted
                break
            assert (attempt, answer.topics) == (1, []), "a fresh session is never refused"


def test_a_request_names_only_what_has_changed_and_what_to_forget() -> None:
    """Of many idle partitions nothing is said again."""
    session = FetchSession()
    first = dict.fromkeys(PARTITIONS, 0)
    session.ask(first)
    session.answered(first, 0, 9)
    second = first | {PARTITIONS[0]: 5}
    del second[PARTITIONS[1]]
    assert session.ask(second) == ((9, 1), {PARTITIONS[0]: 5}, [PARTITIONS[1]])
    session.answered(second, 0, 9)
    assert session.ask(dict(second)) == ((9, 2), {}, [])


def test_a_broker_without_room_for_a_session_is_told_everything_again() -> None:
    """It answers all the same, so nothing is lost but the saving."""
    session, wanted = FetchSession(), dict.fromkeys(PARTITIONS, 0)
    session.ask(wanted)
    session.answered(wanted, 0, 0)
    assert session.ask(wanted) == ((0, 0), wanted, [])


def test_a_cancelled_fetch_leaves_no_session_behind() -> None:
    """The next request ends the session whose answer was not read; a broker keeps but a thousand."""
    broker, session = Broker(), FetchSession()
    wanted = dict.fromkeys(PARTITIONS, 0)
    for number in range(100):
        request = SessionFetchRequest(fetcher(), session, wanted, PartitionErrors())
        sent = request.prepare(VERSIONS)
        raw, _ = broker.serve(sent.encode())
        if number % 2 == 0:
            assert sent.RESPONSE_TYPE.decode(BytesIO(raw)).error_code == 0, "a request was wasted"
    assert len(broker.sessions) == 1


def test_a_partition_that_the_broker_refuses_rests_and_the_others_are_asked_for() -> None:
    """Without it, broker and worker ask and answer as fast as they can."""
    now = 0.0
    failures = PartitionErrors(lambda: now)
    request = SessionFetchRequest(fetcher(), FetchSession(), dict.fromkeys(PARTITIONS, 0), failures)
    sent = request.prepare(VERSIONS)
    corrupt, storage = (0, 2, -1, -1, -1, [], -1, b""), (1, 56, -1, -1, -1, [], -1, b"")
    raw = FetchResponse_v11(0, 0, 7, [("a", [corrupt, storage])]).encode()
    sent.RESPONSE_TYPE.decode(BytesIO(raw))
    requests, _, timeout, *_ = planned(Assignment(dict.fromkeys(PARTITIONS, 0)), failures)
    assert sorted(tp for _, made in requests for tp in made._wanted) == sorted(PARTITIONS[2:])
    assert timeout == 0.1
    now = 0.2
    requests, *_ = planned(Assignment(dict.fromkeys(PARTITIONS, 0)), failures)
    assert sorted(tp for _, made in requests for tp in made._wanted) == sorted(PARTITIONS)


def test_a_batch_without_length_is_the_failure_of_its_partition_alone() -> None:
    """Without it all fetching would end for good; the others arrive."""
    failures = PartitionErrors()
    request = SessionFetchRequest(fetcher(), FetchSession(), dict.fromkeys(PARTITIONS, 0), failures)
    sent = request.prepare(VERSIONS)
    damaged, sound = bytes(61), bytes(8) + (49).to_bytes(4, "big") + bytes(49)
    answers = [(number, 0, 9, 9, 0, [], -1, data) for number, data in enumerate((damaged, sound))]
    raw = FetchResponse_v11(0, 0, 7, [("a", answers)]).encode()
    (found,) = sent.RESPONSE_TYPE.decode(BytesIO(raw)).topics
    assert [answer[-1] for answer in found[1]] == [b"", sound]
    assert set(failures.resting()) == {PARTITIONS[0]}


def test_an_answer_that_is_no_longer_waited_for_changes_nothing() -> None:
    """After a cancelled fetch only the answer to the next one counts."""
    session = FetchSession()
    late, now = {PARTITIONS[0]: 1}, {PARTITIONS[0]: 1}
    session.ask(late)
    session.ask(now)
    session.answered(late, 0, 7)
    session.answered(now, 0, 8)
    assert session.ask({PARTITIONS[0]: 2})[0] == (8, 1)


def test_a_broker_that_knows_no_such_version_gets_a_request_without_session() -> None:
    """Before Kafka 2.3 all that is wanted is named in each request."""
    request = SessionFetchRequest(
        fetcher(), FetchSession(), {PARTITIONS[0]: 4, PARTITIONS[3]: 2}, PartitionErrors()
    )
    sent = request.prepare({1: (0, 4)})
    assert sent.API_VERSION == 4
    assert sorted(sent.topics) == [("a", [(0, 4, 1 << 20)]), ("b", [(0, 2, 1 << 20)])]


class Assignment:
    """An assignment of aiokafka's, with a position for each partition."""

    def __init__(
        self, positions: dict[TopicPartition, int | None], paused: TopicPartition | None = None
    ) -> None:
        self.tps = frozenset(positions)
        self._tp_state = {
            tp: SimpleNamespace(_position=at, _paused=tp == paused) for tp, at in positions.items()
        }


def planned(assignment: Assignment, failures: PartitionErrors | None = None, **parts: object) -> Any:  # noqa: ANN401 - untyped library
    """Return the actions of a plan; aiokafka's own are the word general."""
    cluster = SimpleNamespace(_partitions={}, leader_for_partition=lambda tp: tp.partition % 2)
    made = fetcher(
        _records={}, _in_flight=set(), _preferred_read_replica={}, _fetcher_timeout=0.2,
        _client=SimpleNamespace(cluster=cluster),
        _get_actions_per_node=lambda _assignment: ([], "general", 0.2, False, []),
    )  # fmt: skip
    vars(made).update(parts)
    return FetchPlan(made, failures or PartitionErrors()).actions(assignment)


def test_a_plan_asks_each_leader_for_its_partitions() -> None:
    """One request per broker, from the positions, without what waits to be taken."""
    positions = {tp: 10 + number for number, tp in enumerate(PARTITIONS)}
    requests, resets, timeout, stale, paused = planned(Assignment(positions))
    assert {node: dict(request._wanted) for node, request in requests} == {
        leader: {tp: at for tp, at in positions.items() if tp.partition % 2 == leader} for leader in (0, 1)
    }
    assert (resets, timeout, stale, paused) == ({}, 0.2, False, [])


def test_a_plan_waits_for_fetches_under_way_and_for_records_that_nobody_has_taken() -> None:
    """A busy broker is not asked; one whose records wait is asked when their time is over, for the others."""
    positions = dict.fromkeys(PARTITIONS, 3)
    assert planned(Assignment(positions), _in_flight={0, 1})[0] == []
    waiting = SimpleNamespace(calculate_backoff=lambda: 0.5)
    requests, _, timeout, *_ = planned(Assignment(positions), _records={PARTITIONS[1]: waiting})
    assert [node for node, _ in requests] == [0]
    assert timeout == 0.5
    over = SimpleNamespace(calculate_backoff=lambda: 0)
    requests, *_ = planned(Assignment(positions), _records={PARTITIONS[1]: over})
    assert [dict(request._wanted) for node, request in requests if node == 1] == [{PARTITIONS[4]: 3}]


@pytest.mark.parametrize("case", ["no position", "paused", "another replica preferred"])
def test_what_is_not_common_is_left_to_aiokafka(case: str) -> None:
    """Resets, paused partitions and preferred replicas are planned by its own code."""
    at: dict[TopicPartition, int | None] = dict.fromkeys(PARTITIONS, 3)
    if case == "no position":
        at[PARTITIONS[2]] = None
    paused = PARTITIONS[2] if case == "paused" else None
    preferred = {PARTITIONS[2]: (1, 0.0)} if case == "another replica preferred" else {}
    assert planned(Assignment(at, paused), _preferred_read_replica=preferred)[1] == "general"


class Impostor:
    """Asks in the name of a session that the broker does not know, once each time it is told to."""

    def __init__(self, session: FetchSession) -> None:
        self.is_due = False
        self._session = session
        self._ask = session.ask
        session.ask = self.ask  # type: ignore[method-assign]

    def ask(self, wanted: Offsets) -> tuple[tuple[int, int], Offsets, list[TopicPartition]]:
        """Ask, perhaps wrongly."""
        if self.is_due and self._session._id:
            self._session._id += 1
            self.is_due = False
        return self._ask(wanted)


@pytest.mark.kafka
async def test_every_record_arrives_once_over_sessions_that_are_lost(topics: Topics) -> None:
    """Pauses, seeks and sessions that a real broker no longer knows: all records, in order, none twice."""
    topics.create(6, "in")
    tps = [TopicPartition(topics.prefix + "in", number) for number in range(6)]
    found: dict[int, list[int]] = {number: [] for number in range(6)}
    longest: dict[int, int] = {}
    async with (
        AIOKafkaProducer(bootstrap_servers=topics.bootstrap) as producer,
        AIOKafkaConsumer(
            bootstrap_servers=topics.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
        ) as consumer,
    ):  # fmt: skip
        plan = FetchPlan(consumer._fetcher, PartitionErrors())
        consumer._fetcher._get_actions_per_node = plan.actions
        session = plan._sessions[1]
        impostor = Impostor(session)
        consumer.assign(tps)

        async def take(timeout_ms: int) -> None:
            for tp, records in (await consumer.getmany(timeout_ms=timeout_ms)).items():
                found[tp.partition] += [int(record.value) for record in records]
            longest[session._id] = max(session._epoch, longest.get(session._id, 0))

        for number in range(300):
            await producer.send_and_wait(tps[0].topic, b"%d" % number, partition=(number * number) % 6)
            if number % 40 == 20:
                consumer.pause(tps[number % 6])
            if number % 40 == 30:
                consumer.resume(*tps)
            if number % 50 == 25:
                impostor.is_due = True
            if number % 50 == 45:
                consumer.seek(tps[0], len(found[0]))
            await take(1)
        async with asyncio.timeout(30):
            while sum(map(len, found.values())) < 300:
                await take(100)
    assert found == {p: [n for n in range(300) if (n * n) % 6 == p] for p in range(6)}
    assert sum(epoch > 3 for epoch in longest.values()) >= 6, "six were lost, and those between were to last"

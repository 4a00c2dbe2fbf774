"""Fetch sessions: a request names only what has changed since the last one (KIP-227).

A consumer asks again and again for the same partitions, most of them idle. With a session the broker keeps
the list, so that request and answer have only the partitions with news in them. aiokafka knows no sessions.
The plan of the next fetch is made here as well: aiokafka looks at every partition twice in each fetch.

A broker may forget a session at any time (it was restarted, has too many); it says so, and the next request
has everything in it again. So has the one after a request whose answer was never read. Requests of a session
are numbered, so a broker refuses one that does not follow the last it has seen.
"""

from __future__ import annotations

import random
import struct
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aiokafka.structs import TopicPartition

from streams.fetch_protocol import FetchedPartitions, LeanFetch, LeanFetchRequest, speaks
from streams.send_verdicts import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from io import BytesIO

    from streams.partition_errors import PartitionErrors
    from streams.untyped import KafkaFetcher

#: Where to read on in each partition.
Offsets: TypeAlias = "dict[TopicPartition, int]"
#: What `_get_actions_per_node` returns: requests by node, resets by node, seconds until the next look,
#: whether metadata are stale, futures of paused partitions.
Actions: TypeAlias = "tuple[list[tuple[int, Any]], Mapping[int, Any], float, bool, list[Any]]"

#: Offsets out of range are reset; topics that are forbidden, or gone, end the worker.
_LEFT_TO_AIOKAFKA: Final = frozenset({1, 29})
_BATCH_LENGTH_AT: Final = 8
_LEAST_BATCH: Final = 14
_INT: Final = struct.Struct(">i")
_FIRST_EPOCH: Final = 0
_LAST_EPOCH: Final = 2**31 - 1


class FetchSession:
    """What one broker has noted of one consumer's fetches. Pure: no I/O."""

    def __init__(self) -> None:
        self._id = 0
        self._epoch = _FIRST_EPOCH
        self._noted: Offsets = {}
        self._asked: Offsets | None = None

    def ask(self, wanted: Offsets) -> tuple[tuple[int, int], Offsets, list[TopicPartition]]:
        """Return what a request for `wanted` says; `wanted` must not change afterwards.

        Returns:
            Session and its epoch, the partitions that changed, those to forget.
        """
        if self._asked is not None:  # never answered: the broker may have counted it
            self._epoch = _FIRST_EPOCH
        self._asked = wanted
        if self._epoch == _FIRST_EPOCH:
            return (self._id, _FIRST_EPOCH), wanted, []
        noted = self._noted
        changed = {tp: offset for tp, offset in wanted.items() if noted.get(tp) != offset}
        added = sum(tp not in noted for tp in changed)
        is_all_wanted = len(noted) + added == len(wanted)
        forgotten = [] if is_all_wanted else [tp for tp in noted if tp not in wanted]
        return (self._id, self._epoch), changed, forgotten

    def answered(self, wanted: Offsets, error_code: int, session: int) -> None:
        """Take note of the answer to the request for `wanted`, unless a later one was made meanwhile."""
        if self._asked is not wanted:
            return
        self._asked = None
        if error_code or not session:
            # A new session with the old one's id ends that one at the broker.
            self._id = self._id if error_code else 0
            self._epoch = _FIRST_EPOCH
            return
        self._id = session
        self._epoch = 1 if self._epoch == _LAST_EPOCH else self._epoch + 1
        self._noted = wanted


class SessionFetchRequest(LeanFetchRequest):
    """A request of `session` for `wanted`; to brokers before Kafka 2.3 one without a session."""

    def __init__(
        self, fetcher: KafkaFetcher, session: FetchSession, wanted: Offsets, failures: PartitionErrors
    ) -> None:
        super().__init__(
            fetcher._fetch_max_wait_ms,  # noqa: SLF001 - see faust_hooks
            fetcher._fetch_min_bytes,  # noqa: SLF001 - likewise
            fetcher._fetch_max_bytes,  # noqa: SLF001 - likewise
            fetcher._isolation_level,  # noqa: SLF001 - likewise
            [],
            rack_id=fetcher._client_rack or "",  # noqa: SLF001 - likewise
        )
        self._size = fetcher._max_partition_fetch_bytes  # noqa: SLF001 - likewise
        self._session = session
        self._failures = failures
        self._wanted = wanted
        self._heard_of: Iterable[TopicPartition] = wanted

    @property
    def topics(self) -> list[tuple[str, list[tuple[int, int, int]]]]:
        """What aiokafka is to know of the request: its partitions, once it is answered those with news."""
        return self._by_topic({tp: self._wanted[tp] for tp in self._heard_of})

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> Any:  # noqa: ANN401 - untyped library
        """Return what is sent to a broker that speaks `versions`."""
        if not speaks(versions):
            self._topics = self.topics
            return super().prepare(versions)
        session, changed, forgotten = self._session.ask(self._wanted)
        if session[1] == _FIRST_EPOCH:
            # A session deals with fairness itself; without one the first in the list would stay the first.
            shuffled = list(changed.items())
            random.shuffle(shuffled)
            changed = dict(shuffled)
        by_topic: defaultdict[str, list[int]] = defaultdict(list)
        for topic, partition in forgotten:
            by_topic[topic].append(partition)
        return LeanFetch(self.body(self._by_topic(changed), by_topic.items(), session), self)

    def decode(self, data: BytesIO) -> FetchedPartitions:
        """Read the answer, which is that of this request."""
        found = FetchedPartitions.decode(data)
        self._session.answered(self._wanted, found.error_code, found.session)
        self._heard_of = heard_of = []
        failed = set()
        for topic, partitions in found.topics:
            for place, answer in enumerate(partitions):
                tp = TopicPartition(topic, answer[0])
                heard_of.append(tp)
                if answer[1] and answer[1] not in _LEFT_TO_AIOKAFKA:
                    failed.add(tp)
                    self._failures.failed(tp, f"the broker answers {name_of(answer[1])}", is_answer=True)
                elif answer[-1] and _has_no_length(answer[-1]):
                    self._failures.failed(tp, f"the batch at offset {self._wanted[tp]} has no length")
                    partitions[place] = (*answer[:-1], b"")
        if self._failures:
            self._failures.answered(self._wanted, failed)
        return found

    def _by_topic(self, offsets: Offsets) -> list[tuple[str, list[tuple[int, int, int]]]]:
        found: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for (topic, partition), offset in offsets.items():
            found[topic].append((partition, offset, self._size))
        return list(found.items())


class FetchPlan:
    """Says what an aiokafka fetcher does next, in its place.

    The common case, every partition with a leader and a position and none paused, costs one pass over the
    positions. All else is left to aiokafka, and its requests are given their sessions.
    """

    def __init__(self, fetcher: KafkaFetcher, failures: PartitionErrors) -> None:
        self._fetcher = fetcher
        self._failures = failures
        self._general = fetcher._get_actions_per_node  # noqa: SLF001 - see faust_hooks
        self._sessions: defaultdict[int, FetchSession] = defaultdict(FetchSession)
        self._seen: tuple[Any, Any] = (None, None)
        self._led: dict[int, list[TopicPartition]] | None = None

    def actions(self, assignment: Any) -> Actions:  # noqa: ANN401 - untyped library
        """Return what to do for the partitions of an assignment."""
        led = self._leaders(assignment)
        states = assignment._tp_state  # noqa: SLF001 - see faust_hooks
        if led is None or any(state._position is None or state._paused for state in states.values()):  # noqa: SLF001 - likewise
            requests, resets, timeout, *rest = self._general(assignment)
            made = [(node, self._of(node, request)) for node, request in requests]
            timeout = min(timeout, self._failures.next_end())
            return [(node, request) for node, request in made if request is not None], resets, timeout, *rest
        fetcher = self._fetcher
        untaken = fetcher._records  # noqa: SLF001 - likewise
        requests, waits = [], []
        resting: Iterable[TopicPartition] = ()
        if self._failures:
            resting = self._failures.resting()
            waits.append(min(fetcher._fetcher_timeout, self._failures.next_end()))  # noqa: SLF001 - likewise
        for node, tps in led.items():
            backoff = untaken and max(
                (untaken[tp].calculate_backoff() for tp in tps if tp in untaken), default=0.0
            )
            if backoff:
                waits.append(backoff)
            elif node not in fetcher._in_flight:  # noqa: SLF001 - likewise
                wanted = {tp: states[tp]._position for tp in tps if tp not in untaken and tp not in resting}  # noqa: SLF001 - likewise
                if wanted:
                    requests.append((node, self._request(node, wanted)))
        timeout = min(waits, default=fetcher._fetcher_timeout)  # noqa: SLF001 - likewise
        return requests, {}, timeout, False, []

    def _leaders(self, assignment: Any) -> dict[int, list[TopicPartition]] | None:  # noqa: ANN401 - untyped library
        """Return the partitions by their leaders; None when one has none, or a replica is preferred."""
        cluster = self._fetcher._client.cluster  # noqa: SLF001 - see faust_hooks
        if self._fetcher._preferred_read_replica:  # noqa: SLF001 - likewise
            return None
        seen = (assignment, cluster._partitions)  # noqa: SLF001 - likewise
        if self._seen[0] is not seen[0] or self._seen[1] is not seen[1]:
            self._seen, self._led = seen, self._grouped(assignment, cluster)
        return self._led

    def _grouped(self, assignment: Any, cluster: Any) -> dict[int, list[TopicPartition]] | None:  # noqa: ANN401 - untyped library
        led: defaultdict[int, list[TopicPartition]] = defaultdict(list)
        for tp in assignment.tps:
            node = cluster.leader_for_partition(tp)
            if node in {None, -1}:
                return None
            led[node].append(tp)
        return dict(led)

    def _of(self, node: int, request: Any) -> SessionFetchRequest | None:  # noqa: ANN401 - untyped library
        resting = self._failures.resting()
        wanted = {
            tp: offset
            for topic, partitions in request.topics
            for partition, offset, _ in partitions
            if (tp := TopicPartition(topic, partition)) not in resting
        }
        return self._request(node, wanted) if wanted else None

    def _request(self, node: int, wanted: Offsets) -> SessionFetchRequest:
        return SessionFetchRequest(self._fetcher, self._sessions[node], wanted, self._failures)


def _has_no_length(batches: bytes) -> bool:
    """Return whether the first batch cannot be one; aiokafka's fetching ends for good on such a one."""
    if len(batches) < _BATCH_LENGTH_AT + _INT.size:
        return False
    (length,) = _INT.unpack_from(batches, _BATCH_LENGTH_AT)
    return bool(length < _LEAST_BATCH)

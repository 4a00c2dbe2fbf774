"""Rounds of sends: what waits for the partitions of one broker travels in one request, round after round.

A broker works on one request of a connection at a time, so a second one under way would gain nothing; what
arrives meanwhile is joined in the next round. Errors that pass are repeated here with the same bytes, for as
long as the time limit allows, and hold up only their own partitions.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aiokafka.errors import KafkaError
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.structs import TopicPartition

from streams.produce_protocol import Answer, ProduceBatches
from streams.send_queues import Identity, PartitionQueue
from streams.send_verdicts import Verdict, leaves_doubt, name_of, verdict_on, verdict_on_error
from streams.transport_errors import SendFailedError, UnconfirmedError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from streams.fault_points import FaultPoints
    from streams.send_queues import Format, SendBatch
    from streams.topic_lookup import TopicLookup
    from streams.transport_errors import FatalTransportError
    from streams.untyped import KafkaClient

log = logging.getLogger(__name__)

#: Bytes after which a request takes no further partition.
ROUND_BYTES: Final = 2 << 20
_YIELD_EVERY: Final = 256
_FIRST_WAIT_S: Final = 0.05
_LONGEST_WAIT_S: Final = 2.0
_LOG_EVERY: Final = 10
_POLL_S: Final = 0.25
# Of the client's time limit for a request, what the broker may use to reach the other replicas.
_REPLICATION_SHARE: Final = 0.8

Prepared: TypeAlias = "list[tuple[PartitionQueue, SendBatch]]"


class SendRounds:
    """Sends what queues hold, one request per broker at a time.

    Args:
        client: a bootstrapped ``AIOKafkaClient``.
        lookup: metadata.
        shape: how batches are made.
        confirm_timeout: seconds of attempts without an outcome after which a send counts as unconfirmed.
        patience: seconds for which an unknown or forbidden topic may yet appear.
        request_timeout: the client's limit for one request, seconds.
        faults: what tests break on purpose.
        freed: told of bytes that no longer wait.

    Attributes:
        failure: the fatal error after which nothing is sent any more.
        repeated: batches sent again so far.
    """

    def __init__(  # noqa: PLR0913 - keyword-only limits
        self,
        client: KafkaClient,
        lookup: TopicLookup,
        *,
        shape: Format,
        confirm_timeout: float,
        patience: float,
        request_timeout: float,
        faults: FaultPoints,
        freed: Callable[[int], None],
    ) -> None:
        self._client = client
        self._lookup = lookup
        self._shape = shape
        self._confirm_timeout = confirm_timeout
        self._patience = patience
        self._broker_timeout_ms = int(request_timeout * _REPLICATION_SHARE * 1000)
        self._faults = faults
        self._freed = freed
        self._identity: Identity | None = None
        self._identifying = asyncio.Lock()
        self._queues: dict[TopicPartition, PartitionQueue] = {}
        self._ready: defaultdict[int, dict[PartitionQueue, None]] = defaultdict(dict)
        self._lost: dict[PartitionQueue, None] = {}
        self._tasks: dict[object, asyncio.Task[None]] = {}
        # Spreads repetitions, nothing secret.
        self._random = random.Random()  # noqa: S311 - see above
        self.failure: FatalTransportError | None = None
        self.repeated = 0

    def queue(self, topic: str, partition: int) -> PartitionQueue:
        """Return the queue of a partition."""
        tp = TopicPartition(topic, partition)
        found = self._queues.get(tp)
        if found is None:
            found = self._queues[tp] = PartitionQueue(tp)
        return found

    def wake(self, queue: PartitionQueue) -> None:
        """See to it that a queue is sent; harmless when it stands in line already."""
        if not queue.is_scheduled and queue and self.failure is None:
            queue.is_scheduled = True
            self._line_up(queue)

    async def close(self) -> None:
        """Stop sending; what waits is never confirmed, and its callers are told."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._fail(SendFailedError("the publisher was closed"))

    # lines ------------------------------------------------------------------------------------------

    def _line_up(self, queue: PartitionQueue) -> None:
        node = self._lookup.leader(queue.tp)
        if node is None:
            self._lose(queue)
        else:
            self._ready[node][queue] = None
            self._run(node, lambda: self._serve(node))

    def _lose(self, queue: PartitionQueue) -> None:
        self._lost[queue] = None
        self._run("search", self._search)

    def _run(self, name: object, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if name not in self._tasks and self.failure is None:
            self._tasks[name] = asyncio.get_running_loop().create_task(self._guarded(name, work))

    async def _guarded(self, name: object, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody knows what was sent
            self._fail(SendFailedError(f"sending failed: {error!r}"), error)
        finally:
            self._tasks.pop(name, None)

    async def _serve(self, node: int) -> None:
        ready = self._ready[node]
        while ready and self.failure is None:
            identity = self._identity or await self._identify(node, next(iter(ready)))
            if identity is None:
                continue
            prepared = await self._prepared(ready, identity)
            await self._round(node, prepared)
            for queue, _ in prepared:
                # A queue that failed stands in another line, or waits for its time.
                if queue.pending is None:
                    queue.is_scheduled = False
                    self.wake(queue)

    async def _prepared(self, ready: dict[PartitionQueue, None], identity: Identity) -> Prepared:
        prepared: Prepared = []
        size = unseen = 0
        while ready and size < ROUND_BYTES:
            queue = next(iter(ready))
            del ready[queue]
            queue.waited()
            batch = queue.prepare(identity, self._shape)
            prepared.append((queue, batch))
            size += len(batch.data)
            unseen += batch.size
            if unseen >= _YIELD_EVERY and ready:
                unseen = 0
                await asyncio.sleep(0)
        return prepared

    # one round --------------------------------------------------------------------------------------

    async def _round(self, node: int, prepared: Prepared) -> None:
        if self._faults.is_armed:
            prepared = await self._struck("publisher.send", prepared)
        if not prepared:
            return
        request = ProduceBatches(
            [(queue.tp.topic, queue.tp.partition, batch.data) for queue, batch in prepared],
            self._broker_timeout_ms,
        )
        left = self._confirm_timeout - max(queue.waited() for queue, _ in prepared)
        try:
            async with asyncio.timeout(max(left, 0.0)):
                answers: list[Answer] = await self._client.send(node, request)
        except (KafkaError, OSError, TimeoutError) as error:
            self._failed(_still_waiting(prepared), error)
            return
        if self._faults.is_armed:
            prepared = await self._struck("publisher.after_send", prepared)
        by_partition = {(answer.topic, answer.partition): answer for answer in answers}
        for queue, batch in prepared:
            if queue.pending is batch:  # else everything was ended by a failure elsewhere
                self._take(queue, by_partition[queue.tp])

    async def _struck(self, point: str, prepared: Prepared) -> Prepared:
        spared: Prepared = []
        for queue, batch in prepared:
            try:
                await self._faults.reach(point, queue.tp.partition)
            except Exception as error:  # noqa: BLE001 - whatever a test injects
                self._failed([queue], error)
            else:
                spared.append((queue, batch))
        return spared

    def _take(self, queue: PartitionQueue, answer: Answer) -> None:
        verdict, reason = verdict_on(answer.code)
        if verdict == "done":
            self._freed(queue.confirm(answer.offset, answer.append_time))
        else:
            queue.is_doubtful |= leaves_doubt(answer.code)
            self._judge([queue], verdict, reason, name_of(answer.code))

    def _failed(self, queues: Sequence[PartitionQueue], error: Exception) -> None:
        if not queues:
            return
        verdict, reason = verdict_on_error(error)
        for queue in queues:
            queue.is_doubtful |= leaves_doubt(error)
        self._judge(queues, verdict, reason, repr(error), error)

    def _judge(
        self,
        queues: Sequence[PartitionQueue],
        verdict: Verdict,
        reason: str,
        what: str,
        cause: Exception | None = None,
    ) -> None:
        first = queues[0].tp
        where = f"{first.topic}[{first.partition}]"
        if verdict == "one_by_one":
            for queue in queues:
                self._refuse(queue, queue.refuse, reason)
        elif verdict in ("again", "look_up"):
            for queue in queues:
                self._count(queue, what)
            for queue in [queue for queue in queues if self._is_hopeless(queue, reason)]:
                self._lookup.remember(queue.tp.topic, reason)
                self._refuse(queue, queue.refuse_all, reason)
            self._later([queue for queue in queues if queue.pending], look_up=verdict == "look_up")
        else:
            self._fail(SendFailedError(f"send to {where} failed: {what}"), cause)

    def _refuse(self, queue: PartitionQueue, refuse: Callable[[str], int], reason: str) -> None:
        if self.failure is not None:
            return
        if queue.is_doubtful:
            where = f"{queue.tp.topic}[{queue.tp.partition}]"
            text = f"records to {where} were refused ({reason}) after an attempt without an answer"
            self._fail(UnconfirmedError(text))
        else:
            self._freed(refuse(reason))

    def _is_hopeless(self, queue: PartitionQueue, reason: str) -> bool:
        """Return whether waiting is over for a topic that the broker does not let us write to."""
        if not reason or queue.waited() < self._patience:
            return False
        # It may only be late: the metadata, asked for since, know it.
        return reason != "unknown_topic" or self._lookup.count(queue.tp.topic) is None

    def _count(self, queue: PartitionQueue, what: str) -> None:
        queue.failures += 1
        self.repeated += 1
        if queue.failures % _LOG_EVERY == 1:
            log.warning(
                "%s[%d]: attempt %d failed, trying again: %s",
                queue.tp.topic, queue.tp.partition, queue.failures, what,
            )  # fmt: skip
        if queue.waited() >= self._confirm_timeout:
            self._fail(self._unconfirmed(queue, what))

    def _unconfirmed(self, queue: PartitionQueue, what: str) -> UnconfirmedError:
        return UnconfirmedError(
            f"records to {queue.tp.topic}[{queue.tp.partition}] unconfirmed after "
            f"{self._confirm_timeout} s, {queue.failures} attempts: {what}"
        )

    def _fail(self, failure: FatalTransportError, cause: BaseException | None = None) -> None:
        if self.failure is None:
            failure.__cause__ = cause
            self.failure = failure
        for queue in self._queues.values():
            self._freed(queue.fail(self.failure))

    # repeating --------------------------------------------------------------------------------------

    def _pause(self, failures: int) -> float:
        longest = min(_FIRST_WAIT_S * 2 ** min(failures, 10), _LONGEST_WAIT_S)
        return longest * self._random.uniform(0.5, 1.0)

    def _later(self, queues: list[PartitionQueue], *, look_up: bool) -> None:
        if not queues or self.failure is not None:
            return
        pause = self._pause(max(queue.failures for queue in queues))
        again = self._lose if look_up else self._line_up
        asyncio.get_running_loop().call_later(pause, lambda: [again(queue) for queue in queues if queue])

    async def _search(self) -> None:
        """Look for the leaders of partitions that have none, or none that answers for them."""
        failures = 0
        while self._lost and self.failure is None:
            lost = list(self._lost)
            is_fresh = await self._lookup.refresh({queue.tp.topic for queue in lost})
            for queue in lost:
                self._found(queue, is_fresh=is_fresh)
            if self._lost:
                failures += 1
                pause = min(_POLL_S, self._patience) if is_fresh else self._pause(failures)
                await asyncio.sleep(pause)

    def _found(self, queue: PartitionQueue, *, is_fresh: bool) -> None:
        waited = queue.waited()
        if self._lookup.leader(queue.tp) is not None:
            del self._lost[queue]
            self._line_up(queue)
        elif (
            is_fresh
            and waited >= self._lookup.patience_with(queue.tp.topic)
            and not self._lookup.has(queue.tp)
        ):
            del self._lost[queue]
            problem = "unknown_partition"
            if self._lookup.count(queue.tp.topic) is None:
                problem = self._lookup.problem(queue.tp.topic)
                self._lookup.remember(queue.tp.topic, problem)
            self._refuse(queue, queue.refuse_all, problem)
            queue.is_scheduled = False
        elif waited >= self._confirm_timeout:
            self._fail(self._unconfirmed(queue, "no broker leads the partition"))

    @property
    def producer_id(self) -> int | None:
        """Return the id under which the broker knows what is sent here; None before the first send."""
        return None if self._identity is None else self._identity.producer_id

    async def _identify(self, node: int, queue: PartitionQueue) -> Identity | None:
        """Ask for a producer id of our own: a second user of the same client does no harm then."""
        async with self._identifying:
            if self._identity is not None:
                return self._identity
            try:
                async with asyncio.timeout(max(self._confirm_timeout - queue.waited(), 0.0)):
                    answer = await self._client.send(node, InitProducerIdRequest(None, 0))
            except (KafkaError, OSError, TimeoutError) as error:
                verdict, what = verdict_on_error(error)[0], repr(error)
            else:
                verdict, what = verdict_on(answer.error_code)[0], name_of(answer.error_code)
                if verdict == "done":
                    self._identity = Identity(answer.producer_id, answer.producer_epoch)
                    return self._identity
        if verdict in ("again", "look_up"):
            self._count(queue, what)
            await self._lookup.refresh()
            await asyncio.sleep(self._pause(queue.failures))
        else:
            self._fail(SendFailedError(f"no producer id: {what}"))
        return None


def _still_waiting(prepared: Prepared) -> list[PartitionQueue]:
    return [queue for queue, batch in prepared if queue.pending is batch]

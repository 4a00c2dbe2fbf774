"""The aiokafka consumer in the loop of its app, where Faust starts a thread for it.

With a thread every fetch, commit and seek crosses two queues and two loops, and under load the two threads
take turns at the interpreter's lock. In one loop a fetch is one await. The price: heartbeats share the loop,
so nothing may hold it for long. Handlers yield every few hundred records, disks and bulk loads belong into
executor threads, and `GroupWatch` stops a process whose loop stood still for a session.
"""

from __future__ import annotations

import inspect
import logging
import time
from typing import TYPE_CHECKING, Any

from aiokafka import errors
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from mode import Service

from streams.fetch_sessions import FetchPlan
from streams.partition_errors import PartitionErrors
from streams.records import LeanResults

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable, Mapping

    from faust.types import TP

    from streams.consumer import LosslessConsumer
    from streams.group_watch import GroupWatch
    from streams.untyped import KafkaConsumer

log = logging.getLogger(__name__)

#: The broker answers a fetch without records after this; an idle worker costs a fetch each time.
FETCH_MAX_WAIT_MS = 500
#: Fetched partitions that wait longer for the agent are skipped by the next fetch.
PREFETCH_BACKOFF_S = 2.0
#: A member's session begins anew when the broker takes one of these.
_BEGIN_SESSION = (HeartbeatRequest, SyncGroupRequest)


class LoopConsumer(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, without the thread, and without fetches that block those of other partitions.

    aiokafka has one fetch under way per broker. When records of some partitions were not taken within its
    prefetch backoff (0.1 s), it fetches the others; with Faust's fixed wait of 1.5 s the partitions with the
    traffic then stand still for so long, because the idle ones have nothing to answer with.
    """

    consumer: LosslessConsumer
    wait_for_shutdown = False

    def __init__(self, consumer: LosslessConsumer, *, loop: AbstractEventLoop, beacon: object) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, beacon=beacon)
        self.failures = PartitionErrors()

    # An ordinary service of the app's loop again: what the thread class changed is taken back.
    maybe_start = Service.maybe_start
    start = Service.start
    stop = Service.stop
    crash = Service.crash
    set_shutdown = Service.set_shutdown
    _stopped_set = Service._stopped_set  # noqa: SLF001 - see faust_hooks
    _stop_children = Service._stop_children  # noqa: SLF001 - likewise
    _stop_futures = Service._stop_futures  # noqa: SLF001 - likewise
    _stop_exit_stacks = Service._stop_exit_stacks  # noqa: SLF001 - likewise

    async def call_thread(self, fun: Callable[..., Any], *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - Faust's signature
        """Call `fun` here and now."""
        result = fun(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    async def on_start(self) -> None:
        """Start the consumer with the limits set before it fetches anything."""
        await super().on_start()
        consumer = self.kafka
        fetcher = consumer._fetcher  # noqa: SLF001 - see faust_hooks
        fetcher._fetch_max_wait_ms = FETCH_MAX_WAIT_MS  # noqa: SLF001 - likewise
        fetcher._prefetch_backoff = PREFETCH_BACKOFF_S  # noqa: SLF001 - likewise
        fetcher._records = LeanResults(self.failures)  # noqa: SLF001 - likewise
        fetcher._get_actions_per_node = FetchPlan(fetcher, self.failures).actions  # noqa: SLF001 - likewise
        coordinator = consumer._coordinator  # noqa: SLF001 - likewise
        coordinator._do_heartbeat = _patient(coordinator._do_heartbeat)  # noqa: SLF001 - likewise
        coordinator._send_req = _watched(coordinator._send_req, self.consumer.watch)  # noqa: SLF001 - likewise

    async def on_stop(self) -> None:
        """Leave the group and close the connections."""
        if self._consumer is not None:
            await self._consumer.stop()

    @property
    def kafka(self) -> KafkaConsumer:
        """Return the aiokafka consumer."""
        return self._ensure_consumer()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Pass a revocation on."""
        self.failures.forget()
        await self.consumer.on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Pass an assignment on."""
        await self.consumer.on_partitions_assigned(assigned, generation_id)

    async def commit_now(self, offsets: Mapping[TP, int]) -> None:
        """Commit `offsets`, asking again for as long as the brokers are away.

        Raises:
            errors.CommitFailedError: the group has gone on without this member.
            errors.IllegalStateError: a partition is not assigned any more.
            errors.KafkaError: the broker refuses for another reason.
        """
        await self.kafka.commit(
            {driver.ensure_aiokafka_TP(tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}
        )


def _patient(heartbeat: Callable[[], Any]) -> Callable[[], Any]:
    """Return `heartbeat` without the error for which aiokafka gives its heartbeats up.

    A coordinator that has just been started answers that it is loading the group. aiokafka knows this answer
    to every request but a heartbeat; there it ends the heartbeats, and with them the membership.
    """

    async def patient() -> bool:
        try:
            return bool(await heartbeat())
        except errors.KafkaError as error:
            if errors.GroupLoadInProgressError.__name__ not in str(error):
                raise
            log.info("the group coordinator is loading the group: the next heartbeat follows shortly")
            return False

    return patient


def _watched(send: Callable[[Any], Awaitable[Any]], watch: GroupWatch) -> Callable[[Any], Awaitable[Any]]:
    """Return `send`, which asks the group coordinator, and tell the watch what it answers."""

    async def watched(request: object) -> Any:  # noqa: ANN401 - untyped library
        sent = time.monotonic()
        answer = await send(request)
        begins_session = isinstance(request, _BEGIN_SESSION)
        watch.answered(sent, _codes(answer), begins_session=begins_session)
        return answer

    return watched


def _codes(answer: Any) -> frozenset[int]:  # noqa: ANN401 - untyped library
    """Return the error codes of an answer about members or, for each partition, about offsets."""
    if hasattr(answer, "error_code"):
        return frozenset({answer.error_code})
    return frozenset(partition[-1] for _, partitions in answer.topics for partition in partitions)

"""Looks once a second whether this member of the group still gets anywhere, and stops the process if not.

Faust and aiokafka go on silently in several states from which they do not come back: heartbeats ended by an
unexpected answer, a coordination task that died, commits refused for ever, a process that was
stopped for longer than its session, a topic deleted under a running agent. A worker that restarts is cured
of most of them; one that stands still is noticed by nobody.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from aiokafka import errors

from streams.fail_stop import EXIT_CONFIGURATION
from streams.transport_errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from streams.consumer import LosslessConsumer

log = logging.getLogger(__name__)

_NO_MEMBERSHIP = -1
_UNKNOWN_MEMBER: Final = 25
_FENCED_INSTANCE: Final = 82
#: Brokers that are starting may not know a topic for some seconds (4.7 s were measured).
_TOPIC_PATIENCE_S = 30.0


class GroupWatch:
    """Watches one consumer.

    Args:
        consumer: which; its transport's `group_patience` says for how many seconds commits may fail, or the
            group not be joined, before the process stops.
        clock: seconds; must go on while the process is stopped.
    """

    def __init__(self, consumer: LosslessConsumer, clock: Callable[[], float] = time.monotonic) -> None:
        self._consumer = consumer
        self._clock = clock
        self._looked_at: float | None = None
        self._heard_at: float | None = None
        self._confirmed_at: float | None = None
        self._uncommitted_since: float | None = None
        self._failing_since: float | None = None
        self._failed_at = 0.0
        self._joined_at = 0.0
        self._missing_since: dict[str, float] = {}

    def look(self) -> None:
        """Look once.

        Raises:
            ConfigurationError: a right or a topic is gone.
        """
        now = self._clock()
        self._stop_after_pause(now)
        self._stop_without_commits(now)
        self._check_group(now)
        self._check_tasks()
        self._check_partitions()
        self._check_topics(now)

    def committed(self) -> None:
        """Note that the broker confirmed a commit."""
        self._uncommitted_since = None

    def silence(self) -> float:
        """Return for how many seconds the coordinator has not confirmed the membership.

        It does so with every heartbeat and every assignment; 0 before the first. From any thread.
        """
        return 0.0 if self._confirmed_at is None else max(self._clock() - self._confirmed_at, 0.0)

    def answered(self, sent: float, codes: Collection[int], *, begins_session: bool) -> None:
        """Note what the coordinator answered; stop if another process uses our instance id.

        aiokafka would join again and put the other out, which does the same, for ever. A member that the
        group has forgotten although its session cannot be over has been replaced.

        Args:
            sent: when it was asked, on the clock of this watch: before the broker took note of it.
            codes: error codes in the answer.
            begins_session: an answer without error means that a session began after `sent`.
        """
        if begins_session and not any(codes):
            self._heard_at = self._confirmed_at = sent
        instance = self._instance_id
        if instance is None or self._consumer.app.should_stop:
            return
        is_in_session = self._heard_at is not None and self._clock() - self._heard_at <= self._session
        if _FENCED_INSTANCE in codes or (_UNKNOWN_MEMBER in codes and is_in_session):
            self._consumer.transport.fail_stop(
                f"another process uses the instance id {instance}: give each worker its own",
                exit_code=EXIT_CONFIGURATION,
            )

    def joined(self) -> None:
        """Note that the group was joined."""
        self._confirmed_at = self._joined_at = self._clock()

    def group_failed(self, error: errors.KafkaError) -> None:
        """Note an error of the group's coordination, and join again.

        Raises:
            ConfigurationError: this member may not use the group or a topic.
        """
        if isinstance(error, errors.GroupAuthorizationFailedError | errors.TopicAuthorizationFailedError):
            raise ConfigurationError(f"not authorised any more: {error}") from error
        log.warning("the group's coordination failed, joining again: %r", error)
        self._failed_at = self._clock()
        if self._failing_since is None:
            self._failing_since = self._failed_at
        self._coordinator.request_rejoin()

    def stop_if_expelled(self) -> None:
        """Stop if the group has gone on without this process while it had work in hand.

        It slept, or was cut off: another worker owns the partitions already, and whatever is in hand here
        may be written over what that worker wrote.
        """
        if self._coordinator.generation == _NO_MEMBERSHIP and self._has_work:
            self._stop("the group expelled this member while it had work in hand")

    def _stop_after_pause(self, now: float) -> None:
        session = self._session
        paused = now - self._looked_at if self._looked_at is not None else 0.0
        self._looked_at = now
        # With an instance id a successor may stand in its place, which it would put out by joining again.
        if paused > session and (self._has_work or self._instance_id is not None):
            self._stop(f"the process stood still for {paused:.1f} s, longer than its session of {session} s")

    def _stop_without_commits(self, now: float) -> None:
        if not self._consumer.tracker.all_committable():
            self._uncommitted_since = None
        elif self._uncommitted_since is None:
            self._uncommitted_since = now
        elif now - self._uncommitted_since > self._patience:
            self._stop(f"no commit succeeded for {self._patience} s")

    def _check_group(self, now: float) -> None:
        if self._coordinator is None:
            return  # the consumer has not connected yet; whoever starts it has a time limit
        if self._coordinator._coordination_task.done():  # noqa: SLF001 - see faust_hooks
            if not self._consumer.app.should_stop:  # else it ends because it was asked to
                self._stop("the coordination with the group has ended")
            return
        try:
            self._coordinator.check_errors()
        except errors.KafkaError as error:
            self.group_failed(error)
        if self._joined_at >= self._failed_at and now - self._failed_at > self._session:
            self._failing_since = None
        if self._failing_since is not None and now - self._failing_since > self._patience:
            self._stop(f"the group could not be joined again, or did not last, for {self._patience} s")

    def _check_tasks(self) -> None:
        if self._consumer.app.should_stop:
            return  # else they end because they were asked to
        asking = self._client._sync_task  # noqa: SLF001 - see faust_hooks
        if asking is not None and asking.done():
            self._stop("the task that asks the brokers for metadata has ended")
        fetcher = self._consumer.kafka_thread.kafka._fetcher  # noqa: SLF001 - likewise
        if fetcher is not None and fetcher._fetch_task.done():  # noqa: SLF001 - likewise
            self._stop("the task that fetches has ended")

    def _check_partitions(self) -> None:
        lasting = self._consumer.kafka_thread.failures.lasting(self._patience)
        if lasting is not None:
            self._stop(lasting)

    def _check_topics(self, now: float) -> None:
        cluster = self._client.cluster
        for topic in self._consumer.subscribed_topics():
            if cluster.partitions_for_topic(topic) is not None:
                self._missing_since.pop(topic, None)
            elif now - self._missing_since.setdefault(topic, now) > _TOPIC_PATIENCE_S:
                raise ConfigurationError(f"the topic {topic} is gone: deleted, or hidden from us")

    @property
    def _has_work(self) -> bool:
        publisher = self._consumer.app.publisher
        return self._consumer.has_work_in_hand or (publisher is not None and publisher.in_flight > 0)

    @property
    def _session(self) -> float:
        return float(self._consumer.app.conf.broker_session_timeout)

    @property
    def _instance_id(self) -> str | None:
        found: str | None = self._consumer.app.conf.consumer_group_instance_id
        return found

    @property
    def _patience(self) -> float:
        return self._consumer.transport.group_patience

    @property
    def _coordinator(self):  # type: ignore[no-untyped-def] # noqa: ANN202 - aiokafka has no types
        return self._consumer.kafka_thread.kafka._coordinator  # noqa: SLF001 - see faust_hooks

    @property
    def _client(self):  # type: ignore[no-untyped-def] # noqa: ANN202 - aiokafka has no types
        return self._consumer.kafka_thread.kafka._client  # noqa: SLF001 - see faust_hooks

    def _stop(self, reason: str) -> None:
        self._consumer.transport.fail_stop(reason)

"""Writing single records by hand, each confirmed: what operators replay, order and note down."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from kafka import KafkaProducer
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from agents.dead_letters import Header
from casework.errors import BadInputError, RuleViolation
from operations.reading import KafkaUnreachableError

_CONNECT_MS: Final = 10_000
_CONFIRM_S: Final = 30
_MAX_BYTES: Final = 16 << 20
_REFUSALS: Final = {
    MessageSizeTooLargeError: "too_large",
    TopicAuthorizationFailedError: "not_authorised",
    UnknownTopicOrPartitionError: "unknown_topic",
}


class NotWrittenError(BadInputError):
    """The topic does not take the record, and trying again does not help."""


class Place(NamedTuple):
    """Where a record lies."""

    topic: str
    partition: int
    offset: int


class TopicWriter:
    """Writes records and waits for each. Use as a context manager.

    Args:
        bootstrap: `host:port` of a broker.

    Raises:
        KafkaUnreachableError: No broker answered within 10 s.
    """

    def __init__(self, bootstrap: str) -> None:
        try:
            self._producer: Any = KafkaProducer(
                bootstrap_servers=bootstrap,
                acks="all",
                enable_idempotence=True,
                max_request_size=_MAX_BYTES,
                bootstrap_timeout_ms=_CONNECT_MS,
                max_block_ms=_CONNECT_MS,
                allow_auto_create_topics=False,
            )
        except (KafkaError, OSError) as error:
            raise KafkaUnreachableError(
                f"no Kafka answers at {bootstrap}: start one with 'hx kafka start' or set HX_BOOTSTRAP"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._producer.close(timeout=_CONFIRM_S)

    def partitions(self, topic: str) -> int:
        """Answer the number of partitions of a topic.

        Raises:
            NotWrittenError: There is no such topic, or it may not be seen.
        """
        try:
            found = self._producer.partitions_for(topic)
        except KafkaTimeoutError:
            found = None
        if not found:
            raise NotWrittenError(
                RuleViolation("topic", "unknown_topic", f"{topic} does not exist: run 'hx provision'")
            )
        return len(found)

    def write(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[Header] = (),
    ) -> Place:
        """Write one record and answer where it lies, once the broker has confirmed it.

        Raises:
            NotWrittenError: The topic does not take it.
            KafkaUnreachableError: It was not confirmed within 30 s; it may be there or not.
        """
        try:
            sent = self._producer.send(topic, value, key=key, headers=list(headers), partition=partition)
            done = sent.get(timeout=_CONFIRM_S)
        except KafkaError as error:
            rule = next((rule for kind, rule in _REFUSALS.items() if isinstance(error, kind)), None)
            if rule is not None:
                violation = RuleViolation("topic", rule, f"{topic} does not take the record")
                raise NotWrittenError(violation) from error
            raise KafkaUnreachableError(
                f"{topic} did not confirm a record: {type(error).__name__}"
            ) from error
        return Place(topic, partition, done.offset)

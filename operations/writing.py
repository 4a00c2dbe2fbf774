"""Writing single records by hand, each confirmed: what operators replay, order and note down."""

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from agents.dead_letters import Header
from casework.errors import BadInputError, RuleViolation
from operations.reading import KafkaUnreachableError
from streams.kafka_access import KafkaAccess
from streams.refusals import check_access

_CONNECT_S: Final = 10.0
_CONFIRM_S: Final = 30.0
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
    """Writes records and waits for each. Use as a context manager, outside an event loop.

    aiokafka's batches take any record, also one with neither key nor value or with a header without a value;
    the plain calls of aiokafka and kafka-python refuse those.

    Args:
        access: Where the brokers are, and who writes.

    Raises:
        BrokersRefuseError: The brokers do not let this principal in.
        KafkaUnreachableError: No broker answered within 10 s.
    """

    def __init__(self, access: KafkaAccess) -> None:
        client = access.client_settings()
        check_access(client)
        self._runner = asyncio.Runner()
        try:
            self._producer: Any = self._runner.run(_started(client))
        except BaseException as error:
            self._runner.close()
            if isinstance(error, KafkaError | OSError):
                raise KafkaUnreachableError(
                    f"no Kafka answers at {access.bootstrap}: "
                    "start one with 'hx kafka start' or set HX_BOOTSTRAP"
                ) from error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._runner.run(self._producer.stop())
        finally:
            self._runner.close()

    def partitions(self, topic: str) -> int:
        """Answer the number of partitions of a topic.

        Raises:
            NotWrittenError: There is no such topic, or it may not be seen.
        """
        return self._runner.run(self._partitions(topic))

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
            offset = self._runner.run(self._write(topic, partition, key, value, headers))
        except (KafkaError, TimeoutError) as error:
            rule = next((rule for kind, rule in _REFUSALS.items() if isinstance(error, kind)), None)
            if rule is not None:
                violation = RuleViolation("topic", rule, f"{topic} does not take the record")
                raise NotWrittenError(violation) from error
            raise KafkaUnreachableError(
                f"{topic} did not confirm a record: {type(error).__name__}"
            ) from error
        return Place(topic, partition, offset)

    async def _partitions(self, topic: str) -> int:
        try:
            async with asyncio.timeout(_CONNECT_S):
                found = await self._producer.partitions_for(topic)
        except (KafkaError, TimeoutError):
            found = None
        if not found:
            raise NotWrittenError(
                RuleViolation("topic", "unknown_topic", f"{topic} does not exist: run 'hx provision --apply'")
            )
        return len(found)

    async def _write(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[Header]
    ) -> int:
        batch = self._producer.create_batch()
        if batch.append(key=key, value=value, timestamp=None, headers=list(headers)) is None:
            raise MessageSizeTooLargeError
        async with asyncio.timeout(_CONFIRM_S):
            await self._partitions(topic)
            sent = await self._producer.send_batch(batch, topic, partition=partition)
            return int((await sent).offset)


async def _started(client: Mapping[str, Any]) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        acks="all",
        enable_idempotence=True,
        max_request_size=_MAX_BYTES,
        max_batch_size=_MAX_BYTES,
        **client,
    )
    try:
        async with asyncio.timeout(_CONNECT_S):
            await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer

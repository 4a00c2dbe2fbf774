"""A member's connection to the brokers: its producer, what is sent by it, and which topics they know.

An outage and a missing topic look alike to a Kafka client: which of the two it is, is found out here.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors

from casework.directory import Directory
from connectors.errors import ExchangeUnreachableError, MisuseError, NotConfirmedError, TopicMissingError
from connectors.kafka_errors import KAFKA_ERRORS, as_client_error, refused_or
from connectors.membership import Membership
from connectors.preparing import Prepared
from connectors.sending import Submitted, place_of, topic_of
from streams.broken_connections import notice_broken_connections
from streams.topics import Topics

# Enough for a broker that is there; whether one is decides between an outage and a missing topic.
_ANSWER_S: Final = 2.0


class Connection:
    """The connection of one client.

    Args:
        membership: Answers who and where.
        topics: Names of the topics.
        directory: Answers the directory in use.
    """

    def __init__(
        self, membership: Callable[[], Membership], topics: Topics, directory: Callable[[], Directory]
    ) -> None:
        self._membership = membership
        self._topics = topics
        self._directory = directory
        self._producer: Any = None

    @property
    def producer(self) -> Any:  # noqa: ANN401 - an untyped aiokafka producer
        """The producer.

        Raises:
            MisuseError: The connection is not open.
        """
        self.require_open()
        return self._producer

    def require_open(self) -> None:
        """Check that the client is in use.

        Raises:
            MisuseError: It is not.
        """
        if self._producer is None:
            raise MisuseError("the client is not open: use it inside `async with`")

    async def open(self) -> None:
        """Connect.

        Raises:
            AccessDeniedError: The brokers do not let this member in.
            ExchangeUnreachableError: No broker answered in time.
        """
        kafka = self._membership().kafka
        notice_broken_connections()
        try:
            async with asyncio.timeout(self._membership().limits.start_timeout_s):
                self._producer = await _any_producer(kafka)
        except KAFKA_ERRORS as error:
            raise await refused_or(error, kafka) from error

    def forget(self) -> None:
        """Let nothing more be sent, while the client closes."""
        self._producer = None

    async def send(self, prepared: Prepared) -> Submitted:
        """Send a submission; it is in Kafka when this returns.

        Raises:
            NotConfirmedError: Kafka did not confirm in time.
            AccessDeniedError: The brokers refuse it to this member.
            TopicMissingError: The topic, or a slot of it, does not exist.
        """
        producer = self.producer
        topic = topic_of(prepared, self._topics)
        try:
            partitions = len(await self.partitions_of(topic))
        except ExchangeUnreachableError as error:
            raise NotConfirmedError(type(error).__name__, prepared) from error
        partition = place_of(prepared, topic, partitions, self._directory())
        try:
            async with asyncio.timeout(self._membership().limits.send_timeout_s):
                sent = await producer.send_and_wait(
                    topic, prepared.value, key=prepared.url_key, partition=partition
                )
        except (kafka_errors.KafkaError, TimeoutError) as error:
            translated_error = as_client_error(error, topic)
            if isinstance(translated_error, ExchangeUnreachableError):
                raise NotConfirmedError(type(error).__name__, prepared) from error
            raise translated_error from error
        return Submitted(prepared.event_id, prepared.url_key, topic, partition, sent.offset, sent.timestamp)

    async def partitions_of(self, topic: str) -> frozenset[int]:
        """Answer the partitions of a topic.

        Raises:
            ExchangeUnreachableError: No broker answers.
            TopicMissingError: Brokers answer and do not know it.
        """
        # Twice: a broker that has just come back answers, and knows its topics only a moment later.
        for _ in range(2):
            try:
                async with asyncio.timeout(self._membership().limits.start_timeout_s):
                    return frozenset(await self.producer.partitions_for(topic))
            except (kafka_errors.UnknownTopicOrPartitionError, TimeoutError) as error:
                if not await self._brokers_answer():
                    raise ExchangeUnreachableError(f"{topic}: no answer from the brokers") from error
            except kafka_errors.KafkaError as error:
                raise as_client_error(error, topic) from error
        raise TopicMissingError(f"{topic}: no such topic; check the prefix or provision")

    async def _brokers_answer(self) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_S):
                return bool(await self.producer.client.force_metadata_update())
        except TimeoutError:
            return False


async def _any_producer(kafka: Mapping[str, Any]) -> AIOKafkaProducer:
    """Answer a started producer, idempotent where the member may write anything.

    Brokers give a producer id only to who may write. A member that is suspended may not, and still reads: its
    producer only looks up topics, and whatever it sends is refused.
    """
    try:
        return await _started(AIOKafkaProducer(acks="all", enable_idempotence=True, **kafka))
    except kafka_errors.ClusterAuthorizationFailedError:
        return await _started(AIOKafkaProducer(acks="all", **kafka))


async def _started(producer: AIOKafkaProducer) -> AIOKafkaProducer:
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer

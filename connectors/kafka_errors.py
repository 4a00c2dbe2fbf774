"""Turns what the Kafka libraries raise into the errors that the client documents: nothing else leaves it.

aiokafka and kafka-python have classes of their own with the same names, so names decide.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiokafka.errors
import kafka.errors

from connectors.errors import (
    AccessDeniedError,
    ClientError,
    ExchangeUnreachableError,
    PositionLostError,
    TopicMissingError,
)

KAFKA_ERRORS: Final = (aiokafka.errors.KafkaError, kafka.errors.KafkaError, OSError, TimeoutError)

_DENIED: Final = frozenset(
    {
        "TopicAuthorizationFailedError",
        "GroupAuthorizationFailedError",
        "ClusterAuthorizationFailedError",
        "AuthenticationFailedError",
        "SaslAuthenticationFailedError",
    }
)


@contextmanager
def translated(topic: str) -> Iterator[None]:
    """Raise the client's own error for any of Kafka's that leaves the block; it names `topic`."""
    try:
        yield
    except KAFKA_ERRORS as error:
        raise as_client_error(error, topic) from error


def as_client_error(error: BaseException, topic: str) -> ClientError:
    """Answer the client's own error for one of Kafka's."""
    reason = type(error).__name__
    if reason in _DENIED:
        return AccessDeniedError(f"{topic}: the broker refuses this member ({reason})")
    if reason == "UnknownTopicOrPartitionError":
        return TopicMissingError(f"{topic}: no such topic")
    if reason == "OffsetOutOfRangeError":
        return PositionLostError(f"{topic}: the position is no longer in the topic")
    return ExchangeUnreachableError(f"{topic}: no answer from the brokers ({reason})")

"""Turns what aiokafka raises into the errors that the client documents, so that nothing else leaves it."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka import errors

from connectors.errors import (
    AccessDeniedError,
    ClientError,
    ExchangeUnreachableError,
    PositionLostError,
    TopicMissingError,
)

_DENIED = (
    errors.TopicAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.ClusterAuthorizationFailedError,
    errors.AuthenticationFailedError,
)


@contextmanager
def translated(topic: str) -> Iterator[None]:
    """Raise the client's own error for any of Kafka's that leaves the block; it names `topic`."""
    try:
        yield
    except (errors.KafkaError, OSError, TimeoutError) as error:
        raise as_client_error(error, topic) from error


def as_client_error(error: BaseException, topic: str) -> ClientError:
    """Answer the client's own error for one of Kafka's."""
    reason = type(error).__name__
    if isinstance(error, _DENIED):
        return AccessDeniedError(f"{topic}: the broker refuses this member ({reason})")
    if isinstance(error, errors.UnknownTopicOrPartitionError):
        return TopicMissingError(f"{topic}: no such topic")
    if isinstance(error, errors.OffsetOutOfRangeError):
        return PositionLostError(f"{topic}: the position is no longer in the topic")
    return ExchangeUnreachableError(f"{topic}: no answer from the brokers ({reason})")

"""Turns what the Kafka libraries raise into the errors that the client documents: nothing else leaves it.

aiokafka and kafka-python have classes of their own with the same names, so names decide.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import aiokafka.errors
import kafka.errors

from connectors.errors import (
    AccessDeniedError,
    ClientError,
    ExchangeUnreachableError,
    PositionLostError,
    TopicMissingError,
)
from streams.refusals import BrokersRefuseError, refusal

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
    except BrokersRefuseError as error:
        raise AccessDeniedError(str(error)) from error
    except KAFKA_ERRORS as error:
        raise as_client_error(error, topic) from error


async def refused_or(error: BaseException, kafka: Mapping[str, Any]) -> ClientError:
    """Answer why the brokers refuse a client that could not connect, or that they do not answer."""
    why = await refusal(kafka)
    if why is not None and why.is_certain:
        return AccessDeniedError(why.text)
    return as_client_error(error, f"Kafka at {kafka['bootstrap_servers']}")


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

"""Looking whether a worker can work before it starts: Faust is silent about a missing topic or right."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, TopicPartition, errors

from streams.refusals import refusal
from streams.transport_errors import ConfigurationError, FatalTransportError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.untyped import KafkaConsumer
    from streams.worker import WorkerOptions

log = logging.getLogger(__name__)

_LOOK_AGAIN_S: Final = 0.5


async def probe(
    options: WorkerOptions, group_id: str, reads: Sequence[str], writes: Sequence[str] = ()
) -> None:
    """Check that brokers answer, that all topics are there, and that the group and what it reads may be used.

    Args:
        options: how the worker talks to its brokers.
        group_id: its consumer group.
        reads: topics that must exist and may be read.
        writes: topics that must exist. Whether they may be written to, only a record would tell: a refusal
            comes from `publish`, as `UndeliverableError`.

    Raises:
        ConfigurationError: with one sentence that names what is missing or refused: certificate, password,
            group, topic.
        FatalTransportError: no broker let us in and none said why. Nobody can tell a wrong address from
            brokers that are down, and against the latter a restart helps.
    """
    try:
        async with asyncio.timeout(options.start_timeout):
            await _probe(options, group_id, reads, writes)
    except TimeoutError as error:
        raise FatalTransportError(
            f"the brokers at {options.bootstrap} did not let us in for {options.start_timeout} s: "
            "they are down, or the address is wrong, or they want TLS or a certificate that we do not show"
        ) from error


async def _probe(options: WorkerOptions, group_id: str, reads: Sequence[str], writes: Sequence[str]) -> None:
    consumer = AIOKafkaConsumer(
        group_id=group_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        **options.client_settings(),
    )
    try:
        await _connected(consumer, options)
        await _described(consumer, {*reads, *writes}, options.metadata_patience)
        first = [TopicPartition(topic, 0) for topic in reads]
        consumer.assign(first)
        for tp in first:
            await consumer.committed(tp)
        await consumer.getmany(*first, timeout_ms=300, max_records=1)
    except errors.GroupAuthorizationFailedError as error:
        raise ConfigurationError(f"not authorised to use the consumer group {group_id}") from error
    except errors.TopicAuthorizationFailedError as error:
        raise ConfigurationError(f"not authorised to read {error}") from error
    finally:
        await consumer.stop()


async def _connected(consumer: KafkaConsumer, options: WorkerOptions) -> None:
    while True:  # until the caller's time limit: brokers may be starting too
        try:
            await consumer.start()
        except errors.KafkaConnectionError as error:
            why = await refusal(options.client_settings())
            if why is not None and why.is_certain:
                raise ConfigurationError(why.text) from error
            log.warning("no connection yet: %s", error if why is None else why.text)
            await asyncio.sleep(_LOOK_AGAIN_S)
        else:
            return


async def _described(consumer: KafkaConsumer, topics: set[str], patience: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + patience  # a broker that has just come back knows its topics a moment later
    while missing := sorted(topics - await consumer.topics()):
        if loop.time() > until:
            raise ConfigurationError(
                f"topics missing, or not to be described by us: {', '.join(missing)}: create them "
                "(those of the exchange: run 'hx provision --apply')"
            )
        await asyncio.sleep(_LOOK_AGAIN_S)

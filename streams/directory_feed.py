"""Every version of the directory, as the secretariat published it, followed while the process runs.

Whoever decides something stamps the version it used; whoever decides later must use that same one, so all
versions are kept, and one that has not arrived yet is waited for. The feed reads without a group: each
process sees all.
"""

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from casework.directory import Directory
from casework.directory_signing import TrustAnchor
from casework.errors import EditRefusedError, RuleViolation
from casework.messages import DirectoryDocument
from streams import wire
from streams.clock import Clock
from streams.directory_trust import TrustMemory
from streams.directory_versions import (
    DirectoryVersions,
    NoDirectoryError,
    PassedOverError,
    check_lead,
    document_of,
    read_document,
)
from streams.untyped import KafkaConsumer

__all__ = [
    "DirectoryFeed",
    "NoDirectoryError",
    "PassedOverError",
    "document_of",
    "publish",
    "read_document",
]

WAIT_S: Final = 30.0
_POLL_MS: Final = 500
# A topic that was created a moment ago may be unknown to the broker that is asked.
_LOOKS: Final = 10
_BETWEEN_LOOKS_S: Final = 0.2
_PARTITION: Final = 0


class DirectoryFeed(DirectoryVersions):
    """All usable versions; an asynchronous context manager that has read the topic when it is entered.

    Args:
        client: Settings shared by the process's Kafka clients, as keyword arguments of aiokafka.
        topic: Name of the directory topic.
        environment: Documents for another environment are refused: logged and left out.
        clock: The exchange's clock.
        anchor: The signers whom the first version must be signed by; None believes unsigned directories.
        memory: What this machine believed before; None where nothing is kept.
        on_failure: Called with a reason and an error when following the topic failed for good.
    """

    def __init__(  # noqa: PLR0913 - where, and what is believed
        self,
        client: Mapping[str, Any],
        topic: str,
        environment: str,
        *,
        clock: Clock,
        anchor: TrustAnchor | None = None,
        memory: TrustMemory | None = None,
        on_failure: Callable[[str, BaseException], object] | None = None,
    ) -> None:
        super().__init__(environment, clock, anchor)
        self._client = client
        self._topic = topic
        self._memory = memory
        self._on_failure = on_failure
        self._arrived = asyncio.Condition()
        self._callbacks: list[Callable[[Directory], None]] = []
        self._consumer: KafkaConsumer = None
        self._task: asyncio.Task[None] | None = None

    async def version(self, version: int, wait_s: float = WAIT_S) -> Directory:
        """Answer one version, waiting for it if it has not arrived.

        Raises:
            NoDirectoryError: It did not arrive in time.
            PassedOverError: It will never arrive.
        """
        found = self.known(version)
        if found is not None:
            return found
        if version <= self.newest_version:
            raise PassedOverError(f"directory version {version} is missing below a higher one")
        try:
            async with asyncio.timeout(wait_s), self._arrived:
                await self._arrived.wait_for(lambda: version in self._versions)
        except TimeoutError as error:
            raise NoDirectoryError(
                f"directory version {version} did not arrive in {self._topic} within {wait_s:g} s"
            ) from error
        return self._versions[version].directory

    def on_change(self, callback: Callable[[Directory], None]) -> None:
        """Have `callback` called in the event loop with each version that arrives after the start."""
        self._callbacks.append(callback)

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(
            enable_auto_commit=False, auto_offset_reset="earliest", **self._client
        )
        try:
            await self._consumer.start()
            await self._read_whole()
            if self._memory is not None:
                self._memory.check(self)
                self._memory.note(self.newest)
        except BaseException:
            await self._consumer.stop()
            raise
        self._task = asyncio.create_task(self._follow(), name="directory feed")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._consumer.stop()

    async def _read_whole(self) -> None:
        await self._require_topic()
        tp = TopicPartition(self._topic, _PARTITION)
        self._consumer.assign([tp])
        end = (await self._consumer.end_offsets([tp]))[tp]
        await self._consumer.seek_to_beginning(tp)
        while await self._consumer.position(tp) < end:
            await self._poll()

    async def _require_topic(self) -> None:
        for _ in range(_LOOKS):
            if self._topic in await self._consumer.topics():
                return
            await asyncio.sleep(_BETWEEN_LOOKS_S)
        raise NoDirectoryError(
            f"topic {self._topic} is missing, or not to be described by us: run 'hx provision --apply'"
        )

    async def _follow(self) -> None:
        try:
            while True:
                for directory in await self._poll():
                    for callback in self._callbacks:
                        callback(directory)
        except Exception as error:
            if self._on_failure is None:
                raise
            self._on_failure(f"the directory topic {self._topic} could not be followed", error)

    async def _poll(self) -> list[Directory]:
        arrived: list[Directory] = []
        for records in (await self._consumer.getmany(timeout_ms=_POLL_MS)).values():
            for record in records:
                directory = self.take(record)
                if directory is not None:
                    arrived.append(directory)
        if arrived:
            if self._memory is not None and self._task is not None:
                self._memory.note(self.newest)
            async with self._arrived:
                self._arrived.notify_all()
        return arrived


async def publish(
    client: Mapping[str, Any],
    topic: str,
    document: DirectoryDocument,
    *,
    clock: Clock,
    anchor: TrustAnchor | None = None,
) -> int:
    """Publish one version and answer its offset; one that is there with the same bytes is not sent again.

    A second record of it would replace the first one when the topic is compacted, with a later time.

    Args:
        client: Settings shared by the process's Kafka clients, as keyword arguments of aiokafka.
        topic: Name of the directory topic.
        document: What to publish.
        clock: The exchange's clock.
        anchor: As readers have it.

    Raises:
        EditRefusedError: Readers would refuse it: too few signatures, not the next version, valid too early.
    """
    value = wire.encode(document)
    _, directory = read_document(value, document.environment)
    async with DirectoryFeed(client, topic, document.environment, clock=clock, anchor=anchor) as feed:
        there = feed.published(document.version)
        if there is not None and there.document.document == document.document:
            return there.offset
        is_first = feed.newest is None
        _require(feed.check_next(document, directory, clock.now_ms()))
        producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **client)
        await producer.start()
        try:
            sent = await producer.send_and_wait(
                topic, value, key=str(document.version).encode(), partition=_PARTITION
            )
        finally:
            await producer.stop()
    # The broker's time counts: a slow publication may have come too late, and then nobody believes it.
    _require(() if is_first else tuple(check_lead(directory, clock.at(sent.timestamp))))
    return int(sent.offset)


def _require(violations: tuple[RuleViolation, ...]) -> None:
    if violations:
        raise EditRefusedError(violations)

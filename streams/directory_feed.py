"""Every version of the directory, as the secretariat published it, followed while the process runs.

Whoever decides something stamps the version it used; whoever decides later must use that same one, so all
versions are kept, and one that has not arrived yet is waited for. The feed reads without a group: each
process sees all.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from casework import directory as directories
from casework.directory import Directory
from casework.errors import EditRefusedError, FatalError, HotlineExchangeError, RuleViolation
from casework.messages import DirectoryDocument
from schemas.errors import UnreadableError
from streams import wire
from streams.untyped import KafkaConsumer, KafkaRecord

log = logging.getLogger(__name__)

WAIT_S: Final = 30.0
_POLL_MS: Final = 500
# A topic that was created a moment ago may be unknown to the broker that is asked.
_LOOKS: Final = 10
_BETWEEN_LOOKS_S: Final = 0.2
_PARTITION: Final = 0


class NoDirectoryError(FatalError):
    """No version is valid, or the one that is needed did not arrive: nothing can be decided."""


class PassedOverError(NoDirectoryError):
    """A version is missing although a higher one is there: versions only rise, so it will never arrive."""


class DirectoryFeed:
    """All usable versions; an asynchronous context manager that has read the topic when it is entered.

    Args:
        client: Settings shared by the process's Kafka clients, as keyword arguments of aiokafka.
        topic: Name of the directory topic.
        environment: Documents for another environment are refused: logged and left out.
        on_failure: Called with a reason and an error when following the topic failed for good.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        topic: str,
        environment: str,
        on_failure: Callable[[str, BaseException], object] | None = None,
    ) -> None:
        self._client = client
        self._topic = topic
        self._environment = environment
        self._on_failure = on_failure
        self._versions: dict[int, tuple[DirectoryDocument, Directory]] = {}
        self._newest_first: tuple[tuple[DirectoryDocument, Directory], ...] = ()
        self._arrived = asyncio.Condition()
        self._callbacks: list[Callable[[Directory], None]] = []
        self._consumer: KafkaConsumer = None
        self._task: asyncio.Task[None] | None = None

    @property
    def newest_version(self) -> int:
        """The highest version known, valid or not yet; 0 when there is none."""
        return self._newest_first[0][1].version if self._newest_first else 0

    def latest(self, now_ms: int) -> Directory:
        """Answer the newest version that is valid at a time of the exchange's clock.

        Raises:
            NoDirectoryError: None is: not published, not valid yet, or expired.
        """
        for document, directory in self._newest_first:
            if document.valid_from <= now_ms and not _expired(document, now_ms):
                return directory
        if not self._versions:
            raise NoDirectoryError(f"no directory is published in {self._topic}: run 'hx directory publish'")
        raise NoDirectoryError(f"none of {len(self._versions)} versions in {self._topic} is valid now")

    def valid_at(self, stamp_ms: int, now_ms: int) -> Directory:
        """Answer the newest version that was valid at a moment of the past, the same whenever it is asked.

        What was submitted before the first version took effect, or while none was valid, meets the first
        one that took effect afterwards.

        Args:
            stamp_ms: The moment, by the exchange's clock.
            now_ms: The exchange's clock.

        Raises:
            NoDirectoryError: None was valid then, and none has become valid since.
        """
        later: tuple[DirectoryDocument, Directory] | None = None
        for found in self._newest_first:
            document = found[0]
            if document.valid_from <= stamp_ms:
                if not _expired(document, stamp_ms):
                    return found[1]
            elif document.valid_from <= now_ms and (
                later is None or document.valid_from <= later[0].valid_from
            ):
                later = found
        return self.latest(now_ms) if later is None else later[1]

    def take(self, record: KafkaRecord) -> Directory | None:
        """Take a record of the topic that was read elsewhere; answer its version, None when it is refused."""
        return self._read(record)

    def known(self, version: int) -> Directory | None:
        """Answer a version without waiting, or None."""
        found = self._versions.get(version)
        return None if found is None else found[1]

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
        return self._versions[version][1]

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
            f"topic {self._topic} is missing, or not to be described by us: run 'hx provision'"
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
                directory = self._read(record)
                if directory is not None:
                    arrived.append(directory)
        if arrived:
            async with self._arrived:
                self._arrived.notify_all()
        return arrived

    def _read(self, record: KafkaRecord) -> Directory | None:
        if record.value is None:
            return None
        try:
            document, directory = read_document(record.value, self._environment)
        except (UnreadableError, HotlineExchangeError) as error:
            log.error("directory record %d refused: %s", record.offset, error)  # noqa: TRY400 - no bug
            return None
        there = self._versions.get(directory.version)
        if there is not None and there[0].document != document.document:
            # Decisions were made and stamped with the first one: repeated, they must come out the same.
            log.error("directory record %d refused: its version came with other bytes before", record.offset)
            return None
        self._versions[directory.version] = (document, directory)
        order = sorted(self._versions, reverse=True)
        self._newest_first = tuple(self._versions[version] for version in order)
        return directory


def read_document(value: bytes, environment: str) -> tuple[DirectoryDocument, Directory]:
    """Read a record of the directory topic and check that it may be used here.

    Raises:
        UnreadableError: The bytes are no directory document.
        DirectoryRefusedError: The directory inside them cannot be read.
        EditRefusedError: Envelope and directory disagree, or it is for another environment.
    """
    document = wire.decode_as(DirectoryDocument, value)
    directory = directories.from_bytes(document.document)
    if directory.environment != environment or document.environment != environment:
        raise EditRefusedError(
            RuleViolation("environment", "wrong_environment", f"this exchange is {environment}")
        )
    if directory.version != document.version:
        raise EditRefusedError(
            RuleViolation("version", "disagrees", "document and envelope name one version")
        )
    return document, directory


def document_of(directory: Directory, *, expires_at: int | None = None) -> DirectoryDocument:
    """Answer the message that publishes a directory; `expires_at` in milliseconds since the epoch, UTC."""
    return DirectoryDocument(
        version=directory.version,
        environment=directory.environment,
        published_at=directory.published_at,
        valid_from=directory.valid_from,
        expires_at=expires_at,
        document=directories.to_bytes(directory),
    )


async def publish(client: Mapping[str, Any], topic: str, document: DirectoryDocument) -> int:
    """Publish one version and answer its offset; the same version with the same bytes may be sent again.

    Args:
        client: Settings shared by the process's Kafka clients, as keyword arguments of aiokafka.
        topic: Name of the directory topic.
        document: What to publish.

    Raises:
        EditRefusedError: The version exists with other bytes, or a higher one does.
    """
    value = wire.encode(document)
    async with DirectoryFeed(client, topic, document.environment) as feed:
        there = feed.known(document.version)
        if there is not None and directories.to_bytes(there) != document.document:
            raise EditRefusedError(
                RuleViolation(
                    "version", "exists", f"version {document.version} was published with other bytes"
                )
            )
        if feed.newest_version > document.version:
            raise EditRefusedError(
                RuleViolation("version", "not_newer", f"version {feed.newest_version} is published already")
            )
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **client)
    await producer.start()
    try:
        sent = await producer.send_and_wait(
            topic, value, key=str(document.version).encode(), partition=_PARTITION
        )
    finally:
        await producer.stop()
    return int(sent.offset)


def _expired(document: DirectoryDocument, now_ms: int) -> bool:
    return document.expires_at is not None and document.expires_at <= now_ms

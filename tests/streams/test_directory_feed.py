import asyncio
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from casework.directory import Directory
from casework.errors import EditRefusedError
from operations.directory.document import build
from operations.embedded_kafka import EmbeddedKafka
from streams import provision, wire
from streams.directory_feed import DirectoryFeed, NoDirectoryError, PassedOverError, document_of, publish
from streams.topics import Topics

pytestmark = pytest.mark.kafka
WHOLE = build(environment="test", published_at=5, candidates="admit")


def version(number: int, *, valid_from: int = 5) -> Directory:
    """Answer a directory version."""
    return msgspec.structs.replace(WHOLE, version=number, valid_from=valid_from)


class Place:
    """The directory topic of one test."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.client: dict[str, Any] = {"bootstrap_servers": bootstrap}
        self.topic = Topics(prefix).directory
        table = Topics(prefix).all_for([], [], slot_count=1, partitions=1)
        provision.provision(
            bootstrap, [t for t in table if t.name == self.topic], replication=1, min_insync=1
        )

    def feed(self, environment: str = "test") -> DirectoryFeed:
        """Answer a feed that is not started."""
        return DirectoryFeed(self.client, self.topic, environment)

    async def publish(self, directory: Directory, **envelope: Any) -> int:  # noqa: ANN401 - fields
        """Publish a version."""
        return await publish(self.client, self.topic, document_of(directory, **envelope))


@pytest.fixture
def place(kafka: EmbeddedKafka, topic_prefix: str) -> Place:
    """An empty directory topic."""
    return Place(kafka.bootstrap, topic_prefix)


async def test_a_missing_topic_and_an_empty_one_say_what_to_do(place: Place) -> None:
    """Before provisioning and before the first version the error names the command that is missing."""
    with pytest.raises(NoDirectoryError, match="run 'hx provision'"):
        async with DirectoryFeed(place.client, f"{place.topic}-not-there", "test"):
            pass
    async with place.feed() as feed:
        with pytest.raises(NoDirectoryError, match="run 'hx directory publish'"):
            feed.latest(5)


async def test_the_newest_version_valid_now_is_used_and_all_are_kept(place: Place) -> None:
    """A version counts from its own time on; expired ones do not; earlier ones can still be asked for."""
    await place.publish(version(1))
    await place.publish(version(2, valid_from=100), expires_at=200)
    async with place.feed() as feed:
        assert [feed.latest(now).version for now in (5, 99, 100, 199, 200)] == [1, 1, 2, 2, 1]
        assert (await feed.version(1)).version == 1
        assert feed.newest_version == 2
        with pytest.raises(NoDirectoryError):
            feed.latest(4)


async def test_a_moment_of_the_past_meets_the_version_that_was_valid_then(place: Place) -> None:
    """A repeated stamp names the same version, whatever was published since; gaps meet the next one."""
    await place.publish(version(1, valid_from=10), expires_at=50)
    await place.publish(version(2, valid_from=100))
    await place.publish(version(3, valid_from=200))
    async with place.feed() as feed:
        assert [feed.valid_at(stamp, 300).version for stamp in (10, 49, 100, 199, 200)] == [1, 1, 2, 2, 3]
        assert [feed.valid_at(stamp, 300).version for stamp in (1, 50)] == [1, 2]
        with pytest.raises(NoDirectoryError, match="valid now"):
            feed.valid_at(50, 99)


async def test_a_version_that_comes_later_is_waited_for_and_announced(place: Place) -> None:
    """Who needs a version that has not arrived gets it when it does; callbacks are told."""
    await place.publish(version(1))
    async with place.feed() as feed:
        told: asyncio.Future[Directory] = asyncio.get_running_loop().create_future()
        feed.on_change(told.set_result)
        waiting = asyncio.create_task(feed.version(2))
        await place.publish(version(2))
        assert (await waiting).version == (await told).version == 2


async def test_a_version_that_does_not_come_is_an_error_with_a_limit(place: Place) -> None:
    """Nobody waits for ever; the error names the version and the topic."""
    await place.publish(version(1))
    async with place.feed() as feed:
        with pytest.raises(NoDirectoryError, match=f"version 7.*{place.topic}"):
            await feed.version(7, wait_s=0.01)


async def test_a_version_cannot_be_published_with_other_bytes_or_out_of_order(place: Place) -> None:
    """The same again is harmless; anything else under an old number is refused."""
    await place.publish(version(2))
    await place.publish(version(2))
    with pytest.raises(EditRefusedError, match="other bytes"):
        await place.publish(version(2, valid_from=9))
    with pytest.raises(EditRefusedError, match="published already"):
        await place.publish(version(1))


async def test_documents_that_may_not_be_used_here_are_left_out(place: Place) -> None:
    """Garbage, and a directory for another environment, change nothing for those who decide."""
    await place.publish(version(1))
    await place.publish(msgspec.structs.replace(version(2), environment="demo"))
    producer = AIOKafkaProducer(**place.client)
    await producer.start()
    await producer.send_and_wait(place.topic, b"garbage", key=b"3", partition=0)
    await producer.stop()
    async with place.feed() as feed:
        assert (feed.newest_version, feed.latest(5).version) == (1, 1)


async def test_a_version_passed_over_is_not_waited_for_and_a_changed_one_not_believed(place: Place) -> None:
    """Versions only rise, and decisions that were stamped with one must come out the same when repeated."""
    await place.publish(version(3))
    changed = document_of(version(3, valid_from=1))
    producer = AIOKafkaProducer(**place.client)
    await producer.start()
    await producer.send_and_wait(place.topic, wire.encode(changed), key=b"3", partition=0)
    await producer.stop()
    async with place.feed() as feed:
        with pytest.raises(PassedOverError):
            await feed.version(2)
        assert (await feed.version(3)).valid_from == 5

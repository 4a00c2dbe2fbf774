import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from signed_directories import ANCHOR, WHOLE, role, signed

from casework.directory import Directory
from casework.directory_checks import LEAD_MS
from casework.directory_keys import Signers
from casework.errors import EditRefusedError
from casework.messages import DirectoryDocument
from operations.embedded_kafka import EmbeddedKafka
from streams import provision, wire
from streams.clock import SystemClock
from streams.directory_feed import DirectoryFeed, NoDirectoryError, PassedOverError, document_of, publish
from streams.directory_trust import RolledBackError, TrustMemory
from streams.kafka_access import plaintext
from streams.topics import Topics

pytestmark = pytest.mark.kafka
SOON_MS = LEAD_MS + 30_000


def version(number: int, *, valid_in: int | None = None, signers: Signers | None = None) -> Directory:
    """Answer a directory version; successors take effect in time for everybody to read them."""
    start = 5 if valid_in is None else SystemClock().real_ms() + valid_in
    return msgspec.structs.replace(WHOLE, version=number, published_at=5, valid_from=start, signers=signers)


class Place:
    """The directory topic of one test."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.client: dict[str, Any] = {"bootstrap_servers": bootstrap}
        self.topic = Topics(prefix).directory
        table = Topics(prefix).all_for([], [], slot_count=1, partitions=1)
        provision.provision(
            plaintext(bootstrap), [t for t in table if t.name == self.topic], replication=1, min_insync=1
        )

    def feed(self, **trust: Any) -> DirectoryFeed:  # noqa: ANN401 - anchor and memory
        """Answer a feed that is not started."""
        return DirectoryFeed(self.client, self.topic, "test", clock=SystemClock(), **trust)

    async def publish(self, directory: Directory | DirectoryDocument, anchor: Signers | None = None) -> int:
        """Publish a version."""
        document = document_of(directory) if isinstance(directory, Directory) else directory
        return await publish(self.client, self.topic, document, clock=SystemClock(), anchor=anchor)

    async def send(self, value: bytes, key: bytes = b"3") -> None:
        """Write to the topic past all checks, as somebody who took it over."""
        producer = AIOKafkaProducer(**self.client)
        await producer.start()
        await producer.send_and_wait(self.topic, value, key=key, partition=0)
        await producer.stop()


@pytest.fixture
def place(kafka: EmbeddedKafka, topic_prefix: str) -> Place:
    """An empty directory topic."""
    return Place(kafka.bootstrap, topic_prefix)


async def test_a_missing_topic_and_an_empty_one_say_what_to_do(place: Place) -> None:
    """Before provisioning and before the first version the error names the command that is missing."""
    with pytest.raises(NoDirectoryError, match="run 'hx provision --apply'"):
        async with DirectoryFeed(place.client, f"{place.topic}-not-there", "test", clock=SystemClock()):
            pass
    async with place.feed() as feed:
        with pytest.raises(NoDirectoryError, match="run 'hx directory publish'"):
            feed.latest(5)


async def test_the_newest_version_valid_now_is_used_and_all_are_kept(place: Place) -> None:
    """A version counts from its own time on; earlier ones can still be asked for."""
    await place.publish(version(1))
    later = version(2, valid_in=SOON_MS)
    await place.publish(later)
    async with place.feed() as feed:
        moments = (5, later.valid_from - 1, later.valid_from)
        assert [feed.latest(now).version for now in moments] == [1, 1, 2]
        assert (await feed.version(1)).version == 1
        assert feed.newest_version == 2
        with pytest.raises(NoDirectoryError, match="valid yet"):
            feed.latest(4)


async def test_a_version_that_comes_later_is_waited_for_and_announced(place: Place) -> None:
    """Who needs a version that has not arrived gets it when it does; callbacks are told."""
    await place.publish(version(1))
    async with place.feed() as feed:
        told: asyncio.Future[Directory] = asyncio.get_running_loop().create_future()
        feed.on_change(told.set_result)
        waiting = asyncio.create_task(feed.version(2))
        await place.publish(version(2, valid_in=SOON_MS))
        assert (await waiting).version == (await told).version == 2


async def test_a_version_that_does_not_come_is_an_error_with_a_limit(place: Place) -> None:
    """Nobody waits for ever; the error names the version and the topic."""
    await place.publish(version(1))
    async with place.feed() as feed:
        with pytest.raises(NoDirectoryError, match=f"version 7.*{place.topic}"):
            await feed.version(7, wait_s=0.01)


async def test_a_version_cannot_be_published_with_other_bytes_or_out_of_order(place: Place) -> None:
    """The same again adds no record; anything else under an old number is refused."""
    offset = await place.publish(version(2))
    assert await place.publish(version(2)) == offset
    with pytest.raises(EditRefusedError, match="other bytes"):
        await place.publish(version(2, valid_in=SOON_MS))
    with pytest.raises(EditRefusedError, match="published already"):
        await place.publish(version(1, valid_in=SOON_MS))
    assert await place.publish(version(3, valid_in=SOON_MS)) == offset + 1


@pytest.mark.parametrize("valid_in", [-SOON_MS, 0, LEAD_MS - 1_000])
async def test_a_successor_is_published_a_minute_before_it_takes_effect(place: Place, valid_in: int) -> None:
    """One that would take effect sooner is refused, and leaves nothing on the topic."""
    first = await place.publish(version(1))
    with pytest.raises(EditRefusedError, match=r"valid_from: at least 60 s.*too_early"):
        await place.publish(version(2, valid_in=valid_in))
    assert await place.publish(version(2, valid_in=SOON_MS)) == first + 1


async def test_documents_that_may_not_be_used_here_are_left_out(place: Place) -> None:
    """Garbage, another environment's directory and one that comes too late change nothing for anybody."""
    await place.publish(version(1))
    await place.send(wire.encode(document_of(msgspec.structs.replace(version(2), environment="demo"))))
    await place.send(b"garbage")
    await place.send(wire.encode(document_of(version(2, valid_in=0))))
    async with place.feed() as feed:
        assert (feed.newest_version, feed.latest(5).version) == (1, 1)


async def test_a_version_passed_over_is_not_waited_for_and_a_changed_one_not_believed(place: Place) -> None:
    """Versions only rise, and decisions that were stamped with one must come out the same when repeated."""
    await place.publish(version(3))
    await place.send(wire.encode(document_of(version(3, valid_in=SOON_MS))), b"x")
    async with place.feed() as feed:
        with pytest.raises(PassedOverError):
            await feed.version(2)
        assert (await feed.version(3)).valid_from == 5


async def test_publishing_needs_the_signatures_that_readers_need(place: Place) -> None:
    """Too few of the anchor's, then too few of the version before, are refused before anything is sent."""
    first = version(1, signers=ANCHOR)
    for names in ((), ("anna",), ("anna", "dora")):
        with pytest.raises(EditRefusedError, match="too_few_signatures"):
            await place.publish(signed(first, *names), ANCHOR)
    await place.publish(signed(first, "anna", "bert"), ANCHOR)
    handed_over = version(2, valid_in=SOON_MS, signers=role(1, "dora"))
    with pytest.raises(EditRefusedError, match="too_few_signatures"):
        await place.publish(signed(handed_over, "dora"), ANCHOR)
    await place.publish(signed(handed_over, "anna", "bert", "dora"), ANCHOR)


async def test_whoever_holds_the_topic_cannot_make_or_take_back_a_version(
    place: Place, tmp_path: Path
) -> None:
    """Forged versions are not believed, and after a restart a topic that was cut back is refused."""
    memory = TrustMemory.of(tmp_path, place.topic)
    first = signed(version(1, signers=ANCHOR), "anna", "bert")
    await place.publish(first, ANCHOR)
    async with place.feed(anchor=ANCHOR, memory=memory) as feed:
        await place.send(wire.encode(signed(version(2, valid_in=SOON_MS, signers=role(1, "dora")), "dora")))
        third = signed(version(3, valid_in=SOON_MS, signers=ANCHOR), "bert", "carla")
        await place.publish(third, ANCHOR)
        assert (await feed.version(3)).version == 3
        assert feed.known(2) is None
    other = Place(place.client["bootstrap_servers"], f"cut-{place.topic}")
    await other.publish(first, ANCHOR)
    with pytest.raises(RolledBackError, match="version 3 was believed here"):
        async with other.feed(anchor=ANCHOR, memory=memory):
            pass

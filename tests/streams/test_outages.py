"""What the transport promises through outages, on real brokers, with the ids of all records compared."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import struct
import subprocess
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from copying import OUT, create_all, until_delivered, workers

from operations.embedded_kafka import EmbeddedKafka
from streams.publishing import BatchPublisher, Outgoing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from conftest import Topics

pytestmark = pytest.mark.kafka

#: Slow enough that every fault hits work in hand.
PACED = {"delay": 0.1, "max_records": 20}
PRODUCE, METADATA, COORDINATOR = 0, 3, 10


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """Start a broker that the tests of this module may kill."""
    directory = tmp_path_factory.mktemp("mortal")
    with EmbeddedKafka.start(
        directory, heap_mb=192, quick=True, dies_with_parent=True, security="none"
    ) as broker:
        yield broker


@pytest.fixture
def mortal_topics(mortal: EmbeddedKafka, topics_on: Callable[[EmbeddedKafka], Topics]) -> Topics:
    """Return topics on that broker."""
    return topics_on(mortal)


async def restart(broker: EmbeddedKafka, topics: Topics) -> None:
    """Start the broker again and return when it serves the topics."""
    await asyncio.to_thread(broker.restart)
    await asyncio.to_thread(topics.wait_until_served, "in0", *OUT)


async def until_committed(topics: Topics, wanted: int) -> None:
    """Return when the group has committed so many records."""
    while sum(topics.committed("group0").values()) < wanted:  # noqa: ASYNC110 - only the broker knows
        await asyncio.sleep(0.1)


async def test_a_broker_killed_under_load_stops_no_worker_and_doubles_nothing(
    mortal: EmbeddedKafka, mortal_topics: Topics
) -> None:
    """After SIGKILL and restart both workers go on by themselves: each id arrives once, all is committed."""
    create_all(mortal_topics)
    await mortal_topics.fill("in0", 4, range(3000))
    async with workers(mortal_topics) as start:
        pair = [await start(**PACED), await start(**PACED)]
        for worker in pair:
            await worker.said("READY")
        await until_delivered(mortal_topics, 100)
        assert len(await mortal_topics.values(OUT)) < 3000, "the load ended before the kill"
        mortal.kill()
        await restart(mortal, mortal_topics)
        await until_delivered(mortal_topics, 3000)
        await until_committed(mortal_topics, 3000)
        ended = [await worker.end(signal.SIGTERM) for worker in pair]
        assert [code for code, _ in ended] == [0, 0], ended
    assert sorted(await mortal_topics.values(OUT)) == list(range(3000))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a directory on a file system of 64 MiB, which only root can have made."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None or os.geteuid() != 0:
        pytest.skip("needs a small file system, which only root may mount")
    subprocess.run([mount, "-t", "tmpfs", "-o", "size=64m", "tmpfs", tmp_path], check=True)
    try:
        yield tmp_path
    finally:
        subprocess.run([umount, tmp_path], check=True)


async def test_a_broker_whose_disk_is_full_loses_nothing(
    small_disk: Path, topics_on: Callable[[EmbeddedKafka], Topics]
) -> None:
    """It ends in the middle of the load; with room again the worker goes on, and each id arrives once."""
    with EmbeddedKafka.start(
        small_disk / "kafka", heap_mb=192, quick=True, dies_with_parent=True, security="none"
    ) as broker:
        topics = topics_on(broker)
        create_all(topics)
        await topics.fill("in0", 4, range(3000), size=1000)
        async with workers(topics) as start:
            worker = await start(**PACED)
            await worker.said("READY")
            await until_delivered(topics, 100)
            ballast = small_disk / "ballast"
            await asyncio.to_thread(fill_up, ballast, lambda: not broker.is_alive())
            ballast.unlink()
            await restart(broker, topics)
            await until_delivered(topics, 3000)
            await until_committed(topics, 3000)
            code, logged = await worker.end(signal.SIGTERM)
            assert code == 0, logged
        assert sorted(await topics.values(OUT)) == list(range(3000))


def fill_up(file: Path, is_enough: Callable[[], bool]) -> None:
    """Take all room that there is, again and again."""
    with file.open("wb", buffering=0) as opened:
        while not is_enough():
            try:
                opened.write(b"\0" * 65536)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                time.sleep(0.05)


async def test_an_outage_longer_than_the_patience_commits_nothing_unconfirmed(
    mortal: EmbeddedKafka, mortal_topics: Topics
) -> None:
    """The worker gives up with 70; what it had committed is there, its successor brings the rest."""
    create_all(mortal_topics)
    await mortal_topics.fill("in0", 4, range(2000))
    patience = {"confirm_timeout": 2.0, "group_patience": 2.0}
    async with workers(mortal_topics) as start:
        worker = await start(**PACED, worker=patience)
        await worker.said("READY")
        await until_delivered(mortal_topics, 100)
        mortal.kill()
        code, logged = await worker.end()
        assert code == 70
        assert "stopping without a commit" in logged
        await restart(mortal, mortal_topics)
        arrived = set(await mortal_topics.values(OUT))
        for (_, partition), offset in mortal_topics.committed("group0").items():
            assert arrived.issuperset(range(partition, 4 * offset, 4))
        await start()
        assert set(await until_delivered(mortal_topics, 2000)) == set(range(2000))


async def test_a_worker_that_slept_through_its_session_stops_and_the_other_does_its_work(
    topics: Topics,
) -> None:
    """SIGSTOP with work in hand: no id is missing, the sleeper ends with 70, repeated is what it held."""
    create_all(topics)
    async with workers(topics) as start:
        sleeper = await start(**PACED)
        await sleeper.said("READY")
        other = await start()
        await other.said("READY")
        await topics.fill("in0", 4, range(3000))
        # The other does its half at once; what is there beyond is the sleeper's, which has the rest in hand.
        await until_delivered(topics, 1600)
        sleeper.process.send_signal(signal.SIGSTOP)
        values = await until_delivered(topics, 3000)
        code, logged = await sleeper.end(signal.SIGCONT)
        assert (await other.end(signal.SIGTERM))[0] == 0
    assert code == 70
    assert "stopping without a commit" in logged
    repeated = [number for number, times in Counter(await topics.values(OUT)).items() if times > 1]
    # Two partitions, one call of 20 records in each, and what was finished after the last commit.
    assert len(repeated) <= 2 * 20 * (1 + 0.5 / PACED["delay"])
    assert set(values) == set(range(3000))


async def test_two_processes_with_one_instance_id_do_not_fight(topics: Topics) -> None:
    """The older ends with 78, although it is idle; the newer goes on, and nothing is missing."""
    create_all(topics)
    async with workers(topics) as start:
        older = await start(instance_id="one")
        await older.said("READY")
        newer = await start(instance_id="one")
        code, logged = await older.end()
        assert code == 78
        assert "another process uses the instance id one" in logged
        await newer.said("READY")
        await topics.fill("in0", 4, range(500))
        await until_delivered(topics, 500)
        assert (await newer.end(signal.SIGTERM))[0] == 0
    assert sorted(await topics.values(OUT)) == list(range(500))


class ReplyThief:
    """A way to a broker that passes produce requests on and cuts the connection before some answers."""

    def __init__(self, bootstrap: str, steal_every: int) -> None:
        host, port = bootstrap.split(":")
        self.broker = (host, int(port))
        self.port = 0
        self.stolen = 0
        self._requests = 0
        self._steal_every = steal_every

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Serve one connection until either side closes it."""
        broker, to_broker = await asyncio.open_connection(*self.broker)
        kinds: dict[int, int] = {}
        to_steal: set[int] = set()

        async def there() -> None:
            while True:
                body = await _frame(client)
                kind, _, number = struct.unpack_from(">hhi", body)
                kinds[number] = kind
                if kind == PRODUCE:
                    self._requests += 1
                    if self._requests % self._steal_every == 0:
                        to_steal.add(number)
                to_broker.write(struct.pack(">i", len(body)) + body)

        async def back() -> None:
            while True:
                body = await _frame(broker)
                (number,) = struct.unpack_from(">i", body)
                if number in to_steal:
                    self.stolen += 1
                    return
                if kinds.pop(number) in (METADATA, COORDINATOR):  # they name the broker itself
                    body = body.replace(struct.pack(">i", self.broker[1]), struct.pack(">i", self.port))
                to_client.write(struct.pack(">i", len(body)) + body)

        ways = [asyncio.create_task(there()), asyncio.create_task(back())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        to_client.close()
        to_broker.close()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (length,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(length)


@asynccontextmanager
async def thief_before(bootstrap: str, steal_every: int) -> AsyncIterator[ReplyThief]:
    """Give a thief that listens."""
    thief = ReplyThief(bootstrap, steal_every)
    server = await asyncio.start_server(thief.serve, "127.0.0.1", 0)
    thief.port = server.sockets[0].getsockname()[1]
    try:
        yield thief
    finally:
        server.close()


async def test_replies_lost_on_the_way_double_nothing(topics: Topics) -> None:
    """Each third produce request gets its answer cut off: the log has each record once, in order."""
    topics.create(2, "a")
    async with (
        thief_before(topics.bootstrap, steal_every=3) as thief,
        AIOKafkaProducer(bootstrap_servers=f"127.0.0.1:{thief.port}") as producer,
    ):
        publisher = BatchPublisher(producer)
        for first in range(0, 600, 20):
            records = [
                Outgoing(topics.prefix + "a", number % 2, b"k", b"%d" % number)
                for number in range(first, first + 20)
            ]
            assert (await publisher.publish(records)).records == 20
        await publisher.close()
    found = await topics.read("a")
    assert thief.stolen >= 10
    for partition in (0, 1):
        assert [int(value or b"-1") for _, value in found["a", partition]] == list(range(partition, 600, 2))

"""When the broker appended what: read after the work is done, so that reading is no load on it.

All topics of the benchmarks use LogAppendTime, so both ends of every way share the broker's clock; its
resolution is one millisecond.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.processes import Contestant, ContestantError
from operations.reading import TopicReader
from streams.kafka_access import KafkaAccess, plaintext

Where = str | KafkaAccess
"""Address of plaintext brokers, or the whole way into others."""

_POLL_S: Final = 0.1
_READ_PATIENCE_S: Final = 120.0
# The start is left out only when at least this share came after the first look.
_ENOUGH: Final = 0.2


class Appended(NamedTuple):
    """A record as it lies in Kafka; `at` in milliseconds since the epoch."""

    topic: str
    at: int
    key: bytes | None
    value: bytes | None


class Latency(msgspec.Struct, frozen=True):
    """Quantiles in milliseconds."""

    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, waits_ms: Sequence[float]) -> "Latency":
        """The quantiles of a sample.

        Raises:
            ContestantError: The sample is too small.
        """
        if len(waits_ms) < 2:  # noqa: PLR2004 - one value has no quantiles
            raise ContestantError(f"{len(waits_ms)} records are too few for quantiles")
        cuts = statistics.quantiles(waits_ms, n=100, method="inclusive")
        return cls(cuts[49], cuts[98], max(waits_ms))


def access_to(where: Where) -> KafkaAccess:
    """The way into the brokers."""
    return plaintext(where) if isinstance(where, str) else where


def wait_for_count(
    bootstrap: Where, topics: Iterable[str], wanted: int, patience_s: float, check: Callable[[], None]
) -> None:
    """Wait until topics hold `wanted` records; `check` is called with each look.

    Raises:
        ContestantError: They do not after `patience_s` seconds.
    """
    names = tuple(topics)
    until = time.monotonic() + patience_s
    with TopicReader(access_to(bootstrap)) as reader:
        while (count := reader.count(*names)) < wanted:
            check()
            if time.monotonic() > until:
                raise ContestantError(f"{count} of {wanted} records after {patience_s:.0f} s")
            time.sleep(_POLL_S)


def cpu_of_records(
    bootstrap: Where, topics: Iterable[str], wanted: int, patience_s: float, contestant: Contestant
) -> float:
    """Wait for `wanted` records of a contestant; answers its CPU seconds a record, the start left out.

    With few records, which were all there at the first look, the start is in it.

    Raises:
        ContestantError: It ended, or they were not there after `patience_s` seconds.
    """
    names = tuple(topics)
    wait_for_count(bootstrap, names, 1, patience_s, contestant.check)
    with TopicReader(access_to(bootstrap)) as reader:
        before, used = reader.count(*names), contestant.cpu_seconds()
    wait_for_count(bootstrap, names, wanted, patience_s, contestant.check)
    if wanted - before < wanted * _ENOUGH:
        return contestant.cpu_seconds() / wanted
    return (contestant.cpu_seconds() - used) / (wanted - before)


def read(bootstrap: Where, topics: Iterable[str]) -> list[Appended]:
    """All records of topics, in no promised order.

    Raises:
        ContestantError: Reading took longer than 120 s.
    """
    try:
        return asyncio.run(asyncio.wait_for(_read(bootstrap, tuple(topics)), _READ_PATIENCE_S))
    except TimeoutError as error:
        raise ContestantError(f"the topics could not be read in {_READ_PATIENCE_S:.0f} s") from error


async def _read(bootstrap: Where, topics: tuple[str, ...]) -> list[Appended]:
    consumer: Any = AIOKafkaConsumer(
        **access_to(bootstrap).client_settings(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
        fetch_max_bytes=64 << 20,
        check_crcs=False,
    )
    await consumer.start()
    try:
        known = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - the only way to ask for all
        places = [TopicPartition(t, p) for t in topics for p in sorted(known.partitions_for_topic(t) or ())]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        left = {place for place in places if ends[place]}
        found: list[Appended] = []
        while left:
            for polled in (await consumer.getmany(*left, timeout_ms=200, max_records=20_000)).values():
                found += [Appended(r.topic, r.timestamp, r.key, r.value) for r in polled]
            left = {place for place in left if await consumer.position(place) < ends[place]}
        return found
    finally:
        await consumer.stop()


def rate(times: Iterable[int], *, last_share: float = 1.0) -> float:
    """Records a second of append times in milliseconds, of the last share of them.

    The records of the first append do not count: the work on them was done before the time begins.

    Raises:
        ContestantError: All arrived at once; the sample is too small to say anything.
    """
    ordered = sorted(times)
    ordered = ordered[round(len(ordered) * (1 - last_share)) :]
    later = [at for at in ordered if at > ordered[0]]
    if not later:
        raise ContestantError(f"{len(ordered)} records arrived in one append; more are needed")
    return len(later) * 1000 / (later[-1] - ordered[0])


def waits(before: dict[bytes, int], after: dict[bytes, int]) -> list[float]:
    """Milliseconds from one to the other for every key of the first.

    Raises:
        ContestantError: A key never arrived.
    """
    missing = before.keys() - after.keys()
    if missing:
        raise ContestantError(f"{len(missing)} of {len(before)} records never arrived")
    return [float(after[key] - at) for key, at in before.items()]

"""Times as the broker stamped them: all topics use LogAppendTime, so both ends of a way share one clock."""

import statistics
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from casework.messages import Delivery
from operations.reading import TopicReader
from schemas.codec import name_of
from streams import wire

_POLL_S: Final = 0.25


class Latency(msgspec.Struct, frozen=True):
    """Quantiles in milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, waits_ms: Iterable[float]) -> "Latency":
        """The quantiles of a sample."""
        cuts = statistics.quantiles(waits_ms, n=100, method="inclusive")
        return cls(cuts[49], cuts[98])


def wait_for(bootstrap: str, topics: Iterable[str], done: Callable[[int], bool], patience_s: float) -> None:
    """Wait until the number of records in topics satisfies `done`.

    Raises:
        TimeoutError: It did not within `patience_s` seconds.
    """
    names = tuple(topics)
    until = time.monotonic() + patience_s
    with TopicReader(bootstrap) as reader:
        while not done(count := reader.count(*names)):
            if time.monotonic() > until:
                raise TimeoutError(f"{count} records after {patience_s:.0f} s")
            time.sleep(_POLL_S)


def submitted_at(bootstrap: str, *topics: str) -> dict[bytes, int]:
    """Url key to the time its record was appended; milliseconds since the epoch."""
    with TopicReader(bootstrap) as reader:
        return {record.key or b"": record.timestamp for record in reader.whole(*topics)}


def arrivals(bootstrap: str, *topics: str) -> list[int]:
    """When each record of topics was appended; milliseconds since the epoch."""
    with TopicReader(bootstrap) as reader:
        return [record.timestamp for record in reader.whole(*topics)]


def assigned_at(bootstrap: str, inboxes: Iterable[str]) -> dict[bytes, int]:
    """Url key to the time its assignment was appended to the responsible hotline's inbox."""
    found: dict[bytes, int] = {}
    with TopicReader(bootstrap) as reader:
        for record in reader.whole(*inboxes):
            if record.value is None or name_of(record.value) != "Delivery":
                continue
            delivery = wire.decode_as(Delivery, record.value)
            if delivery.kind == "assignment":
                found.setdefault(delivery.url_key, record.timestamp)
    return found


def waits(before: dict[bytes, int], after: dict[bytes, int]) -> list[float]:
    """Milliseconds from one to the other for every key of the first.

    Raises:
        ValueError: A key never arrived.
    """
    missing = before.keys() - after.keys()
    if missing:
        raise ValueError(f"{len(missing)} of {len(before)} records never arrived")
    return [float(after[key] - at) for key, at in before.items()]


def rate(arrivals: Iterable[int]) -> float:
    """Records a second after the first append of arrival times in milliseconds.

    The records of the first append do not count: the work on them was done before the time begins.

    Raises:
        ValueError: All arrived at once; the sample is too small to say anything.
    """
    times = sorted(arrivals)
    later = [time for time in times if time > times[0]]
    if not later:
        raise ValueError(f"{len(times)} records arrived in one append; more are needed")
    return len(later) * 1000 / (later[-1] - times[0])

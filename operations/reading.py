"""Reading whole topics with an independent consumer, for the tools that look, count and compare."""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, Self

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError

from casework.errors import TemporaryError
from streams.kafka_access import KafkaAccess
from streams.refusals import check_access

_POLL_MS: Final = 200
_CONNECT_MS: Final = 10_000
_AT_ONCE: Final = 5_000


class KafkaUnreachableError(TemporaryError):
    """No broker answered; start it or correct the address."""


class Record(NamedTuple):
    """A record as it lies in Kafka; timestamp in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class TopicReader:
    """Reads topics without a group, so that looking changes nothing. Use as a context manager.

    Args:
        access: Where the brokers are, and who reads.

    Raises:
        BrokersRefuseError: The brokers do not let this principal in.
        KafkaUnreachableError: No broker answered within 10 s.
    """

    def __init__(self, access: KafkaAccess) -> None:
        self._access = access
        self._client = access.client_settings()
        check_access(self._client)
        self._consumer: Any = self._connected()
        self._others: list[Any] = []
        self._known: dict[str, list[int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()
        for other in self._others:
            other.close()

    def topics(self) -> frozenset[str]:
        """Names of all topics that may be read."""
        return frozenset(self._consumer.topics())

    def count(self, *topics: str) -> int:
        """Number of offsets written in topics so far; those of unknown topics are none."""
        places = self._places(topics)
        return sum(self._consumer.end_offsets(places).values()) if places else 0

    def partitions(self, topic: str) -> int:
        """Number of partitions; 0 for an unknown topic."""
        return len(self._places((topic,)))

    def begins(self, topic: str) -> dict[int, int]:
        """First offset still there, by partition."""
        found = self._consumer.beginning_offsets(self._places((topic,)))
        return {place.partition: offset for place, offset in found.items()}

    def ends(self, topic: str) -> dict[int, int]:
        """Offset behind the last record, by partition."""
        found = self._consumer.end_offsets(self._places((topic,)))
        return {place.partition: offset for place, offset in found.items()}

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Offset a group has committed, by partition; 0 where it has none.

        Raises:
            KafkaUnreachableError: The broker went away.
        """
        try:
            admin: Any = KafkaAdminClient(**self._client)
            try:
                places = self._places((topic,))
                found = admin.list_group_offsets({group: places}).get(group, {})
            finally:
                admin.close()
        except KafkaError as error:
            raise KafkaUnreachableError(f"the offsets of group {group} could not be read") from error
        offsets = {place.partition: found[place].offset if place in found else 0 for place in places}
        return {partition: max(offset, 0) for partition, offset in offsets.items()}

    def part(self, topic: str, partition: int, first: int = 0) -> Iterator[Record]:
        """Records of one partition from an offset to the end, with a consumer of its own.

        Raises:
            KafkaUnreachableError: The broker went away.
        """
        if partition >= self.partitions(topic):
            return
        place = TopicPartition(topic, partition)
        consumer = self._spare()
        try:
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            consumer.seek(place, max(first, consumer.beginning_offsets([place])[place]))
            while consumer.position(place) < end:
                for records in consumer.poll(timeout_ms=_POLL_MS, max_records=_AT_ONCE).values():
                    for r in records:
                        if r.offset < end:
                            yield Record(
                                topic,
                                partition,
                                r.offset,
                                r.timestamp,
                                r.key,
                                r.value,
                                tuple(r.headers or ()),
                            )
        except KafkaTimeoutError as error:
            raise KafkaUnreachableError("Kafka stopped answering while a topic was read") from error
        finally:
            self._others.append(consumer)

    def _spare(self) -> Any:  # noqa: ANN401 - kafka-python is untyped
        return self._others.pop() if self._others else self._connected()

    def _connected(self) -> Any:  # noqa: ANN401 - kafka-python is untyped
        try:
            return KafkaConsumer(
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                bootstrap_timeout_ms=_CONNECT_MS,
                **self._client,
            )
        except (KafkaError, OSError) as error:
            raise KafkaUnreachableError(
                f"no Kafka answers at {self._access.bootstrap}: "
                "start one with 'hx kafka start' or set HX_BOOTSTRAP"
            ) from error

    def whole(self, *topics: str) -> Iterator[Record]:
        """Every record from the beginning to the end as it was at the call; unknown topics have none.

        Raises:
            KafkaUnreachableError: The broker went away.
        """
        try:
            places = self._places(topics)
            if not places:
                return
            self._consumer.assign(places)
            self._consumer.seek_to_beginning(*places)
            ends = self._consumer.end_offsets(places)
            left = {place for place in places if self._consumer.position(place) < ends[place]}
            while left:
                for record in self._poll(sorted(left)):
                    if record.offset < ends[TopicPartition(record.topic, record.partition)]:
                        yield record
                left = {place for place in left if self._consumer.position(place) < ends[place]}
        except KafkaTimeoutError as error:
            raise KafkaUnreachableError("Kafka stopped answering while a topic was read") from error

    def follow(self, *topics: str, since_ms: int | None = None, stop: Callable[[], bool]) -> Iterator[Record]:
        """Records as they arrive, first those since `since_ms`, until `stop` answers true.

        Args:
            topics: What to read.
            since_ms: Log-append time to begin with, milliseconds since the epoch; None begins at the end.
            stop: Asked after each look, at least five times a second.
        """
        places = self._places(topics)
        if not places:
            return
        self._consumer.assign(places)
        if since_ms is None:
            self._consumer.seek_to_end(*places)
        else:
            self._seek(places, since_ms)
        while not stop():
            yield from self._poll(places)

    def _seek(self, places: list[TopicPartition], since_ms: int) -> None:
        ends = self._consumer.end_offsets(places)
        found = self._consumer.offsets_for_times(dict.fromkeys(places, since_ms))
        for place in places:
            self._consumer.seek(place, found[place].offset if found.get(place) else ends[place])

    def _places(self, topics: tuple[str, ...]) -> list[TopicPartition]:
        if any(topic not in self._known for topic in topics):
            # Asking costs a round trip for all metadata, so it is asked only about what is not known yet.
            there = self.topics()
            for topic in topics:
                if topic in there:
                    self._known[topic] = sorted(self._consumer.partitions_for_topic(topic) or ())
        return [
            TopicPartition(topic, partition) for topic in topics for partition in self._known.get(topic, ())
        ]

    def _poll(self, places: list[TopicPartition]) -> list[Record]:
        polled = self._consumer.poll(timeout_ms=_POLL_MS, max_records=_AT_ONCE)
        records = [
            Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers or ()))
            for place in places
            for r in polled.get(place, ())
        ]
        records.sort(key=lambda record: record.timestamp)
        return records

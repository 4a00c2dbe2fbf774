"""The produce request as bytes, written and read without a library's general codec.

aiokafka describes requests field by field and walks that description for every partition of every request;
for the small batches of a quiet exchange this was most of what a send cost. The layout is that of version 7
(Kafka 2.1 and later, up to now): https://kafka.apache.org/protocol#The_Messages_Produce. Objects of this
module take the place of aiokafka's own in ``AIOKafkaClient.send``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import RequestHeader_v1, ResponseHeader_v0

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from io import BytesIO

_PRODUCE: Final = 0
_VERSION: Final = 7
_ALL_REPLICAS: Final = -1
_HEAD: Final = struct.Struct(">hhii")  # no transactional id, acks, timeout, number of topics
_SHORT: Final = struct.Struct(">h")
_INT: Final = struct.Struct(">i")
_PARTITION: Final = struct.Struct(">ii")
_ANSWER: Final = struct.Struct(">ihqqq")


class Answer(NamedTuple):
    """What a broker says about one batch.

    Attributes:
        topic: the topic.
        partition: the partition.
        code: Kafka's error code, 0 for none.
        offset: of the first record; -1 when the broker knows only that it has the batch already.
        append_time: the broker's clock, ms since epoch; -1 where the topic keeps the sender's time.
    """

    topic: str
    partition: int
    code: int
    offset: int
    append_time: int


class ProduceAnswers:
    """Reads a produce response."""

    @classmethod
    def decode(cls, data: BytesIO) -> list[Answer]:
        """Return the answers of all partitions."""
        raw = data.read()
        answers = []
        (topics,) = _INT.unpack_from(raw, 0)
        at = 4
        for _ in range(topics):
            (length,) = _SHORT.unpack_from(raw, at)
            at += 2
            topic = raw[at : at + length].decode()
            at += length
            (partitions,) = _INT.unpack_from(raw, at)
            at += 4
            for _ in range(partitions):
                partition, code, offset, append_time, _log_start = _ANSWER.unpack_from(raw, at)
                at += _ANSWER.size
                answers.append(Answer(topic, partition, code, offset, append_time))
        return answers


class ProduceBatches:
    """A produce request with acks=all.

    Args:
        batches: (topic, partition, record batch as bytes); a partition at most once.
        timeout_ms: how long the broker may wait for the other replicas.
    """

    API_KEY = _PRODUCE
    API_VERSION = _VERSION
    RESPONSE_TYPE = ProduceAnswers

    def __init__(self, batches: Sequence[tuple[str, int, bytes]], timeout_ms: int) -> None:
        self._batches = batches
        self._timeout_ms = timeout_ms

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> ProduceBatches:
        """Return what is sent to a broker that speaks `versions`.

        Raises:
            IncompatibleBrokerVersion: it does not speak version 7.
        """
        lowest, highest = versions.get(_PRODUCE, (0, 0))
        if not lowest <= _VERSION <= highest:
            raise IncompatibleBrokerVersion(f"produce {_VERSION} is needed, {lowest} to {highest} are spoken")
        return self

    def build_request_header(self, correlation_id: int, client_id: str) -> Any:  # noqa: ANN401 - untyped library
        """Return the header, for aiokafka."""
        return RequestHeader_v1(self, correlation_id=correlation_id, client_id=client_id)

    def parse_response_header(self, data: BytesIO) -> Any:  # noqa: ANN401 - untyped library
        """Read the header of the response, for aiokafka."""
        return ResponseHeader_v0.decode(data)

    def encode(self) -> bytes:
        """Return the body."""
        topics: dict[str, list[bytes]] = {}
        for topic, partition, batch in self._batches:
            topics.setdefault(topic, []).extend((_PARTITION.pack(partition, len(batch)), batch))
        parts = [_HEAD.pack(-1, _ALL_REPLICAS, self._timeout_ms, len(topics))]
        for topic, pieces in topics.items():
            name = topic.encode()
            parts += (_SHORT.pack(len(name)), name, _INT.pack(len(pieces) // 2), *pieces)
        return b"".join(parts)

    def __repr__(self) -> str:
        return f"ProduceBatches({len(self._batches)} partitions)"

"""Fetch requests of many partitions, most of them idle, without a general description of the protocol.

aiokafka walks such a description for every partition of every request and answer, and then looks at each in
turn. A consumer of 99 partitions spent a third of its main thread there at 500 records a second. Here a
partition without news costs one unpacking, and aiokafka does not hear of it: its mark of the newest record
(`highwater`) is then that of the last fetch that brought something.
"""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, Any, Final

from aiokafka.consumer.fetcher import Fetcher
from aiokafka.protocol.api import RequestHeader_v1, ResponseHeader_v0
from aiokafka.protocol.fetch import FetchRequest

from streams.transport_errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BytesIO

VERSION: Final = 11
_FETCH: Final = 1
# Replica, longest wait, least and most bytes, isolation, session and its epoch (none), number of topics.
_HEAD: Final = struct.Struct(">iiiibiii")
_WANTED: Final = struct.Struct(">iiqqi")
_ANSWER_HEAD: Final = struct.Struct(">ihii")
_ANSWER: Final = struct.Struct(">ihqqqi")
_PAIR: Final = struct.Struct(">qq")
_SHORT: Final = struct.Struct(">h")
_INT: Final = struct.Struct(">i")
_REST: Final = struct.Struct(">ii")
_UNKNOWN: Final = -1


class FetchedPartitions:
    """A fetch response, as aiokafka's fetcher reads it.

    Attributes:
        topics: (topic, partitions with news: partition, error code, offset behind the newest record, last
            stable offset, first offset, aborted transactions, preferred replica, record batches).
    """

    API_VERSION = VERSION

    def __init__(self, topics: list[tuple[str, list[tuple[Any, ...]]]]) -> None:
        self.topics = topics

    @classmethod
    def decode(cls, data: BytesIO) -> FetchedPartitions:
        """Read a response of version 11 without the partitions that have no records, error or replica."""
        raw = data.read()
        _, _, _, count = _ANSWER_HEAD.unpack_from(raw, 0)
        at = _ANSWER_HEAD.size
        topics = []
        for _ in range(count):
            (length,) = _SHORT.unpack_from(raw, at)
            topic = raw[at + 2 : at + 2 + length].decode()
            (partitions,) = _INT.unpack_from(raw, at + 2 + length)
            at += 6 + length
            found = []
            for _ in range(partitions):
                *head, aborted = _ANSWER.unpack_from(raw, at)
                at += _ANSWER.size
                pairs = [_PAIR.unpack_from(raw, at + _PAIR.size * number) for number in range(aborted)]
                at += _PAIR.size * len(pairs)
                replica, size = _REST.unpack_from(raw, at)
                at += _REST.size
                if size > 0 or head[1] or replica != _UNKNOWN:
                    found.append((*head, pairs, replica, raw[at : at + max(size, 0)]))
                at += max(size, 0)
            topics.append((topic, found))
        return cls(topics)


class LeanFetch:
    """What is sent of a `LeanFetchRequest`."""

    API_KEY = _FETCH
    API_VERSION = VERSION
    RESPONSE_TYPE = FetchedPartitions

    def __init__(self, body: bytes) -> None:
        self._body = body

    def build_request_header(self, correlation_id: int, client_id: str) -> Any:  # noqa: ANN401 - untyped library
        """Return the header, for aiokafka."""
        return RequestHeader_v1(self, correlation_id=correlation_id, client_id=client_id)

    def parse_response_header(self, data: BytesIO) -> Any:  # noqa: ANN401 - untyped library
        """Read the header of the response, for aiokafka."""
        return ResponseHeader_v0.decode(data)

    def encode(self) -> bytes:
        """Return the body."""
        return self._body

    def __repr__(self) -> str:
        return f"LeanFetch({len(self._body)} bytes)"


class LeanFetchRequest(FetchRequest):
    """aiokafka's request; to brokers that do not speak version 11 (Kafka 2.3) it is just that."""

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> Any:  # noqa: ANN401 - untyped library
        """Return what is sent to a broker that speaks `versions`."""
        lowest, highest = versions.get(_FETCH, (0, 0))
        if not lowest <= VERSION <= highest:
            return super().prepare(versions)
        parts = [
            _HEAD.pack(
                -1, self._max_wait_ms, self._min_bytes, self._max_bytes, self._isolation_level,
                0, -1, len(self._topics),
            )
        ]  # fmt: skip
        for topic, partitions in self._topics:
            name = topic.encode()
            parts += (_SHORT.pack(len(name)), name, _INT.pack(len(partitions)))
            parts += [
                _WANTED.pack(partition, _UNKNOWN, offset, _UNKNOWN, size)
                for partition, offset, size in partitions
            ]
        rack = self._rack_id.encode()
        parts += (_INT.pack(0), _SHORT.pack(len(rack)), rack)
        return LeanFetch(b"".join(parts))


def use_lean_fetches() -> None:
    """Let every consumer of this process fetch so; calling it again changes nothing.

    Raises:
        ConfigurationError: This aiokafka makes its requests in another way.
    """
    maker = sys.modules[Fetcher.__module__]
    if not hasattr(maker, "FetchRequest"):
        raise ConfigurationError(f"{maker.__name__} fetches in another way than aiokafka 0.14")
    vars(maker)["FetchRequest"] = LeanFetchRequest

"""Fetch requests and answers of many partitions without a general description of the protocol.

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
    from collections.abc import Iterable, Mapping
    from io import BytesIO

VERSION: Final = 11
_FETCH: Final = 1
#: Session and epoch of a request without a session.
NO_SESSION: Final = (0, -1)
# Replica, longest wait, least and most bytes, isolation, session and its epoch, number of topics.
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
        error_code: of the whole; 0 when there is none.
        session: id of the session that the broker keeps, 0 for none.
        topics: (topic, partitions with news: partition, error code, offset behind the newest record, last
            stable offset, first offset, aborted transactions, preferred replica, record batches).
    """

    API_VERSION = VERSION

    def __init__(
        self, error_code: int, session: int, topics: list[tuple[str, list[tuple[Any, ...]]]]
    ) -> None:
        self.error_code = error_code
        self.session = session
        self.topics = topics

    @classmethod
    def decode(cls, data: BytesIO) -> FetchedPartitions:
        """Read a response of version 11 without the partitions that have no records, error or replica."""
        raw = data.read()
        _, error_code, session, count = _ANSWER_HEAD.unpack_from(raw, 0)
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
        return cls(error_code, session, topics)


class LeanFetch:
    """What is sent of a request; `answer` reads the response."""

    API_KEY = _FETCH
    API_VERSION = VERSION

    def __init__(self, body: bytes, answer: Any = FetchedPartitions) -> None:  # noqa: ANN401 - has a `decode`
        self._body = body
        self.RESPONSE_TYPE = answer

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
        if not speaks(versions):
            return super().prepare(versions)
        return LeanFetch(self.body(self._topics))

    def body(
        self,
        topics: list[tuple[str, list[tuple[int, int, int]]]],
        forgotten: Iterable[tuple[str, list[int]]] = (),
        session: tuple[int, int] = NO_SESSION,
    ) -> bytes:
        """Return a request of version 11.

        Args:
            topics: (topic, partitions: number, offset, most bytes).
            forgotten: (topic, partitions) that the session is to leave out from now on.
            session: its id and epoch.
        """
        parts = [
            _HEAD.pack(
                -1, self._max_wait_ms, self._min_bytes, self._max_bytes, self._isolation_level,
                *session, len(topics),
            )
        ]  # fmt: skip
        for topic, partitions in topics:
            name = topic.encode()
            parts += (_SHORT.pack(len(name)), name, _INT.pack(len(partitions)))
            parts += [
                _WANTED.pack(partition, _UNKNOWN, offset, _UNKNOWN, size)
                for partition, offset, size in partitions
            ]
        left_out = list(forgotten)
        parts.append(_INT.pack(len(left_out)))
        for topic, numbers in left_out:
            name = topic.encode()
            parts += (_SHORT.pack(len(name)), name, _INT.pack(len(numbers)), *map(_INT.pack, numbers))
        rack = self._rack_id.encode()
        parts += (_SHORT.pack(len(rack)), rack)
        return b"".join(parts)


def speaks(versions: Mapping[int, tuple[int, int]]) -> bool:
    """Return whether a broker with these versions of requests knows ours."""
    lowest, highest = versions.get(_FETCH, (0, 0))
    return lowest <= VERSION <= highest


def use_lean_fetches() -> None:
    """Let every consumer of this process fetch so; calling it again changes nothing.

    Raises:
        ConfigurationError: This aiokafka makes its requests in another way.
    """
    maker = sys.modules[Fetcher.__module__]
    if not hasattr(maker, "FetchRequest"):
        raise ConfigurationError(f"{maker.__name__} fetches in another way than aiokafka 0.14")
    vars(maker)["FetchRequest"] = LeanFetchRequest

"""What waits to be sent: the records of many calls, in one queue per destination partition.

A queue has one batch under way at a time. The batch keeps its bytes and its sequence number until its outcome
is known, so repeating it can neither double nor reorder records; a batch that the broker refused has
used no sequence number, so the next one takes the same.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from streams.transport_errors import UndeliverableError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Sequence

    from aiokafka.structs import TopicPartition

    from streams.transport_errors import FatalTransportError

#: Kafka's numbers for compression.
CODECS: Final[dict[str | None, int]] = {None: 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
_MAGIC: Final = 2
_SEQUENCES: Final = 2**31
_NO_HEADERS: Final[list[tuple[str, bytes]]] = []


class Outgoing(NamedTuple):
    """A record to send; `value` None is a tombstone."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass
class Confirmation:
    """What the broker confirmed of one call.

    Attributes:
        records: how many.
        last_offsets: (topic, partition) -> offset of the last confirmed record; -1 when the broker only
            said that it has it already.
        append_times: (topic, partition) -> the broker's clock at the append, ms since epoch; only for
            topics with ``message.timestamp.type=LogAppendTime``.
    """

    records: int = 0
    last_offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    append_times: dict[tuple[str, int], int] = field(default_factory=dict)


class Identity(NamedTuple):
    """Producer id and epoch, as the broker gave them."""

    producer_id: int
    epoch: int


class Format(NamedTuple):
    """How batches are made.

    Attributes:
        max_batch_bytes: of one batch before compression; a larger record is sent alone.
        codec: number of the compression.
        compress_from: bytes below which compressing costs more than it saves.
    """

    max_batch_bytes: int
    codec: int
    compress_from: int


class Call:
    """One call of ``publish``: it ends when all its parts have ended.

    Args:
        future: what the caller waits for; cancelled when it gave up.
        on_end: told once, after the last part.
    """

    __slots__ = ("_on_end", "confirmation", "error", "future", "parts_left", "refused")

    def __init__(self, future: asyncio.Future[Confirmation], on_end: Callable[[Call], object]) -> None:
        self.future = future
        self._on_end = on_end
        self.confirmation = Confirmation()
        self.parts_left = 0
        self.refused: list[tuple[int, int, Outgoing, str]] = []
        self.error: FatalTransportError | None = None

    def settle(self) -> None:
        """Tell the caller if nothing is left."""
        if self.parts_left:
            return
        self._on_end(self)
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        elif self.refused:
            ordered = sorted(self.refused, key=lambda found: found[:2])
            refused: list[tuple[object, str]] = [(record, reason) for _, _, record, reason in ordered]
            self.future.set_exception(UndeliverableError(refused, self.confirmation))
        else:
            self.future.set_result(self.confirmation)


class Part:
    """The records of one call for one partition; `position` is the first whose fate is not known."""

    __slots__ = ("call", "number", "position", "records", "size")

    def __init__(self, call: Call, number: int) -> None:
        self.call = call
        self.number = number
        self.records: list[Outgoing] = []
        self.position = 0
        self.size = 0

    def advance(self, count: int) -> bool:
        """Go past `count` records; return whether the part has ended."""
        self.position += count
        if self.position < len(self.records):
            return False
        self.call.parts_left -= 1
        return True

    def refuse(self, reason: str) -> None:
        """Give up all that is left of it."""
        self.call.refused += [
            (self.number, position, self.records[position], reason)
            for position in range(self.position, len(self.records))
        ]
        self.end()

    def end(self) -> None:
        """Go past all that is left, and tell the caller if it was the last part."""
        self.advance(len(self.records) - self.position)
        self.call.settle()


class SendBatch(NamedTuple):
    """A batch with its bytes and its sequence number inside.

    Attributes:
        data: as it is sent.
        size: records.
        pieces: (part, how many of its records, from its position on).
    """

    data: bytes
    size: int
    pieces: list[tuple[Part, int]]


class PartitionQueue:
    """What waits for one partition.

    Attributes:
        tp: the partition.
        pending: the batch whose outcome is not known.
        is_scheduled: it stands in some line, or is under way.
        is_doubtful: after an attempt without an answer nobody knows whether `pending` was appended. Its
            sequence number must then not be given to other records: they would pass for a repetition.
        failures: attempts of `pending` that failed for a while.
        tried_since: monotonic time of the first attempt since the last outcome; None before it.
    """

    __slots__ = ("_limit", "_parts", "_sequence", "_suspects",
                 "failures", "is_doubtful", "is_scheduled", "pending", "tp", "tried_since")  # fmt: skip

    def __init__(self, tp: TopicPartition) -> None:
        self.tp = tp
        self.pending: SendBatch | None = None
        self.is_scheduled = False
        self.is_doubtful = False
        self.failures = 0
        self.tried_since: float | None = None
        self._parts: deque[Part] = deque()
        self._sequence = 0
        # After a refusal, the records among which the bad one is, and how many of them are sent together.
        self._suspects = 0
        self._limit = 0

    def __bool__(self) -> bool:
        return bool(self._parts)

    def append(self, part: Part) -> None:
        """Put a part at the end."""
        self._parts.append(part)

    def waited(self) -> float:
        """Return for how many seconds there have been attempts without an outcome; the first begins now."""
        now = time.monotonic()
        if self.tried_since is None:
            self.tried_since = now
        return now - self.tried_since

    def prepare(self, identity: Identity, shape: Format) -> SendBatch:
        """Return the batch that is to be sent now: the pending one, or a new one of what waits."""
        if self.pending is None:
            self.pending = self._filled(identity, shape)
        return self.pending

    def _filled(self, identity: Identity, shape: Format) -> SendBatch:
        is_small = len(self._parts) == 1 and self._parts[0].size < shape.compress_from
        builder = DefaultRecordBatchBuilder(
            _MAGIC,
            0 if is_small else shape.codec,
            is_transactional=0,
            producer_id=identity.producer_id,
            producer_epoch=identity.epoch,
            base_sequence=self._sequence,
            batch_size=shape.max_batch_bytes,
        )
        now = int(time.time() * 1000)
        limit = self._limit if self._suspects else None
        pieces: list[tuple[Part, int]] = []
        count = 0
        for part in self._parts:
            start = count
            is_full = False
            for index in range(part.position, len(part.records)):
                _, _, key, value, headers = part.records[index]
                is_full = (
                    count == limit
                    or builder.append(
                        count, now, key, value, list(headers) if headers else _NO_HEADERS
                    ) is None
                )  # fmt: skip
                if is_full:
                    break
                count += 1
            if count > start:
                pieces.append((part, count - start))
            if is_full:
                break
        return SendBatch(builder.build(), count, pieces)

    def confirm(self, offset: int, append_time: int) -> int:
        """Note that the pending batch was appended; return the bytes that no longer wait."""
        assert self.pending is not None  # noqa: S101 - only what was prepared is confirmed
        _, total, pieces = self.pending
        self._sequence = (self._sequence + total) % _SEQUENCES
        last = offset - 1
        for part, count in pieces:
            last += count
            confirmation = part.call.confirmation
            confirmation.records += count
            confirmation.last_offsets[self.tp] = last if offset >= 0 else -1
            if append_time > 0:
                confirmation.append_times[self.tp] = append_time
        if self._suspects:
            self._suspects = max(self._suspects - total, 0)
            self._limit *= 2
        return self._ended(pieces)

    def refuse(self, reason: str) -> int:
        """Note that the broker refused the pending batch, of which nothing was appended.

        A single record is given up; of several the bad ones are looked for, by halves.
        """
        assert self.pending is not None  # noqa: S101 - likewise
        _, total, pieces = self.pending
        if total > 1:
            self._suspects = max(self._suspects, total)
            self._limit = total // 2
            self.pending = None
            self.failures, self.tried_since = 0, None
            return 0
        self._suspects = max(self._suspects - 1, 0)
        part = pieces[0][0]
        part.call.refused.append((part.number, part.position, part.records[part.position], reason))
        return self._ended(pieces)

    def refuse_all(self, reason: str) -> int:
        """Give everything up that waits, the pending batch included."""
        parts = self._taken()
        for part in parts:
            part.refuse(reason)
        return sum(part.size for part in parts)

    def fail(self, error: FatalTransportError) -> int:
        """End every call that waits here with an error."""
        parts = self._taken()
        for part in parts:
            part.call.error = error
            part.end()
        return sum(part.size for part in parts)

    def _ended(self, pieces: list[tuple[Part, int]]) -> int:
        freed = 0
        for part, count in pieces:
            if part.advance(count):
                self._parts.popleft()
                freed += part.size
                part.call.settle()
        self.pending = None
        self.is_doubtful = False
        self.failures, self.tried_since = 0, None
        return freed

    def _taken(self) -> list[Part]:
        parts = list(self._parts)
        self._parts.clear()
        self.pending = None
        self.is_doubtful = False
        self.failures, self.tried_since = 0, None
        self._suspects = 0
        return parts


def grouped(records: Sequence[Outgoing], call: Call, max_record_bytes: int) -> Iterator[Part | None]:
    """Yield the records of a call by partition, and None now and then, for others to have their turn.

    Records above `max_record_bytes` are refused on the spot.
    """
    parts: dict[tuple[str, int], Part] = {}
    for number, record in enumerate(records):
        topic, partition, key, value, _ = record
        size = len(key or b"") + len(value or b"")
        if size > max_record_bytes:
            call.refused.append((number, 0, record, "too_large"))
        else:
            part = parts.get((topic, partition))
            if part is None:
                part = parts[topic, partition] = Part(call, number)
            part.records.append(record)
            part.size += size
        if number % 256 == 255:  # noqa: PLR2004 - how long is now and then
            yield None
    yield from parts.values()

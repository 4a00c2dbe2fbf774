"""One Faust event per fetched batch of a partition: what an agent is handed in place of single records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faust.events import Event
from faust.serializers.schemas import Schema
from faust.types.tuples import ConsumerMessage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from faust.types import TP

    from streams.untyped import FaustApp, FaustStream, KafkaRecord

#: Bytes that a record costs in memory beyond its value, with a key of 36 bytes: measured by tracemalloc.
RECORD_OVERHEAD = 300


class BatchMessage(ConsumerMessage):
    """A Faust message that stands for all records of one fetch of one partition.

    Attributes:
        epoch: grows with every change of position; what was fetched in an earlier one counts for nothing.
        size: bytes that the batch holds in memory.
    """

    __slots__ = ("epoch", "size")

    epoch: int
    size: int

    @classmethod
    def of(cls, tp: TP, records: Sequence[KafkaRecord], *, epoch: int, generation_id: int) -> BatchMessage:
        """Make the message of `records` (at least one); its offset is the one of the last."""
        last = records[-1]
        message = cls(
            tp.topic, tp.partition, last.offset, last.timestamp / 1000.0, last.timestamp_type,
            (), None, records, None, 0, 0, tp, generation_id=generation_id,
        )  # fmt: skip
        message.epoch = epoch
        values = [record.value for record in records]
        message.size = RECORD_OVERHEAD * len(values) + sum(map(len, filter(None, values)))
        return message


class PassSchema(Schema):
    """Hands batches through: decoding belongs to the agent, which can set bad records aside."""

    def compile(
        self,
        app: FaustApp,
        *,
        on_key_decode_error: Callable[..., Awaitable[None]] | None = None,  # noqa: ARG002 - Faust's signature
        on_value_decode_error: Callable[..., Awaitable[None]] | None = None,  # noqa: ARG002 - likewise
        default_propagate: bool = False,  # noqa: ARG002 - likewise
    ) -> Callable[..., Awaitable[Event]]:
        """Return the function that makes the event of a batch."""

        async def decode(message: BatchMessage, *, propagate: bool = False) -> Event:  # noqa: ARG001 - Faust's signature
            return Event(app, None, message.value, message.headers, message)

        return decode


async def submit_all(app: FaustApp, stream: FaustStream, submit: Callable[[Event], object]) -> None:
    """Hand every batch event of an agent's stream to `submit`, all that lie ready in one turn of the loop.

    The stream alone gives one in a turn. A fetch has one for each of its partitions, and under load a turn
    takes milliseconds: partitions with little traffic would wait for those before them, and never catch up.
    """
    queue = stream.channel.queue
    async for event in stream.noack().events():
        submit(event)
        while not queue.empty():
            waiting = queue.get_nowait()
            if app.consumer.take(waiting.message):
                submit(waiting)

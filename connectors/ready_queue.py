"""Messages whose turn has come, the most urgent first, without swapping those of one case.

An urgent delivery may follow ordinary ones of its case that the program has not taken yet. They are promoted
with it: the case's order is a promise, and what came before an urgent message belongs to it.
"""

from collections import deque
from collections.abc import Iterable

from casework.messages import Delivery
from connectors.delivery_order import CaseKey
from connectors.inbox_messages import InboxMessage


class ReadyQueue:
    """A queue in order of urgency, then of arrival.

    Args:
        topics: Most urgent first.
    """

    def __init__(self, topics: tuple[str, ...]) -> None:
        self._ranks = {topic: rank for rank, topic in enumerate(topics)}
        self._queues: tuple[deque[InboxMessage], ...] = tuple(deque() for _ in topics)

    def __len__(self) -> int:
        return sum(map(len, self._queues))

    def put(self, messages: Iterable[InboxMessage]) -> None:
        """Add messages in the order in which their turn came."""
        for message in messages:
            rank = self._ranks[message.topic]
            for earlier in self._promoted(message, rank):
                self._queues[rank].append(earlier)
            self._queues[rank].append(message)

    def get(self) -> InboxMessage | None:
        """Take the next message, None when there is none."""
        return next((queue.popleft() for queue in self._queues if queue), None)

    def _promoted(self, message: InboxMessage, rank: int) -> list[InboxMessage]:
        key = _case_of(message)
        if key is None:
            return []
        earlier = []
        for queue in self._queues[rank + 1 :]:
            found = [other for other in queue if _case_of(other) == key]
            for other in found:
                queue.remove(other)
            earlier += found
        return sorted(earlier, key=_number)


def _case_of(message: InboxMessage) -> CaseKey | None:
    body = message.body
    return CaseKey(body.recipient, body.case_id) if isinstance(body, Delivery) else None


def _number(message: InboxMessage) -> int:
    return message.body.number if isinstance(message.body, Delivery) else 0

"""The bookkeeping of one reader: records in, messages out in their turn, and what a restart must know.

Apart from Kafka and from tasks, so that every order of arrival and every crash can be tested as plain calls.
"""

import logging
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from casework.directory import Directory
from casework.errors import RuleViolation
from casework.messages import Delivery, Escalation, Receipt
from connectors.delivery_order import CaseKey, DeliveryOrder, Gap, HoldLimits
from connectors.errors import MisuseError, PositionsError
from connectors.inbox_messages import Body, InboxMessage, Unreadable
from connectors.opening import Opener
from connectors.positions import Change, Held, Positions
from connectors.provenance import Record, Refused, check_record
from schemas.errors import UnreadableError
from streams import wire
from streams.clock import Clock
from streams.offsets import OffsetTracker

log = logging.getLogger(__name__)

Place = tuple[str, int, int]

_REFUSED_KEPT: Final = 100


class Provenance(NamedTuple):
    """How messages are proven and opened.

    Attributes:
        directory: Answers the directory in use.
        prefix: Prefix of the topics, which is no part of what is signed.
        opener: Opens contents.
    """

    directory: Callable[[], Directory]
    prefix: str
    opener: Opener


class InboxBook:
    """Drops duplicates, holds what is before its turn, and keeps positions.

    Args:
        topics: The reader's topics.
        positions: Where it is remembered; shared by the readers of a member, whose topics differ.
        clock: For the time since which a gap is open.
        environment: Messages of another one are handed out as `Unreadable`.
        limits: How many deliveries may be held.
        provenance: How messages are proven and opened.

    Attributes:
        duplicates: How many records were dropped because they came before.
        refusals: How many records were passed over because nothing proves that the exchange wrote them.
        on_done: Called after each message that is done.
    """

    def __init__(  # noqa: PLR0913 - made in one place, the member's client
        self,
        topics: tuple[str, ...],
        positions: Positions,
        clock: Clock,
        environment: str,
        limits: HoldLimits,
        *,
        provenance: Provenance,
    ) -> None:
        self._topics = topics
        self._positions = positions
        self._clock = clock
        self._environment = environment
        self._provenance = provenance
        self._refused: deque[Refused] = deque(maxlen=_REFUSED_KEPT)
        self._order: DeliveryOrder[InboxMessage] = DeliveryOrder(positions.first_not_done, limits)
        self._offsets: OffsetTracker[tuple[str, int]] = OffsetTracker()
        self._open: set[Place] = set()
        self._open_ids: set[tuple[str, str]] = set()
        self._from_store: set[Place] = set()
        self._unsaved: PositionsError | None = None
        self.duplicates = 0
        self.refusals = 0
        self.on_done: Callable[[], None] = _nothing

    @property
    def in_flight(self) -> int:
        """How many messages were handed out and are not done."""
        return len(self._open)

    @property
    def held(self) -> int:
        """How many deliveries wait for missing ones."""
        return self._order.held

    @property
    def refused(self) -> tuple[Refused, ...]:
        """The newest records that were passed over as not proven, at most 100, oldest first."""
        return tuple(self._refused)

    def gaps(self) -> tuple[Gap, ...]:
        """Answer the missing delivery numbers, the oldest gap first."""
        return self._order.gaps()

    def restore(self) -> tuple[InboxMessage, ...]:
        """Take up what was held at the last stop; answer what is ready by now."""
        ready: list[InboxMessage] = []
        for held in self._positions.held(self._topics):
            place = (held.topic, held.partition, held.offset)
            # Proven when it was first read.
            body = self._decode(held.value)
            message = InboxMessage(body, place, held.timestamp, self._done, self._provenance.opener)
            key = CaseKey(held.recipient, held.case_id)
            self._from_store.add(place)
            offered = self._order.offer(key, held.number, message, held.since_ms, is_stored=True)
            if offered.verdict == "duplicate":
                self._from_store.discard(place)
                self._positions.save(Change(release=(place,)))
            ready += self._hand_out(offered.ready)
        return tuple(ready)

    def take(self, record: Record) -> tuple[InboxMessage, ...] | None:
        """Take the next record of a partition; answer the messages whose turn has come.

        None when no more may be held: offer the same record again once something was handed out, and read
        nothing of its partition until then.
        """
        violation = self._check(record)
        if violation is not None:
            self._refuse(record, violation)
            return ()
        body = self._decode(record.value)
        place = (record.topic, record.partition, record.offset)
        message = InboxMessage(body, place, record.timestamp, self._done, self._provenance.opener)
        if isinstance(body, Delivery):
            return self._take_delivery(record, body, message)
        identifier = _identifier(body)
        if identifier is not None:
            known = (record.topic, identifier)
            if known in self._open_ids or self._positions.is_seen(*known):
                self._pass(record)
                return ()
            self._open_ids.add(known)
        self._offsets.deliver((record.topic, record.partition), record.offset, record.offset)
        self._open.add(place)
        return (message,)

    def accept_gap(self, key: CaseKey) -> tuple[InboxMessage, ...]:
        """Give up the missing deliveries before the first held one; answer what is ready now."""
        return self._hand_out(self._order.accept_gap(key))

    def position(self, topic: str, partition: int) -> int | None:
        """Answer the next offset that a restart reads; None when nothing was ever done."""
        offset = self._offsets.committable((topic, partition))
        return self._positions.position(topic, partition) if offset is None else offset

    def flush(self) -> None:
        """Save positions that moved over duplicates only."""
        moved = {place: self._offsets.committable(place) for place in self._offsets.partitions()}
        self._save(Change(positions={place: offset for place, offset in moved.items() if offset is not None}))

    def _take_delivery(
        self, record: Record, body: Delivery, message: InboxMessage
    ) -> tuple[InboxMessage, ...] | None:
        now_ms = self._clock.real_ms()
        offered = self._order.offer(CaseKey(body.recipient, body.case_id), body.number, message, now_ms)
        place = (record.topic, record.partition, record.offset)
        match offered.verdict:
            case "full":
                return None
            case "duplicate":
                self._pass(record)
            case "held":
                self._from_store.add(place)
                held = Held(
                    *place,
                    record.timestamp,
                    body.recipient,
                    body.case_id,
                    body.number,
                    now_ms,
                    record.value or b"",
                )
                self._finish(place)
                self._save(Change(positions=self._moved(place), hold=(held,)))
            case "ready":
                self._offsets.deliver(place[:2], record.offset, record.offset)
        return self._hand_out(offered.ready)

    def _hand_out(self, ready: tuple[tuple[int, InboxMessage], ...]) -> tuple[InboxMessage, ...]:
        messages = tuple(message for _, message in ready)
        self._open.update((message.topic, message.partition, message.offset) for message in messages)
        return messages

    def _done(self, message: InboxMessage) -> None:
        place = (message.topic, message.partition, message.offset)
        if place not in self._open:
            raise MisuseError(f"{message!r} is not in the hands of this reader")
        body = message.body
        release = (place,) if place in self._from_store else ()
        if not release:
            self._offsets.done(place[:2], message.offset)
        numbers: dict[CaseKey, int] = {}
        seen: tuple[tuple[str, str], ...] = ()
        if isinstance(body, Delivery):
            key = CaseKey(body.recipient, body.case_id)
            numbers[key] = self._order.done(key, body.number)
        identifier = _identifier(body)
        if identifier is not None:
            seen = ((message.topic, identifier),)
            self._open_ids.difference_update(seen)
        self._save(Change(self._moved(place), numbers, seen, release=release))
        self._open.discard(place)
        self._from_store.discard(place)
        self.on_done()

    def _check(self, record: Record) -> RuleViolation | None:
        return check_record(self._provenance.directory(), self._provenance.prefix, record)

    def _refuse(self, record: Record, violation: RuleViolation) -> None:
        place = (record.topic, record.partition, record.offset)
        log.error("%s/%d/%d is not by the exchange and is passed over: %s", *place, violation.rule)
        self.refusals += 1
        self._refused.append(Refused(*place, violation.rule))
        self._finish(place)

    def _pass(self, record: Record) -> None:
        self.duplicates += 1
        self._finish((record.topic, record.partition, record.offset))

    def _finish(self, place: Place) -> None:
        self._offsets.deliver(place[:2], place[2], place[2])
        self._offsets.done(place[:2], place[2])

    def _moved(self, place: Place) -> dict[tuple[str, int], int]:
        offset = self._offsets.committable(place[:2])
        return {} if offset is None else {place[:2]: offset}

    def _save(self, change: Change) -> None:
        if self._unsaved is not None:
            raise PositionsError(
                "positions were not saved before: close the client and start it again"
            ) from (self._unsaved)
        try:
            self._positions.save(change)
        except PositionsError as error:
            self._unsaved = error
            raise
        for partition, offset in change.positions.items():
            self._offsets.committed(partition, offset)

    def _decode(self, value: bytes | None) -> Body:
        if value is None:
            return Unreadable("empty", b"")
        try:
            body = wire.decode(value)
        except UnreadableError as error:
            return Unreadable(error.rule, value)
        if not isinstance(body, Delivery | Receipt | Escalation):
            return Unreadable("unexpected_message", value)
        return body if body.environment == self._environment else Unreadable("wrong_environment", value)


def _identifier(body: Body) -> str | None:
    match body:
        case Receipt():
            return body.receipt_id
        case Escalation():
            return body.escalation_id
    return None


def _nothing() -> None:
    """Nobody waits."""

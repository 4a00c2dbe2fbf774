"""Carrying out an operator's unpark: what waited is read again and decided in order, before newer records.

The order is a record of the case itself, so it stands behind all that waits and before all that comes later.
Everything that is needed is fetched first; then nothing is awaited until the case is decided as far as it
goes, so an order is carried out whole or, when something is not there, later. What fails again stays parked.
"""

import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

import msgspec

from agents.dead_letters import Failure
from agents.failures import Action, treatment_of
from casework.casekeeping import Kept, keep_waiting
from casework.directory import Directory
from casework.events import Event, Source, Unpark
from casework.evolution import evolve
from casework.messages import Case, Parked
from casework.parking import DELETED, MAX_LISTED, MORE, SKIPPED, give_up, park_again, unparked
from schemas.errors import UnreadableError
from streams import wire
from streams.directory_feed import PassedOverError
from streams.offset_reader import OffsetReader
from streams.untyped import KafkaRecord

log = logging.getLogger(__name__)

UNKNOWN_DIRECTORY: Final = "unknown_directory_version"
BUG: Final = "bug"
TEMPORARY: Final = "temporary"


class Reader(Protocol):
    """What reads waiting records again; `OffsetReader` does."""

    async def at(self, offsets: Iterable[int]) -> dict[int, KafkaRecord | None]:
        """Answer the records at offsets; None where the topic no longer holds one."""
        ...

    def between(self, start: int, end: int) -> AsyncIterator[KafkaRecord]:
        """Yield what the topic holds from `start` up to and without `end`."""
        ...


Readers = Callable[[int], AbstractAsyncContextManager[Reader]]
"""Opens a reader of one partition of the topic of admitted records."""


def readers_of(client: Mapping[str, Any], topic: str) -> Readers:
    """Answer readers on Kafka; `client` are settings shared by the process's Kafka clients."""
    return lambda partition: OffsetReader(client, topic, partition)


class Desk(Protocol):
    """The batch in hand, as far as an order needs it."""

    def case(self, url_key: bytes) -> Case | None:
        """Answer the case as the batch has it now."""

    def apply(self, event: Event, before: Case | None, kept: Kept) -> None:
        """Take in what one record brought forth, or raise and leave no trace."""

    def give_up(self, record: KafkaRecord, failure: Failure) -> None:
        """Make a dead letter of a record."""


class _Waiting(msgspec.Struct, frozen=True):
    """A record that waits, with what deciding it needs, or with why it cannot be had."""

    offset: int
    record: KafkaRecord | None = None
    event: Event | None = None
    directory: Directory | None = None
    rule: str = DELETED


async def carry_out(
    order: Unpark,
    source: Source,
    desk: Desk,
    readers: Readers,
    directory_of: Callable[[int], Awaitable[Directory]],
) -> None:
    """Let a parked case go on; an order for a case that does not wait means nothing.

    Args:
        order: What the operator wants.
        source: Where the order stands.
        desk: The batch in hand.
        readers: Opens readers of the topic of admitted records.
        directory_of: Answers a directory version, waiting for it a little.

    Raises:
        TimeoutError, aiokafka.errors.KafkaError: The waiting records could not be read; nothing was done.
        NoDirectoryError: The directory version of the first waiting record is not there; nothing was done.
    """
    case = desk.case(order.admitted.url_key)
    if case is None or case.parked is None or source.offset <= case.source_offset:
        return
    async with readers(source.partition) as reader:
        waiting = await _fetched(reader, case.parked, order, directory_of)
        more = await _more(reader, case.parked, order, source.offset)
    _Work(order, source, desk, case.parked, waiting, more).run()


async def _fetched(
    reader: Reader,
    parked: Parked,
    order: Unpark,
    directory_of: Callable[[int], Awaitable[Directory]],
) -> list[_Waiting]:
    waiting = []
    for offset, record in (await reader.at(parked.offsets)).items():
        if record is None:
            waiting.append(_Waiting(offset))
            continue
        if order.unparking.skip and not waiting:
            waiting.append(_Waiting(offset, record, rule=SKIPPED))
            continue
        try:
            event = wire.decode_event(record.value)
            directory = await directory_of(event.admitted.directory_version)
        except UnreadableError as error:
            waiting.append(_Waiting(offset, record, rule=error.rule))
        except PassedOverError:
            waiting.append(_Waiting(offset, record, rule=UNKNOWN_DIRECTORY))
        else:
            waiting.append(_Waiting(offset, record, event, directory))
    return waiting


async def _more(reader: Reader, parked: Parked, order: Unpark, end: int) -> list[int]:
    """Answer the offsets of further records that wait unlisted, at most one more than fit the list."""
    found: list[int] = []
    if parked.more_from is None:
        return found
    async for record in reader.between(parked.more_from, end):
        if record.value is None:
            continue
        try:
            event = wire.decode_event(record.value)
        except UnreadableError:
            continue  # it was a dead letter when it came
        if event.admitted.url_key == order.admitted.url_key and not isinstance(event, Unpark):
            found.append(record.offset)
            if len(found) > MAX_LISTED:
                break
    return found


class _Work:
    """One order while it is carried out."""

    def __init__(  # noqa: PLR0913, PLR0917 - what was fetched for it
        self,
        order: Unpark,
        source: Source,
        desk: Desk,
        parked: Parked,
        waiting: list[_Waiting],
        more: list[int],
    ) -> None:
        self._order = order
        self._source = source
        self._desk = desk
        self._parked = parked
        self._waiting = waiting
        self._more = more
        self._key = order.admitted.url_key
        self._ended: Case | None = None

    def run(self) -> None:
        """Decide what waits until all is done or one record fails."""
        for index, waiting in enumerate(self._waiting):
            if waiting.directory is None or waiting.event is None:
                self._given_up(waiting)
                continue
            try:
                self._decide(waiting, waiting.event, waiting.directory)
            except Exception as error:
                name = type(error).__name__
                match treatment_of(error).casekeeper:
                    case Action.PARK:
                        self._failed(index, waiting.event, name)
                        return
                    case Action.DEAD_LETTER:
                        self._given_up(msgspec.structs.replace(waiting, rule=name))
                    case _:
                        raise
        if self._more:
            self._wait_on()
            return
        case = self._desk.case(self._key)
        last = self._ended if case is None else case
        if last is not None:
            self._desk.apply(self._order, case, unparked(last, self._order, self._source))

    def _decide(self, waiting: _Waiting, event: Event, directory: Directory) -> None:
        before = self._desk.case(self._key)
        source = msgspec.structs.replace(self._source, offset=waiting.offset)
        kept = keep_waiting(before, event, directory, source)
        self._desk.apply(event, before, kept)
        if kept.case is None and before is not None:
            # The operator is told also when what waited has ended the case, whatever waited behind.
            self._ended = functools.reduce(evolve, kept.facts, before)

    def _given_up(self, waiting: _Waiting) -> None:
        place = (self._source.topic, self._source.partition, waiting.offset)
        log.error("%s[%d]@%d waited and will not be decided: %s", *place, waiting.rule)
        case = self._desk.case(self._key)
        kept = give_up(case, self._order, waiting.offset, waiting.rule, self._source)
        self._desk.apply(self._order, case, kept)
        if waiting.record is not None:
            text = "it waited in a parked case and was given up"
            self._desk.give_up(waiting.record, Failure("bug", waiting.rule, "", text))

    def _failed(self, index: int, event: Event, rule: str) -> None:
        place = (self._source.topic, self._source.partition, self._waiting[index].offset)
        log.error("%s[%d]@%d could not be decided again: %s", *place, rule)
        parked = msgspec.structs.replace(
            self._parked,
            offsets=self._parked.offsets[index:],
            count=self._parked.count - index,
            error_class=BUG,
            rule=rule,
            attempts=1 + (self._parked.attempts if index == 0 else 0),
        )
        self._park(event, parked)

    def _wait_on(self) -> None:
        """Park again for what did not fit the list, so that one order takes a bounded time."""
        listed, beyond = tuple(self._more[:MAX_LISTED]), self._more[MAX_LISTED:]
        parked = msgspec.structs.replace(
            self._parked,
            offsets=listed,
            more_from=beyond[0] if beyond else None,
            count=max(self._parked.count - len(self._waiting), len(self._more)),
            error_class=TEMPORARY,
            rule=MORE,
            attempts=0,
        )
        self._park(self._order, parked)

    def _park(self, event: Event, parked: Parked) -> None:
        case = self._desk.case(self._key)
        self._desk.apply(event, case, park_again(case, event, self._order, parked, self._source))

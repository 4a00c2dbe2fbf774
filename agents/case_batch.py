"""One batch of casekeeper: each record is decided, given up, held back or lets its case wait.

A record that cannot be read is given up alone. One on which the rules fail leaves no trace in the batch and
parks its case; one that needs what is not here yet is held back with all later records of its case, until the
others are confirmed (docs/errors.md).
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from agents.batch_outcome import Outcome
from agents.dead_letters import Failure
from agents.failures import Action, treatment_of
from agents.unparking import TEMPORARY, UNKNOWN_DIRECTORY, Readers, carry_out
from casework.casekeeping import keep
from casework.directory import Directory
from casework.events import Event, Source, Unpark
from casework.parking import Trouble, park, park_again, wait
from schemas.errors import UnreadableError
from streams import wire
from streams.directory_feed import DirectoryFeed, NoDirectoryError, PassedOverError
from streams.state_stores import StateStore
from streams.transport_errors import StoreError
from streams.untyped import KafkaRecord

log = logging.getLogger(__name__)

DIRECTORY_NOT_THERE: Final = "directory_version_not_there"


class CaseBatch(Outcome):
    """Decides records of one partition one after another.

    Args:
        partition: The partition.
        cases: Its confirmed states.
        contents: Its confirmed contents.
        feed: All directory versions.
        readers: Opens readers of what waits in parked cases.

    Attributes:
        partition: The partition.
        given_up: Records that were not, with the reason.
        held: Records to be handed to `add_held` of a later batch, when the others are confirmed.
    """

    def __init__(
        self, partition: int, cases: StateStore, contents: StateStore, feed: DirectoryFeed, readers: Readers
    ) -> None:
        super().__init__(cases, contents)
        self.partition = partition
        self._readers = readers
        self._feed = feed
        self.given_up: list[tuple[KafkaRecord, Failure]] = []
        self.held: list[KafkaRecord] = []
        self._held_cases: set[bytes] = set()

    def add(self, record: KafkaRecord) -> None:
        """Decide one record, or hold it back with all that follow it in its case."""
        event = self._read(record)
        if event is None:
            return
        self.offset = record.offset
        url_key = event.admitted.url_key
        directory = self._feed.known(event.admitted.directory_version)
        if directory is not None and url_key not in self._held_cases and not isinstance(event, Unpark):
            try:
                self._decide(record, event, directory)
            except StoreError as error:
                log.warning("tried once more: %s", error)
            else:
                self._decided[url_key] = record.offset
                return
        self._held_cases.add(url_key)
        self.held.append(record)

    async def add_held(self, record: KafkaRecord, patience_s: float) -> None:
        """Decide one record that was held back; what it needs is waited for, then its case is parked.

        Args:
            record: The record.
            patience_s: Seconds to wait for a directory version.

        Raises:
            FatalTransportError: A store failed again, which says nothing about the record.
        """
        event = self._read(record)
        if event is None:
            return
        self.offset = record.offset
        self._decided[event.admitted.url_key] = record.offset
        try:
            if isinstance(event, Unpark):
                await carry_out(event, _source(record), self, self._readers, self._directory_of(patience_s))
            else:
                version = event.admitted.directory_version
                directory = await self._feed.version(version, patience_s)
                self._decide(record, event, directory)
        except PassedOverError as error:
            self.give_up(record, Failure("bug", UNKNOWN_DIRECTORY, "directory_version", str(error)))
        except Exception as error:
            if treatment_of(error).casekeeper is not Action.WAIT:
                raise
            rule = DIRECTORY_NOT_THERE if isinstance(error, NoDirectoryError) else type(error).__name__
            if isinstance(event, Unpark):
                self._not_yet(record, event, rule)
            else:
                self._park(record, event, Trouble(TEMPORARY, rule))

    def _read(self, record: KafkaRecord) -> Event | None:
        if record.value is None:
            self.give_up(record, Failure("unreadable", "empty", "admitted", "the record has no value"))
            return None
        try:
            event = wire.decode_event(record.value)
        except UnreadableError as error:
            self.give_up(record, Failure("unreadable", error.rule, "admitted", str(error)))
            return None
        if event.admitted.url_key != record.key:
            text = "the record's key is not the url key it holds"
            self.give_up(record, Failure("unattributable", "wrong_key", "url_key", text))
            return None
        return event

    def _decide(self, record: KafkaRecord, event: Event, directory: Directory) -> None:
        try:
            before = self.case(event.admitted.url_key)
            self.apply(event, before, keep(before, event, directory, _source(record)))
        except Exception as error:
            name = type(error).__name__
            match treatment_of(error).casekeeper:
                case Action.PARK:
                    self._park(record, event, Trouble("bug", name))
                case Action.DEAD_LETTER:
                    self.give_up(record, Failure("bug", name, "", "casekeeper could not decide this record"))
                case _:
                    raise

    def _park(self, record: KafkaRecord, event: Event, trouble: Trouble) -> None:
        """Let the case wait with this record; a record that cannot even wait is given up."""
        place = (record.topic, record.partition, record.offset)
        log.error("%s[%d]@%d could not be decided: %s", *place, trouble.rule)
        try:
            before = self.case(event.admitted.url_key)
            if before is None or before.parked is None:
                kept = park(before, event, trouble, _source(record))
            else:
                kept = wait(before, event, _source(record))
            self.apply(event, before, kept)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the last resort before the line would stop
            text = f"its case could not be parked: {type(error).__name__}"
            self.give_up(record, Failure("bug", trouble.rule, "", text))

    def _not_yet(self, record: KafkaRecord, order: Unpark, rule: str) -> None:
        """Keep a case parked whose waiting records could not be had."""
        case = self.case(order.admitted.url_key)
        if case is None or case.parked is None:
            return
        attempts = case.parked.attempts + 1
        still = msgspec.structs.replace(case.parked, error_class=TEMPORARY, rule=rule, attempts=attempts)
        self.apply(order, case, park_again(case, order, order, still, _source(record)))

    def give_up(self, record: KafkaRecord, failure: Failure) -> None:
        """Make a dead letter of a record."""
        self.given_up.append((record, failure))

    def _directory_of(self, patience_s: float) -> Callable[[int], Awaitable[Directory]]:
        return lambda version: self._feed.version(version, patience_s)


def _source(record: KafkaRecord) -> Source:
    return Source(record.topic, record.partition, record.offset)

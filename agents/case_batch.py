"""One batch of casekeeper in memory: what its records bring forth, before any of it is sent.

Records of a case that follow each other in a batch see each other's outcome here; the confirmed state stays
as it was until everything is confirmed. A record that cannot be read is given up alone. One on which the
rules fail leaves no trace in the batch and parks its case; one that needs what is not here yet is held back
with all later records of its case, until the others are confirmed (docs/errors.md).
"""

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Final

import msgspec

from agents.dead_letters import Failure
from agents.failures import Action, UnreadableStateError, treatment_of
from agents.unparking import TEMPORARY, UNKNOWN_DIRECTORY, Readers, carry_out
from casework.casekeeping import Kept, keep
from casework.directory import Directory
from casework.errors import BugError
from casework.events import Event, Source, Unpark
from casework.messages import Case, CaseContent, Delivery, Escalation, Receipt, Submission
from casework.parking import Trouble, park, park_again, wait
from casework.postings import Posting
from schemas.errors import UnreadableError
from streams import wire
from streams.directory_feed import DirectoryFeed, NoDirectoryError, PassedOverError
from streams.state_stores import StateStore
from streams.transport_errors import StoreError
from streams.untyped import KafkaRecord

log = logging.getLogger(__name__)

DIRECTORY_NOT_THERE: Final = "directory_version_not_there"


class Step(msgspec.Struct, frozen=True):
    """What one record did to its case.

    Attributes:
        event: The record, decoded.
        before: The case before it.
        kept: What came out.
        facts: Its facts, framed.
        bodies: The bodies of its postings, framed, in their order.
    """

    event: Event
    before: Case | None
    kept: Kept
    facts: tuple[bytes, ...] = ()
    bodies: tuple[bytes, ...] = ()


def content_key(url_key: bytes, report_event_id: str) -> bytes:
    """Answer the key of a stored content: two reports that share an event id by mistake stay apart."""
    return url_key + report_event_id.encode()


class CaseBatch:
    """Decides records of one partition one after another.

    Args:
        partition: The partition.
        cases: Its confirmed states.
        contents: Its confirmed contents.
        feed: All directory versions.
        readers: Opens readers of what waits in parked cases.

    Attributes:
        partition: The partition.
        steps: What was decided, in order.
        given_up: Records that were not, with the reason.
        held: Records to be handed to `add_held` of a later batch, when the others are confirmed.
    """

    def __init__(
        self, partition: int, cases: StateStore, contents: StateStore, feed: DirectoryFeed, readers: Readers
    ) -> None:
        self.partition = partition
        self._readers = readers
        self._cases = cases
        self._contents = contents
        self._feed = feed
        self._overlay: dict[bytes, Case | None] = {}
        self._before: dict[bytes, Case | None] = {}
        self._contents_overlay: dict[bytes, bytes | None] = {}
        self._states: dict[bytes, bytes | None] = {}
        self._decided: dict[bytes, int] = {}
        self.steps: list[Step] = []
        self.given_up: list[tuple[KafkaRecord, Failure]] = []
        self.held: list[KafkaRecord] = []
        self._held_cases: set[bytes] = set()

    def add(self, record: KafkaRecord) -> None:
        """Decide one record, or hold it back with all that follow it in its case."""
        event = self._read(record)
        if event is None:
            return
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

    def apply(self, event: Event, before: Case | None, kept: Kept) -> None:
        """Take in what one record brought forth; an error leaves no trace of it.

        Raises:
            BugError: A content that belongs to the case cannot be read.
            UnwritableError: The outcome does not fit its schema.
            StoreError: The store of contents failed.
        """
        url_key = event.admitted.url_key
        encode = wire.encode
        contents = {content_key(url_key, one.report_event_id): encode(one) for one in kept.contents}
        try:
            kept = self._filled(kept, contents)
        except UnreadableError as error:
            raise BugError("the stored content of a report cannot be read") from error
        facts = tuple([encode(fact) for fact in kept.facts])
        bodies = tuple([encode(posting.body) for posting in kept.postings])
        self.steps.append(Step(event, before, kept, facts, bodies))
        self._overlay[url_key] = kept.case
        if contents:
            self._contents_overlay.update(contents)
        if kept.erases_contents:
            fresh = [key for key in self._contents_overlay if key.startswith(url_key)]
            self._contents_overlay.update(dict.fromkeys([*fresh, *self._contents.keys(url_key)]))

    def changes(self) -> Iterator[tuple[bytes, Case | None, Case | None]]:
        """Yield url key, state before the batch and state after it, for each case that changed."""
        for url_key, after in self._overlay.items():
            before = self._before[url_key]
            if after is not before:
                yield url_key, before, after

    def states(self) -> dict[bytes, bytes | None]:
        """Answer the states to write, framed; None is a tombstone. Each case is encoded once."""
        self._states = {
            key: None if after is None else wire.encode_case(after) for key, _, after in self.changes()
        }
        return self._states

    def ended(self) -> dict[bytes, int]:
        """Answer the cases of `states` that are no more, each with the last record decided on it."""
        return {key: self._decided[key] for key, state in self._states.items() if state is None}

    def write(self) -> None:
        """Take states and contents into the own copies, now that they are confirmed."""
        self._cases.write(self._states)
        self._contents.write(self._contents_overlay)

    @property
    def contents(self) -> dict[bytes, bytes | None]:
        """Contents to store by `content_key`; None erases."""
        return self._contents_overlay

    def case(self, url_key: bytes) -> Case | None:
        """Answer a case as the batch has it now.

        Raises:
            UnreadableStateError: Its newest state cannot be read.
            StoreError: The store of states failed.
        """
        if url_key in self._overlay:
            return self._overlay[url_key]
        framed = self._cases.get(url_key)
        try:
            case = None if framed is None else wire.decode_as(Case, framed)
        except UnreadableError as error:
            raise UnreadableStateError(str(error)) from error
        self._before[url_key] = case
        return case

    def _filled(self, kept: Kept, fresh: Mapping[bytes, bytes]) -> Kept:
        for posting in kept.postings:
            if posting.content_of is not None:
                postings = tuple(self._with_content(one, fresh) for one in kept.postings)
                return msgspec.structs.replace(kept, postings=postings)
        return kept

    def _with_content(self, posting: Posting, fresh: Mapping[bytes, bytes]) -> Posting:
        """Fill statement and content of a report into a posting; erased content leaves it without."""
        if posting.content_of is None or isinstance(posting.body, Receipt):
            return posting
        key = content_key(posting.body.url_key, posting.content_of)
        framed = fresh.get(key) or self._contents_overlay.get(key) or self._contents.get(key)
        if framed is None or (key in self._contents_overlay and self._contents_overlay[key] is None):
            return posting
        submission = wire.decode_as(Submission, wire.decode_as(CaseContent, framed).submission)
        body: Delivery | Escalation = msgspec.structs.replace(
            posting.body,
            statement=submission.statement,
            signature=submission.signature,
            key_id=submission.key_id,
            content=submission.content,
        )
        return msgspec.structs.replace(posting, body=body)

    def give_up(self, record: KafkaRecord, failure: Failure) -> None:
        """Make a dead letter of a record."""
        self.given_up.append((record, failure))

    def _directory_of(self, patience_s: float) -> Callable[[int], Awaitable[Directory]]:
        return lambda version: self._feed.version(version, patience_s)


def _source(record: KafkaRecord) -> Source:
    return Source(record.topic, record.partition, record.offset)

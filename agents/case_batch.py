"""One batch of casekeeper in memory: what its records bring forth, before any of it is sent.

Records of a case that follow each other in a batch see each other's outcome here; the confirmed state stays
as it was until everything is confirmed. A record that cannot be read, or on which the rules fail, is given up
alone: it leaves no trace in the batch, its case goes on without it, and the dead letter can be replayed.
"""

import logging
from collections.abc import Iterator, Mapping

import msgspec

from agents.dead_letters import Failure
from casework.casekeeping import Kept, keep
from casework.directory import Directory
from casework.events import Event, Source
from casework.messages import Case, CaseContent, Delivery, Escalation, Receipt, Submission
from casework.postings import Posting
from schemas.errors import UnreadableError
from streams import wire
from streams.directory_feed import DirectoryFeed, PassedOverError
from streams.state_stores import StateStore
from streams.transport_errors import FatalTransportError
from streams.untyped import KafkaRecord

log = logging.getLogger(__name__)


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

    Attributes:
        partition: The partition.
        steps: What was decided, in order.
        given_up: Records that were not, with the reason.
    """

    def __init__(self, partition: int, cases: StateStore, contents: StateStore, feed: DirectoryFeed) -> None:
        self.partition = partition
        self._cases = cases
        self._contents = contents
        self._feed = feed
        self._overlay: dict[bytes, Case | None] = {}
        self._before: dict[bytes, Case | None] = {}
        self._contents_overlay: dict[bytes, bytes | None] = {}
        self._states: dict[bytes, bytes | None] = {}
        self.steps: list[Step] = []
        self.given_up: list[tuple[KafkaRecord, Failure]] = []

    def add(self, record: KafkaRecord) -> bool:
        """Decide one record; False when its directory version is not here, and nothing was done.

        Raises:
            FatalTransportError: A store failed, which says nothing about the record.
        """
        event = self._read(record)
        if event is None:
            return True
        directory = self._feed.known(event.admitted.directory_version)
        if directory is None:
            return False
        self._decide(record, event, directory)
        return True

    async def add_waiting(self, record: KafkaRecord) -> None:
        """Decide one record once its directory version has arrived.

        Raises:
            NoDirectoryError: The version did not arrive.
            FatalTransportError: A store failed, which says nothing about the record.
        """
        event = self._read(record)
        if event is None:
            return
        try:
            directory = await self._feed.version(event.admitted.directory_version)
        except PassedOverError as error:
            failure = Failure("bug", "unknown_directory_version", "directory_version", str(error))
            self._give_up(record, failure)
            return
        self._decide(record, event, directory)

    def _read(self, record: KafkaRecord) -> Event | None:
        if record.value is None:
            self._give_up(record, Failure("unreadable", "empty", "admitted", "the record has no value"))
            return None
        try:
            return wire.decode_event(record.value)
        except UnreadableError as error:
            self._give_up(record, Failure("unreadable", error.rule, "admitted", str(error)))
            return None

    def _decide(self, record: KafkaRecord, event: Event, directory: Directory) -> None:
        url_key = event.admitted.url_key
        try:
            before = self._case(url_key)
            kept = keep(before, event, directory, Source(record.topic, record.partition, record.offset))
            contents = {
                content_key(url_key, content.report_event_id): wire.encode(content)
                for content in kept.contents
            }
            kept = self._filled(kept, contents)
            facts = tuple([wire.encode(fact) for fact in kept.facts])
            bodies = tuple([wire.encode(posting.body) for posting in kept.postings])
        except FatalTransportError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug met by one record must not stop the others
            name = type(error).__name__
            where = (record.topic, record.partition, record.offset)
            log.error("%s[%d]@%d could not be decided: %s", *where, name)  # noqa: TRY400 - values in it
            self._give_up(record, Failure("bug", name, "", "casekeeper could not decide this record"))
            return
        self.steps.append(Step(event, before, kept, facts, bodies))
        self._overlay[url_key] = kept.case
        self._contents_overlay.update(contents)
        self._contents_overlay.update(dict.fromkeys(content_key(url_key, erased) for erased in kept.erased))

    def changes(self) -> Iterator[tuple[bytes, Case | None, Case | None]]:
        """Yield url key, state before the batch and state after it, for each case that changed."""
        for url_key, after in self._overlay.items():
            before = self._before[url_key]
            if after is not before:
                yield url_key, before, after

    def states(self) -> dict[bytes, bytes | None]:
        """Answer the states to write, framed; None is a tombstone. Each case is encoded once."""
        self._states = {
            key: None if after is None else wire.encode(after) for key, _, after in self.changes()
        }
        return self._states

    def write(self) -> None:
        """Take states and contents into the own copies, now that they are confirmed."""
        self._cases.write(self._states)
        self._contents.write(self._contents_overlay)

    @property
    def contents(self) -> dict[bytes, bytes | None]:
        """Contents to store by `content_key`; None erases."""
        return self._contents_overlay

    def _case(self, url_key: bytes) -> Case | None:
        if url_key in self._overlay:
            return self._overlay[url_key]
        framed = self._cases.get(url_key)
        case = None if framed is None else wire.decode_as(Case, framed)
        self._before[url_key] = case
        return case

    def _filled(self, kept: Kept, fresh: Mapping[bytes, bytes]) -> Kept:
        if all(posting.content_of is None for posting in kept.postings):
            return kept
        postings = tuple(self._with_content(posting, fresh) for posting in kept.postings)
        return msgspec.structs.replace(kept, postings=postings)

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

    def _give_up(self, record: KafkaRecord, failure: Failure) -> None:
        self.given_up.append((record, failure))

"""What the records of one batch have brought forth so far, in memory, before any of it is sent.

Records of a case that follow each other in a batch see each other's outcome here; the confirmed state stays
as it was until everything is confirmed.
"""

from collections.abc import Iterator, Mapping

import msgspec

from agents.failures import UnreadableStateError
from agents.kept_contents import content_key, submission_at, with_rewrap, without_credentials
from casework.casekeeping import Kept
from casework.errors import BugError
from casework.events import Event
from casework.kept import Rewrap
from casework.messages import Case, CaseContent, Delivery, Escalation, Receipt
from casework.postings import Posting
from schemas.errors import UnreadableError
from streams import wire
from streams.state_stores import StateStore


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


class Outcome:
    """The cases and contents of one partition as the batch has them now, over the confirmed ones.

    Args:
        cases: Confirmed states of the partition.
        contents: Its confirmed contents.

    Attributes:
        steps: What was decided, in order.
        offset: Offset of the record in hand.
        erased: Keys of contents that were erased, each with the offset of the record that did it.
    """

    def __init__(self, cases: StateStore, contents: StateStore) -> None:
        self._cases = cases
        self._contents = contents
        self._overlay: dict[bytes, Case | None] = {}
        self._before: dict[bytes, Case | None] = {}
        self._contents_overlay: dict[bytes, bytes | None] = {}
        self._states: dict[bytes, bytes | None] = {}
        self._decided: dict[bytes, int] = {}
        self.steps: list[Step] = []
        self.offset = 0
        self.erased: dict[bytes, int] = {}

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
            if kept.rewrap is not None and not kept.erases_contents:
                contents |= self._rewrapped(url_key, kept.rewrap)
            kept = self._filled(kept, contents)
            if kept.erases_credentials:
                contents |= self._without_credentials(url_key, contents, is_erased=kept.erases_contents)
        except UnreadableError as error:
            raise BugError("the stored content of a report cannot be read") from error
        facts = tuple([encode(fact) for fact in kept.facts])
        bodies = tuple([encode(posting.body) for posting in kept.postings])
        self.steps.append(Step(event, before, kept, facts, bodies))
        self._overlay[url_key] = kept.case
        gone = [content_key(url_key, event_id) for event_id in kept.dropped]
        gone = [key for key in gone if self._stored(key) is not None]
        if kept.erases_contents:
            gone += [key for key in self._contents_overlay if key.startswith(url_key)]
            gone += self._contents.keys(url_key)
        self._contents_overlay.update(dict.fromkeys(gone))
        self.erased.update(dict.fromkeys(gone, self.offset))
        self._contents_overlay.update(contents)

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
                number = None if kept.case is None else kept.case.number
                postings = tuple(self._with_content(one, fresh, number) for one in kept.postings)
                return msgspec.structs.replace(kept, postings=postings)
        return kept

    def _rewrapped(self, url_key: bytes, rewrap: Rewrap) -> dict[bytes, bytes]:
        """Answer the stored content with further recipients; nothing where it was erased."""
        key = content_key(url_key, rewrap.report_event_id)
        framed = self._stored(key)
        if framed is None:
            return {}
        confirmed = self._before[url_key]
        decided = 0 if confirmed is None else confirmed.number
        return {
            key: wire.encode(with_rewrap(wire.decode_as(CaseContent, framed), rewrap, self.offset, decided))
        }

    def _without_credentials(
        self, url_key: bytes, fresh: Mapping[bytes, bytes], *, is_erased: bool
    ) -> dict[bytes, bytes]:
        """Answer the contents of a case that have credentials, without them."""
        known: list[bytes] = []
        if not is_erased:
            known = [key for key in self._contents_overlay if key.startswith(url_key)]
            known += self._contents.keys(url_key)
        found = {}
        for key in dict.fromkeys((*known, *fresh)):
            framed = fresh.get(key) or self._stored(key)
            if framed is None:
                continue
            stored = wire.decode_as(CaseContent, framed)
            bare = without_credentials(stored, self.offset)
            if bare is not stored:
                found[key] = wire.encode(bare)
        return found

    def _stored(self, key: bytes) -> bytes | None:
        if key in self._contents_overlay:
            return self._contents_overlay[key]
        return self._contents.get(key)

    def _with_content(self, posting: Posting, fresh: Mapping[bytes, bytes], number: int | None) -> Posting:
        """Fill in a stored statement and its content as of a fact; where it was erased, nothing."""
        if posting.content_of is None or isinstance(posting.body, Receipt):
            return posting
        key = content_key(posting.body.url_key, posting.content_of)
        framed = fresh.get(key) or self._stored(key)
        if framed is None:
            return posting
        submission = submission_at(wire.decode_as(CaseContent, framed), number)
        body: Delivery | Escalation = msgspec.structs.replace(
            posting.body,
            statement=submission.statement,
            signature=submission.signature,
            key_id=submission.key_id,
            content=submission.content,
            credentials=submission.credentials,
        )
        return msgspec.structs.replace(posting, body=body)

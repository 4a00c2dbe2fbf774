"""Contents of reports as a replay needs them: written once to a file, read when a case is handed on."""

import tempfile
from collections import defaultdict
from collections.abc import Set as AbstractSet
from typing import IO, Final

import msgspec

from agents.kept_contents import submission_at, with_rewrap, without_credentials
from casework.kept import Rewrap
from casework.limits import URL_KEY_BYTES
from casework.messages import CaseContent, ReportStatement, Submission
from operations.verification.facts import digest
from operations.verification.findings import Tally
from schemas.errors import UnreadableError
from streams import wire

_BUFFER: Final = 1 << 20


class Contents:
    """Contents of one partition; a file that vanishes with the object holds them.

    Attributes:
        erased: Keys whose newest record is a tombstone.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(buffering=_BUFFER)  # noqa: SIM115 - closed by close
        self._places: dict[bytes, tuple[int, int]] = {}
        self._digests: dict[bytes, bytes] = {}
        self.stored: dict[bytes, bytes] = {}
        self.erased: set[bytes] = set()
        self._of_case: defaultdict[bytes, set[bytes]] = defaultdict(set)
        self._gone: set[bytes] = set()
        self._required: set[bytes] = set()

    def close(self) -> None:
        """Delete the file."""
        self._file.close()

    def read(self, key: bytes, framed: bytes | None) -> None:
        """Take a record of cases.contents."""
        if framed is None:
            self.stored.pop(key, None)
            self._places.pop(key, None)
            self.erased.add(key)
        else:
            self.erased.discard(key)
            self.stored[key] = _digest_of(framed)
            self._keep(key, framed)

    def expect(self, key: bytes, content: CaseContent) -> None:
        """Take a content that the replay of its report stores; it counts before what the topic holds."""
        framed = wire.encode(_plain(content))
        self._keep(key, framed)
        self._digests[key] = digest(framed)
        self._gone.discard(key)

    def rewrap(self, key: bytes, rewrap: Rewrap, offset: int) -> None:
        """Give a content the further recipients that a re-wrap brought with the record at an offset."""
        framed = self._framed(key)
        if framed is not None:
            stored = wire.decode_as(CaseContent, framed)
            self.expect(key, with_rewrap(stored, rewrap, offset, decided=rewrap.number))

    def require(self, key: bytes) -> None:
        """Expect that a content is stored, whatever it is; its report was not decided again."""
        self._required.add(key)
        self._of_case[key[:URL_KEY_BYTES]].add(key)
        self._gone.discard(key)

    def erase(self, url_key: bytes) -> None:
        """Expect that nothing of a case is stored any more; it was erased, or became a stub."""
        self._gone |= self._of_case[url_key]

    def is_erased(self, key: bytes) -> bool:
        """Answer whether the topic says that a content was erased."""
        return key in self.erased

    def drop(self, key: bytes) -> None:
        """Expect that a content is not stored any more; its action waited and was not taken."""
        if key in self._digests:
            self._gone.add(key)

    def erase_credentials(self, url_key: bytes, offset: int) -> None:
        """Expect that what is stored of a case holds no credentials any more; its round was closed."""
        for key in self._of_case[url_key] - self._gone:
            framed = self._framed(key)
            if framed is None:
                continue
            stored = wire.decode_as(CaseContent, framed)
            bare = without_credentials(stored, offset)
            if bare is stored:
                continue
            again = wire.encode(bare)
            self._keep(key, again)
            if key in self._digests:
                self._digests[key] = digest(again)

    def has_lost(self, key: bytes) -> bool:
        """Answer whether a report's content, or its credentials, are not there any more."""
        submission = self.submission(key)
        if submission is None:
            return True
        statement = wire.statement_of(submission)
        has_any = isinstance(statement, ReportStatement) and statement.credentials_digest is not None
        return has_any and submission.credentials is None

    def submission(self, key: bytes) -> Submission | None:
        """Answer the submission of a report, or None where it is not known here any more."""
        framed = None if key in self._gone else self._framed(key)
        if framed is None:
            return None
        return submission_at(wire.decode_as(CaseContent, framed))

    def compare(self, skipped: AbstractSet[bytes], tally: Tally, *, is_from_snapshot: bool) -> None:
        """Compare what the replay stored with what the topic holds; `skipped` holds url keys."""
        self._compare_stubs(skipped, tally)
        for key in self._required - self._digests.keys() - self._gone - self.stored.keys():
            self._is_missing(key, tally)
        for key, is_what in self._digests.items():
            tally.counts["contents"] += 1
            if key in self._gone:
                tally.counts["contents_erased"] += 1
                continue
            name = key[URL_KEY_BYTES:].decode()
            if key in self.stored:
                if self.stored[key] != is_what:
                    tally.find("content_altered", "", name, "differs from what was submitted")
            else:
                self._is_missing(key, tally)
        if is_from_snapshot:
            return
        for key in self.stored.keys() - self._digests.keys() - self._gone:
            if key[:URL_KEY_BYTES] not in skipped:
                tally.find(
                    "content_unknown", "", key[URL_KEY_BYTES:].decode(errors="replace"), "of no report"
                )

    def _is_missing(self, key: bytes, tally: Tally) -> None:
        if key in self.erased:
            tally.unchecked["content_erased"] += 1
        else:
            name = key[URL_KEY_BYTES:].decode()
            tally.find("content_missing", "", name, "neither content nor its erasure is there")

    def _compare_stubs(self, skipped: AbstractSet[bytes], tally: Tally) -> None:
        for key in self._gone & self.stored.keys():
            if key[:URL_KEY_BYTES] not in skipped:
                tally.find(
                    "content_left",
                    "",
                    key[URL_KEY_BYTES:].decode(errors="replace"),
                    "of a case that was erased",
                )

    def _framed(self, key: bytes) -> bytes | None:
        place = self._places.get(key)
        if place is None:
            return None
        offset, length = place
        self._file.seek(offset)
        return self._file.read(length)

    def _keep(self, key: bytes, framed: bytes) -> None:
        offset = self._file.seek(0, 2)
        self._file.write(framed)
        self._places[key] = (offset, len(framed))
        self._of_case[key[:URL_KEY_BYTES]].add(key)


def _digest_of(framed: bytes) -> bytes:
    try:
        return digest(wire.encode(_plain(wire.decode_as(CaseContent, framed))))
    except UnreadableError:
        return digest(framed)


def _plain(stored: CaseContent) -> CaseContent:
    """Answer a content with its re-wraps joined: when they are joined depends on batches."""
    if not stored.rewraps:
        return stored
    return msgspec.structs.replace(stored, submission=wire.encode(submission_at(stored)), rewraps=())

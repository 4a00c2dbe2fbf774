"""Which versions of the directory a process believes, and which of them counts at a moment.

Every process judges the records of the topic by what stands in them and by the broker's time of their
append, so all of them believe the same versions whenever they read them; what one of them stamped on a
decision, every other one finds again.
"""

import datetime as dt
import logging
import math
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from casework import directory as directories
from casework.directory import Directory
from casework.directory_checks import LEAD_MS, check
from casework.directory_keys import Signers
from casework.directory_signing import TrustAnchor, check_signatures
from casework.errors import DirectoryRefusedError, FatalError, HotlineExchangeError, RuleViolation
from casework.messages import DirectoryDocument
from schemas.errors import UnreadableError
from streams import wire
from streams.clock import Clock

log = logging.getLogger(__name__)

_MS: Final = 1000


class NoDirectoryError(FatalError):
    """No version is valid, or the one that is needed did not arrive: nothing can be decided."""


class PassedOverError(NoDirectoryError):
    """A version is missing although a higher one is there: versions only rise, so it will never arrive."""


class DirectoryRecord(Protocol):
    """A record of the directory topic, from whatever client; time in milliseconds since the epoch."""

    @property
    def offset(self) -> int:
        """Its offset."""
        ...

    @property
    def timestamp(self) -> int:
        """When the broker appended it."""
        ...

    @property
    def value(self) -> bytes | None:
        """Its bytes."""
        ...


class PublishedVersion(NamedTuple):
    """One version that is believed, and where it stands."""

    document: DirectoryDocument
    directory: Directory
    offset: int


class DirectoryVersions:
    """All versions that are believed.

    Args:
        environment: Documents for another environment are refused: logged and left out.
        clock: The exchange's clock.
        anchor: The signers whom the first version must be signed by; None believes unsigned directories.
    """

    def __init__(self, environment: str, clock: Clock, anchor: TrustAnchor | None = None) -> None:
        self._environment = environment
        self._clock = clock
        self._anchor = anchor
        self._versions: dict[int, PublishedVersion] = {}
        self._newest_first: tuple[PublishedVersion, ...] = ()

    @property
    def newest(self) -> PublishedVersion | None:
        """The highest version known, valid or not yet; None when there is none."""
        return self._newest_first[0] if self._newest_first else None

    @property
    def newest_version(self) -> int:
        """The number of the highest version known; 0 when there is none."""
        return self._newest_first[0].directory.version if self._newest_first else 0

    @property
    def trusted(self) -> Signers | None:
        """Whose signatures the next version needs: those that the newest one names, else the anchor's."""
        return self._anchor if self.newest is None else self.newest.directory.signers

    def __iter__(self) -> Iterator[PublishedVersion]:
        return reversed(self._newest_first)

    def expires_in_s(self) -> float:
        """Answer the seconds of real time until the newest version expires; infinite if it never does."""
        newest = self.newest
        if newest is None or newest.directory.expires_at is None:
            return math.inf
        return (newest.directory.expires_at - self._clock.real_ms()) / _MS

    def latest(self, now_ms: int) -> Directory:
        """Answer the newest version that is valid at a time of the exchange's clock.

        When that one has expired, an older one is no substitute: somebody may be withholding its successor.

        Raises:
            NoDirectoryError: There is none: not published, not valid yet, or expired.
        """
        for _, directory, _ in self._newest_first:
            if directory.valid_from > now_ms:
                continue
            if self._has_expired(directory, now_ms):
                raise NoDirectoryError(
                    f"directory version {directory.version} expired at {_moment(directory.expires_at)}: "
                    "the secretariat must sign and publish the next one"
                )
            return directory
        raise NoDirectoryError(self._nothing())

    def valid_at(self, stamp_ms: int, now_ms: int) -> Directory:
        """Answer the newest version that was valid at a moment of the past, the same whenever it is asked.

        What was submitted before the first version took effect, or while none was valid, meets the first
        one that took effect afterwards.

        Args:
            stamp_ms: The moment, by the exchange's clock.
            now_ms: The exchange's clock.

        Raises:
            NoDirectoryError: None was valid then, and none has become valid since.
        """
        later: Directory | None = None
        for _, directory, _ in self._newest_first:
            if directory.valid_from <= stamp_ms:
                if not self._has_expired(directory, stamp_ms):
                    return directory
                break
            if directory.valid_from <= now_ms and (later is None or directory.valid_from <= later.valid_from):
                later = directory
        return self.latest(now_ms) if later is None else later

    def known(self, version: int) -> Directory | None:
        """Answer a version, or None."""
        found = self._versions.get(version)
        return None if found is None else found.directory

    def published(self, version: int) -> PublishedVersion | None:
        """Answer a version with its envelope, or None."""
        return self._versions.get(version)

    def take(self, record: DirectoryRecord) -> Directory | None:
        """Take the next record of the topic; answer its version, None when it is refused, which is logged."""
        if record.value is None:
            return None
        try:
            document, directory = read_document(record.value, self._environment)
            there = self._versions.get(directory.version)
            if there is None or there.document.document != document.document:
                self._require(document, directory, self._clock.at(record.timestamp))
                there = PublishedVersion(document, directory, record.offset)
                self._versions[directory.version] = there
                self._newest_first = (there, *self._newest_first)
        except (UnreadableError, HotlineExchangeError) as error:
            log.error("directory record %d refused: %s", record.offset, error)  # noqa: TRY400 - no bug
            return None
        return there.directory

    def check_next(
        self, document: DirectoryDocument, directory: Directory, published_at: int
    ) -> tuple[RuleViolation, ...]:
        """Answer every rule that a version breaks as the next one on the topic.

        Args:
            document: Its envelope.
            directory: What the document says.
            published_at: When it reaches the topic, by the exchange's clock; milliseconds since the epoch.
        """
        return tuple(self._faults(document, directory, published_at))

    def _require(self, document: DirectoryDocument, directory: Directory, published_at: int) -> None:
        violations = self.check_next(document, directory, published_at)
        if violations:
            raise DirectoryRefusedError(violations)

    def _faults(
        self, document: DirectoryDocument, directory: Directory, published_at: int
    ) -> Iterator[RuleViolation]:
        newest = self.newest
        yield from check_signatures(document, directory, self.trusted)
        if directory.environment == "production":
            # Signers are people: whatever they signed, production takes no unprotected network.
            yield from check(directory)
        if newest is None:
            return
        if directory.version == newest.directory.version or directory.version in self._versions:
            # Decisions were made and stamped with the first one: repeated, they must come out the same.
            following = newest.directory.version + 1
            yield RuleViolation(
                "version", "exists", f"published with other bytes, which stay: publish these as {following}"
            )
        elif directory.version < newest.directory.version:
            yield RuleViolation(
                "version", "not_newer", f"version {newest.directory.version} is published already"
            )
        yield from check_lead(directory, published_at)

    def _has_expired(self, directory: Directory, at_ms: int) -> bool:
        return directory.expires_at is not None and self._clock.at(directory.expires_at) <= at_ms

    def _nothing(self) -> str:
        if not self._versions:
            return "no directory that may be used here is published: run 'hx directory publish'"
        return f"none of {len(self._versions)} versions of the directory is valid yet"


def document_of(directory: Directory) -> DirectoryDocument:
    """Answer the unsigned message that publishes a directory; see `directory_signing.sign`."""
    return DirectoryDocument(
        version=directory.version,
        environment=directory.environment,
        published_at=directory.published_at,
        valid_from=directory.valid_from,
        expires_at=directory.expires_at,
        document=directories.to_bytes(directory),
    )


def check_lead(directory: Directory, published_at: int) -> Iterator[RuleViolation]:
    """Yield the rule that a successor breaks whose publication comes too late for its `valid_from`.

    A worker that reads it late would have stamped records with the version before.

    Args:
        directory: Any version but the first.
        published_at: When it reaches the topic, by the exchange's clock; milliseconds since the epoch, UTC.
    """
    if directory.valid_from < published_at + LEAD_MS:
        yield RuleViolation("valid_from", "too_early", f"at least {LEAD_MS // _MS} s after the publication")


def read_document(value: bytes, environment: str) -> tuple[DirectoryDocument, Directory]:
    """Read a record of the directory topic; whom it is signed by is not looked at here.

    Raises:
        UnreadableError: The bytes are no directory document.
        DirectoryRefusedError: The directory inside them cannot be read, or is for another environment.
    """
    document = wire.decode_as(DirectoryDocument, value)
    directory = directories.from_bytes(document.document)
    if directory.environment != environment or document.environment != environment:
        raise DirectoryRefusedError(
            [RuleViolation("environment", "wrong_environment", f"this exchange is {environment}")]
        )
    return document, directory


def _moment(at_ms: int | None) -> str:
    return dt.datetime.fromtimestamp((at_ms or 0) / _MS, tz=dt.UTC).isoformat(timespec="seconds")

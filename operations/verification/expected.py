"""What intake must have made of each submission: an admission, a refusal with its receipt, escalations.

Intake's judgement follows from a submission's bytes and the broker's time of its append alone, so it is made
again here. The outcome is kept as fingerprints in a file per partition of cases, like the effects.
"""

import functools
import struct
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Final

import msgspec

from agents.judgement import Admit, Bench, GiveUp, Refuse, judge
from casework.ids import id_bytes
from casework.limits import URL_KEY_BYTES
from operations.logs import ExchangeClock, Log
from operations.reading import Record
from operations.verification.facts import digest, place_of
from operations.verification.findings import Tally
from streams import wire
from streams.directory_versions import DirectoryVersions, NoDirectoryError
from streams.slots import partition_of
from streams.topics import Topics

_PACKED: Final = struct.Struct(">16s16s??")
_PLACE: Final = struct.Struct(">HIQ")
_BUFFER: Final = 1 << 16
Place = tuple[str, int, int]


class OfIntake(msgspec.Struct, frozen=True):
    """What intake is expected to have written for the cases of one partition.

    Attributes:
        admissions: Digest of the admitted record, by `place_key` of the submission.
        messages: Digests of receipts and escalations by id; the same id may stand over several.
        may_be: Those of `admissions` and `messages` that intake has not committed yet.
        begins: First offset of submissions that is still there, by topic and partition.
    """

    admissions: dict[bytes, bytes]
    messages: dict[bytes, set[bytes]]
    may_be: frozenset[bytes]
    begins: dict[str, dict[int, int]]

    @property
    def is_trimmed(self) -> bool:
        """Whether retention has deleted submissions."""
        return any(first > 0 for begins in self.begins.values() for first in begins.values())


def place_key(topics: Topics, topic: str, partition: int, offset: int) -> bytes:
    """Answer a submission's place in 16 bytes; of one from elsewhere a place that no submission has."""
    number = topics.submissions.index(topic) if topic in topics.submissions else len(topics.submissions)
    return _PLACE.pack(number, partition, offset).ljust(16, b"\0")


def place_name(topics: Topics, key: bytes) -> str:
    """Name the place of a submission."""
    number, partition, offset = _PLACE.unpack_from(key)
    return f"{topics.submissions[number]}/{partition}/{offset}"


class Expected:
    """Judges submissions again.

    Args:
        topics: Names of the topics.
        partitions: Number of partitions of the topics of cases.
        environment: Environment of the exchange.
        feed: All directory versions.
        clock: The exchange's clock.
        tally: Takes what is found.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what intake judges by
        self,
        topics: Topics,
        partitions: int,
        environment: str,
        feed: DirectoryVersions,
        clock: ExchangeClock,
        tally: Tally,
    ) -> None:
        self._topics = topics
        self._partitions = partitions
        self._environment = environment
        self._feed = feed
        self._clock = clock
        self._tally = tally
        self._begins: dict[str, dict[int, int]] = {}
        self._benches: dict[int, Bench] = {}
        self._files: list[IO[bytes]] = [
            tempfile.TemporaryFile(buffering=_BUFFER)  # noqa: SIM115 - closed by close
            for _ in range(partitions)
        ]

    def close(self) -> None:
        """Delete the files."""
        for file in self._files:
            file.close()

    def read(
        self,
        log: Log,
        dead_letters: Mapping[Place, Collection[bytes | None]],
        bounds: Mapping[str, Mapping[int, int]] | None,
        first: Mapping[str, Mapping[int, int]],
    ) -> None:
        """Judge all submissions from `first` on; `bounds` says what intake has committed."""
        unseen = {place for place in dead_letters if place[0] in self._topics.submissions}
        for topic in self._topics.submissions:
            if topic in log.topics():
                begins = first.get(topic, {})
                self._begins[topic] = {
                    partition: max(offset, begins.get(partition, 0))
                    for partition, offset in log.begins(topic).items()
                }
            for record in log.whole(topic):
                if record.offset < self._begins[topic].get(record.partition, 0):
                    continue
                self._tally.counts["submissions"] += 1
                unseen.discard((record.topic, record.partition, record.offset))
                bound = None if bounds is None else bounds.get(topic, {}).get(record.partition, 0)
                self._judge(record, dead_letters, may_be=bound is not None and record.offset >= bound)
        for topic, partition, offset in unseen:
            if offset >= self._begins.get(topic, {}).get(partition, 0):
                name = f"{topic}/{partition}/{offset}"
                self._tally.find("source_missing", "", name, "only its dead letter is there")

    def of(self, partition: int) -> OfIntake:
        """Answer what is expected for one partition of cases."""
        admissions: dict[bytes, bytes] = {}
        messages: defaultdict[bytes, set[bytes]] = defaultdict(set)
        may_be: set[bytes] = set()
        for identifier, is_what, is_admission, is_open in self._unpacked(partition):
            if is_open:
                may_be.add(identifier)
            if is_admission:
                admissions[identifier] = is_what
            else:
                messages[identifier].add(is_what)
        return OfIntake(admissions, dict(messages), frozenset(may_be), self._begins)

    def _unpacked(self, partition: int) -> Iterator[tuple[bytes, bytes, bool, bool]]:
        file = self._files[partition]
        file.seek(0)
        while block := file.read(_PACKED.size * 4096):
            yield from _PACKED.iter_unpack(block)

    def _judge(
        self, record: Record, dead_letters: Mapping[Place, Collection[bytes | None]], *, may_be: bool
    ) -> None:
        place = (record.topic, record.partition, record.offset)
        kept = dead_letters.get(place)
        if kept is not None:
            self._look_at_dead_letter(record, kept)
            return
        expect = functools.partial(self._expect, may_be=may_be)
        try:
            verdict = judge(record, self._bench(record.timestamp))
        except NoDirectoryError:
            self._tally.unchecked["directory_version_gone"] += 1
            return
        except Exception as error:  # noqa: BLE001 - what intake trips over it must have set aside
            self._not_set_aside(record, type(error).__name__, may_be=may_be)
            return
        match verdict:
            case Admit(admitted, escalations):
                key = place_key(self._topics, *place)
                expect(key, wire.encode(admitted), admitted.url_key, is_admission=True)
                for each in escalations:
                    expect(id_bytes(each.escalation_id), wire.encode(each), each.url_key)
            case Refuse(receipt):
                url_key = receipt.url_key or bytes(URL_KEY_BYTES)
                expect(id_bytes(receipt.receipt_id), wire.encode(receipt), url_key)
            case GiveUp(failure):
                self._not_set_aside(record, failure.rule, may_be=may_be)

    def _look_at_dead_letter(self, record: Record, kept: Collection[bytes | None]) -> None:
        """Hold what was set aside against the record; what could be answered today is at least counted."""
        if any(value != record.value for value in kept):
            self._tally.find("dead_letter_altered", "", place_of(record), "the record there has other bytes")
        try:
            verdict = judge(record, self._bench(record.timestamp))
        except Exception:  # noqa: BLE001 - what intake trips over was rightly set aside
            return
        if not isinstance(verdict, GiveUp):
            self._tally.unchecked["dead_letter_admissible"] += 1

    def _not_set_aside(self, record: Record, why: str, *, may_be: bool) -> None:
        if not may_be:
            self._tally.find("dead_letter_missing", "", place_of(record), f"{why} while it is judged")

    def _expect(
        self, identifier: bytes, framed: bytes, url_key: bytes, *, may_be: bool, is_admission: bool = False
    ) -> None:
        packed = _PACKED.pack(identifier, digest(framed), is_admission, may_be)
        self._files[partition_of(url_key, self._partitions)].write(packed)

    def _bench(self, appended_at: int) -> Bench:
        bench = self._benches.get(appended_at)
        if bench is None:
            stamp = self._clock.at(appended_at)
            directory = self._feed.valid_at(stamp, self._clock.now_ms())
            self._benches.clear()
            bench = self._benches[appended_at] = Bench(directory, self._environment, stamp, self._topics)
        return bench

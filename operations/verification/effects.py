"""The messages in inboxes and escalation topics, as fingerprints sorted by the partition of their case.

An inbox holds messages of all cases, a replay looks at the cases of one partition. So the inboxes are read
once, and of each message 100 bytes are kept in a file per partition of cases: id, digest, place. Memory holds
the fingerprints of one partition at a time.
"""

import struct
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Final

import msgspec

from casework.ids import id_bytes
from casework.limits import URL_KEY_BYTES
from casework.messages import Delivery, Escalation, Receipt
from operations.logs import Log
from operations.reading import Record
from operations.verification.facts import digest, place_of
from operations.verification.findings import Tally
from schemas.errors import UnreadableError
from streams import wire
from streams.slots import partition_of
from streams.topics import Topics

_PACKED: Final = struct.Struct(">16s16s16s33sHHqIB?")
_KINDS: Final = (Delivery, Receipt, Escalation)
_UUID: Final = (8, 12, 16, 20)
_BUFFER: Final = 1 << 16
_FRAME_BYTES: Final = 128
"""At least what a record alone in its batch takes beside key, value and headers."""
_ANY_BYTES: Final = 1 << 62


class Effect(msgspec.Struct, frozen=True):
    """A message that lies in a topic.

    Attributes:
        kind: delivery, receipt or escalation.
        topic: Where it lies.
        partition: Its partition.
        offset: Its offset.
        digest: Digest of its bytes.
        url_key: Its url key; of a receipt that names none, zeros.
        group: Case id of a delivery in 16 bytes; of others `group_of` the event id of the submission.
        number: Number of a delivery, else 0.
        was_too_large: Whether its topic refused messages of its size for a while.
    """

    kind: str
    topic: str
    partition: int
    offset: int
    digest: bytes
    url_key: bytes
    group: bytes
    number: int
    was_too_large: bool

    @property
    def place(self) -> str:
        """Where it lies, in words."""
        return f"{self.topic}/{self.partition}/{self.offset}"


def text_of(identifier: bytes) -> str:
    """Answer an id of 16 bytes in text form."""
    digits = identifier.hex()
    return "-".join(digits[a:b] for a, b in zip((0, *_UUID), (*_UUID, 32), strict=True))


class Effects:
    """Fingerprints of all messages; a context manager, its files vanish with it.

    Args:
        topics: Names of the topics.
        partitions: Number of partitions of the topics of cases.
        tally: Takes what is found.
        narrow: Topics that for a while took only batches of so many bytes.
    """

    def __init__(self, topics: Topics, partitions: int, tally: Tally, narrow: Mapping[str, int]) -> None:
        self._narrow = narrow
        self._topics = topics
        self._partitions = partitions
        self._tally = tally
        self._files: list[IO[bytes]] = [
            tempfile.TemporaryFile(buffering=_BUFFER)  # noqa: SIM115 - closed by close
            for _ in range(partitions)
        ]
        self._names: list[str] = []

    def close(self) -> None:
        """Delete the files."""
        for file in self._files:
            file.close()

    def read(self, log: Log, topics: list[str], first: Mapping[str, Mapping[int, int]]) -> None:
        """Take all messages of topics; `first` says from which offsets on, by topic and partition."""
        self._names = topics
        numbers = {topic: number for number, topic in enumerate(topics)}
        for record in log.whole(*(topic for topic in topics if topic not in first)):
            self._take(record, numbers[record.topic])
        for topic, begins in first.items():
            for partition in range(log.partitions(topic) if topic in numbers else 0):
                for record in log.part(topic, partition, begins.get(partition, 0)):
                    self._take(record, numbers[topic])

    def read_set_aside(self, records: Iterable[Record]) -> None:
        """Take messages that their topic refused and that lie among the dead letters; their offset is -1."""
        for record in records:
            self._tally.counts["undelivered"] += 1
            if record.topic not in self._names:
                self._names.append(record.topic)
            self._take(record, self._names.index(record.topic))

    def of(self, partition: int) -> dict[bytes, list[Effect]]:
        """Answer the messages of one partition of cases by id, each id's in the order in which they lie."""
        found: defaultdict[bytes, list[Effect]] = defaultdict(list)
        for identifier, effect in self._unpacked(partition):
            found[identifier].append(effect)
        return dict(found)

    def _unpacked(self, partition: int) -> Iterator[tuple[bytes, Effect]]:
        file = self._files[partition]
        file.seek(0)
        while block := file.read(_PACKED.size * 4096):
            for (
                identifier,
                is_what,
                group,
                url_key,
                topic,
                place,
                offset,
                number,
                kind,
                was_too_large,
            ) in _PACKED.iter_unpack(block):
                name, where = _KINDS[kind].__name__.lower(), self._names[topic]
                yield (
                    identifier,
                    Effect(name, where, place, offset, is_what, url_key, group, number, was_too_large),
                )

    def _take(self, record: Record, topic: int) -> None:
        tally = self._tally
        try:
            message = wire.decode(record.value or b"")
            was_too_large = _bytes_of(record) > self._narrow.get(record.topic, _ANY_BYTES)
            packed, url_key = _packed(message, record, topic, was_too_large=was_too_large)
        except UnreadableError as error:
            tally.find("unreadable", "", place_of(record), error.rule)
            return
        except (ValueError, TypeError, struct.error):
            tally.find("unreadable", "", place_of(record), "no message for this topic, or ids that are none")
            return
        tally.counts["effects"] += 1
        self._check_place(record, message)
        self._files[partition_of(url_key, self._partitions)].write(packed)

    def _check_place(self, record: Record, message: object) -> None:
        topics = self._topics
        match message:
            case Delivery(recipient=recipient, is_urgent=is_urgent):
                right = topics.delivered(recipient, is_urgent=is_urgent)
            case Receipt(recipient=recipient):
                right = topics.inbox(recipient)
            case Escalation(recipient=recipient):
                right = topics.escalations(recipient)
            case _:
                right = ""
        name = type(message).__name__.lower()
        if right != record.topic:
            self._tally.find("effect_misplaced", "", place_of(record), f"this {name} belongs into {right}")
        if (record.key or b"") != (getattr(message, "url_key", None) or b""):
            self._tally.find("effect_misplaced", "", place_of(record), f"the key is not that of this {name}")


def _packed(message: object, record: Record, topic: int, *, was_too_large: bool) -> tuple[bytes, bytes]:
    is_what = digest(record.value or b"")
    number = 0
    if isinstance(message, Delivery):
        kind, identifier, number = 0, message.delivery_id, message.number
        group = id_bytes(message.case_id)
    elif isinstance(message, Receipt):
        kind, identifier, group = 1, message.receipt_id, group_of(message.event_id)
    elif isinstance(message, Escalation):
        kind, identifier, group = 2, message.escalation_id, group_of(message.event_id)
    else:
        raise TypeError
    url_key = message.url_key or bytes(URL_KEY_BYTES)
    place = topic, record.partition, record.offset
    packed = _PACKED.pack(id_bytes(identifier), is_what, group, url_key, *place, number, kind, was_too_large)
    return packed, url_key


def _bytes_of(record: Record) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers + _FRAME_BYTES


def group_of(event_id: str) -> bytes:
    """Answer the group of what answers a submission; a refused one may have called itself anything."""
    return digest(event_id.encode())

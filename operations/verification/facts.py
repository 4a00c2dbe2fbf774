"""The facts of one partition as they first appear, read only as far as the record at hand needs.

A crash repeats facts, byte for byte. Repeats are counted and compared by digest, so that only what no record
has taken yet is held in memory.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from casework.ids import id_bytes
from casework.messages import Fact
from casework.transitions import PARKING
from operations.reading import Record
from operations.verification.findings import Tally
from schemas.errors import UnreadableError
from streams import wire
from streams.slots import partition_of

_DIGEST: Final = 16
_HELD_BACK: Final = 1_000
"""Records of one partition in one call of casekeeper: one that is held back is decided behind the others."""
_NOT_CARRIED_OUT: Final = 1 << 62


def digest(value: bytes) -> bytes:
    """Answer what a value is compared by once it is out of memory."""
    return hashlib.blake2b(value, digest_size=_DIGEST).digest()


def place_of(record: Record) -> str:
    """Name where a record lies."""
    return f"{record.topic}/{record.partition}/{record.offset}"


class Logged(msgspec.Struct, frozen=True):
    """A fact at its first appearance.

    Attributes:
        fact: The fact.
        framed: Its bytes.
        offset: Its offset in cases.events.
        at: Offset of the admitted record that brought it forth. Of what waited in a parked case this is the
            order that let it go on, while the fact names the record that waited.
    """

    fact: Fact
    framed: bytes
    offset: int
    at: int


class Facts:
    """First appearances, taken by case and admitted record.

    Args:
        records: cases.events of one partition, in order.
        partitions: Number of partitions of cases.events.
        tally: Takes what is found.
        known: Number of the last fact before the first record, by case id; from a snapshot.
        parked: Url keys of cases that are parked before the first record; from a snapshot.
    """

    def __init__(
        self,
        records: Iterator[Record],
        partitions: int,
        tally: Tally,
        known: dict[str, int] | None = None,
        parked: AbstractSet[bytes] = frozenset(),
    ) -> None:
        self._records = records
        self._partitions = partitions
        self._tally = tally
        self._known = known or {}
        self._seen: dict[bytes, bytes] = {}
        self._newest: dict[str, int] = {}
        self._sources: dict[str, int] = {}
        self._parked = set(parked)
        self._ever_parked = set(parked)
        self._of_order: defaultdict[bytes, list[Logged]] = defaultdict(list)
        self._pending: defaultdict[bytes, list[Logged]] = defaultdict(list)
        self._read_to = -1
        self._is_exhausted = False
        self._end = 0

    def take(self, url_key: bytes, source_offset: int) -> list[Logged]:
        """Answer the facts of a case up to those of an admitted record, by number; each is given once."""
        while self._read_to <= source_offset + _HELD_BACK and not self._is_exhausted:
            self._read()
        pending = self._pending.get(url_key)
        if not pending:
            return []
        taken = [each for each in pending if each.at <= source_offset]
        if len(taken) == len(pending):
            del self._pending[url_key]
        else:
            self._pending[url_key] = [each for each in pending if each.at > source_offset]
        return _in_order(taken)

    def rest(self) -> Iterator[tuple[bytes, list[Logged]]]:
        """Yield url key and facts that nothing has taken, in their order."""
        while not self._is_exhausted:
            self._read()
        for url_key, pending in sorted(self._pending.items()):
            yield url_key, _in_order(pending)

    def first_of(self, url_keys: AbstractSet[bytes]) -> int:
        """Offset in cases.events before which no fact of these url keys waits; the end when none does."""
        waiting = (each.offset for key in url_keys for each in self._pending.get(key, ()))
        return min(waiting, default=self._end)

    def close(self) -> None:
        """Name the gaps among the numbers, now that all was read."""
        for case_id, newest in self._newest.items():
            for number in range(self._known.get(case_id, 0) + 1, newest + 1):
                if _key(case_id, number) not in self._seen:
                    self._tally.find("fact_gap", case_id, str(number), "no fact of the case has this number")

    def _read(self) -> None:
        record = next(self._records, None)
        if record is None:
            self._is_exhausted = True
            for held in self._of_order.values():
                for each in held:
                    self._pending[each.fact.url_key].append(
                        msgspec.structs.replace(each, at=_NOT_CARRIED_OUT)
                    )
            self._of_order.clear()
            return
        self._tally.counts["facts"] += 1
        self._end = record.offset + 1
        try:
            fact = wire.decode_as(Fact, record.value or b"")
        except UnreadableError as error:
            self._tally.find("unreadable", "", place_of(record), error.rule)
            return
        framed = record.value or b""
        if record.key != fact.url_key or partition_of(fact.url_key, self._partitions) != record.partition:
            name = f"{fact.number} at {place_of(record)}"
            self._tally.find("fact_misplaced", fact.case_id, name, "key or partition is not its case's")
            return
        key, is_what = _key(fact.case_id, fact.number), digest(framed)
        before = self._seen.get(key)
        if before is not None:
            self._tally.counts["facts_repeated"] += 1
            if before != is_what:
                text = f"{place_of(record)} differs from what came first under this number"
                self._tally.find("fact_conflict", fact.case_id, str(fact.number), text)
            return
        if fact.number <= self._known.get(fact.case_id, 0):
            return
        self._seen[key] = is_what
        self._check_order(fact)
        self._place(Logged(fact, framed, record.offset, fact.source_offset))
        self._read_to = max(self._read_to, fact.source_offset)

    def _place(self, logged: Logged) -> None:
        """Find the admitted record; between a parking and the fact that ends an order all is the order's."""
        fact = logged.fact
        pending, url_key = self._pending[fact.url_key], fact.url_key
        if fact.unparking is not None:
            held = self._of_order.pop(url_key, ())
            pending += [msgspec.structs.replace(each, at=fact.source_offset) for each in held]
        elif url_key in self._parked and fact.fact != "parked":
            self._of_order[url_key].append(logged)
            return
        pending.append(logged)
        if fact.fact == "parked":
            self._parked.add(url_key)
        elif fact.fact == "unparked":
            self._parked.discard(url_key)

    def _check_order(self, fact: Fact) -> None:
        before = self._newest.get(fact.case_id, self._known.get(fact.case_id, 0))
        if fact.number < before:
            text = f"first appears behind number {before}"
            self._tally.find("fact_order", fact.case_id, str(fact.number), text)
        self._newest[fact.case_id] = max(before, fact.number)
        if fact.fact in PARKING:
            self._ever_parked.add(fact.url_key)
        source = self._sources.get(fact.case_id, -1)
        if fact.source_offset < source and fact.url_key not in self._ever_parked:
            text = f"decided on offset {fact.source_offset}, after one decided on {source}"
            self._tally.find("source_backwards", fact.case_id, str(fact.number), text)
        self._sources[fact.case_id] = max(source, fact.source_offset)


def _key(case_id: str, number: int) -> bytes:
    return id_bytes(case_id) + number.to_bytes(4, "big")


def _in_order(facts: list[Logged]) -> list[Logged]:
    """Answer facts by number, the cases of a url key in the order of their coming."""
    if len(facts) < 2:  # noqa: PLR2004 - nothing to order
        return facts
    first: dict[str, int] = {}
    for each in facts:
        first[each.fact.case_id] = min(first.get(each.fact.case_id, each.offset), each.offset)
    return sorted(facts, key=lambda each: (first[each.fact.case_id], each.fact.number))

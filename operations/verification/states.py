"""The states that lie in cases.status, compared with those of the replay.

Each record of a state is compared with the case right after the admitted record it names, not only the
newest, because a worker that lost its partition may have written any of them. Late ones are harmless where
the owner has written its newest again behind them: then nothing older lies behind the newest.
"""

from collections.abc import Iterator

from casework.messages import Case
from operations.newest_states import NewestStates
from operations.reading import Record
from operations.verification.facts import digest, place_of
from operations.verification.findings import Tally
from operations.verification.replay import difference
from schemas.errors import UnreadableError
from streams import wire
from streams.newest_wins import deletion_of

_ENDED = b""
"""Digest that stands for the end of a case."""


class States:
    """The states of one partition.

    Args:
        records: cases.status of the partition, in order.
        tally: Takes what is found.
    """

    def __init__(self, records: Iterator[Record], tally: Tally) -> None:
        self._tally = tally
        self._newest = NewestStates()
        self._last: dict[bytes, str] = {}
        self._expected: dict[tuple[bytes, int], tuple[bytes, str]] = {}
        for record in records:
            self._take(record)

    def after(self, url_key: bytes, source_offset: int, case: Case | None) -> None:
        """Compare what was written for a case and an admitted record."""
        written = self._expected.pop((url_key, source_offset), None)
        if written is None:
            return
        is_what, place = written
        if is_what != (_ENDED if case is None else digest(wire.encode_case(case))):
            name = "" if case is None else case.case_id
            text = f"{place} is not the state after offset {source_offset}"
            self._tally.find("state_altered", name, str(source_offset), text)

    def compare(self, cases: dict[bytes, Case], skipped: set[bytes]) -> None:
        """Compare the newest states with those of the replay; `skipped` holds url keys still moving."""
        tally = self._tally
        newest = self._newest.framed()
        for url_key, case in cases.items():
            if url_key in skipped:
                continue
            tally.counts["states"] += 1
            framed = newest.get(url_key)
            if framed is None:
                tally.find("state_missing", case.case_id, case.case_id, f"{case.number} facts and no state")
            elif framed != wire.encode_case(case):
                self._differs(framed, case)
        for url_key, framed in newest.items():
            if url_key not in cases and url_key not in skipped:
                there = wire.decode_as(Case, framed)
                tally.find("state_unknown", there.case_id, there.case_id, "no fact explains this state")
        for url_key in self._newest.undone() - skipped:
            found = newest.get(url_key)
            name = "" if found is None else wire.decode_as(Case, found).case_id
            text = f"{self._last[url_key]} lies behind the newest and is older"
            tally.find("state_not_newest", name, name, text)

    def _differs(self, framed: bytes, case: Case) -> None:
        there = wire.decode_as(Case, framed)
        fields = difference(there, case)
        self._tally.find("state_differs", case.case_id, case.case_id, f"differs in {fields or 'its bytes'}")

    def _take(self, record: Record) -> None:
        self._tally.counts["states_written"] += 1
        key, place = record.key or b"", place_of(record)
        if record.value is None:
            offset, is_what = deletion_of(record.headers), _ENDED
        else:
            try:
                offset = wire.decode_as(Case, record.value).source_offset
            except UnreadableError as error:
                self._tally.find("unreadable", "", place, error.rule)
                return
            is_what = digest(record.value)
        self._newest.take(record)
        self._last[key] = place
        if offset is not None:
            self._expected[key, offset] = (is_what, place)

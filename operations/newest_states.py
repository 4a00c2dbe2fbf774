"""Which state of a case counts, judged as the workers judge it, so that no tool takes another one for it.

The record with the highest source offset counts, wherever it lies; the end of a case has its offset in a
header. An older one behind it is the late write of a worker that had lost its partition.
"""

from collections.abc import Iterable

from agents.stored_cases import version_of
from casework.messages import Case
from operations.reading import Record
from schemas.errors import UnreadableError
from streams import wire
from streams.newest_wins import NewestWins
from streams.state_stores import DictStore


class NewestStates:
    """Takes in records of cases.status; those of a partition in their order."""

    def __init__(self) -> None:
        self._store = DictStore()
        self._newest = NewestWins(self._store, version_of, is_empty=False)

    def take(self, record: Record) -> None:
        """Take in one record."""
        self._store.write(self._newest.take([record]))

    def framed(self) -> dict[bytes, bytes]:
        """Answer the bytes that count, by url key; cases that have ended are not there."""
        return dict(self._store.items())

    def undone(self) -> frozenset[bytes]:
        """Answer the url keys of which something older, or nothing that counts, lies behind what counts."""
        return frozenset(self._newest.repairs)


def newest_cases(records: Iterable[Record]) -> dict[bytes, Case]:
    """Answer the newest state of each case by url key; what nobody can read is left out."""
    newest = NewestStates()
    for record in records:
        newest.take(record)
    found = {}
    for key, framed in newest.framed().items():
        try:
            found[key] = wire.decode_as(Case, framed)
        except UnreadableError:
            continue
    return found

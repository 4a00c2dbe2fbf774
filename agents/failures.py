"""Every error a worker can meet, sorted by what happens to the record: one table for code, tests and readers.

Whoever catches an error asks `treatment_of`; docs/errors.md shows the table, and a test walks through all
error classes of the project. What no row names is a bug of the program.
"""

import enum
from typing import Final, Literal

import msgspec
from aiokafka.errors import KafkaError

from casework.errors import (
    BadInputError,
    BugError,
    FatalError,
    ForeignRecordError,
    HotlineExchangeError,
    SetupError,
    TemporaryError,
)
from schemas.errors import SchemaError, UnreadableError, UnwritableError
from streams.directory_feed import NoDirectoryError, PassedOverError
from streams.transport_errors import (
    ConfigurationError,
    FatalTransportError,
    PartitionRevokedError,
    StoreError,
    TransportError,
    UndeliverableError,
)

Group = Literal["bad input", "temporary", "bug", "fatal"]


class UnreadableStateError(BugError):
    """The newest state of a case cannot be read by this version; parking would overwrite it."""


class NotYetError(TemporaryError):
    """Something a decision needs is not there yet, such as a directory version or a record that waits."""


class Action(enum.StrEnum):
    """What is done with the record that met an error."""

    REFUSE = "receipt to the sender, or a dead letter when nobody can be answered"
    DEAD_LETTER = "dead letter"
    WAIT = "its case waits: 2 s in hand, then parked and tried again by itself"
    TRY_AGAIN = "tried once more behind the rest of its call, then the process stops"
    PARK = "its case is parked until an operator lets it go on"
    SET_ASIDE = "dead letter `undeliverable`; refused by a topic of the exchange itself: the process stops"
    DROP = "its work is dropped unacknowledged; the next owner repeats it"
    STOP = "the process stops without a commit; its successor repeats the work"


class Treatment(msgspec.Struct, frozen=True):
    """One row of the table.

    Attributes:
        error: The class, with all its subclasses that have no row of their own.
        group: Who can cure it: the sender, time, the developers, or a new process.
        intake: What intake does.
        casekeeper: What casekeeper does.
    """

    error: type[Exception]
    group: Group
    intake: Action
    casekeeper: Action


TREATMENTS: Final = (
    Treatment(UnreadableError, "bad input", Action.REFUSE, Action.DEAD_LETTER),
    Treatment(BadInputError, "bad input", Action.REFUSE, Action.PARK),
    Treatment(ForeignRecordError, "bad input", Action.DEAD_LETTER, Action.DEAD_LETTER),
    Treatment(UndeliverableError, "bad input", Action.SET_ASIDE, Action.SET_ASIDE),
    Treatment(TemporaryError, "temporary", Action.STOP, Action.WAIT),
    Treatment(NoDirectoryError, "temporary", Action.STOP, Action.WAIT),
    Treatment(KafkaError, "temporary", Action.STOP, Action.WAIT),
    Treatment(TimeoutError, "temporary", Action.STOP, Action.WAIT),
    Treatment(PassedOverError, "bug", Action.STOP, Action.DEAD_LETTER),
    Treatment(UnreadableStateError, "bug", Action.DEAD_LETTER, Action.DEAD_LETTER),
    Treatment(BugError, "bug", Action.DEAD_LETTER, Action.PARK),
    Treatment(UnwritableError, "bug", Action.DEAD_LETTER, Action.PARK),
    Treatment(HotlineExchangeError, "bug", Action.DEAD_LETTER, Action.PARK),
    Treatment(Exception, "bug", Action.DEAD_LETTER, Action.PARK),
    Treatment(PartitionRevokedError, "fatal", Action.DROP, Action.DROP),
    Treatment(StoreError, "temporary", Action.STOP, Action.TRY_AGAIN),
    Treatment(FatalError, "fatal", Action.STOP, Action.STOP),
    Treatment(FatalTransportError, "fatal", Action.STOP, Action.STOP),
    Treatment(ConfigurationError, "fatal", Action.STOP, Action.STOP),
    Treatment(TransportError, "fatal", Action.STOP, Action.STOP),
    Treatment(SetupError, "fatal", Action.STOP, Action.STOP),
    Treatment(SchemaError, "fatal", Action.STOP, Action.STOP),
    Treatment(OSError, "fatal", Action.STOP, Action.STOP),
    Treatment(MemoryError, "fatal", Action.STOP, Action.STOP),
    Treatment(ImportError, "fatal", Action.STOP, Action.STOP),
)
_BY_CLASS: Final = {row.error: row for row in TREATMENTS}


def treatment_of(error: BaseException | type[BaseException]) -> Treatment:
    """Answer the row of the nearest class; asked only about exceptions, never about a cancellation."""
    kind = error if isinstance(error, type) else type(error)
    return next(_BY_CLASS[base] for base in kind.__mro__ if base in _BY_CLASS)


def as_markdown() -> str:
    """Answer the table as readers see it in docs/errors.md."""
    head = ("error", "group", "intake", "casekeeper")
    rows = (
        (f"`{_shown(row.error)}`", row.group, _short(row.intake), _short(row.casekeeper))
        for row in sorted(TREATMENTS, key=lambda row: _GROUPS.index(row.group))
    )
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ("---",) * len(head), *rows))


_GROUPS: Final = ("bad input", "temporary", "bug", "fatal")


def _shown(error: type[Exception]) -> str:
    return "any other exception" if error is Exception else error.__name__


def _short(action: Action) -> str:
    return action.name.lower().replace("_", " ")

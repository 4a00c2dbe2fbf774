"""A timer of a case: what is due, and when. `due` lists those of a case, `timer_rules` fires them."""

from collections.abc import Callable, Iterator

import msgspec

from casework.messages import Case


class Due(msgspec.Struct, frozen=True, order=True):
    """A timer.

    Attributes:
        at: When it is due; milliseconds since the epoch, UTC.
        step: What is due: a step of the leg, or a name of `casework.due` or of a matter.
        event_id: What tells timers of one step apart, such as the waiting action; empty where nothing must.
    """

    at: int
    step: str
    event_id: str = ""


class Timers(msgspec.Struct, frozen=True):
    """The timers of a matter.

    Attributes:
        fields: Fields of a case: where all of them are null or empty, as in most cases, it has no such timer.
        of: Yields those of a case.
    """

    fields: tuple[str, ...]
    of: Callable[[Case], Iterator[Due]]

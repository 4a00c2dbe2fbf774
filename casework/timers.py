"""A timer of a case: what is due, and when. `due` lists those of a case, `timer_rules` fires them."""

import msgspec


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

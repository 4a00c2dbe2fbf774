"""What can happen to a case: a report, an action, a timer that may be due, or an operator's unpark.

An event is an admitted record with its statement already decoded, because the rules know no wire format.
"""

import msgspec

from casework.messages import ActionStatement, Admitted, ReportStatement, Submission, Unparking


class Source(msgspec.Struct, frozen=True):
    """Where the admitted record stands: topic as named in the settings, partition and offset."""

    topic: str
    partition: int
    offset: int


class ReportEvent(msgspec.Struct, frozen=True):
    """A report that intake admitted."""

    admitted: Admitted
    submission: Submission
    statement: ReportStatement


class ActionEvent(msgspec.Struct, frozen=True):
    """An action that intake admitted."""

    admitted: Admitted
    submission: Submission
    statement: ActionStatement


class WakeUp(msgspec.Struct, frozen=True):
    """A timer's record: it only says that time has passed; the rules decide what is due."""

    admitted: Admitted


class Unpark(msgspec.Struct, frozen=True):
    """An operator wants a parked case to go on."""

    admitted: Admitted
    unparking: Unparking


Event = ReportEvent | ActionEvent | WakeUp | Unpark

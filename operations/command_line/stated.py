"""What signed statements say for people's order: labels, priority, related cases.

The exchange keeps priority and related cases in the case; labels travel in the statement alone. A member sees
those of a statement that it was given, an operator those of all facts.
"""

from collections.abc import Iterator

import msgspec

from casework.messages import ActionStatement, Label, ReportStatement
from operations.command_line.texts import printable
from schemas.errors import UnreadableError
from streams import wire


class Stated(msgspec.Struct, frozen=True):
    """What a statement says for people's order.

    Attributes:
        labels: Each as scheme/version/section/label, as `hx act --labels` takes it.
        priority: Priority that a note gives to the case.
        related_case_ids: Cases that a note calls related.
    """

    labels: tuple[str, ...] = ()
    priority: str | None = None
    related_case_ids: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing of it."""
        return self == Stated()

    def words(self) -> Iterator[tuple[str, str]]:
        """Yield name and value of all that is said."""
        if self.labels:
            yield "labels", " ".join(self.labels)
        if self.priority:
            yield "priority", printable(self.priority)
        if self.related_case_ids:
            yield "related", " ".join(map(printable, self.related_case_ids))


def stated_in(framed: bytes | None) -> Stated:
    """Answer what a framed statement says; nothing where there is none, or none that can be read here."""
    if framed is None:
        return Stated()
    try:
        statement = wire.decode(framed)
    except UnreadableError:
        return Stated()
    if isinstance(statement, ReportStatement):
        return Stated(_texts(statement.labels))
    if isinstance(statement, ActionStatement):
        return Stated(_texts(statement.labels), statement.priority, statement.related_case_ids)
    return Stated()


def _texts(labels: tuple[Label, ...]) -> tuple[str, ...]:
    # Members choose every word of a label: nothing in it may steer a terminal.
    return tuple(printable(f"{one.scheme}/{one.scheme_version}/{one.section}/{one.label}") for one in labels)

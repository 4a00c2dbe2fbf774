"""The facts of a case one by one, each with the state before and after it and whom it was told to."""

from collections.abc import Sequence

import msgspec

from casework.errors import BugError
from casework.evolution import evolved
from casework.messages import Case, Fact
from casework.notices import Notice
from casework.secrecy import name_for
from casework.stubs import last_number


class Moment(msgspec.Struct, frozen=True):
    """A fact in its case.

    Attributes:
        before: The case before it; None before the first that this version understands.
        fact: The fact.
        after: The case after it.
        notices: Deliveries that it caused.
        is_known: Whether this version knows what it means.
    """

    before: Case | None
    fact: Fact
    after: Case | None
    notices: tuple[Notice, ...]
    is_known: bool


class Told(msgspec.Struct, frozen=True):
    """A delivery.

    Attributes:
        recipient: Member id or desk.
        number: Its number for this recipient.
        kind: What was delivered, such as assignment or update.
        fact: The name under which this recipient was told of the fact.
    """

    recipient: str
    number: int
    kind: str
    fact: str


def walk(facts: Sequence[Fact]) -> tuple[Moment, ...]:
    """Answer each fact in its case; one that cannot be understood changes nothing but the count."""
    moments = []
    case: Case | None = None
    for fact in facts:
        before = case
        try:
            case, notices = evolved(before, fact)
            is_known = True
        except BugError:
            notices, is_known = (), False
            if case is not None:
                case = msgspec.structs.replace(
                    case, number=fact.number, last_now=max(case.last_now, fact.admitted_at)
                )
        moments.append(Moment(before, fact, case, notices, is_known))
    return tuple(moments)


def deliveries_of(moment: Moment) -> tuple[Told, ...]:
    """Answer the deliveries of a fact with the numbers that their recipients saw."""
    numbers: dict[str, int] = {}
    told = []
    for notice in moment.notices:
        number = 1 + (numbers.get(notice.recipient) or last_number(moment.before, notice.recipient))
        numbers[notice.recipient] = number
        after = moment.after
        name = moment.fact.fact if after is None else name_for(after, moment.fact, notice.recipient)
        if notice.word is not None:
            name = notice.word.action
        told.append(Told(notice.recipient, number, notice.kind, name))
    return tuple(told)

"""What the agent does with records that fail and with orders to go on, without Kafka."""

from collections.abc import Callable

from agents.dead_letters import Failure
from agents.unparking import _Waiting, _Work
from casework.casekeeping import Event, Kept, Source
from casework.directory import Directory
from casework.errors import BugError
from casework.events import Unpark
from casework.messages import Case
from casework.parking import DELETED, SKIPPED, Trouble, park
from streams.untyped import KafkaRecord

Record = tuple[Event, Directory]


def fail(case: Case | None, event: Event, source: Source) -> Kept:
    """Answer a case of which a record could not be decided."""
    return park(case, event, Trouble("bug", BugError.__name__), source)


def go_on(  # noqa: PLR0917 - all that an order works with
    case: Case | None,
    order: Unpark,
    source: Source,
    records: dict[int, Record],
    how: str,
    fails: Callable[[Event], bool],
) -> Kept:
    """Answer what comes of an order to go on.

    Args:
        case: The case; without trouble the order means nothing.
        order: The order.
        source: Where it stands.
        records: All records by their offsets.
        how: Whether the first record that waits is decided, skipped or deleted.
        fails: Says of a record that waits whether it fails once more.
    """
    if case is None or case.parked is None:
        return Kept(case)
    waiting = [_Waiting(offset, None, *records[offset]) for offset in case.parked.offsets]
    if how != "decided":
        rule = SKIPPED if how == "skipped" else DELETED
        waiting[0] = _Waiting(case.parked.offsets[0], rule=rule)
    desk = Desk(case, fails)
    _Work(order, source, desk, case.parked, waiting, []).run()
    facts = [fact for kept in desk.kept for fact in kept.facts]
    postings = [posting for kept in desk.kept for posting in kept.postings]
    return Kept(desk.case(order.admitted.url_key), tuple(facts), tuple(postings))


class Desk:
    """The case while an order is carried out, and all that came of it."""

    def __init__(self, case: Case | None, fails: Callable[[Event], bool]) -> None:
        self.kept: list[Kept] = []
        self._case = case
        self._fails = fails

    def case(self, _: bytes) -> Case | None:
        """Answer the case as it is now."""
        return self._case

    def apply(self, event: Event, _: Case | None, kept: Kept) -> None:
        """Take in what a record brought forth, unless it fails."""
        is_decided = all(fact.fact != "parked" for fact in kept.facts) and not isinstance(event, Unpark)
        if is_decided and self._fails(event):
            raise BugError("it fails once more")
        self._case = kept.case
        self.kept.append(kept)

    def give_up(self, record: KafkaRecord, failure: Failure) -> None:
        """Make nothing of a record that will never be decided."""

"""Puts the deliveries of each case into the order of their numbers: each number once, none before its turn.

A case's deliveries travel in two topics (normal and urgent) and may come twice, so neither the order of
arrival nor the absence of a number means anything by itself. Pure: no I/O, no clock, one thread.
"""

from collections.abc import Callable
from typing import Generic, Literal, NamedTuple, TypeVar

import msgspec

Item = TypeVar("Item")


class CaseKey(NamedTuple):
    """What delivery numbers count: one case for one recipient."""

    recipient: str
    case_id: str


class Gap(msgspec.Struct, frozen=True):
    """Delivery numbers that have not come, although later ones of the same case and recipient have.

    Attributes:
        recipient: Member id, or desk, the deliveries are for.
        case_id: Case that is held back.
        missing: First and last number of each missing stretch, ascending.
        held: How many later deliveries wait.
        since_ms: When the first of them came; milliseconds since the epoch, UTC.
    """

    recipient: str
    case_id: str
    missing: tuple[tuple[int, int], ...]
    held: int
    since_ms: int


class HoldLimits(msgspec.Struct, frozen=True):
    """How many deliveries may wait for missing numbers before their partition is no longer read."""

    per_case: int = 256
    in_total: int = 10_000


class Offered(msgspec.Struct, Generic[Item], frozen=True):
    """What became of an offered delivery.

    Attributes:
        verdict: `ready`: its turn has come; `duplicate`: drop it; `held`: kept until the gap is filled;
            `full`: not kept, a limit is reached, offer it again later.
        ready: Numbers and items whose turn has come, ascending; several when a gap was filled.
    """

    verdict: Literal["ready", "duplicate", "held", "full"]
    ready: tuple[tuple[int, Item], ...] = ()


class _CaseOrder(Generic[Item]):
    """A case with deliveries held or not done; all others are forgotten and looked up again."""

    __slots__ = ("held", "not_done", "since_ms", "upcoming")

    def __init__(self, upcoming: int) -> None:
        self.upcoming = upcoming
        self.not_done: set[int] = set()
        self.held: dict[int, Item] = {}
        self.since_ms = 0

    def next_ready(self) -> tuple[tuple[int, Item], ...]:
        """Hand out all held items whose turn has come."""
        ready: list[tuple[int, Item]] = []
        while self.upcoming in self.held:
            ready.append((self.upcoming, self.held.pop(self.upcoming)))
            self.not_done.add(self.upcoming)
            self.upcoming += 1
        return tuple(ready)

    def floor(self) -> int:
        """Answer the lowest number that is not done."""
        return min(self.not_done, default=self.upcoming)


class DeliveryOrder(Generic[Item]):
    """Order of the deliveries of all cases of one reader.

    Args:
        first_not_done: Answers the lowest number of a case that is not done, from the store of positions;
            1 for a case never met.
        limits: How many items may be held.
    """

    def __init__(self, first_not_done: Callable[[CaseKey], int], limits: HoldLimits | None = None) -> None:
        self._first_not_done = first_not_done
        self._limits = limits or HoldLimits()
        self._cases: dict[CaseKey, _CaseOrder[Item]] = {}
        self._held = 0

    def offer(
        self, key: CaseKey, number: int, item: Item, now_ms: int, *, is_stored: bool = False
    ) -> Offered[Item]:
        """Take a delivery that arrived; every item in the answer's `ready` must later be `done`.

        One that `is_stored` since before a restart is held whatever the limits are now.
        """
        case = self._cases.get(key) or _CaseOrder[Item](self._first_not_done(key))
        if number < case.upcoming or number in case.held:
            return Offered("duplicate")
        if number > case.upcoming:
            if not is_stored and self._is_full(case):
                return Offered("full")
            self._hold(key, case, number, item, now_ms)
            return Offered("held")
        self._cases[key] = case
        case.upcoming += 1
        case.not_done.add(number)
        return Offered("ready", ((number, item), *self._release(case)))

    def done(self, key: CaseKey, number: int) -> int:
        """Note that a delivery was processed; answer the lowest number of its case that is not done.

        Whoever saves the answer may drop lower numbers after a restart.
        """
        case = self._cases[key]
        case.not_done.discard(number)
        floor = case.floor()
        if not case.not_done and not case.held:
            del self._cases[key]
        return floor

    def accept_gap(self, key: CaseKey) -> tuple[tuple[int, Item], ...]:
        """Give up the missing numbers before the first held delivery of a case; answer what is ready now."""
        case = self._cases.get(key)
        if case is None or not case.held:
            return ()
        case.upcoming = min(case.held)
        return self._release(case)

    def gaps(self) -> tuple[Gap, ...]:
        """Answer what is missing, in the order in which it was noticed."""
        found = [
            Gap(key.recipient, key.case_id, _missing(case.upcoming, case.held), len(case.held), case.since_ms)
            for key, case in self._cases.items()
            if case.held
        ]
        return tuple(sorted(found, key=lambda gap: gap.since_ms))

    @property
    def held(self) -> int:
        """Number of deliveries that wait for missing ones."""
        return self._held

    def _is_full(self, case: _CaseOrder[Item]) -> bool:
        return len(case.held) >= self._limits.per_case or self._held >= self._limits.in_total

    def _hold(self, key: CaseKey, case: _CaseOrder[Item], number: int, item: Item, now_ms: int) -> None:
        if not case.held:
            case.since_ms = now_ms
        case.held[number] = item
        self._cases[key] = case
        self._held += 1

    def _release(self, case: _CaseOrder[Item]) -> tuple[tuple[int, Item], ...]:
        ready = case.next_ready()
        self._held -= len(ready)
        return ready


def _missing(upcoming: int, held: dict[int, Item]) -> tuple[tuple[int, int], ...]:
    stretches: list[tuple[int, int]] = []
    for number in sorted(held):
        if number > upcoming:
            stretches.append((upcoming, number - 1))
        upcoming = number + 1
    return tuple(stretches)

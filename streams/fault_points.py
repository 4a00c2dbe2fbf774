"""Named points at which a test may break a worker: the only way to crash it between two exact steps.

A crash from outside hits a worker wherever it happens to be; the steps that matter (effects confirmed, state
not yet) last milliseconds. So the code names those points, and a text arms some of them::

    casekeeper.after_effects:kill@3          the third time it is reached, SIGKILL
    publisher.send:raise=NotLeaderForPartitionError%0.01
    casekeeper.before_send[4]:delay=0.5@7    only where the work is on partition 4
    seed:42                                  of the probabilities

Entries are separated by ``;``. Without a text nothing is armed, and reaching a point costs a dictionary look.
Production refuses any text.
"""

from __future__ import annotations

import asyncio
import builtins
import logging
import os
import random
import re
import signal
from dataclasses import dataclass, field
from typing import Final, Self

from aiokafka import errors as kafka_errors

from casework.errors import SetupError
from streams import transport_errors

log = logging.getLogger(__name__)

POINTS: Final = frozenset(
    {
        "intake.before_send",
        "casekeeper.before_send",
        "casekeeper.between_effects",
        "casekeeper.after_effects",
        "casekeeper.after_state",
        "transport.before_handover",
        "transport.before_commit",
        "transport.commit",
        "transport.while_revoking",
        "publisher.send",
        "publisher.after_send",
        "state.load",
    }
)
_ENTRY: Final = re.compile(
    r"(?P<point>[a-z_]+\.[a-z_]+)(?:\[(?P<partition>\d{1,9})\])?:(?P<action>kill|stop|delay|raise)"
    r"(?:=(?P<value>[A-Za-z0-9.]+?))?(?:@(?P<nth>\d{1,9})|%(?P<chance>0?\.\d+|1))?"
)
_SEED: Final = re.compile(r"seed:([0-9]{1,18})")
_EXAMPLE: Final = "casekeeper.after_effects:kill@3"
_SEPARATOR: Final = ";"


class FaultTextError(SetupError):
    """The text of ``HX_FAULTS`` cannot be read; the text names the entry."""


@dataclass
class _Rule:
    action: str
    partition: int | None
    seconds: float = 0.0
    error: type[Exception] | None = None
    nth: int | None = None
    chance: float | None = None
    reached: int = field(default=0, init=False)

    def strikes(self, partition: int | None, draw: random.Random) -> bool:
        if self.partition is not None and partition != self.partition:
            return False
        self.reached += 1
        if self.nth is not None:
            return self.reached == self.nth
        return self.chance is None or draw.random() < self.chance


class FaultPoints:
    """What is armed in this process. Use `from_text`; `NO_FAULTS` arms nothing."""

    def __init__(self, rules: dict[str, list[_Rule]] | None = None, seed: int = 0) -> None:
        self._rules = rules or {}
        # Repeatable by its seed, and far from anything secret.
        self._draw = random.Random(seed)  # noqa: S311 - see above

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what is to be armed; empty arms nothing.

        Raises:
            FaultTextError: a point, an action or an error nobody knows.
        """
        rules: dict[str, list[_Rule]] = {}
        seed = 0
        for entry in filter(None, map(str.strip, text.split(_SEPARATOR))):
            given = _SEED.fullmatch(entry)
            if given is not None:
                seed = int(given[1])
                continue
            point, rule = _rule(entry)
            rules.setdefault(point, []).append(rule)
        return cls(rules, seed)

    @property
    def is_armed(self) -> bool:
        """Whether any point is armed."""
        return bool(self._rules)

    def is_armed_at(self, point: str) -> bool:
        """Whether something is armed at `point`, for code that must take another way to reach it."""
        return point in self._rules

    async def reach(self, point: str, partition: int | None = None) -> None:
        """Do at `point` what is armed there: nothing, wait, raise, or end or stop this process.

        Args:
            point: one of `POINTS`.
            partition: the partition the work is on, where there is one.
        """
        rules = self._rules.get(point)
        if rules is None:
            return
        for rule in rules:
            if rule.strikes(partition, self._draw):
                await _strike(point, rule)


NO_FAULTS: Final = FaultPoints()


async def _strike(point: str, rule: _Rule) -> None:
    log.warning("fault injected: %s %s", rule.action, point)
    if rule.action == "delay":
        await asyncio.sleep(rule.seconds)
    elif rule.error is not None:
        raise rule.error(f"injected at {point}")
    else:
        # SIGSTOP leaves it standing until somebody else sends SIGCONT: a process that lost its time slice.
        os.kill(os.getpid(), signal.SIGKILL if rule.action == "kill" else signal.SIGSTOP)


def _rule(entry: str) -> tuple[str, _Rule]:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise FaultTextError(f"fault {entry!r}: expected POINT:ACTION such as {_EXAMPLE}")
    point, action, value = match["point"], match["action"], match["value"]
    if point not in POINTS:
        raise FaultTextError(f"fault {entry!r}: no such point; there are {', '.join(sorted(POINTS))}")
    if (action in {"delay", "raise"}) != (value is not None):
        raise FaultTextError(f"fault {entry!r}: delay needs =SECONDS, raise needs =ERROR, others nothing")
    return point, _Rule(
        action,
        partition=None if match["partition"] is None else int(match["partition"]),
        seconds=_seconds(entry, value) if action == "delay" else 0.0,
        error=_error(entry, value) if action == "raise" else None,
        nth=None if match["nth"] is None else int(match["nth"]),
        chance=None if match["chance"] is None else float(match["chance"]),
    )


def _seconds(entry: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise FaultTextError(f"fault {entry!r}: {text!r} is no number of seconds") from error


def _error(entry: str, name: str) -> type[Exception]:
    for module in (kafka_errors, transport_errors, builtins):
        found = getattr(module, name, None)
        if isinstance(found, type) and issubclass(found, Exception) and _takes_a_text(found):
            return found
    raise FaultTextError(
        f"fault {entry!r}: no error of Kafka, the transport or Python that takes one text is called {name}"
    )


def _takes_a_text(error: type[Exception]) -> bool:
    try:
        error("injected")
    except (TypeError, ValueError):
        return False
    return True

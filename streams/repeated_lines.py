"""A log that can be read while a broker is away: aiokafka and Faust write thousands of equal lines then."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Python asks a filter only for lines of the very logger it is attached to.
_NOISY = (
    "aiokafka",
    "aiokafka.cluster",
    "aiokafka.conn",
    "aiokafka.consumer.consumer",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.producer",
    "aiokafka.producer.sender",
    "faust.app.base",
    "faust.transport.consumer",
    "faust.transport.drivers.aiokafka",
    "mode.timers",
    "streams.consumer",
    "streams.group_watch",
    "streams.partition_errors",
    "streams.probing",
    "streams.send_rounds",
)
_INTERVAL_S = 5.0
_MOST_KINDS = 1000


class RepeatedLines(logging.Filter):
    """Lets warnings and errors of one kind through once per interval, with the number of those kept back.

    Args:
        interval: seconds.
        clock: seconds.
    """

    def __init__(self, interval: float = _INTERVAL_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._interval = interval
        self._clock = clock
        self._passed: dict[tuple[str, object], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is written; its text tells how many like it were not."""
        if record.levelno < logging.WARNING:
            return True
        kind, now = (record.name, record.msg), self._clock()
        at, kept_back = self._passed.get(kind, (None, 0))
        if at is not None and now - at < self._interval:
            self._passed[kind] = (at, kept_back + 1)
            return False
        if len(self._passed) >= _MOST_KINDS:
            self._passed.clear()
        self._passed[kind] = (now, 0)
        if at is not None and kept_back:
            record.msg = f"{record.msg} [and {kept_back} more like it in {now - at:.0f} s]"
        return True


def quiet_repeated_lines() -> None:
    """Attach one filter to every logger of a client library that repeats itself; again does nothing."""
    for name in _NOISY:
        logger = logging.getLogger(name)
        if not any(isinstance(known, RepeatedLines) for known in logger.filters):
            logger.addFilter(RepeatedLines())

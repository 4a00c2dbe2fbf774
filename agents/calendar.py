"""Url keys by the time at which their case needs attention, in little memory.

A million cases are open, each with an entry or a few. A heap of tuples takes 200 bytes an entry, this 40:
keys of the same minute lie one behind the other in one array of bytes, and their exact order is found when
the minute has come. Entries may be outdated: whoever takes one asks the case itself.
"""

import heapq
from collections.abc import Iterator
from typing import Final

_MINUTE_MS: Final = 60_000
_KEY_BYTES: Final = 33
"""A url key: one byte for its kind and 32 of a hash (casework.url_keys)."""


class Calendar:
    """Entries of one partition."""

    def __init__(self) -> None:
        self._minutes: dict[int, bytearray] = {}
        self._order: list[int] = []
        self._now: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        return len(self._now) + sum(len(keys) for keys in self._minutes.values()) // _KEY_BYTES

    def add(self, at: int, url_key: bytes) -> None:
        """Note that a case may need attention at a time, milliseconds since the epoch."""
        if len(url_key) != _KEY_BYTES:
            heapq.heappush(self._now, (at, url_key))
            return
        minute = at // _MINUTE_MS
        keys = self._minutes.get(minute)
        if keys is None:
            keys = self._minutes[minute] = bytearray()
            heapq.heappush(self._order, minute)
        keys += url_key

    def add_exact(self, at: int, url_key: bytes) -> None:
        """Note a time of which the minute has begun already."""
        heapq.heappush(self._now, (at, url_key))

    def take(self, now: int) -> Iterator[tuple[int, bytes]]:
        """Take out, one by one, the entries that may be due: begin of their minute or exact time, and key."""
        while True:
            if self._now and self._now[0][0] <= now:
                yield heapq.heappop(self._now)
            elif self._order and self._order[0] * _MINUTE_MS <= now:
                minute = self._order[0]
                keys = self._minutes[minute]
                # From the end: cutting there moves nothing.
                url_key = bytes(keys[-_KEY_BYTES:])
                del keys[-_KEY_BYTES:]
                if not keys:
                    del self._minutes[minute]
                    heapq.heappop(self._order)
                yield minute * _MINUTE_MS, url_key
            else:
                return

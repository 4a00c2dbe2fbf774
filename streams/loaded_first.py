"""Batches of a partition whose state is still loading wait here, so that those of other partitions need not.

Lanes join what waits in several partitions into one call. One partition among them that is not loaded would
hold up all the others of its call; so only what can be worked on is handed to the lanes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from streams.partition_state import get_all
from streams.transport_errors import PartitionRevokedError

if TYPE_CHECKING:
    from faust.events import Event
    from faust.types import TP

    from streams.lanes import JoinedLanes
    from streams.partition_state import PartitionState


class LoadedFirst:
    """Hands batches on to lanes, those of each partition in order, once its states are loaded.

    Args:
        lanes: whose handler needs the states.
        states: all that it needs.
    """

    def __init__(self, lanes: JoinedLanes, *states: PartitionState) -> None:
        self._lanes = lanes
        self._states = states
        self._waiting: dict[TP, list[Event]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, event: Event) -> None:
        """Take a batch event from ``stream.noack().events()``."""
        tp = event.message.tp
        if tp in self._waiting:
            self._waiting[tp].append(event)
        elif any(tp.partition in state.loading for state in self._states):
            self._waiting[tp] = [event]
            task = asyncio.create_task(self._hand_over(tp), name=f"load first {tp.topic}[{tp.partition}]")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._lanes.submit(event)

    async def _hand_over(self, tp: TP) -> None:
        # What was revoked goes to the lanes as well: they know how to give it back.
        with suppress(PartitionRevokedError):
            await get_all(tp.partition, *self._states)
        for event in self._waiting.pop(tp):
            self._lanes.submit(event)

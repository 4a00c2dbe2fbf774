"""Faust's producer made safe: idempotent, acks=all, and no commit may pass a send of its own that failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from faust.transport.drivers import aiokafka as driver

from streams.publishing import BatchPublisher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from streams.transport import LosslessTransport


class LosslessProducer(driver.Producer):
    """Idempotent producer with acks=all, whose own sends stop the process when they fail."""

    transport: LosslessTransport
    publisher: BatchPublisher | None = None
    _open_sends = 0

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    async def on_start(self) -> None:
        """Start the producer and the publisher on top of it."""
        await super().on_start()
        faults = self.transport.faults
        self.publisher = BatchPublisher(self._producer, faults=faults, **self.transport.publisher_options)

    async def on_stop(self) -> None:
        """Stop the publisher before the connections it uses."""
        if self.publisher is not None:
            await self.publisher.close()
        await super().on_stop()

    async def send(self, *args: object, **kwargs: object) -> Awaitable[Any]:
        """Send one record; a failure that nobody awaits must not be overtaken by a commit."""
        future = asyncio.ensure_future(await super().send(*args, **kwargs))
        self._open_sends += 1
        future.add_done_callback(self._sent)
        return future

    def _sent(self, future: asyncio.Future[Any]) -> None:
        self._open_sends -= 1
        if future.cancelled() or future.exception() is not None:
            cause = None if future.cancelled() else future.exception()
            self.transport.fail_stop("a record sent through Faust's producer was not delivered", cause)

    async def settle(self) -> None:
        """Wait until everything handed to Faust's own producer is confirmed (agents await theirs)."""
        if self._open_sends or self.buffer.size:
            await self.flush()

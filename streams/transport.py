"""A Faust transport that loses nothing: the stock aiokafka driver with its bookkeeping replaced.

What differs from the stock driver, and why, is told in docs/transport.md. In short: an agent gets one
event per fetched batch of a partition; the committed offset is the first one still in flight;
before partitions are given up the work in hand is finished (within a bound) and committed; nothing
is committed after a failed send; a seek-back leaves nothing behind; errors in callbacks stop the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faust.transport.drivers import aiokafka as driver

from streams.consumer import LosslessConsumer
from streams.fail_stop import FailStop
from streams.fault_points import NO_FAULTS
from streams.producer import LosslessProducer
from streams.transport_errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.fault_points import FaultPoints
    from streams.listeners import PartitionListener
    from streams.untyped import FaustApp

#: A revocation waits for the work in hand and then for the commit, each for the drain timeout at most; the
#: rest of it takes milliseconds.
_REVOKE_EXTRA_S = 5.0


class LosslessTransport(driver.Transport):
    """Install it as both transports of an app: ``app.transport = app.producer_transport = ...``.

    Args:
        app: a Faust app without tables whose ``consumer_auto_offset_reset`` is ``earliest``.
        fail_stop: ends the process; shared by all apps of the process.
        drain_timeout: seconds to finish the work in hand before partitions are given up, and again for
            the last commit.
        group_patience: seconds for which commits may fail, or the group not be joined again, before the
            process stops: longer than a rolling restart of the brokers.
        max_bytes_in_flight: no fetch starts while more than this is handed out; one fetch can exceed it.
            Each partition has an equal share of it, above which it alone is not fetched.
        publisher_options: keyword arguments of `BatchPublisher`.
        faults: what tests break on purpose.

    Raises:
        ConfigurationError: an app this transport cannot keep its promise for.
    """

    Consumer = LosslessConsumer
    Producer = LosslessProducer

    def __init__(  # noqa: PLR0913 - keyword-only options
        self,
        app: FaustApp,
        *,
        fail_stop: FailStop | None = None,
        drain_timeout: float = 10.0,
        group_patience: float = 120.0,
        max_bytes_in_flight: int = 64 << 20,
        publisher_options: Mapping[str, Any] | None = None,
        faults: FaultPoints = NO_FAULTS,
    ) -> None:
        if app.conf.consumer_auto_offset_reset != "earliest":
            raise ConfigurationError("consumer_auto_offset_reset must be earliest, or first records are lost")
        if app.conf.processing_guarantee.value != "at_least_once":
            raise ConfigurationError("processing_guarantee must be at_least_once: exactly_once cannot route")
        super().__init__(app.conf.broker_consumer, app)
        self.fail_stop = fail_stop if fail_stop is not None else FailStop()
        self.drain_timeout = drain_timeout
        self.revoke_timeout = 2 * drain_timeout + _REVOKE_EXTRA_S
        if self.revoke_timeout >= app.conf.broker_rebalance_timeout:
            raise ConfigurationError(
                f"giving partitions up may take {self.revoke_timeout} s (twice the drain timeout and "
                f"{_REVOKE_EXTRA_S} s): it must be less than the rebalance timeout"
            )
        self.group_patience = group_patience
        self.max_bytes_in_flight = max_bytes_in_flight
        self.publisher_options = dict(publisher_options or {})
        self.faults = faults
        self.listeners: list[PartitionListener] = []

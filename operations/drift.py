"""Watching whether the cluster still is what directory, topic table and settings ask for.

Somebody may change a right or a setting past `hx provision`, and a new directory may wait to be applied: both
are seen as differences that stay. The watch changes nothing and needs no super user (`hx-metrics`).
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from prometheus_client import CollectorRegistry, Gauge

from agents.certificates import CertificateDays
from agents.health import Health, HealthServer
from agents.metrics import PREFIX, certificate_days_gauge
from casework.errors import SetupError, TemporaryError
from operations.directory.files import Candidates
from operations.provisioning import plan_cluster
from operations.setting_up import read_directory
from streams.clock import Clock
from streams.cluster_plan import ClusterPlan
from streams.kafka_settings import access_of
from streams.principals import METRICS
from streams.settings import Settings

log = logging.getLogger(__name__)


class DriftMetrics:
    """What the watch shows.

    Attributes:
        registry: All of it.
        certificate_days: Days until the certificates of the connection end.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._drift = Gauge(
            f"{PREFIX}_provision_drift",
            "Differences between the cluster and what directory, topic table and settings ask for.",
            ["kind"],
            registry=self.registry,
        )
        self.certificate_days = certificate_days_gauge(self.registry)
        self._looked_at = Gauge(
            f"{PREFIX}_provision_looked_at_timestamp_seconds",
            "When the cluster was last compared.",
            registry=self.registry,
        )

    def show(self, found: ClusterPlan, at_ms: int) -> None:
        """Show the differences found at a real time, milliseconds since the epoch, UTC."""
        for kind, count in found.drift().items():
            self._drift.labels(kind).set(count)
        self._looked_at.set(at_ms / 1000)

    def forget(self) -> None:
        """Show nothing: what was seen before says nothing about now."""
        self._drift.clear()


async def watch_drift(  # noqa: PLR0913 - one keyword per choice of the command
    settings: Settings,
    clock: Clock,
    *,
    every_s: float,
    stop: asyncio.Event,
    on_ready: Callable[[str], object],
    candidates: Candidates | None = None,
) -> None:
    """Compare again and again, with metrics and health on a port, until `stop`.

    Args:
        settings: What the process was told; the directory file is read anew each time.
        clock: The exchange's clock.
        every_s: Seconds between two looks.
        stop: Ends the watch.
        on_ready: Told where the metrics are.
        candidates: What becomes of candidates; as the environment has it when None.

    Raises:
        ConfigurationError: The metrics port is taken.
        SetupError: A setting of the connection is missing, or names a file that cannot be used.
    """
    metrics = DriftMetrics()
    problem: list[str | None] = ["not looked yet"]
    health = Health(lambda: problem[0])
    days = CertificateDays(metrics.certificate_days, access_of(settings, METRICS))
    place = (settings.metrics_host, settings.provision_metrics_port)
    with HealthServer(*place, metrics.registry, health) as server:
        on_ready(server.address)
        beside = [asyncio.create_task(task) for task in (health.keep_beating(), days.run())]
        try:
            while not stop.is_set():
                problem[0] = await asyncio.to_thread(look_once, settings, clock, metrics, candidates)
                with suppress(TimeoutError):
                    async with asyncio.timeout(every_s):
                        await stop.wait()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


def look_once(
    settings: Settings, clock: Clock, metrics: DriftMetrics, candidates: Candidates | None = None
) -> str | None:
    """Compare once and show it; answer why it was not possible, or None."""
    try:
        directory = read_directory(settings, clock.now_ms(), candidates=candidates)
        found = plan_cluster(settings, directory, user=METRICS)
    except (SetupError, TemporaryError) as error:
        metrics.forget()
        log.warning("the cluster could not be compared: %s", error)
        return str(error)
    metrics.show(found, clock.real_ms())
    return None

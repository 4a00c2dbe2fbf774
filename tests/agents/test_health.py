import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, Gauge

from agents.health import STALLED_AFTER_S, Health, HealthServer
from streams.transport_errors import ConfigurationError


class Worker:
    """A worker whose condition a test sets."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.seconds = 0.0
        self.health = Health(lambda: self.problem, lambda: self.seconds)


def get(server: HealthServer, path: str) -> tuple[int, str]:
    """Answer status and body of a page."""
    try:
        with urllib.request.urlopen(server.address.replace("/metrics", path)) as answer:  # noqa: S310 - ours
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_pages_answer_for_a_worker_that_works_and_one_that_loads() -> None:
    """Ready is 503 with the reason while loading; alive stays 200; metrics show the registry."""
    registry, worker = CollectorRegistry(), Worker()
    Gauge("hotline_exchange_test", "A test.", registry=registry).set(7)
    with HealthServer("127.0.0.1", 0, registry, worker.health) as server:
        assert get(server, "/readyz") == (200, "ok\n")
        worker.problem = "3 partitions are loading"
        assert get(server, "/readyz") == (503, "3 partitions are loading\n")
        assert get(server, "/healthz") == (200, "ok\n")
        assert "hotline_exchange_test 7.0" in get(server, "/metrics")[1]
        assert get(server, "/secret")[0] == 404


def test_an_event_loop_that_stands_still_is_not_alive() -> None:
    """Health asks the loop's heartbeat and nothing else, above all not Kafka."""
    worker = Worker()
    worker.seconds = STALLED_AFTER_S
    assert worker.health.alive() is None
    worker.seconds += 1
    assert worker.health.alive() is not None
    assert worker.health.ready() is not None
    worker.health.beat()
    assert worker.health.alive() is None


def test_a_port_in_use_is_a_matter_for_a_person() -> None:
    """Restarting does not free a port, so the worker says which one and exits with 78."""
    with (
        HealthServer("127.0.0.1", 0, CollectorRegistry(), Worker().health) as server,
        pytest.raises(ConfigurationError, match=str(server.port)),
    ):
        HealthServer("127.0.0.1", server.port, CollectorRegistry(), Worker().health)

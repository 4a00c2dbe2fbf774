"""The worker's window for machines: /metrics, /healthz and /readyz on a port and a thread of its own.

/healthz answers whether the event loop turns and never asks Kafka: a broker that is away must not make an
orchestrator kill workers that wait for it. /readyz is 503 while partitions load or move and
while no broker answers.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from streams.transport_errors import ConfigurationError

STALLED_AFTER_S: Final = 30.0
BEAT_EVERY_S: Final = 1.0
_TEXT: Final = "text/plain; charset=utf-8"


class Health:
    """What is known of the worker's condition; read from the server's thread.

    Args:
        is_ready: Answers None when ready, else why not; must not block.
        monotonic: Seconds of a clock that only goes forward.
    """

    def __init__(
        self, is_ready: Callable[[], str | None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._is_ready = is_ready
        self._monotonic = monotonic
        self._last_beat = monotonic()

    def beat(self) -> None:
        """Say that the event loop turns."""
        self._last_beat = self._monotonic()

    async def keep_beating(self) -> None:
        """Say so every second until cancelled."""
        while True:
            self.beat()
            await asyncio.sleep(BEAT_EVERY_S)

    def alive(self) -> str | None:
        """Answer None when the event loop turns, else how long it has stood still."""
        age = self._monotonic() - self._last_beat
        return None if age <= STALLED_AFTER_S else f"the event loop has not turned for {age:.0f} s"

    def ready(self) -> str | None:
        """Answer None when the worker does its work, else why not."""
        return self.alive() or self._is_ready()


class HealthServer:
    """Serves one worker; a context manager.

    Args:
        host: Address to listen on; loopback unless the network around is trusted.
        port: Port, 0 for any free one.
        registry: What /metrics shows.
        health: What the two probes ask.

    Raises:
        ConfigurationError: The port is taken or the address is not ours.
    """

    def __init__(self, host: str, port: int, registry: CollectorRegistry, health: Health) -> None:
        class Handler(_Handler):
            pass

        Handler.registry = registry
        Handler.health = health
        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise ConfigurationError(
                f"metrics port {host}:{port}: {error.strerror}; each worker needs its own, 0 takes any"
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """Where to scrape."""
        host = str(self._server.server_address[0])
        return f"http://{host}:{self.port}/metrics"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    registry: CollectorRegistry
    health: Health
    server_version = "hotline-exchange"
    sys_version = ""

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, encode(self.registry), content_type)
            case "/healthz":
                self._probe(self.health.alive())
            case "/readyz":
                self._probe(self.health.ready())
            case _:
                self._answer(404, b"/metrics, /healthz or /readyz\n", _TEXT)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Log no scrapes."""

    def _probe(self, problem: str | None) -> None:
        self._answer(200 if problem is None else 503, f"{problem or 'ok'}\n".encode(), _TEXT)

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

"""The exchange under measurement: topics under a prefix of its own, its worker, what came to the inboxes."""

import asyncio
import functools
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Self

from benchmarks import append_times, topics
from benchmarks.append_times import Appended, Where
from benchmarks.ground import Ground, fresh
from benchmarks.processes import Contestant, ContestantError
from benchmarks.spliced import Splicer
from casework.directory import ORPHAN_DESK, Directory
from casework.messages import Delivery
from operations.provisioning import provision_cluster
from operations.setting_up import publish_directory, read_directory, wanted_topics
from schemas.codec import name_of
from streams import wire
from streams.clock import SystemClock
from streams.settings import Settings
from streams.topics import Topics

_READY_POLL_S: Final = 0.1
_COUNT_POLL_S: Final = 1.0
_COUNT: Final = re.compile(rb"^hotline_exchange_open_cases\{.*\} (\S+)$", re.MULTILINE)


class Exchange:
    """An exchange with nothing in it but the shipped directory; its topics are deleted at the end."""

    def __init__(self, ground: Ground) -> None:
        prefix = f"{fresh('exchange')}."
        self.ports = _free_ports()
        self.settings = Settings(
            bootstrap=ground.bootstrap,
            kafka_security="none",
            topic_prefix=prefix,
            intake_metrics_port=self.ports[0],
            casekeeper_metrics_port=self.ports[1],
            data_dir=ground.home / prefix,
        )
        self.bootstrap = ground.bootstrap
        self.topics = Topics(prefix)
        self.now = SystemClock().now_ms()
        self.directory = _directory(self.now)
        provision_cluster(self.settings, self.directory)
        asyncio.run(publish_directory(self.settings, self.directory))
        members = [ORPHAN_DESK, *(member.id for member in self.directory.members)]
        self.inboxes = [name for m in members for name in (self.topics.inbox(m), self.topics.inbox_urgent(m))]

        self.way_in: Where = ground.bootstrap

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        topics.delete(self.bootstrap, [t.name for t in wanted_topics(self.settings, self.directory)])

    def splicer(
        self, *, origin: str = "ie-hotline", urgency: tuple[str, ...] = (), salt: bytes = b""
    ) -> Splicer:
        """Makes reports for this exchange."""
        return Splicer(self.settings, self.directory, self.now, origin=origin, urgency=urgency, salt=salt)

    @contextmanager
    def worker(self, environment: Mapping[str, str] | None = None) -> Iterator[Contestant]:
        """Intake and casekeeper in one process."""
        with self.start_worker(environment) as worker:
            yield worker

    def start_worker(self, environment: Mapping[str, str] | None = None) -> Contestant:
        """Start intake and casekeeper in one process; `environment` changes settings."""
        changed = self.settings.as_environment() | dict(environment or {})
        return Contestant.module("operations.command_line", "worker", "all", environment=changed)

    def wait_ready(self, worker: Contestant, patience_s: float) -> None:
        """Wait until both agents have their partitions and every state is loaded.

        Raises:
            ContestantError: They do not after `patience_s` seconds.
        """
        until = time.monotonic() + patience_s
        while not all(_is_ready(port) for port in self.ports):
            worker.check()
            if time.monotonic() > until:
                raise ContestantError(f"the worker was not ready in {patience_s:.0f} s")
            time.sleep(_READY_POLL_S)

    def wait_counted(self, worker: Contestant, cases: int, patience_s: float) -> None:
        """Wait until the worker counts that many open cases: it does when it has read all their states.

        It reads them in the background, and on a busy machine it may look idle meanwhile.

        Raises:
            ContestantError: It ended, or counts fewer after `patience_s` seconds.
        """
        until = time.monotonic() + patience_s
        while (counted := _open_cases(self.ports[1])) < cases:
            worker.check()
            if time.monotonic() > until:
                raise ContestantError(f"the worker counted {counted} of {cases} in {patience_s:.0f} s")
            time.sleep(_COUNT_POLL_S)

    def assigned_at(self) -> dict[bytes, int]:
        """Url key to the time its assignment was appended to an inbox; milliseconds since the epoch."""
        return assignments(append_times.read(self.bootstrap, self.inboxes))


def assignments(records: Iterable[Appended]) -> dict[bytes, int]:
    """Url key to the time of its first assignment; milliseconds since the epoch."""
    found: dict[bytes, int] = {}
    for record in records:
        if record.value is None or name_of(record.value) != "Delivery":
            continue
        delivery = wire.decode_as(Delivery, record.value)
        if delivery.kind == "assignment":
            found[delivery.url_key] = min(record.at, found.get(delivery.url_key, record.at))
    return found


@functools.cache
def _directory(now: int) -> Directory:
    return read_directory(Settings(), now)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - OK
    except (urllib.error.URLError, OSError):
        return False


def _open_cases(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return sum(int(float(number)) for number in _COUNT.findall(answer.read()))


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]

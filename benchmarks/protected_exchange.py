"""An exchange with everything on: TLS, passwords, rights, a signed directory, signed and sealed reports."""

import asyncio
from pathlib import Path
from typing import Final, Self

from benchmarks.processes import Contestant
from casework.directory import ORPHAN_DESK
from operations import provisioning, setting_up
from operations.directory.equipping import equip, keep
from operations.embedded_kafka import EmbeddedKafka
from operations.embedded_kafka.process import free_port
from streams.clock import SystemClock
from streams.settings import Settings
from streams.topics import Topics

_DAY_MS: Final = 86_400_000


class ProtectedExchange:
    """The shipped directory with fresh keys on a secured broker of its own, which ends with it.

    Attributes:
        equipment: The directory and everybody's keys.
        way_in: The administrator's way into the broker.
        inboxes: All inboxes.
    """

    def __init__(self, home: Path, heap_mb: int) -> None:
        self._kafka = EmbeddedKafka.start(home / "kafka", heap_mb=heap_mb, dies_with_parent=True)
        access = self._kafka.local_access
        self.way_in = access.admin()
        now = SystemClock().now_ms()
        settings = access.settings(
            Settings(
                intake_metrics_port=free_port(),
                casekeeper_metrics_port=free_port(),
                data_dir=home / "data",
            )
        )
        self.equipment = equip(setting_up.read_directory(settings, now - _DAY_MS), at=now - _DAY_MS)
        self.settings = keep(self.equipment, settings, home)
        self.topics = Topics(settings.topic_prefix)
        self.now = now
        provisioning.provision_local(access, self.settings, self.equipment.directory)
        asyncio.run(setting_up.publish_directory(self.settings, self.equipment.signed()))
        members = [ORPHAN_DESK, *(member.id for member in self.equipment.directory.members)]
        self.inboxes = [name for m in members for name in (self.topics.inbox(m), self.topics.inbox_urgent(m))]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kafka.stop()

    def start_worker(self) -> Contestant:
        """Start intake and casekeeper in one process."""
        environment = self.settings.as_environment()
        return Contestant.module("operations.command_line", "worker", "all", environment=environment)

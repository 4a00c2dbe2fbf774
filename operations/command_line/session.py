"""What every command shares: settings, clock, topic names and the address of Kafka."""

import os
import socket
import sys
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from agents.exchange_seal import ExchangeSeal
from casework.directory import Directory
from casework.errors import SetupError
from casework.messages import Case
from operations.directory.equipping import settings_here
from operations.embedded_kafka import EmbeddedKafka, LocalAccess, kafka_home
from operations.logs import directories
from operations.newest_states import newest_cases
from operations.reading import KafkaUnreachableError, TopicReader
from operations.writing import TopicWriter
from streams.clock import CompressedClock, SystemClock
from streams.directory_trust import anchor_of
from streams.directory_versions import DirectoryVersions, NoDirectoryError
from streams.kafka_settings import access_of
from streams.principals import OPERATOR
from streams.settings import Settings
from streams.topics import Topics

_LOOK_S: Final = 0.5


def takes_connections(bootstrap: str) -> bool:
    """Answer whether one of the addresses takes a connection within half a second each."""
    for address in bootstrap.split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=_LOOK_S).close()
        except (OSError, OverflowError):
            continue
        return True
    return False


class Session:
    """The settings of one call, read when first needed, so that `--help` works whatever they are.

    Args:
        config: Settings file, or None.
    """

    def __init__(self, config: Path | None) -> None:
        self._config = config
        self._told = False

    @cached_property
    def settings(self) -> Settings:
        """The settings of whatever may go to Kafka, see `file_settings`.

        Raises:
            SettingsError: Production names no anchor.
        """
        return self.file_settings.with_trust()

    @cached_property
    def file_settings(self) -> Settings:
        """The settings of what only reads and writes files, for which production needs no anchor.

        Where nobody names a broker and an embedded one runs here, the way into that is among them. Keys of
        members who all live on this machine are named too, once they were made.
        """
        if self.local_access is None:
            return self._given
        settings, home = self.local_access.settings(self._given), self.local_access.equipment
        return settings if home is None else settings_here(settings, home)

    @cached_property
    def admin_settings(self) -> Settings:
        """The settings for setting up the cluster: those of the administrator of an embedded broker here."""
        if self.local_access is None:
            return self._given.with_trust()
        return self.local_access.admin_settings(self._given)

    @cached_property
    def local_access(self) -> LocalAccess | None:
        """The ways into the embedded broker that runs here, where the settings name no other one."""
        if self._names_kafka():
            return None
        broker = EmbeddedKafka.running(kafka_home())
        return None if broker is None else broker.local_access

    def require_kafka(self) -> None:
        """Raise where the settings name no broker and no embedded one runs here.

        Raises:
            KafkaUnreachableError: With what to do.
        """
        if self.local_access is None and not self._names_kafka():
            raise KafkaUnreachableError(
                f"no Kafka runs in {kafka_home()}: start one with 'hx kafka start' or set HX_BOOTSTRAP"
            )

    def _names_kafka(self) -> bool:
        return "HX_BOOTSTRAP" in os.environ or self._given.bootstrap != Settings().bootstrap

    @cached_property
    def _given(self) -> Settings:
        return Settings.load(file=self._config, needs_trust=False)

    def settings_with(self, **changes: Any) -> Settings:  # noqa: ANN401 - fields of several types
        """The settings with some fields changed by options of the command."""
        return msgspec.structs.replace(self.settings, **changes)

    @cached_property
    def topics(self) -> Topics:
        """The names of the topics."""
        return Topics(self.settings.topic_prefix)

    @cached_property
    def clock(self) -> SystemClock | CompressedClock:
        """The injected clock."""
        return self.file_settings.make_clock()

    def tell_if_silent(self) -> None:
        """Say on standard error what is waited for, where no broker takes a connection at once.

        Raises:
            KafkaUnreachableError: Nobody has said where one is.
        """
        self.require_kafka()
        if not self._told and not takes_connections(self.settings.bootstrap):
            self._told = True
            print(
                f"no Kafka answers at {self.settings.bootstrap} yet: trying on", file=sys.stderr, flush=True
            )

    def reader(self, principal: str = OPERATOR) -> TopicReader:
        """An independent reader of whole topics, with the rights of an operator or of a member."""
        self.tell_if_silent()
        return TopicReader(access_of(self.settings, principal))

    def cases(self) -> dict[bytes, Case]:
        """The newest state of each case, by url key."""
        with self.reader() as reader:
            return newest_cases(reader.whole(self.topics.cases_status))

    def case(self, wanted: str) -> Case | None:
        """The newest state of the case with an id, or with a url key in hexadecimal."""
        cases = self.cases().values()
        return next((case for case in cases if wanted in {case.case_id, case.url_key.hex()}), None)

    def writer(self) -> TopicWriter:
        """What operators write single records with."""
        self.require_kafka()
        return TopicWriter(access_of(self.settings, OPERATOR))

    def seal(self) -> ExchangeSeal:
        """What signs messages of the exchange that an operator sends again.

        Raises:
            SetupError: The settings name a ring that cannot be read.
        """
        directory = self.directory()
        return ExchangeSeal.from_settings(self.settings, lambda: directory, self.clock.real_ms)

    def versions(self) -> DirectoryVersions:
        """All published versions of the directory that workers with these settings believe."""
        with self.reader() as reader:
            return directories(
                reader, self.topics, self.settings.environment, self.clock, anchor_of(self.settings)
            )

    def directory(self) -> Directory:
        """The newest directory that is valid now.

        Raises:
            SetupError: None was published.
            NoDirectoryError: The newest one has expired, or none is valid yet.
        """
        versions = self.versions()
        if versions.newest is None:
            raise SetupError(
                "no directory is published yet: run 'hx provision --apply' and 'hx directory publish'"
            )
        return versions.latest(self.clock.now_ms())

    @cached_property
    def any_directory(self) -> Directory | None:
        """The newest directory that is valid now, read once; None where there is none."""
        try:
            return self.directory()
        except (SetupError, NoDirectoryError):
            return None

"""What every command shares: settings, clock, topic names and the address of Kafka."""

import os
import socket
import sys
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from casework.directory import Directory, from_bytes
from casework.errors import SetupError
from casework.messages import DirectoryDocument
from operations.embedded_kafka import EmbeddedKafka, kafka_home
from operations.reading import TopicReader
from streams import wire
from streams.clock import CompressedClock, SystemClock
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
        """The settings; where nobody names a broker and an embedded one runs here, its address."""
        settings = Settings.load(file=self._config)
        if "HX_BOOTSTRAP" in os.environ or settings.bootstrap != Settings().bootstrap:
            return settings
        broker = EmbeddedKafka.running(kafka_home())
        return msgspec.structs.replace(settings, bootstrap=broker.bootstrap) if broker else settings

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
        return self.settings.make_clock()

    def tell_if_silent(self) -> None:
        """Say on standard error what is waited for, where no broker takes a connection at once."""
        if not self._told and not takes_connections(self.settings.bootstrap):
            self._told = True
            print(
                f"no Kafka answers at {self.settings.bootstrap} yet: trying on", file=sys.stderr, flush=True
            )

    def reader(self) -> TopicReader:
        """An independent reader of whole topics."""
        self.tell_if_silent()
        return TopicReader(self.settings.bootstrap)

    def published(self, version: int) -> DirectoryDocument | None:
        """The published document of a directory version, or None."""
        return self._documents().get(version)

    def directory(self) -> Directory:
        """The newest directory that is valid now.

        Raises:
            SetupError: None was published.
        """
        now = self.clock.now_ms()
        documents = self._documents()
        valid = [version for version, document in documents.items() if document.valid_from <= now]
        if not valid:
            raise SetupError("no directory is published yet: run 'hx provision' and 'hx directory publish'")
        return from_bytes(documents[max(valid)].document)

    @cached_property
    def any_directory(self) -> Directory | None:
        """The newest directory that is valid now, read once; None where there is none."""
        try:
            return self.directory()
        except SetupError:
            return None

    def _documents(self) -> dict[int, DirectoryDocument]:
        with self.reader() as reader:
            documents = (
                wire.decode_as(DirectoryDocument, record.value)
                for record in reader.whole(self.topics.directory)
                if record.value is not None
            )
            return {document.version: document for document in documents}

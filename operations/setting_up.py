"""What settings and directory file say: the directory, its topics, and publishing it."""

from pathlib import Path

from casework.directory import Directory
from casework.messages import DirectoryDocument
from operations.directory import document
from operations.directory.files import NETWORK_FILE, Candidates
from streams.directory_feed import document_of, publish
from streams.directory_trust import anchor_of
from streams.kafka_settings import access_of
from streams.principals import SECRETARIAT
from streams.settings import Settings
from streams.topics import Topic, Topics


def directory_file(settings: Settings) -> Path:
    """The directory file in use: that of the settings, else the shipped one."""
    return settings.directory or NETWORK_FILE


def candidates_by_default(settings: Settings) -> Candidates:
    """Demo and test play with every candidate; production routes to nobody who was not admitted."""
    return "keep" if settings.environment == "production" else "admit"


def read_directory(
    settings: Settings,
    at_ms: int,
    *,
    file: Path | None = None,
    valid_from: int | None = None,
    candidates: Candidates | None = None,
) -> Directory:
    """The directory of the file as it would be published at `at_ms` (milliseconds since the epoch).

    Args:
        settings: The settings.
        at_ms: When it is published, by the exchange's clock.
        file: The directory file; that of the settings when None.
        valid_from: When it takes effect, by the exchange's clock; at once when None.
        candidates: What becomes of candidates; as the environment has it when None.

    Raises:
        SetupError: The file cannot be opened, or breaks rules; each is named with its line.
    """
    return document.build(
        file or directory_file(settings),
        environment=settings.environment,
        published_at=at_ms,
        valid_from=valid_from,
        candidates=candidates or candidates_by_default(settings),
    )


def wanted_topics(settings: Settings, directory: Directory) -> tuple[Topic, ...]:
    """The whole topic table for a directory."""
    return Topics(settings.topic_prefix).all_for(
        (member.id for member in directory.members),
        directory.liaison_codes(),
        slot_count=directory.slot_count,
        partitions=settings.partitions,
        feeds=directory.police(),
        erasure_days=settings.erasure_days,
        topic_max_bytes=settings.topic_max_bytes,
    )


async def publish_directory(settings: Settings, directory: Directory | DirectoryDocument) -> int:
    """Publish a directory, signed or not, on its topic and answer the offset; repeating it is harmless.

    Raises:
        EditRefusedError: Readers would refuse it: too few signatures, not the next version, valid too early.
    """
    return await publish(
        access_of(settings, SECRETARIAT).client_settings(),
        Topics(settings.topic_prefix).directory,
        document_of(directory) if isinstance(directory, Directory) else directory,
        clock=settings.make_clock(),
        anchor=anchor_of(settings),
    )

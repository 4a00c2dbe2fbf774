"""Where a prepared submission goes, and what is known once the broker has it; shared by both clients."""

import msgspec

from casework.directory import Directory
from connectors.errors import TopicMissingError
from connectors.preparing import Prepared
from streams.slots import partition_of
from streams.topics import Topics


class Submitted(msgspec.Struct, frozen=True):
    """A submission that Kafka has confirmed.

    Attributes:
        event_id: Event id; its receipt names it.
        url_key: Url key.
        topic: Topic it lies in.
        partition: Its partition.
        offset: Its offset.
        timestamp: Its log-append time, real time; milliseconds since the epoch, UTC.
    """

    event_id: str
    url_key: bytes
    topic: str
    partition: int
    offset: int
    timestamp: int


def topic_of(prepared: Prepared, topics: Topics) -> str:
    """Answer the topic of a submission."""
    if prepared.kind == "action":
        return topics.actions_submitted
    return topics.reports_urgent if prepared.is_urgent else topics.reports_submitted


def place_of(prepared: Prepared, topic: str, partitions: int, directory: Directory) -> int:
    """Answer the partition: a report goes to a slot of its hosting country, an action to that of its case.

    Raises:
        TopicMissingError: The directory knows a slot that the topic does not have yet.
    """
    if prepared.kind == "action":
        return partition_of(prepared.url_key, partitions)
    slot = directory.slot(prepared.hosting_country, prepared.url_key)
    if slot >= partitions:
        raise TopicMissingError(f"{topic}: slot {slot} of the directory is not provisioned yet")
    return slot

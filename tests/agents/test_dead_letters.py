from types import SimpleNamespace
from typing import Any

from agents.dead_letters import DeadLetterBox, Failure, from_headers, original_headers
from streams.publishing import Outgoing

BOX = DeadLetterBox("dead-letters", "intake")
FAILURE = Failure("unreadable", "not_framed", "submission", "no frame")


def record(**changes: Any) -> Any:  # noqa: ANN401 - a Kafka record
    """Answer a consumed record."""
    values = {"topic": "reports.submitted", "partition": 4, "offset": 17, "timestamp": 5, "key": b"k"}
    return SimpleNamespace(**{**values, "value": b"\x00v", "headers": (("trace", b"1"),), **changes})


def test_a_record_is_kept_byte_for_byte_with_its_provenance() -> None:
    """Key, value and headers are untouched, and the headers behind them say where and why."""
    letter = BOX.given_up(record(), FAILURE, partitions=3, failed_at=9)
    assert (letter.topic, letter.key, letter.value) == ("dead-letters", b"k", b"\x00v")
    assert original_headers(letter.headers) == (("trace", b"1"),)
    found = from_headers(letter.headers)
    assert (found.topic, found.partition, found.offset, found.timestamp) == ("reports.submitted", 4, 17, 5)
    assert (found.error_class, found.rule, found.group, found.failed_at) == (
        "unreadable",
        "not_framed",
        "intake",
        9,
    )


def test_headers_that_a_sender_forged_do_not_count() -> None:
    """A record that brings headers like ours cannot change what we say about it."""
    letter = BOX.given_up(record(headers=(("hx-topic", b"forged"),)), FAILURE, partitions=3, failed_at=9)
    assert from_headers(letter.headers).topic == "reports.submitted"
    assert original_headers(letter.headers) == (("hx-topic", b"forged"),)


def test_records_of_one_topic_share_a_partition() -> None:
    """Dead letters of a topic keep their order."""
    places = {BOX.given_up(record(offset=n), FAILURE, partitions=3, failed_at=n).partition for n in range(9)}
    assert len(places) == 1


def test_what_could_not_be_sent_names_its_destination() -> None:
    """Replaying an undeliverable record sends it where it was to go."""
    outgoing = Outgoing("inbox.se-ecpat", 1, b"k", b"v")
    found = from_headers(BOX.undeliverable(outgoing, "unknown_topic", partitions=3, failed_at=9).headers)
    assert (found.topic, found.partition, found.offset) == ("inbox.se-ecpat", 1, -1)
    assert (found.error_class, found.rule) == ("undeliverable", "unknown_topic")

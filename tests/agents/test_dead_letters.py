from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from agents.dead_letters import (
    ATTEMPTS,
    DeadLetterBox,
    Failure,
    from_headers,
    original_headers,
    replayed_headers,
)
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


def test_headers_of_one_name_and_without_value_are_kept() -> None:
    """Kafka allows both; a dead letter and its replay have them as they were, in their order."""
    headers = (("trace", b"1"), ("trace", b"2"), ("empty", None), ("hx-rule", b"\xff"))
    letter = BOX.given_up(record(key=None, headers=headers), FAILURE, partitions=3, failed_at=9)
    assert letter.key is None
    assert original_headers(letter.headers) == headers
    assert from_headers(letter.headers).rule == "not_framed"


def test_a_replayed_record_that_fails_again_counts_its_attempts() -> None:
    """Each time round the number grows by one, and the record's own headers stay as they were."""
    headers: tuple[tuple[str, bytes | None], ...] = (("trace", b"1"),)
    for attempt in range(1, 4):
        letter = BOX.given_up(record(headers=headers), FAILURE, partitions=3, failed_at=9)
        assert from_headers(letter.headers).attempts == attempt
        assert original_headers(letter.headers) == (("trace", b"1"),)
        headers = replayed_headers(letter.headers)
        assert headers == (("trace", b"1"), (ATTEMPTS, str(attempt).encode()))


@pytest.mark.parametrize("forged", [b"x", b"-1", b"", None, b"9" * 40])
def test_a_forged_number_of_attempts_does_no_harm(forged: bytes | None) -> None:
    """What is no sensible number is a header like any other."""
    letter = BOX.given_up(record(headers=((ATTEMPTS, forged),)), FAILURE, partitions=3, failed_at=9)
    assert from_headers(letter.headers).attempts == 1
    assert original_headers(letter.headers) == ((ATTEMPTS, forged),)


@pytest.mark.parametrize("headers", [(), (("trace", b"1"),), (("hx-topic", b"t"),), (("hx-topic", b"\xff"),)])
def test_a_record_without_provenance_is_said_to_have_none(headers: tuple[tuple[str, bytes], ...]) -> None:
    """Whatever else lies on the topic is one known error, never a crash of a tool."""
    with pytest.raises(msgspec.ValidationError):
        from_headers(headers)

"""What an operator does after the cause of undeliverable messages is gone: send them again, unchanged."""

from collections.abc import Iterator

import msgspec
from kafka import KafkaProducer

from agents.dead_letters import from_headers, original_headers
from casework.messages import DeadLetterHeaders
from operations.reading import Record, TopicReader
from streams.kafka_access import KafkaAccess
from streams.topics import Topics

_CONFIRM_S = 60.0


def resend_undeliverable(access: KafkaAccess, topics: Topics, done: set[tuple[int, int]]) -> int:
    """Send every undeliverable message to where it should have gone; answer how many there were.

    Args:
        access: Where the brokers are, and who sends.
        topics: The topic table.
        done: Places of dead letters that are left out; those sent are added.

    Raises:
        KafkaUnreachableError: The brokers went away.
        KafkaError: A message was refused again.
    """
    with TopicReader(access) as reader:
        letters = [
            (letter, headers)
            for letter, headers in _undeliverable(reader, topics)
            if (letter.partition, letter.offset) not in done
        ]
    if not letters:
        return 0
    producer = KafkaProducer(
        acks="all", max_request_size=4 * 1024 * 1024, compression_type=None, **access.client_settings()
    )
    try:
        sent = [
            producer.send(
                headers.topic,
                letter.value,
                key=letter.key,
                partition=headers.partition,
                headers=list(original_headers(letter.headers)),
            )
            for letter, headers in letters
        ]
        for each in sent:
            each.get(timeout=_CONFIRM_S)
        done |= {(letter.partition, letter.offset) for letter, _ in letters}
    finally:
        producer.close()
    return len(letters)


def _undeliverable(reader: TopicReader, topics: Topics) -> Iterator[tuple[Record, DeadLetterHeaders]]:
    for letter in reader.whole(topics.dead_letters):
        try:
            headers = from_headers(letter.headers)
        except msgspec.ValidationError:
            continue  # told by the books
        if headers.error_class == "undeliverable":
            yield letter, headers

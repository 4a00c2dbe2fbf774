from types import SimpleNamespace
from typing import Any, Self

import pytest

from agents.dead_letters import DeadLetterBox
from operations.chaos import resending
from operations.reading import Record
from streams.kafka_access import plaintext
from streams.publishing import Outgoing
from streams.topics import Topics

TOPICS = Topics()


def test_each_undeliverable_message_is_sent_once_and_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes where it should have gone; what was sent before, and letters of another kind, are left out."""
    box = DeadLetterBox(TOPICS.dead_letters, "casekeeper")
    refused = Outgoing("inbox.gb-iwf", 2, b"key", b"value", (("own", b"header"),))
    letter = box.undeliverable(refused, "too_large", partitions=1, failed_at=9)
    lies = [
        Record(letter.topic, 0, 7, 9, letter.key, letter.value, tuple(letter.headers)),
        Record(letter.topic, 0, 8, 9, b"key", b"no letter", ()),
    ]
    sent: list[tuple[Any, ...]] = []

    class Reader:
        def __init__(self, _bootstrap: str) -> None: ...

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def whole(self, _topic: str) -> list[Record]:
            return lies

    def send(topic: str, value: bytes, **rest: object) -> object:
        sent.append((topic, value, rest["key"], rest["partition"], rest["headers"]))
        return SimpleNamespace(get=lambda **_: None)

    producer = SimpleNamespace(send=send, close=lambda: None)
    monkeypatch.setattr(resending, "TopicReader", Reader)
    monkeypatch.setattr(resending, "KafkaProducer", lambda **_: producer)
    done: set[tuple[int, int]] = set()
    assert resending.resend_undeliverable(plaintext("broker:1"), TOPICS, done) == 1
    assert resending.resend_undeliverable(plaintext("broker:1"), TOPICS, done) == 0
    assert sent == [("inbox.gb-iwf", b"value", b"key", 2, [("own", b"header")])]

"""What is said before a worker starts that could not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.kafka_access import plaintext
from streams.probing import probe
from streams.transport_errors import ConfigurationError, FatalTransportError
from streams.worker import WorkerOptions

if TYPE_CHECKING:
    from conftest import Topics


async def test_unreachable_brokers_are_named_within_the_limit() -> None:
    """A wrong address is one sentence, not a worker that waits for ever; brokers may be away: restart it."""
    options = WorkerOptions(plaintext("127.0.0.1:1"), start_timeout=0.2)
    with pytest.raises(FatalTransportError, match=r"127\.0\.0\.1:1 did not let us in for 0\.2 s"):
        await probe(options, "group", ["topic"])


@pytest.mark.kafka
async def test_every_missing_topic_is_named_read_or_written(topics: Topics) -> None:
    """A missing output would be found by the first record, and again after every restart."""
    topics.create(1, "in", "out")
    options = WorkerOptions(plaintext(topics.bootstrap), metadata_patience=0.0)
    group, there = topics.prefix + "g", [topics.prefix + "in"]
    await probe(options, group, there, [topics.prefix + "out"])
    with pytest.raises(ConfigurationError, match=rf"{topics.prefix}a, {topics.prefix}b: create them"):
        await probe(options, group, [*there, topics.prefix + "b"], [topics.prefix + "a"])

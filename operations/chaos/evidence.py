"""What is left after a run: counted here, judged by `operations.invariants`.

Everything is read from the topics with a consumer of its own; of the members only what they themselves know
is used: which sends were confirmed to them, and which deliveries they got.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from casework.messages import Admitted, Delivery, Escalation, Fact, Message, Receipt
from operations.chaos.exchange import Exchange
from operations.invariants import Violation, check, read_history
from operations.logs import Log, inboxes, police
from operations.reading import Record, TopicReader
from schemas.errors import UnreadableError
from streams import wire
from streams.topics import Topics

_ID: Final[Mapping[type[Message], str]] = {
    Admitted: "event_id",
    Fact: "fact_id",
    Delivery: "delivery_id",
    Receipt: "receipt_id",
    Escalation: "escalation_id",
}


class Evidence(msgspec.Struct, frozen=True):
    """What the topics say.

    Attributes:
        records: Records by kind.
        duplicates: Records under an id that was there before, by kind.
        compacted_away: Records of cases.status that compaction removed.
        violations: Broken promises.
    """

    records: dict[str, int]
    duplicates: dict[str, int]
    compacted_away: int
    violations: tuple[Violation, ...]


def gather(
    exchange: Exchange,
    *,
    confirmed: Collection[str],
    read: Mapping[str, Collection[str]],
    narrow: Mapping[str, int],
) -> Evidence:
    """Read everything and answer what is there and which promises are broken.

    Args:
        exchange: The exchange, at rest.
        confirmed: As in `History`.
        read: As in `History`.
        narrow: As in `History`.

    Raises:
        KafkaUnreachableError: The brokers went away.
    """
    settings, topics = exchange.settings, exchange.topics
    with TopicReader(exchange.access) as reader:
        history = read_history(
            reader,
            topics,
            environment=settings.environment,
            clock=exchange.clock,
            confirmed=confirmed,
            read=read,
        )
    history = msgspec.structs.replace(history, narrow=narrow)
    records, duplicates = count(history.log, topics)
    written = sum(history.log.ends(topics.cases_status).values())
    compacted = written - records["states left"]
    return Evidence(dict(records), dict(duplicates), compacted, check(history))


def count(log: Log, topics: Topics) -> tuple[Counter[str], Counter[str]]:
    """Answer how many records there are of each kind, and how many of them repeat one that was there."""
    names = [topics.cases_admitted, topics.cases_events, *inboxes(log, topics), *police(log, topics)]
    records, duplicates = _repeated(log.whole(*names))
    records["submissions"] = sum(1 for _ in log.whole(*topics.submissions))
    records["dead letters"] = sum(1 for _ in log.whole(topics.dead_letters))
    records["states left"] = sum(1 for _ in log.whole(topics.cases_status))
    return records, duplicates


def _repeated(found: Iterable[Record]) -> tuple[Counter[str], Counter[str]]:
    records: Counter[str] = Counter()
    duplicates: Counter[str] = Counter()
    seen: set[tuple[str, str, str, bytes]] = set()
    for record in found:
        try:
            message = wire.decode(record.value or b"")
        except UnreadableError:
            continue  # told by the invariants
        kind = type(message).__name__.lower()
        name = _ID.get(type(message))
        if name is None:
            continue
        records[kind] += 1
        # A sender may reuse an event id for another address; the exchange keeps them apart by the url key.
        own = (record.topic, kind, str(getattr(message, name)), record.key or b"")
        duplicates[kind] += own in seen
        seen.add(own)
    return records, +duplicates

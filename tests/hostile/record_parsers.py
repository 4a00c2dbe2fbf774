"""Parsers of records: the frame, Avro of every locked version, and what intake judges of a submission."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import SimpleNamespace
from typing import Any

from parser_promises import MARK, Parser
from sound_messages import DIRECTORY, GOLDEN, KEY, NOW, SENDER, STATEMENT, STATEMENTS, SUBMISSIONS, TOPICS

from agents.judgement import Bench, GiveUp, Refuse, judge
from casework import messages
from casework.messages import Submission
from schemas import codec
from schemas.errors import UnreadableError
from schemas.framing import schema_id_of
from schemas.registry import registry
from streams import wire


@cache
def golden() -> tuple[bytes, ...]:
    """Answer the golden records of all locked versions."""
    return tuple(path.read_bytes() for path in sorted(GOLDEN.glob("*.bin")))


def _judge(topic: str) -> Callable[[bytes], object]:
    bench = Bench(DIRECTORY, "test", NOW, TOPICS)
    slot = DIRECTORY.slot("BE", KEY)

    def read(data: bytes) -> object:
        record = SimpleNamespace(
            key=KEY, value=data, timestamp=NOW, topic=topic, partition=slot, offset=1, headers=()
        )
        return judge(record, bench)

    return read


def _verdict_holds(data: bytes, verdict: object) -> None:
    if isinstance(verdict, GiveUp):
        assert MARK not in repr(verdict.failure)
    elif isinstance(verdict, Refuse):
        receipt = verdict.receipt
        assert (
            MARK not in f"{receipt.rule} {receipt.field} {receipt.message} {verdict.country} {verdict.rule}"
        )
    else:
        found = wire.decode_as(Submission, data)
        assert found.statement in STATEMENTS, "a statement that nobody signed was admitted"


def _prefix_agrees(data: bytes, prefix: Any) -> None:  # noqa: ANN401 - a prefix
    with suppress(UnreadableError):
        whole = wire.decode(data)
        for field in codec.PREFIX_FIELDS:
            assert getattr(prefix, field) == getattr(whole, field)


def _wire_holds(data: bytes, value: Any) -> None:  # noqa: ANN401 - a message
    if schema_id_of(data) == registry().latest(wire.SCHEMA_NAMES[type(value)]).id:
        assert wire.decode(wire.encode(value)) == value


ADMITTED = messages.Admitted(
    url_key=KEY,
    kind="report",
    event_id=STATEMENT.event_id,
    environment="test",
    sender=SENDER,
    hosting_country="BE",
    admitted_at=NOW,
    submitted_at=NOW,
    directory_version=3,
    rules_version=1,
    source_topic="reports.submitted",
    source_partition=1,
    source_offset=2,
    submission=SUBMISSIONS[0],
)
_BINARY = (UnreadableError,)
PARSERS = (
    Parser("framing", golden(), schema_id_of, _BINARY),
    Parser("messages, compiled", golden(), wire.decode, _BINARY, _wire_holds),
    Parser("messages, fastavro", golden(), codec.decode, _BINARY),
    Parser("prefix, compiled", STATEMENTS, wire.prefix_of, _BINARY, _prefix_agrees),
    Parser("prefix, fastavro", STATEMENTS, codec.decode_prefix, _BINARY),
    Parser("admitted events", (wire.encode(ADMITTED),), wire.decode_event, _BINARY),
    Parser("intake, reports", SUBMISSIONS, _judge(TOPICS.reports_submitted), (), _verdict_holds),
    Parser("intake, actions", SUBMISSIONS, _judge(TOPICS.actions_submitted), (), _verdict_holds),
)

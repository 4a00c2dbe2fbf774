"""Texts of members go where they belong and nowhere else: not into labels, reasons, receipts or log lines."""

import ast
import hashlib
import io
import logging
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import pytest
from parser_promises import MARK
from prometheus_client import generate_latest
from sound_messages import ACTION, DIRECTORY, NOW, SENDER, SIGNER, STATEMENT, TOPICS

from agents import metrics as agent_metrics
from agents.dead_letters import DeadLetterBox, Failure, from_headers
from agents.intake import Intake
from agents.metrics import IntakeMetrics
from agents.sending import Post
from casework.directory import Directory
from casework.dsse import signed_statement
from casework.messages import ActionContent, Receipt, ReportContent, ReportStatement, Submission
from schemas.errors import UnreadableError
from streams import wire
from streams.clock import ManualClock
from streams.lanes import Batch
from streams.publishing import Confirmation, Outgoing

HOSTILE: Final = (MARK, f"https://{MARK}.example/", f"{MARK}\n\x00", f"-----BEGIN {MARK}-----", MARK * 2000)
LABELS: Final = {
    "error_class": "codes of agents.dead_letters",
    "rule": "rules of our own code, at most a hundred",
    "kind": "report or action",
    "country": "countries of the directory, or invalid",
    "reason": "codes of casework.codes",
    "step": "steps of a case",
    "scope": "leg or case",
    "hotline": "members of the directory",
    "fact": "codes of casework.codes",
    "breach": "codes of casework.codes",
    "outcome": "codes of casework.codes",
    "member": "members of the directory",
    "origin": "members of the directory",
    "inbox": "normal or urgent",
    "name": "files of certificates",
    "state": "states of a case",
    "sender": "members of the directory",
}


class Door:
    """Intake with a directory of its own, and everything it sends."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.metrics = IntakeMetrics()
        self.sent: list[Outgoing] = []
        self.box = DeadLetterBox("dead-letters", "intake")
        self.intake = Intake(
            topics=TOPICS,
            environment="test",
            feed=self,  # type: ignore[arg-type] - what it asks of one
            clock=ManualClock(NOW),
            sender=self,  # type: ignore[arg-type] - what it asks of one
            metrics=self.metrics,
        )

    def valid_at(self, _stamp_ms: int, _now_ms: int) -> Directory:
        """Answer the directory."""
        return self.directory

    async def placed(self, posts: Iterable[Post]) -> list[Outgoing]:
        """Place records."""
        return [Outgoing(topic, 0, url_key, value) for topic, url_key, value in posts]

    async def give_up(self, record: Any, failure: Failure) -> Outgoing:  # noqa: ANN401 - a Kafka record
        """Make a dead letter."""
        return self.box.given_up(record, failure, partitions=1, failed_at=NOW)

    async def send(self, records: list[Outgoing]) -> Confirmation:
        """Confirm."""
        self.sent += records
        return Confirmation(len(records), append_times={("dead-letters", 0): NOW})

    async def take(self, topic: str, values: Iterable[bytes]) -> None:
        """Hand over records."""
        records = [
            SimpleNamespace(
                topic=topic,
                partition=1,
                offset=offset,
                timestamp=NOW,
                key=MARK.encode(),
                value=value,
                headers=((MARK, MARK.encode()),),
            )
            for offset, value in enumerate(values)
        ]
        await self.intake.handle((Batch(topic, 1, records),))


def hostile_submissions() -> Iterable[tuple[str, bytes]]:
    """Yield topic and value of submissions with a mark in each field that takes a text, signed."""
    contents = {
        ReportStatement: ReportContent(url=f"https://{MARK}.example/"),
        type(ACTION): ActionContent(note=MARK),
    }
    for sound, topic in ((STATEMENT, TOPICS.reports_submitted), (ACTION, TOPICS.actions_submitted)):
        clear = wire.encode(contents[type(sound)])
        base = msgspec.structs.replace(
            sound, content_protection="none", content_digest=hashlib.sha256(clear).digest()
        )
        for field in msgspec.structs.fields(base):
            for text in HOSTILE:
                for value in (text, (text, text)):
                    changed = _changed(base, field.name, value)
                    if changed is not None:
                        yield topic, signed(changed, clear)
        for content in (b"", MARK.encode(), clear[:-3], clear + MARK.encode()):
            yield topic, signed(base, content)
        whole = wire.decode_as(Submission, signed(base, clear))
        for change in ({"key_id": MARK}, {"signature": MARK.encode()}, {"statement": MARK.encode()}):
            yield topic, wire.encode(msgspec.structs.replace(whole, **change))
        yield topic, MARK.encode()


def _changed(base: Any, name: str, value: object) -> Any:  # noqa: ANN401 - a statement
    changed = msgspec.structs.replace(base, **{name: value})
    try:
        wire.encode(changed)
    except Exception:  # noqa: BLE001 - the field takes no text
        return None
    return changed


def signed(statement: Any, content: bytes | None) -> bytes:  # noqa: ANN401 - a statement
    """Answer a submission."""
    framed = wire.encode(statement)
    kind = "report" if isinstance(statement, ReportStatement) else "action"
    signature = SIGNER.sign(signed_statement(kind, framed))
    return wire.encode(
        Submission(statement=framed, signature=signature, key_id=SIGNER.key_id, content=content)
    )


@pytest.mark.parametrize(
    "directory",
    [msgspec.structs.replace(DIRECTORY, protection="optional"), DIRECTORY],
    ids=["protection optional", "protection required"],
)
async def test_no_text_of_a_member_comes_back_from_the_door(directory: Directory) -> None:
    """Labels of metrics, reasons of dead letters, what receipts tell, and log lines have none."""
    door = Door(directory)
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    logging.getLogger().addHandler(handler)
    try:
        by_topic: dict[str, list[bytes]] = {}
        for topic, value in hostile_submissions():
            by_topic.setdefault(topic, []).append(value)
        for topic, values in by_topic.items():
            await door.take(topic, values)
    finally:
        logging.getLogger().removeHandler(handler)
    receipts, letters = 0, 0
    for record in door.sent:
        if record.topic == "dead-letters":
            letters += 1
            assert MARK not in repr(from_headers(record.headers)), "a reason repeats a value"
            continue
        assert MARK not in record.topic
        try:
            receipt = wire.decode_as(Receipt, record.value or b"")
        except UnreadableError:
            continue
        receipts += 1
        told = (receipt.rule, receipt.field, receipt.message, receipt.police_contact, receipt.hosting_country)
        assert MARK not in repr(told), "a receipt repeats a value"
        assert receipt.recipient == SENDER
    assert receipts > 50
    assert letters > 10
    assert MARK not in generate_latest(door.metrics.registry).decode()
    assert MARK not in lines.getvalue()
    assert "could not be judged" not in lines.getvalue()


def test_every_label_of_a_metric_has_values_from_a_closed_list() -> None:
    """A new label needs a line above that says where its values come from; members are no such place."""
    found = set()
    for path in Path(agent_metrics.__file__).parents[1].glob("*/*.py"):
        if path.parent.name not in {"agents", "streams", "connectors", "operations"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node) in {"Counter", "Gauge", "Histogram"}:
                found |= {
                    element.value
                    for given in node.args[2:]
                    if isinstance(given, ast.List)
                    for element in given.elts
                    if isinstance(element, ast.Constant)
                }
    assert found <= LABELS.keys(), sorted(found - LABELS.keys())


def _name(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""

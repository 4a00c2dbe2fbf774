import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from agents.dead_letters import DeadLetterBox, Failure
from casework.errors import BadInputError
from casework.messages import JournalEntry, ReportContent, ReportStatement, Submission
from operations.dead_letters import Filter, Letter, letters, target
from operations.journal import Signature
from operations.reading import Record
from streams import wire
from streams.publishing import Outgoing
from streams.slots import partition_of

KEY = b"\x01" + bytes(range(32))
URL = "https://material.example.test/secret"
BOX = DeadLetterBox("dead-letters", "intake")
EVENT_ID = "0197a6f2-7a3e-7c41-9f1e-5d1c2b3a4f60"


def submission(**changes: str) -> bytes:
    """Answer a framed submission with an address in its content."""
    values: dict[str, Any] = {"event_id": EVENT_ID, "sender": "gb-iwf", "hosting_country": "NL", **changes}
    statement = ReportStatement(
        environment="test", url_key=KEY, sent_at=1, directory_version=1, occurred_at=1, received_at=1,
        reference="r", content_type="media", **values,
    )  # fmt: skip
    content = wire.encode(ReportContent(url=URL))
    return wire.encode(Submission(statement=wire.encode(statement), content=content))


def given_up(offset: int, value: bytes, *, failed_at: int = 10, partition: int = 3) -> Record:
    """Answer a letter of intake as it lies in its topic."""
    source = SimpleNamespace(topic="reports.submitted", partition=partition, offset=7, timestamp=5)
    source.key, source.value, source.headers = KEY, value, (("trace", b"1"),)
    failure = Failure("bug", "KeyError", "", "intake could not judge this record")
    letter = BOX.given_up(source, failure, partitions=1, failed_at=failed_at)
    return Record("dead-letters", 0, offset, failed_at, letter.key, letter.value, tuple(letter.headers))


def entry(operation: str, state: str, offset: int) -> JournalEntry:
    """Answer an entry about a letter."""
    return JournalEntry(
        entry_id="e", operation=operation, state=state, environment="test", operator="ops-1", reason="why",
        at=1, software_version="1", topic="dead-letters", partition=0, offset=offset,
    )  # fmt: skip


def one(record: Record, *journal: JournalEntry) -> Letter:
    """Answer the one letter of a record."""
    (letter,) = letters([record], journal)
    return letter


def test_what_is_shown_holds_no_address() -> None:
    """Sizes, ids, member and rule are shown; no key, no value, no header."""
    letter = one(given_up(1, submission()))
    shown = letter.shown()
    assert (shown["member"], shown["event_id"], shown["rule"]) == ("gb-iwf", EVENT_ID, "KeyError")
    assert shown["value_bytes"] == len(letter.value or b"")
    text = json.dumps(shown)
    assert "material" not in text
    assert KEY.hex() not in text


def test_ids_that_are_none_are_not_shown() -> None:
    """A sender that writes an address where an id belongs cannot have it printed to operators."""
    shown = one(given_up(1, submission(event_id=URL, sender="https://x.example/"))).shown()
    assert shown["member"] is None
    assert "example" not in json.dumps(shown)


@pytest.mark.parametrize(
    ("notes", "state"),
    [
        ([], "open"),
        ([("replay", "begun")], "begun"),
        ([("replay", "begun"), ("replay", "done")], "replayed"),
        ([("discard", "begun"), ("discard", "done"), ("replay", "begun")], "discarded"),
        ([("discard", "done"), ("replay", "begun"), ("replay", "done")], "replayed"),
    ],
)
def test_the_journal_tells_what_was_done(notes: list[tuple[str, str]], state: str) -> None:
    """A letter shows the last act that was finished, or that one was begun; other letters' acts do not."""
    journal = [entry(operation, done, 1) for operation, done in notes]
    assert one(given_up(1, b"x"), *journal).state == state
    assert one(given_up(2, b"x"), *journal).state == "open"


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        (Filter(), True),
        (Filter(ids=("0-1",)), True),
        (Filter(ids=("0-2",)), False),
        (Filter(topic="reports.submitted", error_class="bug", rule="KeyError", member="gb-iwf"), True),
        (Filter(topic="reports.urgent"), False),
        (Filter(error_class="unreadable"), False),
        (Filter(rule="ValueError"), False),
        (Filter(member="de-eco"), False),
        (Filter(since=10, until=11), True),
        (Filter(since=11), False),
        (Filter(until=10), False),
        (Filter(states=("open",)), True),
        (Filter(states=("replayed", "discarded")), False),
    ],
)
def test_each_filter_leaves_out_what_is_not_meant(wanted: Filter, *, takes: bool) -> None:
    """All that is asked for must hold; from `since` on, before `until`."""
    assert wanted.takes(one(given_up(1, submission()))) is takes


def test_a_record_without_provenance_is_shown_and_has_no_target() -> None:
    """Whatever somebody else wrote into the topic does not stop the tool, and is never sent anywhere."""
    letter = one(Record("dead-letters", 0, 1, 5, None, b"x", ()))
    assert (letter.provenance, letter.state) == (None, "open")
    assert letter.shown()["value_bytes"] == 1
    assert not Filter(topic="reports.submitted").takes(letter)
    with pytest.raises(ValueError, match="no target"):
        target(letter, lambda _topic: 1)


def test_a_replay_goes_to_where_the_record_was_or_was_to_go() -> None:
    """The source partition, unless it is gone; of an undeliverable message the one its url key has."""
    assert target(one(given_up(1, b"x")), lambda _topic: 4) == ("reports.submitted", 3)
    assert target(one(given_up(1, b"x")), lambda _topic: 2) == ("reports.submitted", partition_of(KEY, 2))
    out = BOX.undeliverable(Outgoing("inbox.se", 0, KEY, b"v"), "unknown_topic", partitions=1, failed_at=9)
    record = Record("dead-letters", 0, 1, 9, out.key, out.value, tuple(out.headers))
    for count in (1, 2, 12):
        assert target(one(record), lambda _topic, count=count: count) == (
            "inbox.se",
            partition_of(KEY, count),
        )
    keyless = msgspec.structs.replace(one(record), key=None)
    assert target(keyless, lambda _topic: 2) == ("inbox.se", 0)


@pytest.mark.parametrize(
    ("operator", "reason"), [("", "why"), ("ops", " "), ("o" * 65, "why"), ("ops", "r" * 501), ("ops", URL)]
)
def test_nobody_acts_without_a_name_and_a_reason(operator: str, reason: str) -> None:
    """Both are given, short, and no address gets into the journal."""
    with pytest.raises(BadInputError):
        Signature(operator, reason).check()
    Signature("ops-1", "inbox provisioned").check()

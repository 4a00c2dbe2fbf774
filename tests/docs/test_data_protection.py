"""The page about data protection against schemas, topics, metrics and directory: no field is forgotten."""

import re
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from casework.directory import Member
from schemas.registry import registry
from streams.topics import Topics

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "data-protection.md").read_text(encoding="utf-8")
METRICS: Final = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
DAY_MS: Final = 86_400_000
SECTION: Final = re.compile(r"^### `(\w+)`$", re.MULTILINE)
WORD: Final = re.compile(r"`([^`]+)`")
# Only these hold what could identify material or a person; everything else may be read by the exchange.
SEALED: Final = {
    ("Submission", "content"),
    ("Submission", "credentials"),
    ("Delivery", "content"),
    ("Delivery", "credentials"),
    ("Escalation", "content"),
    ("Escalation", "credentials"),
    ("KeptRewrap", "content"),
}
CONTENTS: Final = ("ReportContent", "ActionContent", "ReportCredentials")
CARRIERS: Final = ("Submission", "Admitted", "CaseContent", "Delivery", "Escalation")
SHORT_DAYS: Final = 20


def records(schema: dict[str, Any]) -> dict[str, list[str]]:
    """Answer the names of the fields of a schema's record and of all records inside it."""
    found = {schema["name"]: [field["name"] for field in schema["fields"]]}
    waiting = [field["type"] for field in schema["fields"]]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, list):
            waiting.extend(kind)
        elif isinstance(kind, dict) and kind["type"] == "array":
            waiting.append(kind["items"])
        elif isinstance(kind, dict) and kind["type"] == "record":
            found |= records(kind)
    return found


def schema_fields() -> dict[str, list[str]]:
    """Answer the fields of every message of the contract, in its newest version, and of a member."""
    found: dict[str, list[str]] = {"Member": list(Member.__struct_fields__)}
    for path in sorted((ROOT / "schemas" / "avro").glob("*.avsc")):
        found |= records(msgspec.json.decode(path.read_bytes()))
    return found


def rows_of(text: str) -> list[list[str]]:
    """Answer the cells of the first table of a part of the page, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def sections() -> dict[str, list[list[str]]]:
    """Answer the rows about each message."""
    _, *parts = SECTION.split(PAGE)
    return {
        name: rows_of(text.partition("\n##")[0]) for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


FIELDS: Final = schema_fields()
SECTIONS: Final = sections()
TOPIC_ROWS: Final = rows_of(PAGE.partition("\n## Where it lies and how long")[2].partition("\n## ")[0])


def table(erasure_days: int = 90) -> dict[str, dict[str, str]]:
    """Answer the configuration of each topic, by its name on the page."""
    topics = Topics().all_for(
        ["nl-offlimits"], ["nl"], slot_count=1, partitions=1, feeds=["nl-police"], erasure_days=erasure_days
    )
    names = {"nl-offlimits": "<member>", "escalations.nl": "escalations.<liaison>", "nl-police": "<liaison>"}
    found = {}
    for topic in topics:
        name = topic.name
        for real, shown in names.items():
            name = name.replace(real, shown)
        found[name] = topic.config
    return {name: config for name, config in found.items() if "desk-orphans" not in name}


def kept(config: dict[str, str]) -> str:
    """Answer how long a topic keeps its records, as the page says it."""
    if config["cleanup.policy"] == "compact":
        return "newest of each key"
    # A record lives until its whole segment has expired.
    return f"{(int(config['retention.ms']) + int(config['segment.ms'])) // DAY_MS} days"


def test_the_contract_is_read_whole() -> None:
    """The messages of the schema files are those that the program loads."""
    assert set(registry().names()) <= set(FIELDS)


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_every_field_of_every_message_has_its_line(name: str) -> None:
    """Purpose and readers are given for each field once; a field that comes, goes or is renamed is missed."""
    rows = SECTIONS[name]
    named = [field for row in rows for field in WORD.findall(row[0])]
    assert sorted(named) == sorted(FIELDS[name])
    assert all(len(row) == 4 and all(row) for row in rows)


def test_no_message_is_on_the_page_that_is_not_there() -> None:
    """What was taken out of the contract leaves the page too."""
    assert set(SECTIONS) == set(FIELDS)


def test_only_contents_are_sealed() -> None:
    """`S` stands where content stands and nowhere else: nobody reads that a statement is sealed."""
    for name, rows in SECTIONS.items():
        for row in rows:
            for field in WORD.findall(row[0]):
                is_sealed = name in CONTENTS or (name, field) in SEALED
                assert (row[3] == "S") == is_sealed, (name, field)


def test_every_topic_has_its_retention() -> None:
    """Days, compaction and dependence on the erasure limit are those of the topic table."""
    whole, short = table(), table(SHORT_DAYS)
    shown = {WORD.findall(row[0])[0]: row for row in TOPIC_ROWS}
    assert set(shown) == set(whole)
    for name, (_, _, _, how_long, follows) in shown.items():
        assert how_long.partition(",")[0] == kept(whole[name]), name
        assert (follows == "yes") == (kept(short[name]) == f"{SHORT_DAYS} days"), name


def test_no_topic_keeps_content_beyond_the_erasure_limit() -> None:
    """Where sealed content lies the erasure limit counts; the one exception is erased by tombstones."""
    for topic, carries, sealed, _, follows in TOPIC_ROWS:
        messages = WORD.findall(carries)
        is_carrier = any(name in CARRIERS for name in messages) or "any record" in carries
        assert (sealed == "yes") == is_carrier, topic
        assert sealed == "no" or follows == "yes" or topic == "`cases.contents`"


def test_the_labels_of_metrics_are_named() -> None:
    """What metrics tell of members and cases is what the page of metrics lists."""
    line = next(line for line in PAGE.splitlines() if line.startswith("| metrics |"))
    rows = re.findall(
        r"^\| `\w+`(?:, `\w+`)* \| (?:counter|gauge|histogram) \| ([^|]*)\|", METRICS, re.MULTILINE
    )
    labels = {label for cell in rows for label in WORD.findall(cell)}
    assert set(WORD.findall(line)) == labels


def test_the_readers_are_explained() -> None:
    """Every letter of the tables is in the list of readers."""
    letters = set(re.findall(r"^\| `([A-Z])` \|", PAGE, re.MULTILINE))
    used = {word for rows in SECTIONS.values() for row in rows for word in re.findall(r"\b[A-Z]\b", row[3])}
    assert used == letters

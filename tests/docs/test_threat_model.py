"""The threat model against the tests it names: a protection that nothing would miss is no protection."""

import ast
import functools
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
HOP: Final = re.compile(r"^## (Hop \d+: .+)$", re.MULTILINE)
TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
LETTERS: Final = "STRIDE"
NOT_COVERED: Final = "not covered"
WORDS_OF_A_REASON: Final = 3
# The way of a report as the architecture has it, and what lies beside it.
WAY: Final = (
    "connector",
    "submission topics",
    "intake",
    "`cases.admitted`",
    "`cases.events`",
    "inboxes and escalations",
    "dead letters",
    "liaison",
    "directory",
    "command line",
    "backups",
    "evidence",
)


def hops() -> dict[str, list[list[str]]]:
    """Answer the rows of the table of each hop, as cells."""
    _, *parts = HOP.split(PAGE)
    found = {}
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        lines = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("|")]
        # Head and rule of the table come first.
        found[title] = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]
    return found


HOPS: Final = hops()
ROWS: Final = [(hop.partition(":")[0], *row) for hop, rows in HOPS.items() for row in rows]
NAMED: Final = sorted(set(TEST.findall(PAGE)))


@functools.cache
def functions_of(path: str) -> frozenset[str]:
    """Answer the names of the functions of a test file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_the_hops_are_those_of_the_way_of_a_report() -> None:
    """Numbers have no gap, and each part of the way has a hop of its own."""
    assert [hop.partition(":")[0] for hop in HOPS] == [f"Hop {n + 1}" for n in range(len(HOPS))]
    titles = " / ".join(HOPS)
    assert [part for part in WAY if part not in titles] == []


@pytest.mark.parametrize("hop", HOPS)
def test_each_hop_has_all_six_letters(hop: str) -> None:
    """Nobody can forget a kind of attack without it being seen; a row has letter, threat, why and test."""
    rows = HOPS[hop]
    assert [row for row in rows if len(row) != 4] == []
    letters = [row[0] for row in rows]
    assert set(letters) == set(LETTERS)
    assert letters == sorted(letters, key=LETTERS.index)


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_named_test_exists(path: str, name: str) -> None:
    """Whoever follows the table finds the test that would fail."""
    assert (ROOT / path).is_file()
    assert name.startswith("test_")
    assert name in functions_of(path)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]} {row[2]}" for row in ROWS])
def test_every_threat_is_covered_or_explained(row: tuple[str, ...]) -> None:
    """A row names tests and nothing else, or says in words why it has none and what limits the damage."""
    _, _, threat, why, test = row
    assert threat
    if test != NOT_COVERED:
        assert f"**{NOT_COVERED}**" not in why
        assert re.sub(r"[\s,]", "", TEST.sub("", test)) == ""
        assert TEST.search(test)
        return
    assert why.startswith(f"**{NOT_COVERED}**")
    _, _, reason = why.partition(":")
    reason, _, limits = reason.partition("Limits: ") if "Limits: " in why else (reason, "", reason)
    assert len(reason.split()) >= WORDS_OF_A_REASON
    assert limits.strip()

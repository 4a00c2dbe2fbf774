"""The pages about the rules against the table of transitions."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from casework.states import ASSIGNED_STATES, NONE, STATES
from casework.transition_rows import NEW_LEG
from casework.transition_table import TABLE
from operations import rule_pages

HAPPENS = (rule_pages.DOCS / rule_pages.HAPPENS).read_text(encoding="utf-8")
NODES = {"[*]", "with_hotline", "new_leg", *STATES}


def test_no_page_about_the_rules_is_stale() -> None:
    """What the pages say is what the table says; `make pages` writes them again."""
    assert [path.name for path in rule_pages.stale()] == []


def test_a_page_that_says_something_else_is_found(tmp_path: Path) -> None:
    """A table changed by hand, and a page that is not there, are stale; writing them again mends both."""
    shutil.copy(rule_pages.DOCS / rule_pages.MACHINE, tmp_path)
    page = tmp_path / rule_pages.MACHINE
    page.write_text(
        page.read_text(encoding="utf-8").replace("| report |", "| rapport |", 1), encoding="utf-8"
    )
    assert {path.name for path in rule_pages.stale(tmp_path)} == {rule_pages.HAPPENS, rule_pages.MACHINE}
    for path, text in rule_pages.pages(tmp_path).items():
        path.write_text(text, encoding="utf-8")
    assert rule_pages.stale(tmp_path) == []


def test_each_state_has_all_its_rows() -> None:
    """A reader who looks up a state finds each row of the table that applies in it, and no other."""
    sections = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", HAPPENS, re.MULTILINE | re.DOTALL))
    assert list(sections) == [NONE, *STATES]
    for state, text in sections.items():
        rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
        assert len(rows) == sum(state in row.states for row in TABLE)


def test_the_diagram_leads_through_every_state() -> None:
    """Each state is drawn, can be reached, and each arrow joins things that are there."""
    arrows = re.findall(r"^ *(\S+) --> (\w+|\[\*\])", rule_pages.diagram(), re.MULTILINE)
    assert {node for arrow in arrows for node in arrow} <= NODES
    assert set(STATES) <= {goal for _, goal in arrows}


@pytest.mark.parametrize("state", ASSIGNED_STATES)
def test_a_step_behind_leaves_the_state(state: str) -> None:
    """What a step leads to is the furthest of the two, as the rules keep it."""
    [row] = [row for row in TABLE if row.event == "acknowledged" and row.who == "responsible"]
    before = ASSIGNED_STATES.index(state) < ASSIGNED_STATES.index("acknowledged")
    assert rule_pages.target(row, state) == ("acknowledged" if before else state)


def test_what_a_state_depends_on_is_read_from_the_row() -> None:
    """A row that names its exceptions leads where it says; one that begins a leg leads to the choice."""
    rows = {row.state: row for row in TABLE}
    waits = rows["awaiting_rewrap, orphaned stays"]
    assert [rule_pages.target(waits, state) for state in ("orphaned", "assigned")] == [
        "orphaned",
        "awaiting_rewrap",
    ]
    ends = rows["assigned after awaiting_rewrap, else same"]
    assert [rule_pages.target(ends, state) for state in ("awaiting_rewrap", "assessed")] == [
        "assigned",
        "assessed",
    ]
    assert rule_pages.target(rows[NEW_LEG], "assigned") == NEW_LEG


def test_the_check_ends_with_one_where_a_page_is_stale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The build stops at a stale page and says what to run."""
    monkeypatch.setattr(sys, "argv", ["rule_pages", "--check"])
    monkeypatch.setattr(rule_pages, "stale", lambda: [Path("docs/page.md")])
    with pytest.raises(SystemExit) as ended:
        rule_pages.main()
    assert ended.value.code == 1
    assert "make pages" in capsys.readouterr().err

from typing import TYPE_CHECKING

import pytest

from casework.matters.notes import MAX_RELATED

if TYPE_CHECKING:
    from tests.casework.conftest import Story

IDS = [f"00000000-0000-8000-8000-{number:012d}" for number in range(MAX_RELATED + 2)]


@pytest.mark.parametrize("sender", ["gb-iwf", "nl-offlimits", "nl-police", "inhope"])
def test_a_note_reaches_all_others(opened: "Story", sender: str) -> None:
    """Any party and the secretariat may write a note; origins and hotlines get it, its writer does not."""
    opened.report("de-eco", "NL")
    opened.act(sender, "note", priority="high")
    assert opened.receipts()[-1].outcome == "accepted"
    told = {told.recipient: told for told in opened.deliveries() if told.fact == "note"}
    assert told.keys() == {"gb-iwf", "de-eco", "nl-offlimits"} - {sender}
    assert {one.priority for one in told.values()} == {"high"}


def test_a_stranger_writes_no_note(opened: "Story") -> None:
    """Who has no part in the case cannot write into it."""
    opened.act("fr-point-de-contact", "note")
    assert opened.receipts()[-1].rule == "not_a_party"


def test_the_newest_priority_stands(opened: "Story") -> None:
    """A note without priority leaves it; another one replaces it."""
    opened.act("gb-iwf", "note", priority="high")
    opened.act("gb-iwf", "note")
    assert opened.case.priority == "high"
    opened.act("nl-offlimits", "note", priority="low")
    assert opened.case.priority == "low"


def test_related_cases_are_kept_once_and_so_many(opened: "Story") -> None:
    """A case keeps the newest related cases, each once and never itself."""
    opened.act("gb-iwf", "note", related_case_ids=(opened.case.case_id, *IDS[:3]))
    assert opened.case.related == tuple(IDS[:3])
    opened.act("gb-iwf", "note", related_case_ids=tuple(IDS))
    assert opened.case.related == tuple(IDS[2:])

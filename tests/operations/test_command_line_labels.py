"""What commands show of labels, priority, related cases and the language of a note, and to whom."""

import json
from collections.abc import Callable

import pytest
from paper_exchange import PaperExchange

from casework.messages import ActionContent, ActionStatement, Label
from operations.command_line.inbox import words_in
from operations.command_line.stated import stated_in
from streams import wire

Hx = Callable[..., tuple[int, str, str]]
HxOn = Callable[[PaperExchange], Hx]
URL = "https://labels.example.test/"
RELATED = "00000000-0000-8000-8000-000000000002"
SERIES = Label(scheme="ucs", scheme_version="1.0", section="context", label="series")
OWN = Label(scheme="own", scheme_version="2", label="b")


@pytest.fixture
def paper() -> PaperExchange:
    """Return an exchange with a labelled report, and a note about it with all that a note has."""
    made = PaperExchange()
    made.report(URL, labels=(SERIES,))
    made.act(
        URL,
        "nl-offlimits",
        "note",
        "seen",
        labels=(SERIES, OWN),
        priority="high",
        related_case_ids=(RELATED,),
    )
    return made


def _case_id(paper: PaperExchange) -> str:
    case = paper.case(URL)
    assert case is not None
    return case.case_id


def test_a_case_shows_what_was_labelled(hx_on: HxOn, paper: PaperExchange) -> None:
    """Each fact shows labels, priority and related cases of its statement, once."""
    hx = hx_on(paper)
    code, out, _ = hx("cases", "show", _case_id(paper))
    facts = [line for line in out.splitlines() if "ucs/1.0/context/series" in line]
    assert (code, len(facts)) == (0, 2), out
    [opened, noted] = facts
    assert ("opened" in opened, "note" in noted) == (True, True)
    assert noted.count("priority high") == noted.count(f"related {RELATED}") == 1
    assert "own/2//b" in noted
    stated = json.loads(hx("cases", "show", _case_id(paper), "--json")[1])["stated"]
    assert stated["1"] == {"labels": ["ucs/1.0/context/series"], "priority": None, "related_case_ids": []}
    assert [each["priority"] for each in stated.values()] == [None, "high"]


def test_an_inbox_shows_what_was_labelled(hx_on: HxOn, paper: PaperExchange) -> None:
    """Whoever is told of a report or a note sees its labels; of the others nothing is said."""
    hx = hx_on(paper)
    code, out, _ = hx("inbox", "tail", "nl-offlimits")
    assert (code, out.count("labels ucs/1.0/context/series")) == (0, 1), out
    [line] = [one for one in hx("inbox", "tail", "gb-iwf")[1].splitlines() if " note " in one]
    assert f"labels ucs/1.0/context/series own/2//b  priority high  related {RELATED}" in line
    messages = [json.loads(one)["message"] for one in hx("inbox", "tail", "gb-iwf", "--json")[1].splitlines()]
    assert [one["stated"]["priority"] for one in messages if "stated" in one] == ["high"]


def test_a_hold_shows_its_labels_to_nobody_who_only_learns_of_a_pause(hx_on: HxOn) -> None:
    """Origins see `paused` and nothing that police have said with the hold."""
    paper = PaperExchange()
    paper.report(URL)
    paper.act(URL, "nl-police", "hold", labels=(SERIES,), hold_until=None)
    hx = hx_on(paper)
    out = hx("inbox", "tail", "gb-iwf")[1]
    assert ("paused" in out, "labels" in out) == (True, False)
    assert "labels ucs/1.0/context/series" in hx("inbox", "tail", "nl-offlimits")[1]


def test_a_label_steers_no_terminal() -> None:
    """Whatever a statement says that intake has not judged, its labels are shown on one line."""
    label = Label(scheme="own", scheme_version="2", label="a\x1b[31m\nb")
    statement = ActionStatement(
        event_id="e", environment="test", sender="de-eco", url_key=b"k" * 33, hosting_country="NL", sent_at=1,
        directory_version=1, action="note", occurred_at=1, labels=(label,),
    )  # fmt: skip
    assert stated_in(wire.encode(statement)).labels == ("own/2//a?[31m?b",)
    assert stated_in(b"of a later version").is_empty


def test_the_language_of_an_opened_note_is_shown() -> None:
    """The language is sealed with the note: who may read the one sees the other."""
    assert words_in(ActionContent(note="gezien", note_language="nl")) == "gezien (nl)"
    assert words_in(ActionContent(note_language="nl", new_url="https://x.example/")) == "https://x.example/"

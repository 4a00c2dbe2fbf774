"""What `hx act` sends of one action from options, and of each action from a file, without Kafka."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from paper_exchange import PaperExchange, network

from casework.action_checks import actors
from casework.codes import ACTIONS
from casework.messages import Label
from connectors.drafts import ActionDraft
from operations.command_line import submitting
from operations.files import Line, Problem

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
CASE = "00000000-0000-8000-8000-000000000001"
URL = "https://act.example.test/"
Hx = Callable[..., tuple[int, str, str]]
FILES = {
    "actions.jsonl": "nl-offlimits",
    "casework-hotline.jsonl": "nl-offlimits",
    "casework-police.jsonl": "nl-police",
    "casework-secretariat.jsonl": "inhope",
}


@pytest.fixture
def drafts(monkeypatch: pytest.MonkeyPatch) -> list[ActionDraft]:
    """Return what would be sent."""
    found: list[ActionDraft] = []

    def send(_: object, lines: object, **__: object) -> None:
        assert not isinstance(lines, str)
        for line in lines:  # type: ignore[attr-defined]
            assert not isinstance(line, Problem), str(line)
            assert isinstance(line, Line)
            found.append(line.draft)

    monkeypatch.setattr(submitting.Submission, "send", send)
    return found


def _sealed(folder: Path, **fields: str) -> str:
    """Answer a file of what is no argument."""
    file = folder / "sealed.json"
    file.write_text(json.dumps(fields))
    return str(file)


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_example_passes_its_own_check(hx: Hx, name: str) -> None:
    """The shipped actions of hotlines, police and secretariat break no rule of their form."""
    code, out, _ = hx("act", str(EXAMPLES / name), "--as", FILES[name], "--check")
    assert (code, "0 bad" in out) == (0, True), out


def test_the_examples_hold_every_action() -> None:
    """Whoever looks for a line to copy finds one for each action, sent by a kind of member that may."""
    found = set()
    for name, member in FILES.items():
        for line in (EXAMPLES / name).read_text(encoding="utf-8").splitlines():
            action = json.loads(line)["action"]
            assert network().member(member).kind in actors(action)
            found.add(action)
    assert found == set(ACTIONS.codes)


def test_one_action_is_said_with_options(hx: Hx, drafts: list[ActionDraft], tmp_path: Path) -> None:
    """Options are the fields of an action: texts, numbers, flags, times and lists arrive as what they are."""
    sealed = _sealed(tmp_path, url=URL, note="the same series")
    code, _, err = hx(
        *("act", "--as", "nl-offlimits", "--action", "note", "--case-id", CASE, "--sealed", sealed),
        *("--hosting-country", "NL", "--priority", "high", "--leg", "2"),
        *("--related-case-ids", CASE, "--labels", "ucs/1.0/context/series", "--no-is-online"),
    )
    assert (code, err) == (0, "")
    [draft] = drafts
    assert draft == ActionDraft(
        action="note",
        case_id=CASE,
        url=URL,
        hosting_country="NL",
        priority="high",
        note="the same series",
        leg=2,
        related_case_ids=(CASE,),
        labels=(Label(scheme="ucs", scheme_version="1.0", section="context", label="series"),),
        is_online=False,
    )


def test_the_place_of_an_action_is_that_of_its_case(
    hx_on: Callable[[PaperExchange], Hx], drafts: list[ActionDraft]
) -> None:
    """Who names the case need not know url key and country; who names a case that is not there is told."""
    paper = PaperExchange()
    paper.report(URL)
    case = paper.case(URL)
    assert case is not None
    hx = hx_on(paper)
    assert hx("act", "--as", "nl-offlimits", "--action", "claim", "--case-id", case.case_id)[0] == 0
    assert (drafts[0].url_key, drafts[0].hosting_country) == (case.url_key, "NL")
    code, _, err = hx("act", "--as", "nl-offlimits", "--action", "claim", "--case-id", CASE)
    assert (code, CASE in err) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--reference", "without its action"),
        (str(EXAMPLES / "actions.jsonl"), "--action", "removed"),
        (str(EXAMPLES / "actions.jsonl"), "--leg", "1"),
        ("--action", "note", "--labels", "ucs"),
    ],
)
def test_what_is_neither_one_action_nor_a_file_is_a_usage_error(hx: Hx, words: tuple[str, ...]) -> None:
    """Nothing, both, half of one, or a label without its parts is refused before anything is sent."""
    code, _, err = hx("act", "--as", "nl-offlimits", "--check", *words)
    assert (code, err.startswith("hx: ")) == (2, True)


def test_a_wrong_field_is_told_by_its_name(hx: Hx, tmp_path: Path) -> None:
    """A time without its zone, or a code of no list, is named with field and rule like a bad line."""
    code, out, _ = hx(
        *("act", "--as", "nl-police", "--check", "--action", "hold", "--case-id", CASE),
        *("--hosting-country", "NL", "--hold-until", "tomorrow", "--sealed", _sealed(tmp_path, url=URL)),
    )
    assert (code, "hold_until" in out) == (2, True)


@pytest.mark.parametrize("text", ["[]", "{", '{"reason_code": "other"}'])
def test_a_file_of_what_is_sealed_holds_nothing_else(hx: Hx, tmp_path: Path, text: str) -> None:
    """What can be an option is none of it, so that nobody looks for a field in two places."""
    file = tmp_path / "sealed.json"
    file.write_text(text)
    words = ("--action", "note", "--case-id", CASE, "--sealed", str(file))
    code, _, err = hx("act", "--as", "nl-offlimits", "--check", *words)
    assert (code, "--sealed" in err) == (2, True)
    assert hx("act", "--as", "nl-offlimits", "--check", *words[:-1], str(tmp_path / "none"))[0] == 2

"""Whatever the table lets members say, `hx act` sends: by options and from a file, through a real client."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from paper_client import clients_of
from sealed_paper import SealedExchange

from casework.codes import ACTIONS
from casework.transition_table import TABLE
from operations.command_line.action_options import NEVER_ARGUMENTS
from operations.files import LISTS

pytestmark = pytest.mark.slow

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
SENDERS: Final = {
    "actions.jsonl": "nl-offlimits",
    "casework-hotline.jsonl": "nl-offlimits",
    "casework-police.jsonl": "nl-police",
    "casework-secretariat.jsonl": "inhope",
}
EVERY: Final = sorted({one.event for one in TABLE} & set(ACTIONS.codes))
NOW_MS: Final = 1_770_000_000_000
Hx = Callable[..., tuple[int, str, str]]
URL: Final = "https://act.example.test/"


def _example(action: str) -> tuple[str, dict[str, Any]]:
    """Answer a shipped line of an action, and who may send it."""
    for name, member in SENDERS.items():
        for line in (EXAMPLES / name).read_text(encoding="utf-8").splitlines():
            fields = json.loads(line)
            if fields["action"] == action:
                return member, fields
    raise AssertionError(action)


def _admitted(paper: SealedExchange) -> int:
    """Answer how many submissions have passed intake."""
    return sum(record.topic == paper.topics.cases_admitted for record in paper.records)


def _options(fields: Mapping[str, Any], sealed: Path) -> list[str]:
    """Answer the words of a command for the fields of an action."""
    sealed.write_text(json.dumps({name: value for name, value in fields.items() if name in NEVER_ARGUMENTS}))
    words = ["--sealed", str(sealed)]
    for name, value in fields.items():
        option = f"--{name.replace('_', '-')}"
        if name in NEVER_ARGUMENTS:
            continue
        if name == "labels":
            words += [w for label in value for w in (option, "/".join(label.values()))]
        elif name in LISTS:
            words += [word for one in value for word in (option, one)]
        elif isinstance(value, bool):
            words.append(option if value else f"--no-{name.replace('_', '-')}")
        else:
            words += [option, str(value)]
    return words


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> SealedExchange:
    """Return an exchange with a case of an Irish host whose content the Irish hotline cannot open yet."""
    made = SealedExchange(monkeypatch)
    made.clock.advance(NOW_MS - made.now)
    made.sealed_report(URL, "nl-offlimits", country="IE", readers=["nl-offlimits"])
    return made


def _words(paper: SealedExchange, action: str, how: str, folder: Path) -> list[str]:
    """Answer the words that send the example of an action for the case on paper."""
    member, fields = _example(action)
    case = paper.case(URL)
    assert case is not None
    fields.pop("url", None)
    fields |= {"case_id": case.case_id, "hosting_country": "IE", "url_key": case.url_key.hex()}
    if how == "options":
        return [*_options(fields, folder / "sealed.json"), "--as", member]
    file = folder / "one.jsonl"
    file.write_text(json.dumps(fields) + "\n")
    return [str(file), "--as", member]


@pytest.mark.parametrize("how", ["options", "file"])
@pytest.mark.parametrize("action", EVERY)
def test_every_action_of_the_table_is_sent(  # noqa: PLR0917 - what a command needs
    hx_on: Callable[[SealedExchange], Hx],
    paper: SealedExchange,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    action: str,
    how: str,
) -> None:
    """Its shipped example passes intake, whether its fields are options or the line of a file."""
    sent = clients_of(paper, monkeypatch)
    words = _words(paper, action, how, tmp_path)
    admitted = _admitted(paper)
    _, out, err = hx_on(paper)("act", *words)
    assert [one.statement.action for one in sent] == [action], out + err
    assert _admitted(paper) == admitted + 1, out

"""`hx cases erase`: what the secretariat sends, without Kafka."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from paper_exchange import PaperExchange

from connectors.drafts import ActionDraft
from operations.command_line import erasing
from operations.command_line.submitting import Submission
from operations.files import Line

HxOn = Callable[[PaperExchange], Callable[..., tuple[int, str, str]]]
URL = "https://erasing.example.test/"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ActionDraft]]:
    """Return what is sent, by whom, in place of sending it."""
    found: list[tuple[str, ActionDraft]] = []

    def send(self: Submission, lines: Iterable[Line[ActionDraft]], **_: Any) -> None:  # noqa: ANN401 - options
        found.extend((self.member, line.draft) for line in lines)

    monkeypatch.setattr(erasing.Submission, "send", send)
    return found


def test_the_request_names_case_place_and_reason(hx_on: HxOn, sent: list[tuple[str, ActionDraft]]) -> None:
    """From a case id or a url key one request is made, in the name of the member that was given."""
    paper = PaperExchange()
    paper.report(URL)
    case = paper.case(URL)
    assert case is not None
    hx = hx_on(paper)
    for named in (case.case_id, case.url_key.hex()):
        code, _, _ = hx("cases", "erase", named, "--reason", "data_protection", "--as", "inhope")
        assert code == 0
    assert [member for member, _ in sent] == ["inhope", "inhope"]
    draft = sent[0][1]
    assert (draft.action, draft.case_id, draft.url_key) == ("erase", case.case_id, case.url_key)
    assert (draft.reason_code, draft.hosting_country) == ("data_protection", "NL")
    assert sent[0][1] == sent[1][1]


def test_nothing_is_sent_for_an_unknown_case_or_reason(
    hx_on: HxOn, sent: list[tuple[str, ActionDraft]]
) -> None:
    """A slip ends with a sentence that names what was expected, before anything is sent."""
    hx = hx_on(PaperExchange())
    code, out, err = hx("cases", "erase", "0197a6f2", "--reason", "data_protection", "--as", "inhope")
    assert code != 0
    assert "no case 0197a6f2" in out + err
    code, out, err = hx("cases", "erase", "0197a6f2", "--reason", "whim", "--as", "inhope")
    assert code != 0
    assert "data_protection" in out + err
    assert sent == []

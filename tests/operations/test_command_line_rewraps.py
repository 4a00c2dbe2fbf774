"""`hx act` answers requests to re-wrap by hand: with the member's own keys, and only what was asked for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import pytest
from paper_client import clients_of
from sealed_paper import SealedExchange, paper_sealed

from casework.messages import Case, Submission
from casework.states import AWAITING_REWRAP
from connectors.preparing import Prepared
from connectors.sealing import open_sealed
from streams import wire

pytestmark = pytest.mark.slow

URL: Final = "https://rewraps.example.test/"
ORIGIN, RESPONSIBLE = "nl-offlimits", "ie-hotline"
Hx = Callable[..., tuple[int, str, str]]


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> SealedExchange:
    """Return an exchange with two cases of an Irish host whose contents the Irish hotline cannot open yet."""
    made = SealedExchange(monkeypatch)
    for name in ("a", "b"):
        made.sealed_report(URL + name, ORIGIN, country="IE", readers=[ORIGIN])
    return made


@pytest.fixture
def sent(paper: SealedExchange, monkeypatch: pytest.MonkeyPatch) -> list[Prepared]:
    """Return what commands send to the paper exchange."""
    return clients_of(paper, monkeypatch)


@pytest.fixture
def hx(hx_on: Callable[[SealedExchange], Hx], paper: SealedExchange) -> Hx:
    """Return the command line of the paper exchange, as it is at each call."""

    def run(*words: str) -> tuple[int, str, str]:
        return hx_on(paper)(*words)

    return run


def _case(paper: SealedExchange, name: str) -> Case:
    case = paper.case(URL + name)
    assert case is not None
    return case


def _file(folder: Path, *lines: dict[str, object]) -> str:
    file = folder / "rewraps.jsonl"
    file.write_text(
        "".join(json.dumps({"action": "rewrap", "hosting_country": "IE"} | one) + "\n" for one in lines)
    )
    return str(file)


def test_a_rewrap_by_hand_lets_the_responsible_hotline_read(
    hx: Hx, paper: SealedExchange, sent: list[Prepared]
) -> None:
    """With nothing but the case id the request is found, opened, wrapped anew, and the case goes on."""
    assert _case(paper, "a").state == AWAITING_REWRAP
    code, out, err = hx("act", "--as", ORIGIN, "--action", "rewrap", "--case-id", _case(paper, "a").case_id)
    assert (code, "accepted" in out) == (0, True), out + err
    assert (_case(paper, "a").state, _case(paper, "b").state) == ("assigned", AWAITING_REWRAP)
    sealed = paper_sealed(wire.decode_as(Submission, sent[0].value))
    assert open_sealed(sealed, paper.ring(RESPONSIBLE)) == open_sealed(sealed, paper.ring(ORIGIN))


def test_a_file_answers_many_requests_and_tells_what_nobody_asked(
    hx: Hx, paper: SealedExchange, sent: list[Prepared], tmp_path: Path
) -> None:
    """A case that the member was not asked about is a bad line; certain reports and others are answered."""
    first, second = _case(paper, "a"), _case(paper, "b")
    other = {"case_id": first.case_id, "url": URL, "report_event_id": second.origins[0].last_event_id}
    lines = [
        {"case_id": "00000000-0000-8000-8000-000000000001", "url": URL + "x"},
        other,
        {"case_id": first.case_id, "url": URL + "a", "report_event_id": first.origins[0].last_event_id},
        {"case_id": second.case_id, "url_key": second.url_key.hex()},
    ]
    code, out, _ = hx("act", _file(tmp_path, *lines), "--as", ORIGIN)
    assert (code, out.count("(not_asked)"), out.count(": accepted")) == (2, 2, 2), out
    assert [one.url_key for one in sent] == [first.url_key, second.url_key]
    assert hx("act", _file(tmp_path, lines[2]), "--as", "gb-iwf")[1].count("(not_asked)") == 1


@pytest.mark.parametrize("check", [(), ("--check",)])
@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"case_id": None}, "case_id", "required"),
        ({"note": "n"}, "note", "not_of_a_rewrap"),
        ({"readers": ["de-eco"]}, "readers", "not_of_a_rewrap"),
        ({"case_id": "1"}, "case_id", "not_a_uuid"),
        ({"url": None}, "url_key", "required"),
    ],
)
def test_a_rewrap_says_its_case_and_nothing_else(  # noqa: PLR0917 - what a command needs
    hx: Hx,
    paper: SealedExchange,
    sent: list[Prepared],
    tmp_path: Path,
    changes: dict[str, object],
    field: str,
    rule: str,
    check: tuple[str, ...],
) -> None:
    """What the request says itself is told by its name, also before anything is sent."""
    line = {"case_id": _case(paper, "a").case_id, "url": URL + "a"} | changes
    code, out, _ = hx("act", _file(tmp_path, line), "--as", ORIGIN, *check)
    assert (code, f"{field}: " in out, f"({rule})" in out, sent) == (2, True, True, []), out


def test_only_the_exchange_asks_for_a_rewrap(
    hx: Hx, paper: SealedExchange, sent: list[Prepared], tmp_path: Path
) -> None:
    """A request that the exchange did not sign is not answered."""
    inbox = {paper.topics.inbox(ORIGIN), paper.topics.inbox_urgent(ORIGIN)}
    paper.records[:] = [one._replace(headers=()) if one.topic in inbox else one for one in paper.records]
    case = _case(paper, "a")
    code, out, _ = hx("act", _file(tmp_path, {"case_id": case.case_id, "url": URL + "a"}), "--as", ORIGIN)
    assert (code, "not_asked" in out, sent) == (2, True, [])


def test_what_cannot_be_wrapped_is_told_and_the_next_line_goes_on(
    hx: Hx, paper: SealedExchange, sent: list[Prepared], tmp_path: Path
) -> None:
    """Where those responsible have no key any more the line names the reason; it stops no other action."""
    members = tuple(
        msgspec.structs.replace(one, keys=()) if one.id == RESPONSIBLE else one
        for one in paper.directory.members
    )
    paper.directory = msgspec.structs.replace(paper.directory, members=members)
    case = _case(paper, "a")
    place: dict[str, object] = {"case_id": case.case_id, "url_key": case.url_key.hex()}
    file = _file(tmp_path, place, place | {"action": "note", "priority": "high"})
    code, out, _ = hx("act", file, "--as", ORIGIN)
    assert (code, "not_rewrapped" in out, RESPONSIBLE in out) == (2, True, True), out
    assert [one.statement.action for one in sent] == ["note"]

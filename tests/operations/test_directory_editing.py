import datetime as dt
import difflib
import re
from pathlib import Path

import pytest

from casework.errors import EditRefusedError, UnknownMemberError
from operations.directory.editing import CHECKLIST, Edit, admit, leave, list_members, show_member, suspend
from operations.directory.files import NETWORK_FILE, check

pytestmark = pytest.mark.slow

DAY = dt.date(2026, 3, 1)
ALL = frozenset(CHECKLIST)


KEPT = {"europol", "interpol", "nl-offlimits", "nl-police", "nl-atkm", "de-eco", "de-fsm", "DE", "NL"}


def short_network() -> str:
    """Answer the shipped file with few members, which is read in a tenth of the time."""
    head, _, tail = NETWORK_FILE.read_text(encoding="utf-8").partition("\nmembers:\n")
    entries = re.split(r"(?m)^(?=  \S+:)", tail.replace("      de-jugendschutz: 1\n", ""))
    kept = [each for each in entries if re.split(r"[:\s]+", each.strip())[0] in KEPT]
    sections = "".join(each for each in kept if "    kind:" in each).partition("\ncountries:")[0]
    countries = "".join(each for each in kept if "    kind:" not in each)
    return f"{head}\nmembers:\n{sections}\ncountries:\n{countries}"


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Answer a short copy of the shipped file that a test may edit."""
    path = tmp_path / "network.yaml"
    path.write_text(short_network(), encoding="utf-8")
    return path


def admitted(member_id: str, path: Path, on: dt.date = DAY) -> Edit:
    """Admit a member with everything confirmed."""
    return admit(member_id, path, on=on, confirmed=ALL, contact="duty desk of the member")


def rules(refused: pytest.ExceptionInfo[EditRefusedError]) -> set[tuple[str, str]]:
    """Answer the last part of the field and the rule of each violation."""
    return {(each.field.rpartition(".")[2], each.rule) for each in refused.value.violations}


def test_listing_narrows_by_kind_status_and_country() -> None:
    """Filters combine, and a country may be given by its alias."""
    assert [m.member.id for m in list_members(kind="hotline", country="DE")] == [
        "de-eco",
        "de-fsm",
        "de-jugendschutz",
    ]
    assert [m.member.id for m in list_members(country="UK")] == ["gb-iwf", "gb-police"]
    assert list_members(status="active") == ()


def test_showing_a_member_tells_its_line_and_what_to_confirm() -> None:
    """The checklist holds what applies to the member and nothing else."""
    view = show_member("nl-police")
    assert NETWORK_FILE.read_text(encoding="utf-8").splitlines()[view.line - 1].startswith("  nl-police:")
    assert set(view.to_confirm) == {
        "kind", "countries", "contact", "evidence", "liaison", "agreement", "test_exchange",
    }  # fmt: skip
    with pytest.raises(UnknownMemberError):
        show_member("nl-nobody")


def test_admission_makes_active_confirms_assumptions_and_raises_the_version(network: Path) -> None:
    """After admission the member is routed to, nothing about it is assumed, and the file is correct."""
    edit = admitted("nl-offlimits", network)
    assert (edit.member.status, edit.member.since, edit.member.assumed) == ("active", DAY, ())
    assert edit.version == 2
    assert edit.consequences == ("Netherlands is served by nl-offlimits now.",)
    assert show_member("nl-offlimits", network).member == edit.member
    assert check(network) == ()


def test_admission_needs_every_item_of_the_checklist(network: Path) -> None:
    """Each unconfirmed item is named, so is one that does not exist, and the file stays as it was."""
    before = network.read_bytes()
    with pytest.raises(EditRefusedError) as refused:
        admit("nl-offlimits", network, on=DAY, confirmed=ALL - {"evidence", "agreement"} | {"hope"})
    assert rules(refused) == {
        ("evidence", "not_confirmed"),
        ("agreement", "not_confirmed"),
        ("hope", "unknown_item"),
        ("contact", "missing"),
    }
    assert network.read_bytes() == before


def test_edits_touch_only_their_own_lines(network: Path) -> None:
    """Comments, order and every other line stay byte for byte; no draft is left behind."""
    before = network.read_text(encoding="utf-8").splitlines()
    admitted("europol", network)
    leave("europol", network, on=DAY, reason='moved to "another" place # for good')
    after = network.read_text(encoding="utf-8").splitlines()
    changed = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    assert changed == [
        "- version: 1",
        "+ version: 3",
        '+     reason: "moved to \\"another\\" place # for good"',
        "+     status: left",
        f"+     since: {DAY}",
        '+     contact: "duty desk of the member"',
        "-     assumed: [liaison]",
    ]
    assert [path.name for path in network.parent.iterdir()] == ["network.yaml"]


def test_suspending_tells_who_loses_service(network: Path) -> None:
    """The edit says what follows for the country and the orphan desk, and admission ends it."""
    admitted("nl-offlimits", network)
    edit = suspend("nl-offlimits", network, on=DAY, reason="no")
    assert (edit.member.status, edit.member.reason) == ("suspended", "no")
    assert edit.consequences == (
        "Netherlands has no active hotline now: its reports go to the orphan desk.",
        "No active hotline has the mandate for orphans.",
    )
    assert admitted("nl-offlimits", network).member.reason is None


def test_leaving_one_of_several_names_who_stays(network: Path) -> None:
    """A shared country goes on with the hotlines that are left."""
    for member_id in ("nl-offlimits", "de-fsm", "de-eco"):
        admitted(member_id, network)
    edit = leave("de-fsm", network, on=DAY, reason="merged")
    assert edit.consequences == ("Germany is served by de-eco now.",)


def test_a_liaison_that_leaves_is_told(network: Path) -> None:
    """Operations learn that a national police no longer takes escalations."""
    admitted("nl-offlimits", network)
    admitted("nl-police", network)
    edit = suspend("nl-police", network, on=DAY, reason="rebuilding")
    assert edit.consequences == ("The liaison nl takes no escalations now: they go to INTERPOL or Europol.",)


def test_forbidden_changes_leave_the_file_alone(network: Path) -> None:
    """Wrong status, empty reason and a day in the past are refused by rule."""
    with pytest.raises(EditRefusedError) as refused:
        suspend("nl-offlimits", network, on=DAY, reason="never active")
    assert rules(refused) == {("status", "not_allowed")}
    admitted("nl-offlimits", network)
    before = network.read_bytes()
    with pytest.raises(EditRefusedError) as refused:
        suspend("nl-offlimits", network, on=DAY, reason=" ")
    assert rules(refused) == {("reason", "missing")}
    with pytest.raises(EditRefusedError) as refused:
        leave("nl-offlimits", network, on=DAY - dt.timedelta(days=1), reason="late news")
    assert rules(refused) == {("since", "out_of_range")}
    assert network.read_bytes() == before


def test_an_edit_tells_only_what_it_changed(network: Path) -> None:
    """That nobody had the desk before is no consequence; that a candidate never was a member is told."""
    edit = leave("de-eco", network, on=DAY, reason="never came")
    assert len(edit.consequences) == 1
    assert edit.consequences[0].startswith("de-eco was a candidate and never admitted: ")
    admitted("de-fsm", network)
    assert leave("de-fsm", network, on=DAY, reason="merged").consequences == (
        "Germany has no active hotline now: its reports go to the orphan desk.",
    )


def test_a_member_that_left_stays_out(network: Path) -> None:
    """Nobody is admitted again under an id that left."""
    leave("nl-offlimits", network, on=DAY, reason="closed")
    with pytest.raises(EditRefusedError) as refused:
        admitted("nl-offlimits", network)
    assert rules(refused) == {("status", "not_allowed")}


def test_a_member_on_one_line_is_not_edited(network: Path) -> None:
    """A layout that cannot be edited line by line is refused with what to do."""
    text = network.read_text(encoding="utf-8")
    start = text.index("  nl-atkm:")
    one_line = "  nl-atkm: {kind: authority, name: ATKM, countries: [NL], evidence: [D]}\n"
    network.write_text(text[:start] + one_line + text[text.index("\n\n", start) :], encoding="utf-8")
    with pytest.raises(EditRefusedError) as refused:
        admitted("nl-atkm", network)
    assert rules(refused) == {("nl-atkm", "layout")}

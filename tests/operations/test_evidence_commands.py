"""`hx evidence` at the command line, on an exchange on paper."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from paper_exchange import PaperExchange
from sealed_paper import URL, SealedExchange

pytestmark = pytest.mark.slow

Hx = Callable[..., tuple[int, str, str]]
HxOn = Callable[[PaperExchange], Hx]


@pytest.fixture(autouse=True)
def of_the_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run in an empty folder, as a member of the test environment."""
    monkeypatch.setenv("HX_ENVIRONMENT", "test")
    monkeypatch.chdir(tmp_path)


def ring_of(paper: SealedExchange, member: str) -> str:
    """Return the address of a member's ring."""
    path = Path(f"{member}.jwks")
    path.touch(0o600)
    path.write_bytes(paper.ring(member).to_key_set().reveal())
    return f"file:{path}"


def test_unsigned_reports_of_a_demo_are_named_as_such(hx_on: HxOn) -> None:
    """Where the directory asks for no signature a bundle can be made, and says that it proves nobody."""
    paper = PaperExchange()
    event_id = paper.report(URL)
    code, out, err = hx_on(paper)("evidence", event_id, "--out", "demo.zip")
    assert (code, "not signed" in out) == (0, True), err
    code, out, _ = hx_on(paper)("evidence", "verify", "demo.zip")
    assert code == 0
    assert f"not proven statement {event_id}: gb-iwf sent it unsigned" in out
    assert "not proven manifest.json" in out
    assert "nobody signs the directories" in out


def test_a_bundle_is_written_once_for_its_owner_alone(
    hx_on: HxOn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file may hold addresses: others cannot read it, and an older one is never overwritten."""
    paper = SealedExchange(monkeypatch)
    event_id = paper.sealed_report()
    hx = hx_on(paper)
    keys = ring_of(paper, "nl-offlimits")
    code, out, err = hx("evidence", "--keys", keys, "--disclose-content-key", event_id)
    written = tmp_path / f"evidence-{event_id}.zip"
    assert (code, "signed by nl-offlimits" in out) == (0, True), err
    assert written.stat().st_mode & 0o777 == 0o600
    assert URL not in out + err
    assert hx("evidence", event_id)[0] == 2
    Path("anchor.json").write_bytes(msgspec.json.encode(paper.equipment.anchor))
    code, out, _ = hx("evidence", "verify", str(written), "--anchor", "anchor.json", "--json")
    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[-1]["failed"] == 0
    assert {"verdict", "part", "rule", "text"} == set(lines[0])


def test_each_way_of_failing_has_its_code(hx_on: HxOn, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 for a bundle that is not right or a case that is not there, 2 for a wrong call, 78 for an anchor."""
    paper = SealedExchange(monkeypatch)
    event_id = paper.sealed_report()
    hx = hx_on(paper)
    assert hx("evidence", event_id, "--out", "case.zip")[0] == 0
    shutil.copy("case.zip", "cut.zip")
    with Path("cut.zip").open("r+b") as file:
        file.truncate(1_000)
    code, out, _ = hx("evidence", "verify", "cut.zip")
    assert (code, "FAILED     bundle" in out) == (1, True)
    assert hx("evidence", "verify", "case.zip", "--anchor", "none.json")[0] == 78
    assert hx("evidence", "verify", "case.zip", "--anchor", "case.zip")[0] == 78
    assert hx("evidence", "verify", "none.zip")[0] == 2
    assert hx("evidence", "ffffffff-none")[0] == 1
    assert hx("evidence", "short")[0] == 2
    assert hx("evidence", event_id, "--from", "elsewhere")[0] == 2
    assert hx("evidence", event_id, "--from", "inbox")[0] == 2
    assert hx("evidence", event_id, "--from", "inbox", "--as", "nl-offlimitz", "--out", "x.zip")[0] == 2
    assert hx("evidence", event_id, "--disclose-content-key", "--out", "x.zip")[0] == 2


def test_rings_kept_here_are_found_by_name(
    hx_on: HxOn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without --keys the operators' form is signed by the exchange, or nobody, and --as takes its ring."""
    paper = SealedExchange(monkeypatch)
    event_id = paper.sealed_report()
    hx = hx_on(paper)
    monkeypatch.setenv("HX_KEYS", f"file:{tmp_path}/{{member}}.jwks")
    code, out, err = hx("evidence", event_id, "--out", "nobody.zip")
    assert (code, "not signed" in out) == (0, True), err
    assert hx("evidence", event_id, "--disclose-content-key", "--out", "x.zip")[0] == 2
    ring_of(paper, "exchange")
    ring_of(paper, "nl-offlimits")
    out = hx("evidence", event_id, "--out", "exchange.zip")[1]
    assert "signed by exchange" in out
    assert "addresses" not in out
    out = hx("evidence", event_id, "--as", "nl-offlimits", "--out", "member.zip")[1]
    assert "signed by nl-offlimits" in out
    assert "the file holds opened addresses" in out.splitlines()[-1]


def test_a_case_that_is_not_there_is_said_before_any_ring_is_missed(
    hx_on: HxOn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wrong id or member does not become a missing file; a liaison's code is answered by its id."""
    paper = SealedExchange(monkeypatch)
    event_id = paper.sealed_report()
    hx = hx_on(paper)
    monkeypatch.setenv("HX_KEYS", f"file:{tmp_path}/none/{{member}}.jwks")
    code, _, err = hx("evidence", "nonsense")
    assert (code, "no case has the id nonsense" in err) == (1, True)
    code, _, err = hx("evidence", event_id, "--from", "inbox", "--as", "nl")
    assert (code, "the liaison of nl is nl-police" in err) == (2, True)

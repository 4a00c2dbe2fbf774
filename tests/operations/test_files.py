import datetime as dt
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from casework.ids import new_event_id
from connectors.drafts import ActionDraft, ReportDraft
from connectors.membership import Membership
from connectors.preparing import Prepared
from operations.directory import document
from operations.directory.files import NETWORK_FILE
from operations.files import (
    MAX_LINE_BYTES,
    Counts,
    FileRefusedError,
    Line,
    Problem,
    Ready,
    prepared_lines,
    read_actions,
    read_reports,
)
from streams.clock import ManualClock
from streams.settings import DEMO_NETWORK_KEY

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
CLOCK = ManualClock(1_768_400_000_000)
HEADER = "url,hosting_country,received_at,reference,content_type"
GOOD = "https://a.example.com/{n},NL,2026-01-12T08:00:00Z,r-{n},media"


@pytest.fixture(scope="module")
def prepare() -> Callable[[ReportDraft | ActionDraft], Prepared]:
    """Return the checks of a client of the Dutch hotline in the shipped directory."""
    directory = document.build(
        NETWORK_FILE, environment="test", published_at=CLOCK.now_ms(), candidates="admit"
    )
    membership = Membership(member="nl-offlimits", environment="test", network_key=DEMO_NETWORK_KEY, kafka={})
    return lambda draft: membership.prepare(
        draft, directory, CLOCK, lambda now_ms: new_event_id(now_ms, bytes(10))
    )


def lines_of(path: Path, text: str | bytes) -> list[Line[ReportDraft] | Problem]:
    """Write a file of reports and read it."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_reports(path))


def rules(items: list[Line[ReportDraft] | Problem]) -> list[tuple[int, str, str]]:
    """Return line, field and rule of each problem."""
    return [(i.line, i.violation.field, i.violation.rule) for i in items if isinstance(i, Problem)]


@pytest.mark.parametrize(("name", "count"), [("reports.csv", 10), ("reports.jsonl", 2), ("actions.jsonl", 5)])
def test_the_examples_pass_the_rules_of_the_exchange(
    prepare: Callable[[ReportDraft | ActionDraft], Prepared], name: str, count: int
) -> None:
    """Every example can be sent as it stands."""
    path = EXAMPLES / name
    answers = list(
        prepared_lines(read_actions(path), prepare)
        if name.startswith("actions")
        else prepared_lines(read_reports(path), prepare)
    )
    assert [str(answer) for answer in answers if isinstance(answer, Problem)] == []
    assert len(answers) == count


def test_the_example_reports_show_what_a_new_user_should_see(
    prepare: Callable[[ReportDraft | ActionDraft], Prepared],
) -> None:
    """They go to several countries, one without a hotline, one of Tor, one urgent, one provisional."""
    drafts = [item.draft for item in read_reports(EXAMPLES / "reports.csv") if isinstance(item, Line)]
    assert {"NL", "US", "HK", "XT"} <= {draft.hosting_country for draft in drafts}
    assert [draft.urgency for draft in drafts].count(("possible_new_victim",)) == 1
    assert any(draft.hosting_is_cdn and draft.hosting_status == "provisional" for draft in drafts)
    hosts = {draft.url.split("/")[2].rsplit(".", 1)[1] for draft in drafts}
    assert hosts <= {"com", "test", "invalid"}
    assert len({prepare(draft).url_key for draft in drafts}) == len(drafts)


def test_a_csv_cell_becomes_the_type_of_its_field(tmp_path: Path) -> None:
    """Numbers, truth values, lists, times in both forms and empty cells are read as meant."""
    header = f"{HEADER},hosting_asn,hosting_is_cdn,urgency,observed_at,note"
    row = GOOD.format(n=1) + ',64500,true,possible_new_victim abuse_in_progress,1768204800000,"a, b"'
    item = lines_of(tmp_path / "a.csv", f"{header}\n\n{row}\n")[0]
    assert isinstance(item, Line)
    assert item.line == 3
    assert item.draft == ReportDraft(
        url="https://a.example.com/1", hosting_country="NL", reference="r-1", content_type="media",
        received_at=dt.datetime(2026, 1, 12, 8, tzinfo=dt.UTC), hosting_asn=64500, hosting_is_cdn=True,
        urgency=("possible_new_victim", "abuse_in_progress"), observed_at=1_768_204_800_000, note="a, b",
    )  # fmt: skip


def test_a_spreadsheet_of_a_country_with_decimal_commas_is_read(tmp_path: Path) -> None:
    """Semicolons, a byte order mark and Windows line ends are what such spreadsheets write."""
    text = "\ufeff" + "\r\n".join(row.replace(",", ";") for row in (HEADER, GOOD.format(n=1)))
    item = lines_of(tmp_path / "a.CSV", text)[0]
    assert isinstance(item, Line)
    assert item.draft.reference == "r-1"


def test_bad_lines_are_named_and_do_not_stop_the_good_ones(tmp_path: Path) -> None:
    """Each kind of damage has its line, field and rule; the lines around it are read."""
    damage = [
        'https://a.example.com/,NL,2026-01-12T08:00:00Z,"r,media',
        "https://a.example.com/,NL",
        "https://a.example.com/,NL,yesterday,r,media",
        ",NL,2026-01-12T08:00:00Z,r,media",
        "\udcff",
        "x" * (2 * MAX_LINE_BYTES + 5),
    ]
    text = "\n".join([HEADER, *(row for bad in damage for row in (bad, GOOD.format(n=1)))])
    items = lines_of(tmp_path / "a.csv", text.encode(errors="surrogateescape"))
    assert rules(items) == [
        (2, "line", "broken_quotes"),
        (4, "line", "wrong_columns"),
        (6, "received_at", "wrong_type"),
        (8, "url", "required"),
        (10, "line", "not_utf8"),
        (12, "line", "too_long"),
    ]
    assert sum(isinstance(item, Line) for item in items) == len(damage)
    assert "as 2026-01-12T08:31:00+01:00, or milliseconds" in str(items[4])
    assert (
        str(items[2])
        == f"{tmp_path}/a.csv:4: line: has 2 cells, the first line names 5 columns (wrong_columns)"
    )


def test_bad_json_lines_are_named(tmp_path: Path) -> None:
    """What is no object, lacks a field, has an unknown or mistyped one, or a broken key, is told by line."""
    text = '[]\n{"url": \n{"url": "https://a.example.com/"}\n'
    assert rules(lines_of(tmp_path / "a.jsonl", text)) == [
        (1, "line", "not_json"), (2, "line", "not_json"), (3, "hosting_country", "required"),
    ]  # fmt: skip
    (tmp_path / "b.jsonl").write_text(
        '{"action": "removed", "hosting_country": "NL", "url_key": "zz"}\n'
        '{"action": "removed", "hosting_country": "NL", "cases": "x"}\n'
        '{"action": "removed", "hosting_country": "NL", "round": "1"}\n'
    )
    found = [i.violation for i in read_actions(tmp_path / "b.jsonl") if isinstance(i, Problem)]
    assert [(v.field, v.rule) for v in found] == [
        ("url_key", "malformed"), ("cases", "unknown_field"), ("round", "wrong_type"),
    ]  # fmt: skip


def test_an_action_by_url_key_is_read_from_its_digits(tmp_path: Path) -> None:
    """A url key is written as the command line shows it."""
    (tmp_path / "a.csv").write_text(f"action,hosting_country,url_key\nremoved,NL,{'01' + '00' * 32}\n")
    item = next(read_actions(tmp_path / "a.csv"))
    assert isinstance(item, Line)
    assert item.draft.url_key == b"\x01" + bytes(32)


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("a.xlsx", "", "unknown_form"),
        ("a.csv", "", "no_header"),
        ("a.csv", "url,hosting_country\n", "missing_column"),
        ("a.csv", f"{HEADER},labels\n", "not_in_csv"),
        ("a.csv", f"{HEADER},adress\n", "unknown_column"),
        ("a.csv", f"{HEADER},url\n", "column_twice"),
        ("a.csv", '"url\n', "broken_quotes"),
    ],
)
def test_a_file_that_cannot_be_used_at_all_is_refused_at_once(
    tmp_path: Path, name: str, text: str, rule: str
) -> None:
    """A wrong form or first line is one error, not one for each line."""
    with pytest.raises(FileRefusedError, match=rule):
        lines_of(tmp_path / name, text)
    with pytest.raises(FileRefusedError, match="unreadable"):
        list(read_reports(tmp_path / "absent.csv"))


def test_rules_of_the_exchange_are_told_by_line_without_the_value(
    tmp_path: Path, prepare: Callable[[ReportDraft | ActionDraft], Prepared]
) -> None:
    """All broken rules of a line are told, the line counts once, and no address shows."""
    rows = [
        GOOD.format(n=1),
        "https://secret.example.com/ x,nl,2026-01-12T08:00:00Z,r,film",
        GOOD.format(n=2),
    ]
    (tmp_path / "a.csv").write_text("\n".join([HEADER, *rows]))
    counts, shown = Counts(), []
    for answer in prepared_lines(read_reports(tmp_path / "a.csv"), prepare):
        counts.see(answer)
        if isinstance(answer, Problem):
            shown.append((answer.line, answer.violation.field, answer.violation.rule))
            assert "secret" not in str(answer)
        else:
            assert isinstance(answer, Ready)
    assert (counts.good, counts.bad) == (2, 1)
    assert (3, "hosting_country", "unknown_country") in shown
    assert (3, "content_type", "unknown_code") in shown


def test_a_big_file_is_read_in_little_memory(tmp_path: Path) -> None:
    """Memory does not grow with the file."""
    path = tmp_path / "big.csv"
    with path.open("w") as file:
        file.write(HEADER + "\n")
        file.writelines(GOOD.format(n=n) + "x" * 400 + "\n" for n in range(20_000))
    tracemalloc.start()
    count = sum(isinstance(item, Line) for item in read_reports(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < path.stat().st_size / 4


def test_a_file_of_the_other_kind_is_told_which_command_takes_it(tmp_path: Path) -> None:
    """An action given as a report is answered by the name of the right command, in both forms and ways."""
    action, report = tmp_path / "a.jsonl", tmp_path / "r.jsonl"
    action.write_text((EXAMPLES / "actions.jsonl").read_text())
    report.write_text((EXAMPLES / "reports.jsonl").read_text())
    for found, command in ((read_reports(action), "'hx act'"), (read_actions(report), "'hx submit'")):
        assert all(isinstance(item, Problem) and command in str(item) for item in found)
    table = tmp_path / "a.csv"
    table.write_text("action,hosting_country,case_id\nremoved,NL,c\n")
    with pytest.raises(FileRefusedError, match="hx act"):
        list(read_reports(table))
    table.write_text("action,hosting_country,colour\nremoved,NL,c\n")
    with pytest.raises(FileRefusedError, match="no field of an action"):
        list(read_actions(table))

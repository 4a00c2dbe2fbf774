"""The command line without Kafka: help, exit codes, one-sentence errors, JSON."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import typer
from sealed_paper import SealedExchange
from typer.core import TyperGroup

from casework.messages import Receipt
from operations.command_line import app
from operations.command_line.inbox import newest, show
from operations.command_line.submitting import why
from operations.directory.files import NETWORK_FILE
from operations.reading import Record
from operations.simulator.samples import Line
from streams.directory_feed import NoDirectoryError

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
Hx = Callable[..., tuple[int, str, str]]


def _commands(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield " ".join(path), getattr(command, "help", "") or ""
        return
    for name, child in children.items():
        yield from _commands(child, (*path, name))


COMMANDS = dict(_commands(typer.main.get_command(app)))


def test_the_commands_are_those_that_the_documentation_names() -> None:
    """No documented command is missing."""
    assert isinstance(typer.main.get_command(app), TyperGroup)
    assert set(COMMANDS) >= {
        *("demo", "provision", "submit", "act", "simulate", "inbox tail", "cases list", "cases show"),
        *("kafka start", "kafka stop", "kafka status", "worker intake", "worker casekeeper", "worker all"),
        *("directory check", "directory show", "directory publish", "schemas list", "schemas check"),
        *("deadletters list", "deadletters show", "deadletters export", "deadletters replay"),
        *("deadletters discard", "cases unpark", "evidence write", "evidence verify"),
        *("desk overdue", "desk orphans", "desk holds", "desk unassigned", "desk rewrap"),
        *("members list", "members show", "members admit", "members suspend", "members leave"),
    }


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(command: str) -> None:
    """Help says what the command does and shows one call of it."""
    text = COMMANDS[command]
    assert f"Example: hx {command}" in text
    assert text.index("Example:") > 10


def test_a_wrong_option_is_a_usage_error(hx: Hx) -> None:
    """A word that no command knows ends with 2 and names it."""
    code, _, err = hx("kafka", "start", "--colour")
    assert code == 2
    assert "--colour" in err


def test_a_state_that_does_not_exist_is_a_usage_error(hx: Hx) -> None:
    """A mistyped state is not answered by an empty list; the states are named."""
    code, _, err = hx("cases", "list", "--state", "bogus")
    assert code == 2
    assert "acknowledged" in err


def test_a_wrong_setting_is_one_sentence_with_code_78(hx: Hx, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting out of its rule is named, without a traceback."""
    monkeypatch.setenv("HX_PARTITIONS", "none")
    code, _, err = hx("provision", "--plan")
    assert code == 78
    assert "HX_PARTITIONS" in err
    assert "Traceback" not in err
    assert err.count("\n") == 1


def test_debug_shows_the_traceback(hx: Hx, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--debug`, wherever it stands, adds the traceback and keeps the code."""
    monkeypatch.setenv("HX_PARTITIONS", "none")
    code, _, err = hx("provision", "--plan", "--debug")
    assert code == 78
    assert "Traceback" in err


def test_a_defect_is_not_told_as_the_callers_fault(hx: Hx, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error ends with 70 and asks for --debug; its text, which may hold data, is not shown."""

    def broken(*_args: object, **_kwargs: object) -> None:
        raise KeyError("https://example.test/secret")

    monkeypatch.setattr("operations.command_line.schemas.registry", broken)
    code, _, err = hx("schemas", "list")
    assert code == 70
    assert "--debug" in err
    assert "secret" not in err


def test_a_directory_that_is_not_there_is_a_sentence_and_no_defect(
    hx: Hx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who forgot to publish is told so with code 78, and not to call the developers."""

    def missing(*_args: object, **_kwargs: object) -> None:
        raise NoDirectoryError("no directory is published: run 'hx directory publish'")

    monkeypatch.setattr("operations.command_line.schemas.registry", missing)
    code, _, err = hx("schemas", "list")
    assert (code, err) == (78, "hx: no directory is published: run 'hx directory publish'\n")


def test_without_kafka_a_submission_says_what_to_start(hx: Hx, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no broker answers, the one line names the address, the command and the setting."""
    monkeypatch.setenv("HX_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setenv("HX_KAFKA_SECURITY", "none")
    code, _, err = hx("submit", str(EXAMPLES / "reports.csv"))
    assert code == 69
    assert len(err.splitlines()) == 1
    for named in ("127.0.0.1:9", "hx kafka start", "HX_BOOTSTRAP"):
        assert named in err


@pytest.mark.parametrize(
    ("rule", "message", "told"),
    [
        (None, None, ""),
        ("wrong_case", "case_id: not its case (wrong_case)", " case_id: not its case (wrong_case)"),
        ("wrong_case", None, " case_id: (wrong_case)"),
        ("already_done", "removed was taken.", " case_id: removed was taken (already_done)"),
    ],
)
def test_a_refusal_names_field_and_rule_once(rule: str | None, message: str | None, told: str) -> None:
    """The text of a receipt names field and rule already; where it has none they are told alone."""
    receipt = Receipt(
        event_id="e", recipient="ie-hotline", outcome="refused" if rule else "accepted", receipt_id="r",
        environment="demo", rule=rule, field="case_id" if rule else None, message=message, admitted_at=1,
        submitted_at=1, directory_version=1,
    )  # fmt: skip
    assert why(receipt) == told


def test_without_an_embedded_kafka_its_status_is_no(hx: Hx) -> None:
    """Status ends with 1 when nothing runs, and says so in JSON too."""
    assert hx("kafka", "status")[0] == 1
    code, out, _ = hx("kafka", "status", "--json")
    assert code == 1
    assert json.loads(out) == {"running": False}


def test_the_examples_pass_their_own_check(hx: Hx) -> None:
    """Checking the shipped example needs no Kafka and finds nothing."""
    code, out, _ = hx("submit", str(EXAMPLES / "reports.csv"), "--check")
    assert code == 0
    assert "0 bad" in out


def test_a_bad_line_is_named_with_field_and_rule(hx: Hx, tmp_path: Path) -> None:
    """Each bad line is told with file and line, the good ones are counted, and the code is 2."""
    lines = (EXAMPLES / "reports.csv").read_text().splitlines()
    place = lines[0].split(",").index("hosting_country")
    cells = lines[1].split(",")
    cells[place] = "QQ"
    file = tmp_path / "reports.csv"
    file.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    code, out, _ = hx("submit", str(file), "--check")
    assert code == 2
    assert f"{file}:2: hosting_country:" in out
    assert "1 bad" in out


def test_a_missing_file_is_a_usage_error(hx: Hx, tmp_path: Path) -> None:
    """A file that is not there is named with code 2."""
    code, _, err = hx("submit", str(tmp_path / "none.csv"), "--check")
    assert code == 2
    assert "none.csv" in err


def test_outside_the_demo_a_sender_must_be_named(hx: Hx, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the demo has a default sender."""
    monkeypatch.setenv("HX_ENVIRONMENT", "test")
    code, _, err = hx("submit", str(EXAMPLES / "reports.csv"), "--check")
    assert code == 2
    assert "--as" in err


def test_the_directory_check_tells_file_and_line(hx: Hx, tmp_path: Path) -> None:
    """A broken directory file is told with its line and ends with 1; the shipped one has no error."""
    assert hx("directory", "check")[0] == 0
    broken = tmp_path / "network.yaml"
    text = NETWORK_FILE.read_text()
    number = text[: text.index("ie-hotline:")].count("\n") + 1
    broken.write_text(text.replace("ie-hotline:\n", "ie-hotline:\n    colour: green\n", 1))
    code, out, _ = hx("directory", "check", str(broken))
    assert code == 1
    assert f"{broken}:{number + 1}: members.ie-hotline.colour" in out


def test_a_file_with_many_problems_is_still_one_sentence(hx: Hx, monkeypatch: pytest.MonkeyPatch) -> None:
    """Production refuses the shipped file for all its assumptions; one is told, and how to see all."""
    monkeypatch.setenv("HX_ENVIRONMENT", "production")
    monkeypatch.setenv("HX_DIRECTORY_TRUST", "trust.json")
    code, _, err = hx("directory", "publish")
    assert code == 78
    assert "production takes no" in err
    assert "more: 'hx directory check' names each" in err
    assert len(err) < 500
    code, out, _ = hx("directory", "check")
    assert code == 1
    assert len(out.splitlines()) > 100


def test_members_are_edited_in_the_file_of_the_settings(
    hx: Hx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An admission asks for its checklist item by item; then the member is active and the version grew."""
    file = tmp_path / "network.yaml"
    file.write_text(NETWORK_FILE.read_text())
    monkeypatch.setenv("HX_DIRECTORY", str(file))
    code, _, err = hx("members", "admit", "ie-hotline", "--confirm", "kind")
    assert code == 1
    assert "not_confirmed" in err
    _, out, _ = hx("members", "show", "ie-hotline", "--json")
    items = json.loads(out)["to_confirm"]
    confirmed = [word for item in items for word in ("--confirm", item)]
    code, out, _ = hx("members", "admit", "ie-hotline", *confirmed, "--contact", "duty desk")
    assert (code, "version 2" in out) == (0, True)
    _, out, _ = hx("members", "list", "--status", "active", "--json")
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["ie-hotline"]


@pytest.mark.parametrize(("codes", "shown"), [("[]", "nobody but itself"), ("[NO, GB]", "NO, GB")])
def test_a_rule_about_transfers_is_shown_and_confirmed(
    hx: Hx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codes: str, shown: str
) -> None:
    """From whom a member may receive is shown, an empty list too, and asked about before its admission."""
    file = tmp_path / "network.yaml"
    text = NETWORK_FILE.read_text()
    file.write_text(text.replace("  ie-hotline:\n", f"  ie-hotline:\n    may_receive_from: {codes}\n", 1))
    monkeypatch.setenv("HX_DIRECTORY", str(file))
    code, out, _ = hx("members", "show", "ie-hotline")
    assert (code, f"may_receive_from {shown}" in out) == (0, True)
    assert "may_receive_from" in out.partition("to confirm")[2]
    _, out, _ = hx("members", "show", "nl-offlimits")
    assert "may_receive_from" not in out


def test_schemas_are_listed_and_sound(hx: Hx) -> None:
    """The committed schemas agree with their lock file."""
    code, out, _ = hx("schemas", "check")
    assert (code, "no finding" in out) == (0, True)
    _, out, _ = hx("schemas", "list", "--json")
    assert {"Submission", "CaseEvent", "Delivery"} <= {json.loads(line)["name"] for line in out.splitlines()}


def test_a_simulated_year_is_judged(hx: Hx, tmp_path: Path) -> None:
    """A small sample is written and compared with the published figures; the exit code is the verdict."""
    file = tmp_path / "reports.jsonl"
    code, out, _ = hx("simulate", "--year", "2022", "--scale", "0.01", "--out", str(file), "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    passed = [msgspec.convert(line, Line).passes for line in lines]
    assert (code == 0) == all(passed)
    assert len(file.read_text().splitlines()) == 5879


def test_the_newest_messages_are_those_of_all_topics() -> None:
    """A topic that is read last does not push out newer messages of another one."""
    recent = [Record("inbox.a", 0, n, 2_000 + n, None, b"", ()) for n in range(3)]
    older = [Record("inbox.b", 0, n, n, None, b"", ()) for n in range(1_000)]
    assert list(newest([*recent, *older], 2)) == recent[1:]
    assert list(newest(recent, 0)) == []


def test_json_stays_json_when_a_message_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """A program that reads the output meets an unreadable record as a value with place and rule."""
    show(Record("inbox.a", 1, 7, 0, None, b"no frame", ()), as_json=True, opener=None)
    assert json.loads(capsys.readouterr().out) == {
        "type": "unreadable",
        "topic": "inbox.a",
        "partition": 1,
        "offset": 7,
        "rule": "not_framed",
    }


def test_what_the_exchange_did_not_sign_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever may write an inbox cannot have its words shown as the exchange's: their place is told."""
    sealed = SealedExchange(monkeypatch)
    sealed.sealed_report()
    true = next(r for r in sealed.records if r.topic == sealed.topics.inbox("nl-offlimits"))
    session: Any = SimpleNamespace(
        any_directory=sealed.equipment.directory,
        topics=sealed.topics,
        clock=SimpleNamespace(at=lambda at_ms: at_ms),
    )
    show(true, as_json=True, opener=None, session=session)
    assert json.loads(capsys.readouterr().out)["type"] == "Delivery"
    for forged in (true._replace(headers=()), true._replace(topic=sealed.topics.inbox("gb-iwf"))):
        for as_json in (True, False):
            show(forged, as_json=as_json, opener=None, session=session)
            out = capsys.readouterr().out
            assert "signature_mi" in out
            assert "assignment" not in out


@pytest.mark.parametrize("command", ["replay", "discard"])
def test_letters_are_never_all_meant_by_accident(hx: Hx, command: str) -> None:
    """Without ids, filter or --all nothing is touched, and nothing without an operator and a reason."""
    code, _, err = hx("deadletters", command, "--operator", "ops-1", "--reason", "why")
    assert (code, "--all" in err) == (2, True)
    code, _, err = hx("deadletters", command, "--all", "--operator", "ops-1")
    assert (code, "--reason" in err) == (2, True)
    code, _, err = hx("deadletters", command, "--all", "--operator", " ", "--reason", "why")
    assert (code, "operator" in err) == (2, True)

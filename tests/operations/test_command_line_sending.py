"""What `hx submit`, `hx provision` and `hx kafka start` tell while they work, without Kafka."""

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import pytest
from paper_exchange import network

from casework.directory import Directory
from casework.ids import new_event_id
from casework.messages import Receipt
from casework.submissions import Admission
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import NoReceiptError, StaleDirectoryError
from connectors.preparing import Prepared, Sender, build_report
from operations.command_line import provision, submitting
from operations.command_line.line_order import LineOrder
from operations.command_line.session import Session
from operations.embedded_kafka import EmbeddedKafka
from operations.passwords import Passwords
from operations.setting_up import wanted_topics
from streams.cluster_plan import ClusterPlan
from streams.settings import DEMO_NETWORK_KEY, Settings
from streams.topic_plan import plan

pytestmark = pytest.mark.slow

Hx = Callable[..., tuple[int, str, str]]
NOW_MS = 1_768_200_000_000


PREPARED = build_report(
    ReportDraft(
        url="http://a.example/", hosting_country="XT", received_at=NOW_MS, reference="r", content_type="media"
    ),
    Sender("ie-hotline", "test", DEMO_NETWORK_KEY, lambda now_ms: new_event_id(now_ms, bytes(10))),
    Admission(network(), "test", NOW_MS, NOW_MS, 0),
)


class BackwardClient:
    """A client whose receipts come in the opposite order of what was sent."""

    def __init__(self, member: str) -> None:
        self.member = member
        self.directory: Directory = network()
        self._sent: list[str] = []
        self._answered: dict[str, asyncio.Event] = {}

    @classmethod
    def from_settings(cls, _settings: Settings, member: str, **_rest: Any) -> Self:  # noqa: ANN401 - unused
        """Make one."""
        return cls(member)

    async def __aenter__(self) -> Self:
        if self.member not in self.directory.members_by_id:
            raise StaleDirectoryError("not listed")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def prepare(self, draft: ReportDraft) -> Prepared:
        """Answer the draft's reference as its event id."""
        return msgspec.structs.replace(PREPARED, event_id=draft.reference)

    async def send(self, prepared: Prepared) -> None:
        """Take one."""
        self._sent.append(prepared.event_id)
        self._answered[prepared.event_id] = asyncio.Event()

    async def wait_for_receipt(self, event_id: str, _timeout_s: float) -> Receipt:
        """Answer after all that were sent later."""
        await asyncio.sleep(0)
        place = self._sent.index(event_id) + 1
        if place < len(self._sent):
            await self._answered[self._sent[place]].wait()
        self._answered[event_id].set()
        return Receipt(
            event_id=event_id, recipient=self.member, outcome="accepted", receipt_id="r", environment="demo",
            case_id="c", url_key=b"k" * 17, hosting_country="XT", admitted_at=1, submitted_at=1,
        )  # fmt: skip


def _reports(tmp_path: Path, count: int) -> Path:
    file = tmp_path / "reports.csv"
    rows = [f"http://a.example/{n},XT,2026-01-12T08:00:00Z,r-{n},media" for n in range(count)]
    head = "url,hosting_country,received_at,reference,content_type"
    file.write_text("\n".join([head, *rows]) + "\n")
    return file


def test_answers_are_told_in_the_order_of_the_lines(
    hx: Hx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receipts that come in the opposite order are told in that of the file, a bad line in its place."""
    monkeypatch.setattr(submitting, "MemberClient", BackwardClient)
    monkeypatch.setenv("HX_BOOTSTRAP", "127.0.0.1:9")
    file = _reports(tmp_path, 4)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:3], "broken", *lines[3:]]) + "\n")
    code, out, _ = hx("submit", str(file), "--as", "ie-hotline")
    assert code == 2
    told = [line.removeprefix(f"{file}:").partition(":")[0] for line in out.splitlines()[:-1]]
    assert told == ["2", "3", "4", "5", "6"]
    assert f"{file}:2: accepted -> police: interpol, europol; no desk; case c" in out
    code, out, _ = hx("submit", str(file), "--as", "ie-hotline", "--json")
    assert [json.loads(line)["line"] for line in out.splitlines()] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("check", [("--check",), ()])
def test_a_mistyped_sender_fails_once_before_the_file(
    hx: Hx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: tuple[str, ...]
) -> None:
    """The name is wrong once, not once a line, whether or not anything would be sent."""
    if not check:
        monkeypatch.setattr(submitting, "MemberClient", BackwardClient)
        monkeypatch.setenv("HX_BOOTSTRAP", "127.0.0.1:9")
    code, out, err = hx("submit", str(_reports(tmp_path, 3)), "--as", "ie-hotlin", *check)
    assert (code, out) == (2, "")
    assert err == "hx: no member ie-hotlin: did you mean ie-hotline?\n"


def test_a_sender_that_is_not_active_fails_once(
    hx: Hx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A suspended member is told so in one sentence."""
    listed = network()
    members = tuple(
        msgspec.structs.replace(member, status="suspended") if member.id == "ie-hotline" else member
        for member in listed.members
    )
    directory = msgspec.structs.replace(listed, members=members)
    monkeypatch.setattr(submitting, "read_directory", lambda *_: directory)
    code, out, err = hx("submit", str(_reports(tmp_path, 3)), "--as", "ie-hotline", "--check")
    assert (code, out, err.count("suspended"), err.count("\n")) == (2, "", 1, 1)


async def test_a_slow_line_is_named_while_the_others_wait(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is told before the first line has its answer, but which line that is."""
    told: list[int] = []
    order = LineOrder(10, patience_s=0.0)
    first: asyncio.Future[Callable[[], None]] = asyncio.get_running_loop().create_future()
    await order.add("a.csv:2", first)
    await order.add("a.csv:3", lambda: told.append(3))
    finishing = asyncio.create_task(order.finish())
    err = ""
    for _ in range(1_000):
        await asyncio.sleep(0)
        err += capsys.readouterr().err
    assert "waiting for the answer to a.csv:2" in err
    assert "(1 behind it are there)" in err
    assert told == []
    first.set_result(lambda: told.append(2))
    await finishing
    assert told == [2, 3]


async def test_no_more_answers_are_waited_for_than_allowed() -> None:
    """Whoever adds waits for the oldest answer, so that a large file does not fill the memory."""
    order = LineOrder(2)
    told: list[int] = []
    first: asyncio.Future[Callable[[], None]] = asyncio.get_running_loop().create_future()
    await order.add("a:1", first)
    adding = asyncio.create_task(order.add("a:2", asyncio.get_running_loop().create_future()))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not adding.done()
    first.set_result(lambda: told.append(1))
    await adding
    assert told == [1]


@pytest.mark.parametrize(
    ("words", "names_all"), [(("--apply",), False), (("--apply", "-v"), True), (("--plan",), True)]
)
def test_provisioning_tells_what_it_did_in_one_line(
    hx: Hx, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], names_all: bool
) -> None:
    """What was created is told as created; each topic is named only to those who ask."""

    def planned(settings: Settings, directory: Directory) -> ClusterPlan:
        table = wanted_topics(settings, directory)
        return ClusterPlan(plan({}, table, replication=1, min_insync=1))

    def provisioned(
        settings: Settings,
        directory: Directory,
        *,
        passwords: Passwords | None,
        on_plan: Callable[[ClusterPlan], object],
    ) -> ClusterPlan:
        assert passwords is None
        made = planned(settings, directory)
        on_plan(made)
        return made

    monkeypatch.setattr(provision, "plan_cluster", planned)
    monkeypatch.setattr(provision, "provision_cluster", provisioned)
    monkeypatch.setattr(provision, "_require_not_older", lambda *_: None)
    monkeypatch.setattr(Session, "tell_if_silent", lambda _self: None)
    monkeypatch.setattr(provision, "_require_not_older", lambda _session, _directory: None)
    code, out, err = hx("provision", *words)
    is_plan = "--plan" in words
    assert code == (1 if is_plan else 0)
    assert (" to create" in out, " created" in out) == (is_plan, not is_plan)
    assert len(out.splitlines()) == 1 or names_all
    assert ("create     cases.admitted" in out) == names_all
    assert err.startswith("working: topics:") != is_plan


def test_a_second_start_names_the_kafka_that_runs(hx: Hx, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started or announced; address, process and how to end it are told, with code 1."""

    class Running:
        bootstrap = "127.0.0.1:9092"
        pid = 42

    monkeypatch.setattr(EmbeddedKafka, "running", lambda _home: Running())
    code, out, err = hx("kafka", "start")
    assert (code, out) == (1, "")
    assert err == (
        "hx: an embedded Kafka already runs at 127.0.0.1:9092 (process 42): use it, or end it with"
        " 'hx kafka stop'\n"
    )


def test_an_action_without_an_answer_says_what_it_may_wait_for(
    hx: Hx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a case of the address an action waits silently: who waited in vain is told, nobody else."""

    class SilentClient(BackwardClient):
        def prepare(self, draft: ActionDraft | ReportDraft) -> Prepared:
            return msgspec.structs.replace(
                PREPARED, kind="action" if isinstance(draft, ActionDraft) else "report", event_id="e"
            )

        async def wait_for_receipt(self, event_id: str, _timeout_s: float) -> Receipt:
            raise NoReceiptError(event_id)

    monkeypatch.setattr(submitting, "MemberClient", SilentClient)
    monkeypatch.setenv("HX_BOOTSTRAP", "127.0.0.1:9")
    file = tmp_path / "actions.jsonl"
    file.write_text('{"action": "removed", "hosting_country": "NL", "case_id": "c"}\n')
    code, out, _ = hx("act", str(file), "--as", "ie-hotline")
    assert (code, "unknown_case" in out) == (69, True)
    assert "unknown_case" not in hx("act", str(file), "--as", "ie-hotline", "--no-wait")[1]
    assert "unknown_case" not in hx("submit", str(_reports(tmp_path, 1)), "--as", "ie-hotline")[1]


def test_a_mistyped_sender_without_password_is_no_missing_file(
    hx: Hx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where passwords lie by name, a wrong name finds none: the directory says that nobody is called so."""
    monkeypatch.setenv("HX_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setenv("HX_KAFKA_CA", "ca.pem")
    monkeypatch.setenv("HX_KAFKA_PASSWORD", f"file:{tmp_path}/{{user}}.password")
    code, _, err = hx("submit", str(_reports(tmp_path, 1)), "--as", "nl-offlimit")
    assert (code, err.splitlines()[-1]) == (2, "hx: no member nl-offlimit: did you mean nl-offlimits?")


def test_a_start_on_a_taken_port_names_port_and_option(hx: Hx) -> None:
    """Nothing is started where another program listens: a sentence names the port, and the option."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = hx("kafka", "start", "--port", str(port))
    assert (code, out) == (69, "")
    assert f"port {port}" in err
    assert "--port" in err

"""What a newcomer does by hand on a real Kafka: start it, provision, publish, submit, look; a member leaves.

Kafka is secured, the directory signed, all that members send signed and sealed, and no setting says so:
certificates, passwords and keys are found where `hx kafka start` and `hx directory publish` put them.
"""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import in_shell
import pytest

from casework.messages import Submission
from operations.directory.files import NETWORK_FILE
from operations.embedded_kafka import EmbeddedKafka
from operations.embedded_kafka.process import free_port
from operations.reading import TopicReader
from streams import wire
from streams.clock import CompressedClock, SystemClock, format_clock
from streams.topics import Topics

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

PAGE = Path(__file__).parents[2] / "docs" / "for-hotline-engineers.md"
EXAMPLES = Path(__file__).parents[2] / "examples"
HX = [sys.executable, "-m", "operations.command_line"]
_PATIENCE_S = 60
# The minute before a directory takes effect passes in three seconds.
FACTOR = 20.0


class Exchange:
    """A provisioned exchange with one worker process, and `hx` to look at it."""

    def __init__(self, home: Path) -> None:
        self.directory = home / "network.yaml"
        self.directory.write_text(NETWORK_FILE.read_text())
        self.port = free_port()
        self.topics = Topics()
        self.kafka_home = home / "kafka"
        now = SystemClock().real_ms()
        self.environment = os.environ | {
            "HX_KAFKA_DIR": str(self.kafka_home),
            "HX_DATA_DIR": str(home / "data"),
            "HX_DIRECTORY": str(self.directory),
            "HX_PARTITIONS": "3",
            "HX_CLOCK": format_clock(CompressedClock(now, now, FACTOR)),
            "HX_INTAKE_METRICS_PORT": str(free_port()),
            "HX_CASEKEEPER_METRICS_PORT": str(self.port),
        }

    def hx(self, *words: str, code: int = 0) -> str:
        """Run `hx` and answer its output; what lives on after it has a process of its own."""
        if words[0] == "kafka":
            done = subprocess.run(
                [*HX, *words], env=self.environment, capture_output=True, text=True, timeout=120, check=False
            )
            ended, out, err = done.returncode, done.stdout, done.stderr
        else:
            ended, out, err = in_shell.hx(words, self.environment)
        assert ended == code, out + err
        return out

    def lines(self, *words: str) -> list[dict[str, Any]]:
        """Run `hx ... --json` and answer its lines."""
        return [json.loads(line) for line in self.hx(*words, "--json").splitlines()]

    def wait(self, topic: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Follow an inbox until a message is as wanted."""
        member = self.topics.member_of_inbox(topic)
        assert member is not None
        command = [*HX, "inbox", "tail", member, "--count", "500", "--follow", "--json"]
        with subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True) as tail:
            try:
                assert tail.stdout is not None
                for line in tail.stdout:
                    message: dict[str, Any] = json.loads(line)
                    if wanted(message["message"]):
                        return message["message"]
            finally:
                tail.send_signal(signal.SIGINT)
        raise AssertionError("the tail ended")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """Give an exchange after all that README says, up to `hx worker all`."""
    tmp_path = tmp_path_factory.mktemp("exchange")
    made = Exchange(tmp_path)
    told = made.hx("kafka", "start", "--port", "0", "--heap-mb", "192")
    assert "secured" in told
    try:
        yield from played(made, tmp_path)
    finally:
        made.hx("kafka", "stop")


def played(made: Exchange, tmp_path: Path) -> Iterator[Exchange]:
    """Run the workers of an exchange while it is used."""
    assert "refused" in made.hx("provision", "--apply")
    told = made.hx("directory", "publish")
    assert "published directory version 1" in told
    assert "made keys for all members" in told
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen([*HX, "worker", "all"], env=made.environment, stdout=log, stderr=log)
    try:
        yield made
    finally:
        worker.terminate()
        assert worker.wait(_PATIENCE_S) == 0, (tmp_path / "worker.log").read_text()[-3000:]


def test_a_submitted_file_is_seen_at_the_responsible_hotlines(exchange: Exchange) -> None:
    """Each report of the example has a receipt; the Dutch one lies in the Dutch inbox with its address.

    Then the Dutch hotline acts, the origin is told, and the case is closed with its facts in order.
    """
    receipts = exchange.lines("submit", str(EXAMPLES / "reports.csv"), "--as", "ie-hotline")
    assert {line["receipt"]["outcome"] for line in receipts} == {"accepted"}
    broker = EmbeddedKafka.running(exchange.kafka_home)
    assert broker is not None
    with TopicReader(broker.access) as reader:
        records = list(reader.whole(exchange.topics.reports_submitted))
    sent = [wire.decode_as(Submission, record.value) for record in records]
    assert {one.content[:8] for one in sent if one.content is not None and one.signature} == {b'{"aad":"'}
    [dutch] = [line["receipt"] for line in receipts if line["receipt"]["assigned_hotline"] == "nl-offlimits"][
        :1
    ]
    shown = exchange.lines("inbox", "tail", "nl-offlimits", "--show-content")
    [assignment] = [m for m in shown if m["message"].get("case_id") == dutch["case_id"]]
    assert assignment["message"]["kind"] == "assignment"
    assert assignment["message"]["report_event_id"] == dutch["event_id"]
    assert assignment["content"]["url"].startswith("http")
    assert "content" not in exchange.lines("inbox", "tail", "nl-offlimits")[0]
    actions = exchange.directory.parent / "actions.jsonl"
    steps = [
        {"action": "acknowledged", "reference": "NL-1"},
        {"action": "police_informed"},
        {"action": "provider_informed", "recipient_role": "host"},
        {"action": "removed"},
    ]
    about = {"hosting_country": "NL", "case_id": dutch["case_id"], "url_key": dutch["url_key"]}
    actions.write_text("".join(json.dumps(step | about) + "\n" for step in steps))
    outcomes = exchange.lines("act", str(actions), "--as", "nl-offlimits")
    assert [line["receipt"]["outcome"] for line in outcomes] == ["accepted"] * 4
    told = exchange.wait(exchange.topics.inbox("ie-hotline"), lambda m: m.get("fact") == "removed")
    assert told["case_id"] == dutch["case_id"]
    shown_case = exchange.lines("cases", "show", dutch["case_id"])[0]
    assert (shown_case["case"]["state"], shown_case["case"]["outcome"]) == ("closed", "removed")
    numbers = [fact["number"] for fact in shown_case["facts"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert dutch["case_id"] in exchange.hx("cases", "list", "--state", "closed")
    with urllib.request.urlopen(f"http://127.0.0.1:{exchange.port}/metrics") as answer:
        text = answer.read().decode()
    for step in ("acknowledged", "police_informed", "provider_informed", "removed"):
        assert f'step="{step}"' in text


def test_a_member_that_leaves_hands_its_open_cases_on(exchange: Exchange) -> None:
    """After the new directory version is published, the open case goes to another hotline of the country."""
    sent = exchange.directory.parent / "reports.jsonl"
    report = {
        "url": "https://leaving.example/1",
        "hosting_country": "DE",
        "received_at": "2026-01-02T03:04:00Z",
        "reference": "R-1",
        "content_type": "media",
    }
    sent.write_text(json.dumps(report) + "\n")
    [line] = exchange.lines("submit", str(sent), "--as", "ie-hotline")
    leaving = line["receipt"]["assigned_hotline"]
    case_id = line["receipt"]["case_id"]
    exchange.hx("members", "leave", leaving, "--reason", "membership ended")
    exchange.hx("provision", "--apply")
    assert "version 2" in exchange.hx("directory", "publish")
    newer = exchange.directory.read_text()
    exchange.directory.write_text(NETWORK_FILE.read_text())
    exchange.hx("provision", "--apply", code=1)  # the file of before would give it back its rights
    exchange.directory.write_text(newer)
    told = exchange.wait(
        exchange.topics.inbox("ie-hotline"), lambda m: m.get("case_id") == case_id and m.get("leg") == 2
    )
    assert told["assigned_hotline"] != leaving
    [case] = [case for case in exchange.lines("cases", "list") if case["case_id"] == case_id]
    assert (case["assigned_hotline"], case["leg"]) == (told["assigned_hotline"], 2)
    handed = exchange.lines("inbox", "tail", told["assigned_hotline"], "--show-content")
    assert "https://leaving.example/1" in [m["content"]["url"] for m in handed if "content" in m]


def test_provisioning_and_publishing_may_be_repeated(exchange: Exchange) -> None:
    """A second call changes nothing, and a version with other content is refused."""
    assert "0 to create" in exchange.hx("provision", "--plan")
    assert "is published already" in exchange.hx("directory", "publish")
    broker = EmbeddedKafka.running(exchange.kafka_home)
    assert broker is not None
    with TopicReader(broker.access) as reader:
        published = {(record.key, record.value) for record in reader.whole(exchange.topics.directory)}
    assert len(published) == len({key for key, _ in published})
    before = exchange.directory.read_text()
    exchange.directory.write_text(before.replace("name: Hotline.ie", "name: Another name", 1))
    try:
        exchange.hx("directory", "publish", code=1)
    finally:
        exchange.directory.write_text(before)


def test_what_the_start_prints_lets_other_shells_and_programs_in_without_a_secret(exchange: Exchange) -> None:
    """The lines name files and no password; with them one is who one names, and the page's program runs."""
    [status] = exchange.lines("kafka", "status")
    lines = status["environment"]
    access = exchange.kafka_home / "access"
    passwords = {path.read_text().strip() for path in access.glob("*.password")}
    assert len(passwords) > 50
    assert not any(password in json.dumps(status) for password in passwords)
    assert min(status["certificate_days_left"].values()) > 300
    others = {key: value for key, value in exchange.environment.items() if key != "HX_KAFKA_DIR"}

    def tail(user: str, inbox: str) -> subprocess.CompletedProcess[str]:
        environment = others | lines | {"HX_KAFKA_USER": user}
        command = [*HX, "inbox", "tail", inbox, "--json"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert tail("ie-hotline", "ie-hotline").returncode == 0
    refused = tail("ie-hotline", "nl-offlimits")
    assert refused.returncode != 0
    assert refused.stdout == ""

    [program, *_] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    program = program.replace("/album/1001/", "/album/by-a-program/")  # an address of this test's own
    call = 'print(report_one(Settings.load(), "ie-hotline", draft))'
    done = subprocess.run(
        [sys.executable, "-c", program + call],
        env=others | lines, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("accepted: case "), done.stderr
    [made] = [line for line in exchange.lines("inbox", "tail", "ie-hotline") if line["type"] == "Receipt"][
        -1:
    ]
    case_id = done.stdout.split()[-1]
    assert made["message"]["case_id"] == case_id
    out = exchange.kafka_home.parent / "case.zip"
    assert "signed by exchange" in exchange.hx("evidence", case_id, "--out", str(out))
    exchange.hx("inbox", "tail", "desk-orphans", "--open", "--as", "gb-iwf")

    assert exchange.hx("kafka", "renew") == "nothing is due\n"
    assert "broker-1.pem" in exchange.hx("kafka", "renew", "--below-days", "1000")
    assert tail("ie-hotline", "ie-hotline").returncode == 0

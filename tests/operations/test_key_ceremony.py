"""The key ceremony as docs/key-ceremony.md has it, with files only: a small directory, step by step."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from test_directory_editing import short_network

from casework.directory import Directory
from operations.command_line import provision
from operations.directory import signed_files
from operations.directory.editing import CHECKLIST
from streams.cluster_plan import ClusterPlan
from streams.topic_plan import Plan

pytestmark = pytest.mark.slow

Hx = Callable[..., tuple[int, str, str]]
ADMITTED = ("interpol", "europol", "nl-offlimits", "nl-police")
CONFIRMED = tuple(word for item in CHECKLIST for word in ("--confirm", item))
CHOICE = ("--candidates", "leave_out")


class Ceremony:
    """A machine without network: a directory file, rings, and commands that must end with 0."""

    def __init__(self, hx: Hx, path: Path) -> None:
        self.hx = hx
        self.path = path

    def run(self, *words: str) -> str:
        """Answer what a command prints, that must do what it is told."""
        code, out, err = self.hx(*words)
        assert code == 0, (words, out, err)
        return out

    def lines(self, *words: str) -> str:
        """Answer the lines for the directory file that a command prints."""
        printed = self.run(*words)
        return "".join(f"{line}\n" for line in printed.splitlines() if not line.startswith("#"))

    def add(self, text: str, below: str | None = None) -> None:
        """Put lines at the end of the file, or below a member's id."""
        there = self.path.read_text()
        if below is not None:
            there, text = re.sub(rf"(?m)^(  {below}:.*\n)", rf"\g<1>{text}", there, count=1), ""
        self.path.write_text(there + text)

    @property
    def version(self) -> int:
        """The number of the version in the file."""
        found = re.search(r"(?m)^version: (\d+)$", self.path.read_text())
        assert found is not None
        return int(found[1])

    def equip(self) -> None:
        """Make the keys of everybody, admit members, and put in what stands at the top level."""
        signers = [self.lines("keys", "new", "--signer", name) for name in ("anna", "bert", "carla")]
        self.add("signers:\n  threshold: 2\n  keys:\n" + "".join(signers))
        for member in ADMITTED:
            self.add(self.lines("keys", "new", member), below=member)
        self.add(self.lines("keys", "new", "--exchange"))
        for member in ADMITTED:
            self.run("members", "admit", member, *CONFIRMED, "--contact", "duty desk, tried twice")
        self.add("protection: required\nexpires: 2100-01-01T00:00:00Z\n")

    def publishable(self, name: str, *words: str) -> str:
        """Draft and sign a version by two of three."""
        document = str(self.path.with_name(name))
        self.run("directory", "draft", document, *CHOICE, *words)
        self.run("directory", "sign", document, "--signer", "anna")
        assert "signed by 2 of the 2" in self.run("directory", "sign", document, "--signer", "bert")
        return document


@pytest.fixture(params=["test", "production"])
def environment(request: pytest.FixtureRequest) -> str:
    """The ceremony is done for each."""
    return str(request.param)


@pytest.fixture
def ceremony(hx: Hx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: str) -> Ceremony:
    """The first settings of a secretariat: no anchor, which is made in the end."""
    path = tmp_path / "network.yaml"
    # People confirm the facts about a country by taking the line out.
    members, countries = short_network().split("\ncountries:\n")
    countries = re.sub(r"(?m)^    assumed: .*\n", "", countries)
    path.write_text(f"{members}\ncountries:\n{countries}")
    for name, value in {
        "ENVIRONMENT": environment, "DIRECTORY": str(path), "DATA_DIR": str(tmp_path / "data"),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HX_{name}", value)
    monkeypatch.delenv("HX_DIRECTORY_TRUST", raising=False)
    return Ceremony(hx, path)


def test_the_first_directory_is_made_with_files_only(ceremony: Ceremony, environment: str) -> None:
    """Every command of the ceremony up to the anchor works as it comes, without an anchor and a network."""
    ceremony.equip()
    ceremony.add(ceremony.lines("keys", "network", "new", *CHOICE))
    ceremony.run("directory", "check", *CHOICE)
    assert "4 members" in ceremony.run("directory", "show", *CHOICE)
    first = ceremony.publishable("version-1.json", "--valid-in", "0")
    ceremony.run("directory", "diff", first, "--first")
    assert json.loads(ceremony.run("directory", "anchor", first))["threshold"] == 2
    directory = signed_files.load(Path(first))[1]
    assert (directory.environment, directory.version) == (environment, 1 + len(ADMITTED))
    assert directory.network_keys is not None
    assert len(directory.network_keys.sealed) == 1


def test_members_are_edited_when_there_is_a_network_key(ceremony: Ceremony) -> None:
    """The key is bound to the environment of the settings, and no edit takes it for a foreign one."""
    ceremony.equip()
    ceremony.add(ceremony.lines("keys", "network", "new", *CHOICE))
    assert "nl-offlimits" in ceremony.run("members", "list")
    assert re.search(r"key +\S{43} to seal", ceremony.run("members", "show", "nl-offlimits"))
    ceremony.run("members", "suspend", "nl-offlimits", "--reason", "key compromised")
    out = ceremony.run("members", "admit", "nl-offlimits", *CONFIRMED)
    document = f"version-{ceremony.version}.json"
    assert f"hx directory draft {document}, hx directory sign {document} by 2 of the signers" in out
    ceremony.run("members", "leave", "nl-police", "--reason", "membership ended")


def test_whoever_has_no_keys_is_not_admitted_to_a_protected_network(ceremony: Ceremony) -> None:
    """What the file lacks elsewhere stops no admission; what this one would add to it does."""
    ceremony.equip()
    before = ceremony.path.read_bytes()
    code, _, err = ceremony.hx("members", "admit", "de-eco", *CONFIRMED, "--contact", "duty desk")
    assert (code, "members.de-eco.keys" in err) == (1, True)
    assert ceremony.path.read_bytes() == before


def test_the_first_network_key_is_made_only_in_a_file_that_is_right_else(
    ceremony: Ceremony, environment: str
) -> None:
    """Only its own absence is no error: an exchange without keys still is one."""
    ceremony.equip()
    text = ceremony.path.read_text()
    ceremony.path.write_text(re.sub(r"(?m)^exchange_keys:\n((?: .*|- .*)\n)+", "", text))
    code, _, err = ceremony.hx("keys", "network", "new", *CHOICE)
    assert (code, "exchange_keys" in err) == (78, True)
    assert not ceremony.path.with_name("network.network-keys.json").exists(), environment


def test_the_network_key_is_changed_in_a_second_version(ceremony: Ceremony) -> None:
    """Each step tells the number to take, and a change of keys ends only when a person says it may."""
    ceremony.equip()
    ceremony.add(ceremony.lines("keys", "network", "new", *CHOICE))
    first = ceremony.publishable("version-1.json", "--valid-in", "0")
    number = ceremony.version
    out = ceremony.run("keys", "network", "rotate", *CHOICE)
    assert f"if a version {number} is published or signed already, raise it to {number + 1}" in out
    second = ceremony.path.with_name("second.json")
    words = ("directory", "draft", str(second), *CHOICE, "--against", first)
    code, _, err = ceremony.hx(*words)
    assert (code, "version: must be above" in err) == (1, True)
    assert not second.exists()
    ceremony.path.write_text(
        ceremony.path.read_text().replace(f"version: {number}\n", f"version: {number + 1}\n", 1)
    )
    assert ceremony.hx(*words)[0] == 0
    code, _, err = ceremony.hx("keys", "network", "finish", *CHOICE)
    assert (code, "second case" in err) == (1, True)
    assert "version 2 of the network key is in use" in ceremony.run(
        "keys", "network", "finish", "--yes", *CHOICE
    )


def test_a_forgotten_number_is_seen_when_a_version_is_drafted(ceremony: Ceremony) -> None:
    """A file that is named for another version than it holds, or beside a higher one, is written and told."""
    ceremony.equip()
    ceremony.add(ceremony.lines("keys", "network", "new", *CHOICE))
    number = ceremony.version
    code, _, err = ceremony.hx(
        "directory", "draft", str(ceremony.path.with_name(f"version-{number}.json")), *CHOICE
    )
    assert (code, err) == (0, "")
    name = f"version-{number + 1}.json"
    code, _, err = ceremony.hx("directory", "draft", str(ceremony.path.with_name(name)), *CHOICE)
    assert (code, f"{name} holds version {number}: raise" in err) == (0, True)
    assert f"version-{number}.json beside it" in err


def test_a_check_counts_what_is_wrong_by_rule(ceremony: Ceremony, environment: str) -> None:
    """The last line says how much there is to do; JSON for a machine has no such line."""
    ceremony.add("protection: required\n")
    code, out, _ = ceremony.hx("directory", "check", "--candidates", "keep")
    lines = out.splitlines()
    assert code == 1
    assert re.search(rf": {len(lines) - 1} errors for {environment}: .*\d missing", lines[-1])
    _, out, _ = ceremony.hx("directory", "check", "--candidates", "keep", "--json")
    assert all(json.loads(line) for line in out.splitlines())


@pytest.mark.parametrize("environment", ["test"])
@pytest.mark.usefixtures("environment")
def test_provisioning_leaves_out_whom_the_published_version_leaves_out(
    ceremony: Ceremony, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same choice as for the draft, a candidate gets neither topics nor rights."""
    asked: list[tuple[str, ...]] = []

    def plan(_: object, directory: Directory) -> ClusterPlan:
        asked.append(tuple(member.id for member in directory.active_members("hotline")))
        return ClusterPlan(Plan((), (), (), (), (), 1))

    monkeypatch.setattr(provision, "plan_cluster", plan)
    monkeypatch.setattr(provision, "_require_not_older", lambda *_: None)
    monkeypatch.setenv("HX_BOOTSTRAP", "127.0.0.1:9")
    ceremony.run("members", "admit", "nl-offlimits", *CONFIRMED, "--contact", "duty desk, tried twice")
    for member in ("interpol", "europol"):
        ceremony.run("members", "admit", member, *CONFIRMED, "--contact", "duty desk, tried twice")
    ceremony.run("provision", "--plan")
    ceremony.run("provision", "--plan", *CHOICE)
    assert asked == [("de-eco", "de-fsm", "nl-offlimits"), ("nl-offlimits",)]


@pytest.mark.parametrize("environment", ["production"])
@pytest.mark.parametrize(
    "words",
    [
        ("directory", "publish"), ("directory", "show", "--published"), ("directory", "diff"),
        ("provision", "--plan"), ("worker", "all"), ("inbox", "tail", "nl-offlimits"), ("verify",),
        ("cases", "list"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("environment")
def test_nothing_goes_to_kafka_in_production_without_an_anchor(
    ceremony: Ceremony, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what reads and writes files is let off; every other command ends with 78 and says why."""
    monkeypatch.setenv("HX_BOOTSTRAP", "127.0.0.1:9")
    ceremony.equip()
    ceremony.add(ceremony.lines("keys", "network", "new"))
    code, _, err = ceremony.hx(*words, *(CHOICE if words[0] in {"provision", "directory"} else ()))
    assert (code, "HX_DIRECTORY_TRUST is not set" in err) == (78, True), err

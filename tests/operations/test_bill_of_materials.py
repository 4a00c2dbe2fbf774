"""The bill of materials is valid CycloneDX, complete by the lock files, and the same whenever it is made."""

import datetime as dt
import json
import re
import tomllib
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from casework.errors import SetupError
from operations.bill_of_materials import ORIGINS_FILE, ROOT, archives, bill, locked_packages
from operations.embedded_kafka.archives import COORDINATES, LOCK_FILE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def text() -> str:
    """Return the bill of materials of this project."""
    return bill()


def test_it_is_valid_cyclonedx(text: str) -> None:
    """The published schema of version 1.6 takes it, strictly."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert json.loads(text)["specVersion"] == "1.6"


def test_it_holds_all_that_is_locked_and_itself(text: str) -> None:
    """Each locked package and each Java archive is there with version and all digests, and nothing else."""
    document = json.loads(text)
    found = {
        (each["name"], each["version"]): {one["content"] for one in each["hashes"]}
        for each in document["components"]
    }
    packages = locked_packages((ROOT / "requirements/run.txt").read_text())
    jars = archives(LOCK_FILE.read_text(), ORIGINS_FILE.read_text())
    assert found == {(one.name, one.version): set(one.digests) for one in packages} | {
        (one.name, one.version): {one.digest} for one in jars
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    own = document["metadata"]["component"]
    assert (own["name"], own["version"]) == (project["name"], project["version"])


def test_licences_are_told(text: str) -> None:
    """Every Java archive has a licence, and every package that is installed here."""
    without = [each["name"] for each in json.loads(text)["components"] if not each.get("licenses")]
    elsewhere = [
        one.name for one in locked_packages((ROOT / "requirements/run.txt").read_text()) if one.marker
    ]
    assert set(without) <= set(elsewhere)


def test_it_tells_what_needs_what(text: str) -> None:
    """The exchange needs its direct dependencies, and these need their own."""
    needs = {each["ref"]: each.get("dependsOn", []) for each in json.loads(text)["dependencies"]}
    assert any(ref.startswith("pkg:pypi/faust-streaming@") for ref in needs["hotline-exchange"])
    faust = next(ref for ref in needs if ref.startswith("pkg:pypi/faust-streaming@"))
    assert any(ref.startswith("pkg:pypi/mode-streaming@") for ref in needs[faust])


def test_it_is_the_same_again_and_names_no_machine(text: str) -> None:
    """Two makings give equal bytes: no time unless one is given, no path, no address but the schema's."""
    assert bill() == text
    assert "timestamp" not in json.loads(text)["metadata"]
    at = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    assert json.loads(bill(at=at))["metadata"]["timestamp"] == "2026-01-02T00:00:00+00:00"
    assert re.findall(r"[a-z]+://[^/\"]+", text) == ["http://cyclonedx.org"]
    assert str(Path.home()) not in text
    assert str(ROOT) not in text


def test_origins_name_the_archives_that_are_fetched() -> None:
    """The table of groups agrees with the coordinates that the archives are resolved by."""
    known = {
        (one.group, one.name, one.version)
        for one in archives(LOCK_FILE.read_text(), ORIGINS_FILE.read_text())
    }
    asked = {tuple(each.rstrip("!").split(":")) for each in COORDINATES.split("+")}
    assert asked <= known


@pytest.mark.parametrize(
    ("lock", "origins"),
    [("0a  a-1.jar\n", ""), ("", "a-1.jar  org.a  MIT\n"), ("0a  a-1.jar\n", "a-1.jar  org.a\n")],
)
def test_an_archive_without_an_origin_is_refused(lock: str, origins: str) -> None:
    """A new archive cannot slip in without group and licence."""
    with pytest.raises(SetupError):
        archives(lock, origins)


def test_a_line_that_is_no_lock_is_refused() -> None:
    """An option or an address in a lock file is not passed over."""
    with pytest.raises(SetupError, match="line 1"):
        locked_packages("--index-url somewhere\n")

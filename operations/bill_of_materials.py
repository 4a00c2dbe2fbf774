"""The bill of materials (SBOM): what this software is made of, as CycloneDX 1.6 for `make sbom`.

It is made from the two lock files and the licences that the installed packages declare, so equal
installations give equal bytes: there is no random serial number and no time unless one is given, and no
address of a registry or path of a machine. A developer's tool: its library is no dependency of the exchange.
"""

import argparse
import datetime as dt
import json
import os
import re
import sys
import tomllib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final, NamedTuple

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from casework.errors import SetupError
from operations.embedded_kafka.archives import LOCK_FILE

ROOT: Final = Path(__file__).parents[1]
ORIGINS_FILE: Final = LOCK_FILE.with_name("archives.origins")
_REQUIREMENTS: Final = Path("requirements/run.txt")
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_OID, "hotline-exchange")
_PINNED: Final = re.compile(
    r"(?P<name>[a-z0-9._-]+)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\\n]+?))?\s*\\"
)
_HASH: Final = re.compile(r"--hash=sha256:(?P<digest>[0-9a-f]{64})")
_ARCHIVE: Final = re.compile(r"(?P<name>.+?)-(?P<version>[0-9][0-9A-Za-z.-]*)\.jar")
_REQUIRED: Final = re.compile(r"[A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 80
"""A field of a licence that is longer holds its text, not its name."""
_CLASSIFIER: Final = "License :: OSI Approved :: "


class Locked(NamedTuple):
    """One package of the lock file: the SHA-256 of each of its files that may be installed."""

    name: str
    version: str
    marker: str | None
    digests: tuple[str, ...]


class Archive(NamedTuple):
    """One Java archive of the embedded Kafka, with where it is from and its licence (SPDX)."""

    name: str
    version: str
    group: str
    licence: str
    digest: str


def locked_packages(text: str) -> tuple[Locked, ...]:
    """Read a lock file of Python packages.

    Raises:
        SetupError: A line is neither a pinned package nor one of its digests.
    """
    found: list[Locked] = []
    for number, line in enumerate(text.splitlines(), 1):
        pinned, digest = _PINNED.fullmatch(line), _HASH.search(line)
        if pinned is not None:
            found.append(Locked(pinned["name"], pinned["version"], pinned["marker"], ()))
        elif digest is not None and found:
            found[-1] = found[-1]._replace(digests=(*found[-1].digests, digest["digest"]))
        else:
            raise SetupError(f"{_REQUIREMENTS}, line {number}: expected a pinned package or a digest")
    return tuple(found)


def archives(lock: str, origins: str) -> tuple[Archive, ...]:
    """Read the lock file of Java archives and the table of where they are from.

    Raises:
        SetupError: An archive has no line in the table, or the other way round.
    """
    known = {name: (group, licence) for name, group, licence in _columns(origins, 3)}
    locked = {name: digest for digest, name in _columns(lock, 2)}
    if known.keys() != locked.keys():
        differ = ", ".join(sorted(known.keys() ^ locked.keys()))
        raise SetupError(f"{ORIGINS_FILE.name}: names other archives than {LOCK_FILE.name}: {differ}")
    found: list[Archive] = []
    for name, digest in locked.items():
        parts = _ARCHIVE.fullmatch(name)
        if parts is None:
            raise SetupError(f"{LOCK_FILE.name}: expected <name>-<version>.jar")
        group, licence = known[name]
        found.append(Archive(parts["name"], parts["version"], group, licence, digest))
    return tuple(found)


def bill(root: Path = ROOT, at: dt.datetime | None = None) -> str:
    """Answer the bill of materials as CycloneDX 1.6 in JSON, its names sorted.

    Args:
        root: Where the project lies.
        at: When it is made; None leaves the time out.

    Raises:
        SetupError: A lock file cannot be read.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    packages = locked_packages((root / _REQUIREMENTS).read_text())
    jars = archives(LOCK_FILE.read_text(), ORIGINS_FILE.read_text())
    licences = LicenseFactory()
    own = Component(
        name=project["name"], version=project["version"], type=ComponentType.APPLICATION,
        description=project["description"], bom_ref=project["name"],
        licenses=[licences.make_from_string(project["license"])],
        purl=PackageURL("pypi", None, project["name"], project["version"]),
    )  # fmt: skip
    components = {each.name: _package(each, licences) for each in packages}
    bom = Bom(components=components.values(), serial_number=uuid.uuid5(_NAMESPACE, _content(packages, jars)))
    bom.metadata.component = own
    bom.register_dependency(own, [components[name] for name in _named(project["dependencies"], components)])
    for name, component in components.items():
        bom.register_dependency(component, [components[one] for one in _requires(name, components)])
    java = [_archive(each, licences) for each in jars]
    for component in java:
        bom.components.add(component)
    if "jgo" in components:
        bom.register_dependency(components["jgo"], java)
    return _text(bom, at)


def _package(package: Locked, licences: LicenseFactory) -> Component:
    properties = [Property(name="hotline-exchange:lock", value="digests of all files that may be installed")]
    if package.marker:
        properties.append(Property(name="hotline-exchange:marker", value=package.marker))
    purl = PackageURL("pypi", None, package.name, package.version)
    return Component(
        name=package.name, version=package.version, bom_ref=str(purl), purl=purl, properties=properties,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in package.digests],
        licenses=_licences(package.name, licences),
    )  # fmt: skip


def _archive(archive: Archive, licences: LicenseFactory) -> Component:
    purl = PackageURL("maven", archive.group, archive.name, archive.version)
    return Component(
        name=archive.name, group=archive.group, version=archive.version, bom_ref=str(purl), purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=archive.digest)],
        licenses=[licences.make_from_string(archive.licence)],
    )  # fmt: skip


def _licences(name: str, licences: LicenseFactory) -> Iterable[License]:
    """Answer what an installed package declares; nothing for one that this machine does not need."""
    try:
        declared = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    texts = [*(declared.get_all("License-Expression") or []), *(declared.get_all("License") or [])]
    text = next(iter(texts), "")
    if text and len(text) <= _LONGEST_NAME and "\n" not in text and text.upper() != "UNKNOWN":
        return [licences.make_from_string(text)]
    found = [
        each.removeprefix(_CLASSIFIER)
        for each in declared.get_all("Classifier") or []
        if each.startswith(_CLASSIFIER)
    ]
    return [licences.make_from_string(each) for each in found]


def _requires(name: str, known: Iterable[str]) -> list[str]:
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
    return _named((line for line in lines if "extra ==" not in line), known)


def _named(requirements: Iterable[str], known: Iterable[str]) -> list[str]:
    names = {
        re.sub(r"[-_.]+", "-", match[0]).lower() for match in map(_REQUIRED.match, requirements) if match
    }
    return sorted(names & set(known))


def _columns(text: str, count: int) -> Iterator[list[str]]:
    for line in text.splitlines():
        columns = line.split(maxsplit=count - 1)
        if len(columns) != count:
            raise SetupError(f"{LOCK_FILE.name} and {ORIGINS_FILE.name}: expected {count} columns")
        yield columns


def _content(packages: Iterable[Locked], jars: Iterable[Archive]) -> str:
    return json.dumps([list(packages), list(jars)])


def _text(bom: Bom, at: dt.datetime | None) -> str:
    document: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    if at is not None:
        document["metadata"]["timestamp"] = at.astimezone(dt.UTC).isoformat(timespec="seconds")
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _time(env: Mapping[str, str]) -> dt.datetime | None:
    """Answer the time that a reproducible build names in SOURCE_DATE_EPOCH, if any."""
    epoch = env.get("SOURCE_DATE_EPOCH")
    return None if epoch is None else dt.datetime.fromtimestamp(int(epoch), tz=dt.UTC)


def main() -> None:
    """Print the bill of materials, or write it to a file."""
    parser = argparse.ArgumentParser(prog="python -m operations.bill_of_materials", description=__doc__)
    parser.add_argument("--out", type=Path, help="file to write; else it is printed")
    out: Path | None = parser.parse_args().out
    text = bill(at=_time(os.environ))
    if out is None:
        sys.stdout.write(text)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

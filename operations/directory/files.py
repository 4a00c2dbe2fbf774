"""Reading the directory file so that every error can be told with its line.

Errors of form (YAML, unknown field, wrong type) are collected per field, so that one slip hides no other; the
rules of `casework.directory_checks` follow when the form is right.
"""

import datetime as dt
import typing
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from casework import directory_checks
from casework.directory import (
    CaseworkLimits,
    CountryRule,
    Deadlines,
    Directory,
    Environment,
    HotlineShare,
    Member,
    Protection,
    PseudoCountry,
)
from casework.errors import RuleViolation, SetupError
from operations.directory.errors import DirectoryFileError, Problem
from operations.directory.reading_fields import KeyReader

NETWORK_FILE: Final = Path(__file__).with_name("network.yaml")

Candidates = Literal["keep", "admit", "leave_out"]

_TOP: Final = ("version", "deadlines", "aliases", "pseudo_countries", "slots", "members", "countries")
_OPTIONAL: Final = ("casework", "expires", "protection", "exchange_keys", "signers", "network_keys")
_SLOTS: Final = ("count", "rest", "countries")


class DirectoryFile:
    """One directory file in memory, with comments and line numbers kept."""

    def __init__(self, path: Path, data: CommentedMap) -> None:
        self.path = path
        self.data = data

    def line(self, field: str) -> int:
        """Answer the line of a field's path, or of the nearest thing around it that stands in the file."""
        node: Any = self.data
        line = 1
        for part in field.split("."):
            if not isinstance(node, CommentedMap) or part not in node:
                break
            line = node.lc.key(part)[0] + 1
            node = node[part]
        return line

    def problems(self, violations: Iterable[RuleViolation]) -> tuple[Problem, ...]:
        """Answer the violations with their lines, in the order of the file."""
        return tuple(sorted(Problem(str(self.path), self.line(each.field), each) for each in violations))


def yaml() -> YAML:
    """Answer a YAML reader and writer that changes nothing but what is edited."""
    round_trip = YAML()
    round_trip.width = 1_000
    round_trip.preserve_quotes = True
    round_trip.indent(mapping=2, sequence=4, offset=2)
    return round_trip


def read(path: Path = NETWORK_FILE) -> DirectoryFile:
    """Read a directory file.

    Raises:
        SetupError: The file cannot be opened.
        DirectoryFileError: It is not YAML, or not a mapping.
    """
    try:
        data = yaml().load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"directory file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _malformed(path, 1, "must be text in UTF-8") from error
    except MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        raise _malformed(path, line, (error.problem or "is not YAML").partition("\n")[0]) from error
    except YAMLError as error:
        raise _malformed(path, 1, "is not YAML") from error
    if not isinstance(data, CommentedMap):
        raise _malformed(path, 1, "must be a mapping")
    return DirectoryFile(path, data)


def check(
    path: Path = NETWORK_FILE, *, environment: Environment = "demo", candidates: Candidates = "keep"
) -> tuple[Problem, ...]:
    """Answer every problem of a directory file for one environment; none means that it may be published.

    Raises:
        SetupError: The file cannot be opened.
    """
    try:
        file = read(path)
        parse(file, environment=environment, published_at=0, candidates=candidates)
    except DirectoryFileError as error:
        return error.problems
    return ()


def parse(  # noqa: PLR0913 - one keyword per choice of a publication
    file: DirectoryFile,
    *,
    environment: Environment,
    published_at: int,
    valid_from: int | None = None,
    candidates: Candidates = "keep",
    unfinished: bool = False,
    lacking: AbstractSet[tuple[str, str]] = frozenset(),
) -> Directory:
    """Answer the directory that a file describes, checked.

    Args:
        file: What `read` answered.
        environment: Where the document will be used.
        published_at: Milliseconds since epoch UTC.
        valid_from: Milliseconds since epoch UTC; `published_at` when None.
        candidates: `keep` them as they are, `leave_out` what is not admitted, or `admit` those that are not
            historical as if they were active: demo and test only.
        unfinished: Nothing is published yet: see `directory_checks.check_unfinished`.
        lacking: Field and rule of what is only about to be made, and breaks no rule yet.

    Raises:
        DirectoryFileError: Every violation of form or, when there is none, of rule, with its line.
    """
    reader = _Reader(file.data, file.path.parent)
    parts = reader.parts()
    if reader.violations:
        raise DirectoryFileError(file.problems(reader.violations))
    if candidates == "admit" and environment == "production":
        rule = "production takes no candidates: admit them one by one, or leave them out"
        raise DirectoryFileError(file.problems([RuleViolation("members", "assumed", rule)]))
    start = published_at if valid_from is None else valid_from
    directory = Directory(environment=environment, published_at=published_at, valid_from=start, **parts)
    directory = _with_candidates(directory, candidates)
    rules = directory_checks.check_unfinished if unfinished else directory_checks.check
    violations = [each for each in rules(directory) if (each.field, each.rule) not in lacking]
    if violations:
        raise DirectoryFileError(file.problems(violations))
    return directory


def _malformed(path: Path, line: int, message: str) -> DirectoryFileError:
    return DirectoryFileError([Problem(str(path), line, RuleViolation("file", "malformed", message))])


def _with_candidates(directory: Directory, candidates: Candidates) -> Directory:
    if candidates == "keep":
        return directory
    replace = msgspec.structs.replace
    if candidates == "admit":
        day = dt.datetime.fromtimestamp(directory.published_at / 1000, dt.UTC).date()
        members = tuple(
            replace(member, status="active", since=day)
            if member.status == "candidate" and "H" not in member.evidence
            else member
            for member in directory.members
        )
        return replace(directory, members=members)
    members = tuple(member for member in directory.members if member.status != "candidate")
    kept = {member.id for member in members}
    countries = tuple(
        replace(rule, hotlines=tuple(share for share in rule.hotlines if share.member in kept))
        for rule in directory.countries
    )
    return replace(directory, members=members, countries=countries)


class _Reader(KeyReader):
    """Turns the mappings of the file into the parts of a `Directory` and collects what does not fit."""

    def __init__(self, data: CommentedMap, beside: Path) -> None:
        super().__init__(beside)
        self._data = data

    @cached_property
    def _sections(self) -> Mapping[str, Any]:
        return self.fields("", self._data, (*_TOP, *_OPTIONAL), required=_TOP)

    def parts(self) -> dict[str, Any]:
        sections = self._sections
        slots = self.fields("slots", sections.get("slots"), _SLOTS, required=_SLOTS)
        own = self.mapping("slots.countries", slots.get("countries"))
        members = self._entries("members", sections.get("members"), Member, "id")
        return {
            "version": self.convert("version", sections.get("version"), int),
            "deadlines": self.durations("deadlines", sections.get("deadlines"), Deadlines),
            "casework": self.durations("casework", sections.get("casework"), CaseworkLimits),
            "aliases": self.convert("aliases", sections.get("aliases"), dict[str, str]),
            "pseudo_countries": self._entries(
                "pseudo_countries", sections.get("pseudo_countries"), PseudoCountry, "code"
            ),
            "slot_count": self.convert("slots.count", slots.get("count"), int),
            "rest_slots": self.convert("slots.rest", slots.get("rest"), tuple[int, ...]),
            "slots": {
                code: self.convert(f"slots.countries.{code}", value, tuple[int, ...])
                for code, value in own.items()
            },
            "members": members,
            "countries": self._entries("countries", sections.get("countries"), CountryRule, "code"),
            "expires_at": self.time("expires", sections.get("expires")),
            "protection": self.convert("protection", sections.get("protection", "optional"), Protection),
            "exchange_keys": self.keys("exchange_keys", sections.get("exchange_keys", ())),
            "signers": self.signers("signers", sections.get("signers")),
            "network_keys": self.network_keys("network_keys", sections.get("network_keys")),
        }

    def _entries(self, path: str, value: object, kind: type[Any], key: str) -> tuple[Any, ...]:
        entries = (
            self._entry(f"{path}.{name}", fields, kind, key, name)
            for name, fields in self.mapping(path, value).items()
        )
        return tuple(
            sorted((e for e in entries if e is not None), key=lambda entry: str(getattr(entry, key)))
        )

    def _entry(self, path: str, value: object, kind: type[Any], key: str, name: str) -> object:
        before = len(self.violations)
        hints = typing.get_type_hints(kind)
        types = {field.removesuffix("_ms"): hint for field, hint in hints.items() if field != key}
        required = [f.name for f in msgspec.structs.fields(kind) if f.required and f.name in types]
        fields = self.fields(path, value, types, required=required)
        values: dict[str, Any] = {}
        for field, raw in fields.items():
            if types[field] is Deadlines:
                values[field] = self.durations(f"{path}.{field}", raw, Deadlines)
            elif f"{field}_ms" in hints:
                values[f"{field}_ms"] = self.duration(f"{path}.{field}", raw)
            elif field == "keys":
                values[field] = self.keys(f"{path}.{field}", raw)
            elif field == "hotlines":
                values[field] = tuple(self._shares(f"{path}.{field}", raw))
            else:
                values[field] = self.convert(f"{path}.{field}", raw, types[field])
        return kind(**{key: name}, **values) if len(self.violations) == before else None

    def _shares(self, path: str, value: object) -> Iterator[HotlineShare]:
        for member, share in self.mapping(path, value).items():
            fields = share if isinstance(share, CommentedMap) else {"weight": share}
            converted = self.convert(f"{path}.{member}", {**fields, "member": member}, HotlineShare)
            if converted is not None:
                yield converted

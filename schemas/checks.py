"""The check of the whole contract, for `hx schemas check` and CI: schemas, lock and their history agree."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
from avro.errors import AvroException
from avro.schema import parse

from schemas.codec import STATEMENT_NAMES
from schemas.compatibility import compare, revived_fields
from schemas.errors import BrokenLockError
from schemas.findings import Finding
from schemas.lint import lint, lint_prefix
from schemas.registry import (
    AVRO_DIRECTORY,
    LockEntry,
    digest,
    fingerprint,
    read_declaration,
    read_lock,
)

NOT_LOCKED = "not_locked"
"""The one rule that writing the lock cures."""


def check(directory: Path = AVRO_DIRECTORY, *, restate: bool = False) -> list[Finding]:
    """Return every broken rule of the schemas in a directory, sorted by file; an empty list means sound.

    Args:
        directory: Folder with the .avsc files, lock.json and the locked versions.
        restate: Judge changed schemas as restatements of the newest locked version, not as new versions.
    """
    try:
        entries = read_lock(directory).schemas
    except BrokenLockError as error:
        return [Finding("lock.json", "/", "lock_broken", str(error))]
    findings = list(_check_lock(directory, entries))
    statements: dict[str, tuple[str, dict[str, Any]]] = {}
    names = set()
    for path in sorted(directory.glob("*.avsc")):
        problem, declaration = _parsed(path)
        if problem is not None:
            findings.append(problem)
            continue
        names.add(declaration["name"])
        findings.extend(lint(path.name, declaration))
        findings.extend(_check_history(directory, path.name, declaration, entries, restate=restate))
        if declaration["name"] in STATEMENT_NAMES:
            statements[declaration["name"]] = path.name, declaration
    findings.extend(lint_prefix(statements))
    findings.extend(
        Finding("lock.json", "/", "schema_removed", f"{name} is locked and has no schema file any more")
        for name in sorted({entry.name for entry in entries} - names)
    )
    return sorted(findings)


def _parsed(path: Path) -> tuple[Finding | None, dict[str, Any]]:
    """Read a schema and let both libraries parse it."""
    try:
        declaration = read_declaration(path)
        fastavro.parse_schema(declaration)
        parse(json.dumps(declaration))
    except BrokenLockError as error:
        return Finding(path.name, "/", "unparsable", str(error)), {}
    except (AvroException, fastavro.schema.SchemaParseException, fastavro.schema.UnknownType) as error:
        return Finding(path.name, "/", "unparsable", f"{type(error).__name__}: {error}"), {}
    if declaration.get("type") != "record":
        return Finding(path.name, "/", "unparsable", "a message is a record"), {}
    return None, declaration


def _check_lock(directory: Path, entries: tuple[LockEntry, ...]) -> Iterator[Finding]:
    ids = [entry.id for entry in entries]
    if ids != list(range(1, len(ids) + 1)):
        yield Finding("lock.json", "/", "ids", "ids run from 1 without gap and in order")
    versions: dict[str, int] = {}
    for entry in entries:
        versions[entry.name] = versions.get(entry.name, 0) + 1
        if entry.version != versions[entry.name]:
            yield Finding("lock.json", "/", "versions", f"the versions of {entry.name} do not run from 1")
        problem, declaration = _parsed(directory / entry.file)
        if problem is not None:
            yield problem
        elif (fingerprint(declaration), digest(declaration)) != (entry.fingerprint, entry.digest):
            yield Finding(entry.file, "/", "lock_broken", f"the file is not what was locked as id {entry.id}")


def _check_history(
    directory: Path, file: str, declaration: dict[str, Any], entries: tuple[LockEntry, ...], *, restate: bool
) -> Iterator[Finding]:
    history = [entry for entry in entries if entry.name == declaration["name"]]
    is_locked = bool(history) and history[-1].digest == digest(declaration)
    if not is_locked:
        yield Finding(file, "/", NOT_LOCKED, "the schema differs from the lock; run `hx schemas lock`")
    if is_locked or restate:
        history = history[:-1]
    earlier = []
    for entry in history:
        problem, locked = _parsed(directory / entry.file)
        if problem is None:
            earlier.append(locked)
            yield from compare(file, locked, declaration, entry.version)
    yield from revived_fields(file, tuple(earlier), declaration)

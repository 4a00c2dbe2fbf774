"""Write the lock: give new schemas and new versions their ids, and refuse what would break other members.

`python -m schemas.lock` or `hx schemas lock`. A version that was never part of a release may be restated in
place under its id (`--rewrite`); `--release` marks all ids as released, from when on each change is a new
version.
"""

import sys
from pathlib import Path

import msgspec

from schemas.checks import NOT_LOCKED, check
from schemas.errors import LockRefusedError, SchemaError
from schemas.registry import (
    AVRO_DIRECTORY,
    LockEntry,
    LockFile,
    digest,
    fingerprint,
    read_declaration,
    read_lock,
)


def write_lock(
    directory: Path = AVRO_DIRECTORY, *, rewrite: bool = False, release: bool = False
) -> tuple[str, ...]:
    """Lock every schema of a directory that is new or changed; return one line for each change made.

    Nothing is written when anything is refused. LockRefusedError lists every finding.

    Args:
        directory: Folder with the .avsc files and lock.json.
        rewrite: Restate the newest versions in place; refused for released ones.
        release: Afterwards mark all ids as released.
    """
    findings = [one for one in check(directory, restate=rewrite) if one.rule != NOT_LOCKED]
    if findings:
        raise LockRefusedError("\n".join(map(str, findings)))
    lock = read_lock(directory)
    entries = list(lock.schemas)
    changes: list[str] = []
    files: dict[str, dict[str, object]] = {}
    for path in sorted(directory.glob("*.avsc")):
        declaration = read_declaration(path)
        name = str(declaration["name"])
        versions = [entry for entry in entries if entry.name == name]
        newest = versions[-1] if versions else None
        if newest is not None and newest.digest == digest(declaration):
            files[newest.file] = declaration  # docs may have become better
            continue
        if newest is not None and rewrite:
            if newest.id <= lock.released_up_to:
                raise LockRefusedError(f"{path.name} is released as id {newest.id}; lock a new version")
            entry = _entry(newest.id, newest.version, path.stem, declaration)
            entries[newest.id - 1] = entry
            changes.append(f"{name} version {entry.version} (id {entry.id}) restated")
        else:
            entry = _entry(len(entries) + 1, len(versions) + 1, path.stem, declaration)
            entries.append(entry)
            changes.append(f"{name} version {entry.version} locked as id {entry.id}")
        files[entry.file] = declaration
    released_up_to = len(entries) if release else lock.released_up_to
    if released_up_to != lock.released_up_to:
        changes.append(f"ids up to {released_up_to} marked as released")
    (directory / "locked").mkdir(exist_ok=True)
    for file, declaration in files.items():
        (directory / file).write_bytes(_pretty(declaration))
    lock = LockFile(released_up_to=released_up_to, schemas=tuple(entries))
    (directory / "lock.json").write_bytes(_pretty(lock))
    return tuple(changes)


def _entry(schema_id: int, version: int, stem: str, declaration: dict[str, object]) -> LockEntry:
    return LockEntry(
        id=schema_id,
        name=str(declaration["name"]),
        version=version,
        fingerprint=fingerprint(declaration),
        digest=digest(declaration),
        file=f"locked/{stem}.v{version}.avsc",
    )


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code: 0 done, 1 refused, 2 wrong call."""
    if set(arguments) - {"--rewrite", "--release"}:
        sys.stderr.write("usage: python -m schemas.lock [--rewrite] [--release]\n")
        return 2
    try:
        changes = write_lock(rewrite="--rewrite" in arguments, release="--release" in arguments)
    except SchemaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("\n".join(changes or ("nothing to lock",)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

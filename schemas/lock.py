"""Write the lock: give new schemas and new versions their ids, and refuse what would break other members.

`python -m schemas.lock` or `hx schemas lock`. While no version of the software has been released, `--rewrite`
restates the newest versions in place under their ids; after a release that would break members.
"""

import sys
from pathlib import Path

import msgspec

from schemas.errors import SchemaError
from schemas.registry import (
    AVRO_DIRECTORY,
    LockEntry,
    LockFile,
    digest,
    fingerprint,
    read_declaration,
    read_lock,
)


def write_lock(directory: Path = AVRO_DIRECTORY, *, rewrite: bool = False) -> tuple[str, ...]:
    """Lock every schema of a directory that is new or changed; return one line for each change made.

    Nothing is written when any change is refused. LockRefusedError lists every finding.
    """
    entries = list(read_lock(directory).schemas)
    next_id = max((entry.id for entry in entries), default=0) + 1
    changes: list[str] = []
    declarations: dict[str, dict[str, object]] = {}
    for path in sorted(directory.glob("*.avsc")):
        declaration = read_declaration(path)
        name = str(declaration["name"])
        versions = [entry for entry in entries if entry.name == name]
        newest = max(versions, key=lambda entry: entry.version, default=None)
        if newest is not None and newest.digest == digest(declaration):
            declarations[newest.file] = declaration
            continue
        if newest is not None and rewrite:
            entry = _entry(newest.id, newest.version, path.stem, declaration)
            entries[entries.index(newest)] = entry
            changes.append(f"{name} version {entry.version} (id {entry.id}) restated")
        else:
            entry = _entry(next_id, len(versions) + 1, path.stem, declaration)
            next_id += 1
            entries.append(entry)
            changes.append(f"{name} version {entry.version} locked as id {entry.id}")
        declarations[entry.file] = declaration
    for file, declaration in declarations.items():
        (directory / file).parent.mkdir(exist_ok=True)
        (directory / file).write_bytes(_pretty(declaration))
    (directory / "lock.json").write_bytes(_pretty(LockFile(schemas=tuple(entries))))
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
    if set(arguments) - {"--rewrite"}:
        sys.stderr.write("usage: python -m schemas.lock [--rewrite]\n")
        return 2
    try:
        changes = write_lock(rewrite="--rewrite" in arguments)
    except SchemaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("\n".join(changes or ("nothing to lock",)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

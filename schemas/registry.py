"""The schema registry: which id means which schema, read from the committed lock file and nothing else.

No network at run time: every member gets the same answers from the same package. A REST registry may serve
the same ids. `schemas/avro/*.avsc` are the newest schemas as people edit them; `schemas/avro/locked/` holds
every version as it was locked, and only these are used at run time.
"""

import functools
import hashlib
import json
from pathlib import Path

import fastavro
import msgspec
from fastavro.schema import to_parsing_canonical_form

from schemas.errors import BrokenLockError, UnknownSchemaIdError, UnknownSchemaNameError

AVRO_DIRECTORY = Path(__file__).parent / "avro"
NAMESPACE = "org.hotline_exchange"


class LockEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the lock file.

    Attributes:
        id: Schema id on the wire, from 1, never reused.
        name: Name of the record without namespace.
        version: Version of this name, from 1 without gap.
        fingerprint: SHA-256 of the Avro Parsing Canonical Form, hex: what decides the bytes.
        digest: SHA-256 of the whole schema without its docs, hex: covers defaults, aliases, logical types.
        file: The locked schema, relative to schemas/avro.
    """

    id: int
    name: str
    version: int
    fingerprint: str
    digest: str
    file: str


class LockFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lock file schemas/avro/lock.json.

    Attributes:
        released_up_to: Highest id that was part of a release; these are never restated.
        schemas: All locked versions in the order of their ids.
    """

    released_up_to: int
    schemas: tuple[LockEntry, ...]


class Schema(msgspec.Struct, frozen=True):
    """One locked version of one message.

    Attributes:
        entry: Its line in the lock.
        declaration: The schema as in its file, with docs, defaults and aliases.
        parsed: The same as fastavro parsed it.
    """

    entry: LockEntry
    declaration: dict[str, object]
    parsed: dict[str, object]

    @property
    def id(self) -> int:
        """Schema id on the wire."""
        return self.entry.id

    @property
    def name(self) -> str:
        """Name of the record without namespace."""
        return self.entry.name

    @property
    def version(self) -> int:
        """Version of this name, from 1."""
        return self.entry.version

    @property
    def field_names(self) -> tuple[str, ...]:
        """Names of the fields in the order of the bytes."""
        return tuple(field["name"] for field in self.declaration["fields"])  # type: ignore[attr-defined]


class Registry:
    """All locked schemas by id and by name; never changes after construction."""

    def __init__(self, schemas: tuple[Schema, ...]) -> None:
        self._by_id = {schema.id: schema for schema in schemas}
        self._versions: dict[str, tuple[Schema, ...]] = {}
        for schema in sorted(schemas, key=lambda one: one.version):
            self._versions[schema.name] = (*self._versions.get(schema.name, ()), schema)

    def reading_also(self, other: "Registry") -> "Registry":
        """Return a registry that also reads what only `other` knows, and writes as before.

        A member that is not upgraded yet takes the newer lock as data: newer versions of its messages become
        readable in terms of the version it was built with. Messages it does not know at all stay unknown.
        """
        further = [one for one in other.all() if one.id not in self._by_id and one.name in self._versions]
        extended = Registry(self.all())
        extended._by_id |= {schema.id: schema for schema in further}
        return extended

    def by_id(self, schema_id: int) -> Schema:
        """Return the schema of an id; UnknownSchemaIdError if it is not locked."""
        try:
            return self._by_id[schema_id]
        except KeyError:
            raise UnknownSchemaIdError(schema_id) from None

    def by_name(self, name: str) -> tuple[Schema, ...]:
        """Return all versions of a message, oldest first; UnknownSchemaNameError if there is none."""
        try:
            return self._versions[name]
        except KeyError:
            raise UnknownSchemaNameError(f"no schema is called {name}") from None

    def latest(self, name: str) -> Schema:
        """Return the newest version of a message, the one that is written and read into."""
        return self.by_name(name)[-1]

    @property
    def entries(self) -> tuple[LockEntry, ...]:
        """The lines of the lock in the order of the ids."""
        return tuple(schema.entry for schema in self.all())

    def all(self) -> tuple[Schema, ...]:
        """Return every locked version in the order of the ids."""
        return tuple(self._by_id[schema_id] for schema_id in sorted(self._by_id))

    def names(self) -> tuple[str, ...]:
        """Return the names of all messages in alphabetical order."""
        return tuple(sorted(self._versions))


def fingerprint(declaration: dict[str, object]) -> str:
    """Return the SHA-256 of the schema's Parsing Canonical Form in hex, as any Avro library computes it."""
    return hashlib.sha256(to_parsing_canonical_form(declaration).encode()).hexdigest()


def digest(declaration: dict[str, object]) -> str:
    """Return the SHA-256 in hex of the whole schema except its docs, which may be bettered at any time."""
    text = json.dumps(_without_docs(declaration), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_docs(node: object) -> object:
    if isinstance(node, list):
        return [_without_docs(item) for item in node]
    if isinstance(node, dict):
        return {
            key: value if key == "default" else _without_docs(value)
            for key, value in node.items()
            if key != "doc"
        }
    return node


def read_declaration(path: Path) -> dict[str, object]:
    """Read one .avsc file; BrokenLockError names file and cause if it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except (OSError, msgspec.DecodeError) as error:
        raise BrokenLockError(f"{path}: {error}") from error


def read_lock(directory: Path = AVRO_DIRECTORY) -> LockFile:
    """Read the lock file of a directory of schemas; an absent one is an empty lock."""
    path = directory / "lock.json"
    if not path.exists():
        return LockFile(released_up_to=0, schemas=())
    try:
        return msgspec.json.decode(path.read_bytes(), type=LockFile)
    except (OSError, msgspec.DecodeError) as error:
        raise BrokenLockError(f"{path}: {error}") from error


def load(directory: Path = AVRO_DIRECTORY) -> Registry:
    """Read lock and locked schemas of a directory; BrokenLockError if a fingerprint does not agree."""
    loaded = []
    for entry in read_lock(directory).schemas:
        path = directory / entry.file
        declaration = read_declaration(path)
        if fingerprint(declaration) != entry.fingerprint or digest(declaration) != entry.digest:
            raise BrokenLockError(f"{path} is not what was locked as id {entry.id}")
        parsed = fastavro.parse_schema(declaration)
        loaded.append(Schema(entry=entry, declaration=declaration, parsed=parsed))
    return Registry(tuple(loaded))


@functools.cache
def registry() -> Registry:
    """Return the registry of this installation, read once per process."""
    return load()

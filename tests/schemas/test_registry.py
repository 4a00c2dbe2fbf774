import json
from typing import Any

import avro.schema
import pytest

from schemas.errors import BrokenLockError, UnknownSchemaIdError, UnknownSchemaNameError
from schemas.registry import digest, fingerprint, load, registry


def test_ids_names_and_versions_agree() -> None:
    """Every locked schema is found by its id and by its name, and the newest is the last version."""
    for schema in registry().all():
        assert registry().by_id(schema.id) is schema
        assert schema in registry().by_name(schema.name)
        assert registry().latest(schema.name).version == len(registry().by_name(schema.name))


def test_unknown_ids_and_names_are_typed_errors() -> None:
    """An id or name that is not locked is told apart from everything else."""
    with pytest.raises(UnknownSchemaIdError, match="schema id 99"):
        registry().by_id(99)
    with pytest.raises(UnknownSchemaNameError, match="NoSuch"):
        registry().latest("NoSuch")


def test_the_fingerprint_is_that_of_apache_avro() -> None:
    """Other languages can check the lock: the fingerprint is the SHA-256 of the Parsing Canonical Form."""
    for schema in registry().all():
        parsed = avro.schema.parse(json.dumps(schema.declaration))
        assert parsed.fingerprint("sha256").hex() == schema.entry.fingerprint


def test_the_digest_sees_what_the_fingerprint_does_not() -> None:
    """A changed default keeps the fingerprint and changes the digest; a changed doc changes neither."""
    before = registry().latest("Receipt").declaration
    fields: Any = before["fields"]
    other_default = before | {"fields": [*fields[:-1], fields[-1] | {"default": 7}]}
    other_doc = before | {"doc": "Another text.", "fields": [*fields[:-1], fields[-1] | {"doc": "Another."}]}
    assert fingerprint(other_default) == fingerprint(before)
    assert digest(other_default) != digest(before)
    assert digest(other_doc) == digest(before)
    assert digest({"default": {"doc": "a value"}}) != digest({"default": {"doc": "another value"}})


@pytest.mark.parametrize("damage", ["schema", "missing", "lock"])
def test_a_damaged_installation_does_not_start(damage: str, contract: Any) -> None:  # noqa: ANN401 - conftest
    """A locked schema that was changed or lost, or an unreadable lock, is found at the start."""
    locked = contract.directory / "locked" / "receipt.v1.avsc"
    if damage == "schema":
        locked.write_text(locked.read_text().replace('"default": 0', '"default": 1'))
    elif damage == "missing":
        locked.unlink()
    else:
        (contract.directory / "lock.json").write_text('{"schemas": 1}')
    with pytest.raises(BrokenLockError, match="receipt" if damage != "lock" else "lock.json"):
        load(contract.directory)

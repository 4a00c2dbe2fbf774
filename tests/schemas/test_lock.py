from typing import Any

import pytest

from schemas.checks import check
from schemas.errors import LockRefusedError
from schemas.lock import main, write_lock
from schemas.registry import load, read_lock

pytestmark = pytest.mark.slow

OPTIONAL = {"name": "later", "type": ["null", "string"], "default": None, "doc": "A later field."}


def _add(field: dict[str, Any]) -> Any:  # noqa: ANN401 - a change for the fixture
    return lambda schema: schema["fields"].append(field)


def _rules(contract: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - conftest
    return [(one.file, one.rule) for one in check(contract.directory)]


def test_the_installed_contract_is_sound() -> None:
    """All schemas keep all rules, are locked, and are compatible with their history."""
    assert check() == []


def test_a_second_version_gets_the_next_id_and_keeps_the_first(contract: Any) -> None:  # noqa: ANN401
    """A compatible change becomes a new version; earlier ones stay readable under their ids."""
    count = len(read_lock(contract.directory).schemas)
    contract.change("receipt.avsc", _add(OPTIONAL))
    assert _rules(contract) == [("receipt.avsc", "not_locked")]
    assert write_lock(contract.directory) == (f"Receipt version 2 locked as id {count + 1}",)
    assert _rules(contract) == []
    first, second = load(contract.directory).by_name("Receipt")
    assert (second.id, second.version, second.field_names[-1]) == (count + 1, 2, "later")
    assert "later" not in first.field_names
    assert write_lock(contract.directory) == ()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_add({"name": "later", "type": "string", "doc": "Required."}), "incompatible"),
        (_add({"name": "later", "type": ["null", "string"], "default": None}), "doc"),
        (lambda schema: schema["fields"].reverse(), "order_changed"),
        (lambda schema: schema.update(namespace="org.other"), "namespace_changed"),
    ],
)
def test_a_change_that_breaks_members_is_not_locked(
    change: Any,  # noqa: ANN401 - a change for the fixture
    rule: str,
    contract: Any,  # noqa: ANN401 - conftest
) -> None:
    """The lock stays as it was and every finding is named."""
    before = (contract.directory / "lock.json").read_bytes()
    contract.change("receipt.avsc", change)
    with pytest.raises(LockRefusedError, match=rule):
        write_lock(contract.directory)
    assert (contract.directory / "lock.json").read_bytes() == before
    assert ("receipt.avsc", rule) in _rules(contract)


def test_a_third_version_is_held_against_the_first(contract: Any) -> None:  # noqa: ANN401 - conftest
    """Compatibility is transitive: what only the first version had counts as well."""
    contract.change("receipt.avsc", _add(OPTIONAL))
    write_lock(contract.directory)
    contract.change("receipt.avsc", lambda schema: schema["fields"].pop())
    write_lock(contract.directory)
    contract.change("receipt.avsc", _add(OPTIONAL | {"type": ["null", "int"]}))
    assert sorted(_rules(contract)) == [
        ("receipt.avsc", "field_revived"),
        ("receipt.avsc", "incompatible"),
        ("receipt.avsc", "incompatible"),
        ("receipt.avsc", "not_locked"),
    ]


def test_an_unreleased_version_may_be_restated_and_a_released_one_not(contract: Any) -> None:  # noqa: ANN401
    """Before the first release a version changes in place; afterwards only new versions come."""
    required = {"name": "later", "type": "string", "doc": "Required."}
    count = len(read_lock(contract.directory).schemas)
    contract.change("receipt.avsc", _add(required))
    (change,) = write_lock(contract.directory, rewrite=True)
    assert change.endswith("restated")
    assert len(read_lock(contract.directory).schemas) == count
    assert write_lock(contract.directory, release=True) == (f"ids up to {count} marked as released",)
    contract.change("receipt.avsc", lambda schema: schema["fields"].pop())
    with pytest.raises(LockRefusedError, match="is released as id"):
        write_lock(contract.directory, rewrite=True)


def test_better_docs_need_no_version(contract: Any) -> None:  # noqa: ANN401 - conftest
    """Docs are carried into the locked file without a change of the lock."""
    before = (contract.directory / "lock.json").read_bytes()
    contract.change("receipt.avsc", lambda schema: schema.update(doc="A better text."))
    assert write_lock(contract.directory) == ()
    assert (contract.directory / "lock.json").read_bytes() == before
    assert load(contract.directory).latest("Receipt").declaration["doc"] == "A better text."


@pytest.mark.parametrize(
    ("damage", "file", "rule"),
    [
        ("remove", "lock.json", "schema_removed"),
        ("broken json", "receipt.avsc", "unparsable"),
        ("unknown type", "receipt.avsc", "unparsable"),
        ("no record", "receipt.avsc", "unparsable"),
        ("locked edited", "locked/receipt.v1.avsc", "lock_broken"),
        ("lock unreadable", "lock.json", "lock_broken"),
        ("id gap", "lock.json", "ids"),
        ("version gap", "lock.json", "versions"),
        ("file name", "message.avsc", "file_name"),
    ],
)
def test_every_damage_is_found(damage: str, file: str, rule: str, contract: Any) -> None:  # noqa: ANN401
    """Whatever is wrong with files or lock is one finding that names the file, not a traceback."""
    schema, lock = contract.directory / "receipt.avsc", contract.directory / "lock.json"
    edits = {
        "remove": schema.unlink,
        "broken json": lambda: schema.write_text("{"),
        "unknown type": lambda: contract.change("receipt.avsc", _add(OPTIONAL | {"type": "Nothing"})),
        "no record": lambda: schema.write_text('{"type": "enum", "name": "Receipt", "symbols": ["a"]}'),
        "locked edited": lambda: contract.change("locked/receipt.v1.avsc", _add(OPTIONAL)),
        "lock unreadable": lambda: lock.write_text("[]"),
        "id gap": lambda: lock.write_text(lock.read_text().replace('"id": 3,', '"id": 33,')),
        "version gap": lambda: lock.write_text(lock.read_text().replace('"version": 1', '"version": 2', 1)),
        "file name": lambda: schema.rename(contract.directory / "message.avsc"),
    }
    edits[damage]()
    assert (file, rule) in _rules(contract)


def test_the_command_refuses_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown argument is exit code 2 with the usage, and nothing is written."""
    assert main(["--force"]) == 2
    assert "usage" in capsys.readouterr().err
